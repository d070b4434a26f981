"""The columns of exports, and the statement that reads a row of them for each record."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from sqlalchemy import BigInteger, Dialect, Text, bindparam, cast, select

from app.core.databases.expressions import Expression
from app.core.databases.interface import CompiledQuery, compile_query
from app.core.databases.made_once import made_once
from app.core.sheets.sheet import CellKind
from app.engine.keys import names_of
from app.engine.paths import FieldType, fields_of, find_field, leads_to_many, relations_of
from app.engine.query.conditions import Path, columns_of, value_at
from app.engine.query.csv_lines import csv_cell, csv_json_cell, line_of
from app.engine.query.filter_reader import bad_parameter
from app.engine.query.orders import in_order
from app.engine.query.parameters import QueryShape, View
from app.engine.query.render import (
    as_csv_value,
    as_json,
    embedded_json,
    object_of,
    record_json,
)
from app.engine.query.statements import keys_of, narrowed
from app.engine.resource import Embedded, Resource, SubCollection

#: Makes of a column what stands in a file.
Form = Callable[[Expression], Expression]
_CELLS: Mapping[FieldType, CellKind] = {
    FieldType.integer: CellKind.integer,
    FieldType.decimal: CellKind.decimal,
    FieldType.boolean: CellKind.boolean,
    FieldType.date: CellKind.date,
    FieldType.instant: CellKind.instant,
}


@dataclass(frozen=True, slots=True)
class Cell:
    """A column of an export and where its values come from."""

    path: Path
    kind: CellKind
    part: Embedded | None = None
    is_json: bool = False

    @property
    def name(self) -> str:
        """What the column is called: `mission.title`."""
        return ".".join(self.path)


#: The column of a part that says where in its record's list it stands, from 0.
POSITION: Final = "position"
#: How many values one function of a database makes an object of.
_OBJECT_VALUES: Final = 40


def cells_of(
    resource: Resource, view: View, named: str | None, row_of: str | None = None
) -> list[Cell]:
    """The columns of an export: the record's fields, and beside each id what it points to.

    `named` is the query's `fields`, whose order is the columns'; `expand` adds all fields of a
    related record. With `row_of` there is a row for each part in this list of the record: its
    fields are columns, after what says which record it is of. BadRequest for a relation that leads
    to any number of records.
    """
    paths = _all_paths(resource) if row_of is None else _paths_of_rows(resource, row_of)
    if named is not None:
        paths = [tuple(name.strip().split(".")) for name in named.split(",")]
    for relation in view.expand:
        within = row_of is not None and relation[0] == row_of
        if within and len(relation) == 1:
            continue
        at, way = (resource.embedded[relation[0]], relation[1:]) if within else (resource, relation)
        target = _target(at, way, "expand", relation)
        paths += [(*relation, name) for name in fields_of(target)]
    if row_of is None:
        return [_cell(resource, path) for path in dict.fromkeys(paths)]
    found = (_of_row(resource, row_of, path) for path in paths)
    return list(dict.fromkeys(cell for cells in found for cell in cells))


def _paths_of_rows(resource: Resource, row_of: str) -> list[Path]:
    """What says which record it is, and all of a part of it."""
    return [("id",), ("ref",), (label_of(resource),), (row_of,)]


def _of_row(resource: Resource, row_of: str, path: Path) -> list[Cell]:
    """The columns of a path in an export of parts; all of the part where it names just that."""
    if path[0] != row_of:
        return [_cell(resource, path)]
    part, inner = resource.embedded[row_of], [path[1:]]
    if not path[1:]:
        inner = [(POSITION,)]
        for name in part.fields.model_fields:
            inner.append((name,))
            relation = name.removesuffix("_id")
            if name != relation and relation in part.to_one:
                inner += [(relation, "ref"), (relation, label_of(part.to_one[relation]))]
    return [_of_part(part, row_of, each) for each in dict.fromkeys(inner)]


def _of_part(part: Embedded, row_of: str, path: Path) -> Cell:
    if path == (POSITION,):
        return Cell((row_of, POSITION), CellKind.integer)
    cell = _cell(part, path)
    return replace(cell, path=(row_of, *cell.path))


def _all_paths(resource: Resource) -> list[Path]:
    paths: list[Path] = []
    for name in resource.read_fields:
        paths.append((name,))
        relation = name.removesuffix("_id")
        if name != relation and relation in resource.to_one:
            paths.append((relation, label_of(resource.to_one[relation])))
    return paths


def label_of(resource: Resource) -> str:
    """The field that says in an export which record is meant: its name, or its ref without one."""
    return next(iter(names_of(resource)), "ref")


def _target(
    at: Resource | Embedded, path: Path, parameter: str = "fields", told: Path | None = None
) -> Resource | Embedded:
    """Where a path of to-one relations leads; BadRequest, `told` being what the client wrote."""
    for name in path:
        found = relations_of(at)[name]
        if found.is_to_many:
            text = f"{'.'.join(told or path)} leads to any number of records:"
            text += " export those by themselves."
            raise bad_parameter(parameter, "many", text)
        at = found.target
    return at


def _cell(at: Resource | Embedded, path: Path) -> Cell:
    name = path[0]
    if isinstance(at, Resource) and path == (name,):
        if name in at.embedded:
            return Cell(path, CellKind.text, at.embedded[name], is_json=True)
        if name in at.derived_elsewhere:
            integer = at.table.__mapper__.columns[name].type.python_type is int
            return Cell(path, CellKind.integer if integer else CellKind.text)
    if path[-1] in relations_of(_target(at, path[:-1])):
        path = (*path, label_of(_target(at, path)))  # type: ignore[arg-type]
    if leads_to_many(at, path) is not None:
        text = f"{'.'.join(path)} has any number of values: name its relation alone, or none of it."
        raise bad_parameter("fields", "many", text)
    found = find_field(at, path)
    is_json = found.field_type is FieldType.list and found.codes is None
    return Cell(path, _CELLS.get(found.field_type, CellKind.text), is_json=is_json)


@made_once(128)
def export_statement(
    resource: Resource,
    collection: SubCollection | None,
    shape: QueryShape,
    cells: tuple[Cell, ...] | None,
    dialect: Dialect,
    lines: bool = False,
    row_of: str | None = None,
) -> CompiledQuery:
    """Reads a row of cells for each record, or with `lines` its line of a CSV file, `(line,)`;
    or, without cells, `(json,)`. With `row_of` the rows are those of this list of each record."""
    if cells is None:
        columns: list[Expression] = [cast(record_json(resource, shape.view), Text)]
    elif lines:
        columns = [line_of(cell_values(resource, cells, csv_cell, csv_json_cell, row_of))]
    else:
        columns = cell_values(resource, cells, as_csv_value, as_csv_value, row_of)
    return _in_order(columns, resource, collection, shape, dialect, row_of)


@made_once(128)
def objects_statement(
    resource: Resource, shape: QueryShape, cells: tuple[Cell, ...], dialect: Dialect, row_of: str
) -> CompiledQuery:
    """Reads `(json, …)` for each part in a list of each record: objects that together have its
    cells, by the names of the columns."""
    values = cell_values(resource, cells, as_json, _as_it_is, row_of)
    named = [(cell.name, value) for cell, value in zip(cells, values, strict=True)]
    several = (named[at : at + _OBJECT_VALUES] for at in range(0, len(named), _OBJECT_VALUES))
    columns: list[Expression] = [cast(object_of(dict(few)), Text) for few in several]
    return _in_order(columns, resource, None, shape, dialect, row_of)


def _as_it_is(column: Expression) -> Expression:
    return column


def _in_order(
    columns: list[Expression],
    resource: Resource,
    collection: SubCollection | None,
    shape: QueryShape,
    dialect: Dialect,
    row_of: str | None,
) -> CompiledQuery:
    """The statement of an export, whose rows are those of the list in its order."""
    statement = narrowed(select(*columns), resource, collection, shape)
    if row_of is not None:
        part = resource.embedded[row_of]
        statement = statement.where(getattr(part.table, part.owner) == resource.table.id)
    statement = statement.order_by(*in_order(keys_of(resource, shape)))
    if row_of is not None:
        statement = statement.order_by(getattr(resource.embedded[row_of].table, POSITION))
    return compile_query(statement.limit(bindparam("limit", type_=BigInteger)), dialect)


def cell_values(
    resource: Resource,
    cells: Iterable[Cell],
    form: Form,
    list_form: Form,
    row_of: str | None,
) -> list[Expression]:
    """The values of the cells in a form, those that are lists of objects in one of their own."""
    get = columns_of(resource.table)
    found = []
    for cell in cells:
        first, *rest = cell.path
        if cell.part:
            found.append(list_form(embedded_json(cell.part, get)))
        elif first == row_of:
            part = resource.embedded[first]
            found.append(value_at(part, tuple(rest), columns_of(part.table), form))
        else:
            found.append(value_at(resource, cell.path, get, form))
    return found
