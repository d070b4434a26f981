"""Reads: from a resource's declaration to one SELECT whose rows are finished JSON."""

from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Dialect,
    Select,
    bindparam,
    func,
    literal_column,
    select,
    true,
    type_coerce,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import aliased
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.expression import FunctionElement

from app.core.database import Prepared, prepare
from app.core.types import JSON_FORMS, Exact, JsonText
from app.crud.filters import Shape
from app.crud.resource import Collection, Part, Resource

#: What to expand: relation name → what to expand inside it.
Tree = Mapping[str, "Tree"]
Get = Callable[[str], ColumnElement[Any]]

_OBJECT = {"sqlite": "json_object", "postgresql": "json_build_object"}
_LIST = {"sqlite": "json_group_array(%s)", "postgresql": "coalesce(json_agg(%s), '[]'::json)"}


class as_json(FunctionElement[Any]):  # noqa: N801 (reads as an SQL function)
    """A column as its type looks in JSON."""

    inherit_cache = True


class json_object(FunctionElement[Any]):  # noqa: N801
    """A JSON object of names and values in turn."""

    inherit_cache = True


class json_list(FunctionElement[Any]):  # noqa: N801
    """An aggregate: the JSON list of a value of each row."""

    inherit_cache = True


class exact_sum(FunctionElement[Any]):  # noqa: N801
    """An aggregate: the sum of an `Exact` column as JSON; SQLite's integers would overflow."""

    inherit_cache = True


@compiles(exact_sum, "postgresql")
def _exact_sum(element: exact_sum, compiler: SQLCompiler, **kw: Any) -> str:
    return f"coalesce(trim_scale(sum({compiler.process(element.clauses, **kw)})), 0)"


@compiles(exact_sum, "sqlite")
def _exact_sum_of_units(element: exact_sum, compiler: SQLCompiler, **kw: Any) -> str:
    """The smallest units are added in two halves of nine digits; amounts are never negative."""
    (column,) = element.clauses
    assert isinstance(column.type, Exact)
    sql, half, unit = compiler.process(column, **kw), 10**9, 10**column.type.scale
    low, high = f"coalesce(sum({sql} % {half}), 0)", f"coalesce(sum({sql} / {half}), 0)"
    whole = f"(({high} + {low} / {half}) * {half // unit} + {low} % {half} / {unit})"
    rest = f"({low} % {unit})"
    digits = f"printf('%d.%0{column.type.scale}d', {whole}, {rest})"
    return f"json(CASE {rest} WHEN 0 THEN {whole} ELSE rtrim({digits}, '0') END)"


@compiles(as_json)
def _as_json(element: as_json, compiler: SQLCompiler, **kw: Any) -> str:
    (column,) = element.clauses
    return JSON_FORMS[compiler.dialect.name](column.type, compiler.process(column, **kw))


@compiles(json_object)
def _json_object(element: json_object, compiler: SQLCompiler, **kw: Any) -> str:
    return f"{_OBJECT[compiler.dialect.name]}({compiler.process(element.clauses, **kw)})"


@compiles(json_list)
def _json_list(element: json_list, compiler: SQLCompiler, **kw: Any) -> str:
    return _LIST[compiler.dialect.name] % compiler.process(element.clauses, **kw)


def parsed(column: ColumnElement[Any]) -> ColumnElement[Any]:
    """JSON that comes out of a subquery, which SQLite takes for text otherwise."""
    return as_json(type_coerce(column, JsonText()))


def object_of(values: Mapping[str, ColumnElement[Any]]) -> json_object:
    """The JSON object of these values, which are JSON already; names are our own, so inlined."""
    pairs: list[Any] = []
    for name, value in values.items():
        pairs += [literal_column(f"'{name}'"), value]
    return json_object(*pairs)


def _record(resource: Resource, get: Get, tree: Tree) -> dict[str, ColumnElement[Any]]:
    values: dict[str, ColumnElement[Any]] = {}
    for name in resource.shown:
        part = resource.parts.get(name)
        values[name] = as_json(get(name)) if part is None else _part(part, get, tree.get(name, {}))
    for name, target in resource.one.items():
        if name in tree:
            values[name] = _one(target, get(f"{name}_id"), tree[name])
    for name, collection in resource.many.items():
        if name in tree:
            values[name] = _many(collection, get, tree[name])
    return values


def _one(target: Resource, key: ColumnElement[Any], tree: Tree) -> ColumnElement[Any]:
    table = aliased(target.table)
    values = _record(target, lambda name: getattr(table, name), tree)
    return select(object_of(values)).where(table.id == key).scalar_subquery()


def _part(part: Part, get: Get, tree: Tree) -> ColumnElement[Any]:
    table = aliased(part.table)
    names = list(part.fields.model_fields)
    keys = {getattr(table, f"{relation}_id") for relation in tree}
    chosen = [getattr(table, name) for name in names]
    chosen += [key for key in keys if key.key not in names]
    # The rows are put in order first and made JSON outside: SQLite 3.40 has no ORDER BY in an
    # aggregate, and JSON made inside would be parsed again on its way out.
    rows = (
        select(*chosen)
        .where(getattr(table, part.owner) == get("id"))
        .order_by(table.position)  # type: ignore[attr-defined]
        .correlate_except(table)
        .subquery()
    )
    values: dict[str, ColumnElement[Any]] = {name: as_json(rows.c[name]) for name in names}
    for name, inner in tree.items():
        values[name] = _one(part.one[name], rows.c[f"{name}_id"], inner)
    return select(json_list(object_of(values))).select_from(rows).scalar_subquery()


def _many(collection: Collection, get: Get, tree: Tree) -> ColumnElement[Any]:
    child = collection.child
    table = aliased(child.table)
    chosen = (
        select(*(getattr(table, name).label(name) for name in child.columns))
        .where(collection.on(table, _Parent(get)), table.deleted_at.is_(None))
        .order_by(table.id)
        .correlate_except(table)
    )
    rows = (chosen if child.only is None else chosen.where(child.only(table))).subquery()
    values = _record(child, lambda name: rows.c[name], tree)
    return select(json_list(object_of(values))).select_from(rows).scalar_subquery()


class _Parent:
    """Stands for the parent's table where its columns come from somewhere else."""

    def __init__(self, get: Get) -> None:
        self._get = get

    def __getattr__(self, name: str) -> ColumnElement[Any]:
        return self._get(name)


def tree_of(paths: Iterable[str]) -> Tree:
    """`["mission", "parties.organization"]` as nested relations."""
    tree: dict[str, Any] = {}
    for path in paths:
        inner = tree
        for name in path.split("."):
            inner = inner.setdefault(name, {})
    return tree


def record_json(resource: Resource, paths: Iterable[str] = ()) -> ColumnElement[Any]:
    """The JSON of one row of the resource's table, relations expanded along the paths."""
    return object_of(_record(resource, lambda n: getattr(resource.table, n), tree_of(paths)))


@lru_cache(maxsize=512)
def item_statement(
    resource: Resource, paths: tuple[str, ...], by: str, dialect: Dialect
) -> Prepared:
    """Reads `(json, deleted_at, id)` of the record whose column `by` is `:key`."""
    table = resource.table
    columns = (record_json(resource, paths), table.deleted_at, table.id)
    statement = select(*columns).where(_column(resource, by) == bindparam("key"))
    if resource.only is not None:
        statement = statement.where(resource.only(table))
    return prepare(statement, dialect)


def _column(resource: Resource, name: str) -> Any:
    return getattr(resource.table, name)


@lru_cache(maxsize=512)
def list_statement(
    resource: Resource,
    collection: Collection | None,
    shape: Shape,
    dialect: Dialect,
) -> Prepared:
    """Reads `(json,)` of a page of records; parameters are the filters', `limit` and `offset`."""
    statement = narrowed(select(record_json(resource, shape.expand)), resource, collection, shape)
    for name, descending in shape.sort:
        column = _column(resource, name)
        order = column.desc() if descending else column.asc()
        stored = resource.table.__table__.c.get(name)
        filled = stored is not None and not stored.nullable
        statement = statement.order_by(order if filled else order.nulls_last())
    statement = statement.limit(bindparam("limit", type_=BigInteger))
    return prepare(statement.offset(bindparam("offset", type_=BigInteger)), dialect)


@lru_cache(maxsize=512)
def count_statement(
    resource: Resource,
    collection: Collection | None,
    shape: Shape,
    dialect: Dialect,
) -> Prepared:
    """Reads `(count,)` of all records that match."""
    counted = select(func.count()).select_from(resource.table)
    return prepare(narrowed(counted, resource, collection, shape), dialect)


def narrowed(
    statement: Select[Any], resource: Resource, collection: Collection | None, shape: Shape
) -> Select[Any]:
    """The statement with the conditions of a list: filters, trash, and the parent's `:parent`."""
    table = resource.table
    if collection is not None:
        parent = aliased(collection.parent.table)
        statement = statement.join(parent, true()).where(
            collection.on(table, parent), parent.id == bindparam("parent")
        )
    if resource.only is not None:
        statement = statement.where(resource.only(table))
    for name in shape.filters:
        statement = statement.where(_column(resource, name) == bindparam(name))
    if shape.deleted == "exclude":
        statement = statement.where(table.deleted_at.is_(None))
    elif shape.deleted == "only":
        statement = statement.where(table.deleted_at.is_not(None))
    return statement
