"""Tables written as Apache Parquet files."""

import os
from collections.abc import Sequence
from typing import Any, ClassVar

from app.core.sheets.sheet import CellKind, Column, FileSheet, MissingExtra, Row, SheetLimit


def _pyarrow() -> tuple[Any, Any]:
    # Read when it is loaded: a pool of its own would keep 50 MB of a large file for good.
    os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        raise MissingExtra(
            "Parquet needs one package more, which whoever runs the service adds to its"
            " environment: .venv/bin/pip install pyarrow"
        ) from None
    return pyarrow, pyarrow.parquet


class ParquetSheet(FileSheet):
    """An Apache Parquet file with typed columns and row groups of 65,536 rows.

    Integers are int64, decimals decimal128(38, 10), dates date32, instants timestamps in UTC to
    the microsecond. MissingExtra where pyarrow is not installed; SheetLimit for a decimal with
    more than 28 digits before the point or 10 after it.
    """

    media_type = "application/vnd.apache.parquet"
    suffix = "parquet"
    group_rows: ClassVar[int] = 65_536

    def __init__(self, columns: Sequence[Column]) -> None:
        self._arrow, self._parquet = _pyarrow()
        super().__init__(columns)
        types = _arrow_types(self._arrow)
        self._schema = self._arrow.schema([(c.name, types[c.kind]) for c in columns])
        self._writer: Any = None
        self._waiting: list[Any] = []
        self._waiting_rows = 0
        self._taken = 0  # Rows of all batches before the present one.

    def begin(self) -> bytes:
        self._writer = self._parquet.ParquetWriter(self._path, self._schema, compression="zstd")
        return b""

    def rows(self, batch: Sequence[Row]) -> bytes:
        if batch:
            values = zip(*batch, strict=True)
            arrays = [self._array(i, list(column)) for i, column in enumerate(values)]
            self._waiting.append(self._arrow.record_batch(arrays, schema=self._schema))
            self._waiting_rows += len(batch)
            self._taken += len(batch)
        if self._waiting_rows >= self.group_rows:
            self._write_group()
        return b""

    def _array(self, index: int, values: list[str | int | None]) -> Any:
        """The values in Arrow's form; it reads the texts itself, which is faster than Python."""
        try:
            return self._converted(index, values)
        except (self._arrow.ArrowInvalid, OverflowError):
            row = next(i for i, value in enumerate(values) if not self._fits(index, value))
        name, number = self.columns[index].name, self._taken + row + 2
        kind = self._schema.field(index).type
        detail = f"row {number} of {name!r}: {values[row]} has no place in {kind}"
        raise SheetLimit(detail, number, name)

    def _converted(self, index: int, values: list[str | int | None]) -> Any:
        kind = self._schema.field(index).type
        if self.columns[index].kind is CellKind.integer:
            return self._arrow.array(values, kind)
        texts = self._arrow.array(values, self._arrow.string())
        if self.columns[index].kind is CellKind.decimal:
            # From a text straight to 128 bits, what is too large for them wraps around unnoticed.
            texts = texts.cast(self._arrow.decimal256(76, kind.scale))
        return texts.cast(kind)

    def _fits(self, index: int, value: str | int | None) -> bool:
        try:
            self._converted(index, [value])
        except (self._arrow.ArrowInvalid, OverflowError):
            return False
        return True

    def _write_group(self) -> None:
        table = self._arrow.Table.from_batches(self._waiting, self._schema)
        self._writer.write_table(table, row_group_size=self._waiting_rows or None)
        self._waiting, self._waiting_rows = [], 0

    def _finish(self) -> None:
        if self._waiting:
            self._write_group()
        self._writer.close()
        self._writer = None

    def close(self) -> None:
        if self._writer is not None:
            self._writer.close()
            self._writer = None
        super().close()


def _arrow_types(arrow: Any) -> dict[CellKind, Any]:
    return {
        CellKind.text: arrow.string(),
        CellKind.integer: arrow.int64(),
        # Wide enough for every amount, share and rate of exchange, and for sums of them.
        CellKind.decimal: arrow.decimal128(38, 10),
        CellKind.boolean: arrow.bool_(),
        CellKind.date: arrow.date32(),
        CellKind.instant: arrow.timestamp("us", "UTC"),
    }
