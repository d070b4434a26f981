"""Rows of a dataset as they are answered: with the labels of codes, as cells or as objects."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from app.core.databases.interface import Database, Rows
from app.core.loose_types import Value, Values
from app.core.sheets.sheet import CellKind, Row
from app.datasets.columns import AnyDataset, DatasetColumn, cells, columns
from app.datasets.computed import ComputedDataset
from app.engine.labels import Language
from app.rest.labelled import labels_for, names_for


@dataclass(frozen=True, slots=True)
class Labeller:
    """Makes of what the statement reads the rows of the dataset."""

    columns: Sequence[DatasetColumn]
    labels: Mapping[int, Callable[[str], str]]
    #: How many values of a row are not its key.
    width: int

    def rows(self, batch: Rows) -> list[Row]:
        """The cells of each row, as sheets take them."""
        return [[self._cell(column, row) for column in self.columns] for row in batch]

    def _cell(self, column: DatasetColumn, row: Sequence[Value]) -> Value:
        value = row[column.at]
        if value is None or not column.is_label:
            return value
        return self.labels[column.at](str(value))


def as_objects(shown: Sequence[DatasetColumn], rows: Sequence[Row]) -> list[Values]:
    """Each row of cells as a JSON object: decimals are texts, as in the records."""
    names = [column.name for column in shown]
    return [dict(zip(names, map(_as_json, shown, row), strict=True)) for row in rows]


def _as_json(column: DatasetColumn, value: Value) -> Value:
    return value == "true" if column.kind is CellKind.boolean and value is not None else value


async def labeller(database: Database, dataset: AnyDataset, language: Language) -> Labeller:
    """What labels the codes of a dataset in a language."""
    shown = columns(dataset)
    labels = await _labels(database, dataset, language)
    return Labeller(shown, labels, max(column.at for column in shown) + 1)


async def _labels(
    database: Database, dataset: AnyDataset, language: Language
) -> Mapping[int, Callable[[str], str]]:
    if isinstance(dataset, ComputedDataset):
        return {
            at: await names_for(database, column.codes, language, are_entered=False)
            for at, column in enumerate(dataset.columns)
            if column.codes is not None
        }
    # Nobody enters what datasets show: a label is the same as in the database's views.
    found = await labels_for(
        database,
        dataset.resource,
        cells(dataset),
        language,
        are_texts=False,
        are_entered=False,
    )
    return found.columns
