"""The types of OData (Entity Data Model, CSDL 4.0, 4.4) that values of the records have."""

from dataclasses import dataclass

from app.core.databases.expressions import SqlType
from app.core.databases.types import Exact
from app.core.sheets.sheet import CellKind
from app.engine.paths import FieldType, type_of_column
from app.insights.totals import SCALE

#: How many digits of a second moments have.
_SECOND_DIGITS = 6
_NAMES = {
    FieldType.id: "Guid",
    FieldType.integer: "Int32",
    FieldType.decimal: "Decimal",
    FieldType.boolean: "Boolean",
    FieldType.date: "Date",
    FieldType.instant: "DateTimeOffset",
}
_CELLS = {
    CellKind.integer: "Int32",
    CellKind.decimal: "Decimal",
    CellKind.boolean: "Boolean",
    CellKind.date: "Date",
    CellKind.instant: "DateTimeOffset",
}


@dataclass(frozen=True, slots=True)
class EdmType:
    """A type with its facets, of a value or of the items of a collection."""

    name: str
    is_collection: bool = False
    precision: int | None = None
    scale: int | None = None

    @property
    def full_name(self) -> str:
        """As a document names it: `Collection(Edm.String)`."""
        return f"Collection({self.name})" if self.is_collection else self.name


def edm_type(of: SqlType) -> EdmType:
    """The type of a column's values."""
    kind = type_of_column(of)
    name = f"Edm.{_NAMES.get(kind, 'String')}"
    if isinstance(of, Exact):
        return EdmType(name, precision=of.digits, scale=of.scale)
    seconds = _SECOND_DIGITS if kind is FieldType.instant else None
    return EdmType(name, kind is FieldType.list, seconds)


def flat_type(of: SqlType | None, kind: CellKind) -> EdmType:
    """The type of a dataset's column, of which `of` is the type in the table where it has one.

    A list is a text there, as in its other formats: tables have no lists.
    """
    if of is None:
        name = f"Edm.{_CELLS.get(kind, 'String')}"
        return EdmType(name, scale=SCALE if kind is CellKind.decimal else None)
    found = edm_type(of)
    return EdmType("Edm.String") if found.is_collection else found
