"""Exports with labels: what people call fields and codes in place of what programs do."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from sqlalchemy import Dialect

from app.core.databases.interface import CompiledQuery, Database, compile_query
from app.core.databases.made_once import made_once
from app.core.sheets.sheet import CellKind, Row
from app.engine.imports.code_labels import (
    labels_of_rows,
    labels_statement,
    names_of_rows,
    names_statement,
)
from app.engine.labels import Language, label
from app.engine.paths import FieldType, RecordField, find_field
from app.engine.resource import Resource
from app.rest.export_columns import POSITION, Cell

_TRUTHS: Final[Mapping[Language, Mapping[str, str]]] = {
    "en": {"true": "yes", "false": "no"},
    "ru": {"true": "да", "false": "нет"},
    "kk": {"true": "иә", "false": "жоқ"},
}


@dataclass(frozen=True, slots=True)
class Labelled:
    """The headers of a table, and what becomes of the cells of its columns that have labels."""

    headers: Sequence[str]
    columns: Mapping[int, Callable[[str], str]]

    def rows(self, batch: Sequence[Row]) -> list[Row]:
        """The rows with labels in place of codes."""
        found: list[Row] = []
        for row in batch:
            cells = list(row)
            for at, labels in self.columns.items():
                cell = cells[at]
                if cell is not None:
                    cells[at] = labels(str(cell))
            found.append(cells)
        return found


async def labels_for(
    database: Database,
    resource: Resource,
    cells: Sequence[Cell],
    language: Language,
    *,
    are_texts: bool,
    are_entered: bool,
) -> Labelled:
    """The labels of these columns, such that an import takes them back where they `are_entered`;
    truth values have some where all cells `are_texts`, as in CSV."""
    columns: dict[int, Callable[[str], str]] = {}
    for at, cell in enumerate(cells):
        if cell.kind is CellKind.boolean and are_texts:
            columns[at] = _TRUTHS[language].__getitem__
        coded = _coded(resource, cell)
        if coded is not None:
            columns[at] = await names_for(database, coded, language, are_entered=are_entered)
    headers = [label(resource, cell.path, language) for cell in cells]
    return Labelled(headers, columns)


@made_once(128)
def _labels_statement(coded: RecordField, dialect: Dialect) -> CompiledQuery:
    return compile_query(labels_statement(coded), dialect)


async def names_for(
    database: Database, coded: RecordField, language: Language, *, are_entered: bool
) -> Callable[[str], str]:
    """What the codes of a field are called in a language."""
    is_list = coded.field_type is FieldType.list
    if are_entered:
        statement = await _labels_statement.beside_loop(coded, database.dialect)
        labels = labels_of_rows(coded, await database.read(statement, {}))
        return _Names(partial(labels.label, language=language), is_list)
    # There are thousands of regions: what else they are called is not read where nobody asks.
    statement = await names_statement.beside_loop(coded, language, database.dialect)
    names = names_of_rows(coded, await database.read(statement, {}))
    return _Names(lambda code: names.get(code, code), is_list)


def _coded(resource: Resource, cell: Cell) -> RecordField | None:
    """The field of a column, where its values are codes or of an enumeration."""
    name = cell.path[0]
    if cell.part is not None or cell.is_json or name in resource.derived_elsewhere:
        return None
    if name in resource.embedded and cell.path[1:] == (POSITION,):
        return None
    found = find_field(resource, cell.path)
    return found if found.codes is not None or found.choices else None


class _Names(dict[str, str]):
    """What cells of codes are called, each found when it is first met."""

    def __init__(self, name: Callable[[str], str], is_list: bool) -> None:
        super().__init__()
        self._name, self._is_list = name, is_list

    def __missing__(self, cell: str) -> str:
        codes = cell.split(";") if self._is_list else [cell]
        names = [self._name(code) for code in codes]
        # A semicolon stands between the items of a list.
        if self._is_list and any(";" in name for name in names):
            names = codes
        self[cell] = "; ".join(names)
        return self[cell]

    def __call__(self, cell: str) -> str:
        return self[cell]
