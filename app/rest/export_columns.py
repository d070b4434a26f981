"""The columns of exports, and the statement that reads a row of them for each record."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from sqlalchemy import BigInteger, Dialect, Text, bindparam, cast, select

from app.core.databases.expressions import Expression
from app.core.databases.interface import CompiledQuery, compile_query
from app.core.sheets.sheet import CellKind
from app.engine.keys import names_of
from app.engine.paths import FieldType, fields_of, find_field, leads_to_many, relations_of
from app.engine.query.conditions import Path, columns_of, value_at
from app.engine.query.csv_lines import csv_cell, csv_json_cell, line_of
from app.engine.query.filter_reader import bad_parameter
from app.engine.query.parameters import QueryShape, View
from app.engine.query.render import as_csv_value, embedded_json, record_json
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


def cells_of(resource: Resource, view: View, named: str | None) -> list[Cell]:
    """The columns of an export: the record's fields, and beside each id what it points to.

    `named` is the query's `fields`, whose order is the columns'; `expand` adds all fields of a
    related record. BadRequest for a relation that leads to any number of records.
    """
    paths = _all_paths(resource)
    if named is not None:
        paths = [tuple(name.strip().split(".")) for name in named.split(",")]
    for relation in view.expand:
        target = _target(resource, relation, "expand")
        paths += [(*relation, name) for name in fields_of(target)]
    return [_cell(resource, path) for path in dict.fromkeys(paths)]


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


def _target(resource: Resource, path: Path, parameter: str = "fields") -> Resource | Embedded:
    at: Resource | Embedded = resource
    for name in path:
        found = relations_of(at)[name]
        if found.is_to_many:
            text = f"{'.'.join(path)} leads to any number of records: export those by themselves."
            raise bad_parameter(parameter, "many", text)
        at = found.target
    return at


def _cell(resource: Resource, path: Path) -> Cell:
    name = path[0]
    if path == (name,) and name in resource.embedded:
        return Cell(path, CellKind.text, resource.embedded[name], is_json=True)
    if path == (name,) and name in resource.derived_elsewhere:
        integer = resource.table.__mapper__.columns[name].type.python_type is int
        return Cell(path, CellKind.integer if integer else CellKind.text)
    if path[-1] in relations_of(_target(resource, path[:-1])):
        path = (*path, label_of(_target(resource, path)))  # type: ignore[arg-type]
    if leads_to_many(resource, path) is not None:
        text = f"{'.'.join(path)} has any number of values: name its relation alone, or none of it."
        raise bad_parameter("fields", "many", text)
    found = find_field(resource, path)
    is_json = found.field_type is FieldType.list and found.codes is None
    return Cell(path, _CELLS.get(found.field_type, CellKind.text), is_json=is_json)


@lru_cache(maxsize=128)
def export_statement(
    resource: Resource,
    collection: SubCollection | None,
    shape: QueryShape,
    cells: tuple[Cell, ...] | None,
    dialect: Dialect,
    lines: bool = False,
) -> CompiledQuery:
    """Reads a row of cells for each record, or with `lines` its line of a CSV file, `(line,)`;
    or, without cells, `(json,)`."""
    if cells is None:
        columns: list[Expression] = [cast(record_json(resource, shape.view), Text)]
    elif lines:
        columns = [line_of(_values(resource, cells, csv_cell, csv_json_cell))]
    else:
        columns = _values(resource, cells, as_csv_value, as_csv_value)
    statement = narrowed(select(*columns), resource, collection, shape)
    for key in keys_of(resource, shape):
        order = key.column.desc() if key.descending else key.column.asc()
        statement = statement.order_by(order.nulls_last() if key.nullable else order)
    return compile_query(statement.limit(bindparam("limit", type_=BigInteger)), dialect)


def _values(
    resource: Resource, cells: Iterable[Cell], form: Form, list_form: Form
) -> list[Expression]:
    """The values of the cells in a form, those that are lists of objects in one of their own."""
    get = columns_of(resource.table)
    return [
        list_form(embedded_json(cell.part, get))
        if cell.part
        else value_at(resource, cell.path, get, form)
        for cell in cells
    ]
