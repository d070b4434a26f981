"""The statements of reads: one record, a page of a list, and how many records a list has."""

from collections.abc import Iterator

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Dialect,
    Text,
    and_,
    bindparam,
    cast,
    false,
    func,
    literal_column,
    or_,
    select,
    true,
    type_coerce,
)
from sqlalchemy.orm import aliased
from sqlalchemy.sql.expression import FunctionElement

from app.core.databases.expressions import AnyTable, Expression, Selection
from app.core.databases.interface import CompiledQuery, compile_query, table_of
from app.core.databases.made_once import made_once
from app.core.databases.types import Id, JsonText
from app.core.loose_types import Value
from app.engine.history.positions import newest_position
from app.engine.query.conditions import columns_of, leads_over_relations, sql_of
from app.engine.query.operators import bound
from app.engine.query.orders import Key, Sort, in_order, sort_keys
from app.engine.query.parameters import QueryShape, Seek, View
from app.engine.query.render import as_json, json_array, record_json
from app.engine.record import MERGED_INTO
from app.engine.resource import Resource, SubCollection
from app.engine.search.hits import matches
from app.engine.search.row_match import matches_by_row

#: Up to how many records an estimate is a real count, and how many it looks at otherwise.
SAMPLE_ROWS = 10_000


@made_once(512)
def item_statement(
    resource: Resource, view: View, by: str, dialect: Dialect, tells_parts: bool = False
) -> CompiledQuery:
    """Reads `(json, deleted_at, id, version, position)` of the record whose `by` is `:key`; with
    `tells_parts` also whether others of its kind are part of it."""
    table = resource.table
    columns = (record_json(resource, view), table.deleted_at, table.id, table.version)
    statement = select(*columns, newest_position()).where(getattr(table, by) == bindparam("key"))
    if tells_parts:
        statement = statement.add_columns(_has_parts(resource))
    if resource.row_filter is not None:
        statement = statement.where(resource.row_filter(table))
    return compile_query(statement, dialect)


@made_once(16)
def successor_statement(resource: Resource, dialect: Dialect) -> CompiledQuery:
    """Reads `(id, is of the resource)` of what the record `:id` was merged into; no row of one that
    was not."""
    merged, successor = resource.table, aliased(resource.table)
    is_kind = true() if resource.row_filter is None else resource.row_filter(successor)
    column = table_of(merged).c[MERGED_INTO]
    statement = select(cast(successor.id, Text), is_kind).where(
        merged.id == bindparam("id", type_=Id), column == successor.id
    )
    return compile_query(statement, dialect)


def _has_parts(resource: Resource) -> ColumnElement[bool]:
    """Whether a record that is not in the trash is part of this one of the same kind."""
    below: AnyTable = aliased(resource.table)
    keys = [f"{name}_id" for name in resource.part_of if resource.to_one[name] is resource]
    is_part = or_(*(getattr(below, key) == resource.table.id for key in keys))
    found = select(below.id).where(is_part, below.deleted_at.is_(None))
    # With an offset PostgreSQL looks for the parts of this record by their index, and does not
    # consider reading those of all records.
    return found.offset(literal_column("0")).correlate_except(below).exists()


@made_once(512)
def list_statement(
    resource: Resource, collection: SubCollection | None, shape: QueryShape, dialect: Dialect
) -> CompiledQuery:
    """Reads `(json, key, position)` of a page of records; `key` is the JSON list of its sort keys.

    Parameters are the filters' values, `limit`, and those of the shape: `parent`, `q`, `offset`,
    `k0, k1, …`.
    """
    keys = keys_of(resource, shape)
    shown = [record_json(resource, shape.view), _key(keys), newest_position()]
    if dialect.name == "sqlite":
        # Where the table is a view (app/engine/history/undo) it puts the rows in order by indexes
        # if what they are in the order of is read too; and else it looks through all of them.
        shown += [key.column for key in keys]
    is_in_order = is_led_by_index(resource, shape, dialect) and _is_index(resource, keys)
    if not shape.offset and (dialect.name == "postgresql" or is_in_order):
        return compile_query(_page(select(*shown), resource, collection, shape, keys), dialect)
    # SQLite makes the JSON of all records before it puts them in order, where PostgreSQL makes
    # that of the page; and both make that of the records that are passed over.
    table = resource.table
    page = _page(select(table.id), resource, collection, shape, keys).correlate(None)
    statement = select(*shown).where(table.id.in_(page))
    return compile_query(_ordered(statement, keys, shape.seek), dialect)


def _page(
    statement: Selection,
    resource: Resource,
    collection: SubCollection | None,
    shape: QueryShape,
    keys: list[Key],
) -> Selection:
    """The statement with what chooses the records of a page, in their order."""
    statement = _ordered(narrowed(statement, resource, collection, shape), keys, shape.seek)
    if shape.seek is not None:
        statement = statement.where(_beyond(keys, shape.seek))
    statement = statement.limit(bindparam("limit", type_=BigInteger))
    if shape.offset:
        statement = statement.offset(bindparam("offset", type_=BigInteger))
    return statement


def _ordered(statement: Selection, keys: list[Key], seek: Seek | None) -> Selection:
    return statement.order_by(*in_order(keys, backward=seek is not None and seek.backward))


@made_once(128)
def key_statement(resource: Resource, sort: Sort, dialect: Dialect) -> CompiledQuery:
    """Reads `(key,)` of the record `:id` in lists of this order."""
    keys = keys_of(resource, QueryShape(sort=sort))
    statement = select(_key(keys)).where(resource.table.id == bindparam("id"))
    return compile_query(statement, dialect)


def _key(keys: list[Key]) -> Expression:
    """The JSON list of a record's sort keys, as text."""
    listed = json_array(*(as_json(key.column) for key in keys))
    return cast(type_coerce(listed, JsonText()), Text)


def keys_of(resource: Resource, shape: QueryShape) -> list[Key]:
    """The fields that the list is in the order of, the last of them the id."""
    get, nulls_are_least = columns_of(resource.table), shape.nulls_are_least
    return sort_keys(resource, shape.sort, get, nulls_are_least=nulls_are_least)


def is_led_by_index(resource: Resource, shape: QueryShape, dialect: Dialect) -> bool:
    """Whether an index gives the records in the order of the list, so that its beginning is read
    without the rest. PostgreSQL needs one of this direction, for what can be null.

    A filter over relations is taken for one that leaves few records: its page is not read so.
    """
    if shape.condition is not None and leads_over_relations(shape.condition):
        return False
    key, *more = keys_of(resource, shape)
    if [other.field.name for other in more] not in ([], ["id"]) or len(shape.sort[0][0]) > 1:
        return False
    table: AnyTable = resource.table.__table__
    firsts = [table.c.id, *(index.expressions[0] for index in table.indexes)]
    either_way = dialect.name == "sqlite" or not key.nullable
    return any(
        _column_of(first) == _column_of(key.column)
        and (either_way or _is_descending(first) is (key.descending or key.nulls_first))
        for first in firsts
    )


def _is_index(resource: Resource, keys: list[Key]) -> bool:
    """Whether the keys are all the columns of an index, so that none is left to be put in order."""
    table: AnyTable = resource.table.__table__
    names = [_column_of(key.column) for key in keys]
    found = ([_column_of(each) for each in index.expressions] for index in table.indexes)
    return names == ["id"] or names in found


def _column_of(expression: Value) -> str:
    """The name of the column that an index is about, be it of a `descending` one."""
    inner = next(iter(expression.clauses)) if _is_descending(expression) else expression
    return str(inner.name)


def _is_descending(expression: Value) -> bool:
    return isinstance(expression, FunctionElement)


def _beyond(keys: list[Key], seek: Seek) -> ColumnElement[bool]:
    """The records that follow the one with the key `:k0, :k1, …` in the order of the list.

    The condition on the first key comes once more by itself, so that an index leads to the place.
    """
    first = keys[0]
    if seek.nulls_segment:
        return first.column.is_(None) if _nulls_follow(first, seek) else first.column.is_not(None)
    ways: list[ColumnElement[bool]] = []
    alike: list[ColumnElement[bool]] = []
    for at, key in enumerate(keys):
        ways.append(and_(*alike, _past(key, at, seek)))
        alike.append(key.column.is_(None) if seek.nulls[at] else key.column == _slot(key, at))
    if seek.nulls[0]:
        return and_(first.column.is_(None), or_(*ways))
    sign = "<=" if first.descending is not seek.backward else ">="
    return and_(first.column.op(sign, is_comparison=True)(_slot(first, 0)), or_(*ways))


def _past(key: Key, at: int, seek: Seek) -> ColumnElement[bool]:
    follow = _nulls_follow(key, seek)
    if seek.nulls[at]:
        return false() if follow or not at else key.column.is_not(None)
    sign = "<" if key.descending is not seek.backward else ">"
    further = key.column.op(sign, is_comparison=True)(_slot(key, at))
    return or_(further, key.column.is_(None)) if key.nullable and follow and at else further


def _nulls_follow(key: Key, seek: Seek) -> bool:
    """Whether, walking so, what has no value comes after what has one."""
    return key.nulls_first is seek.backward


def _slot(key: Key, at: int) -> Expression:
    return bound(key.field, f"k{at}")


def segments(seek: Seek, keys: list[Key]) -> Iterator[Seek]:
    """The parts of the list beyond a place, in order: the records with a value in the first key and
    those without, or these first; each is read by an index of its own stretch."""
    yield seek
    if keys[0].nullable and seek.nulls[0] is not _nulls_follow(keys[0], seek):
        yield Seek(seek.backward, seek.nulls, nulls_segment=True)


@made_once(512)
def count_statement(
    resource: Resource,
    collection: SubCollection | None,
    shape: QueryShape,
    dialect: Dialect,
    limit: int | None = None,
) -> CompiledQuery:
    """Reads `(count,)` of all records that match, or of the first `limit` of them."""
    if limit is None:
        counted = select(func.count()).select_from(resource.table)
        return compile_query(narrowed(counted, resource, collection, shape), dialect)
    first = narrowed(select(resource.table.id), resource, collection, shape).limit(limit)
    return compile_query(select(func.count()).select_from(first.subquery()), dialect)


@made_once(512)
def sample_statement(
    resource: Resource, collection: SubCollection | None, shape: QueryShape, dialect: Dialect
) -> CompiledQuery:
    """Reads `(matching, looked at, all)`: among the newest records, and of all of the kind."""
    table = resource.table
    newest = select(table.id).order_by(table.id.desc()).limit(SAMPLE_ROWS).subquery()
    matching = narrowed(select(func.count(table.id)), resource, collection, shape)
    counts = (
        matching.where(table.id.in_(select(newest.c.id))).scalar_subquery(),
        select(func.count()).select_from(newest).scalar_subquery(),
        select(func.count()).select_from(table).scalar_subquery(),
    )
    return compile_query(select(*counts), dialect)


class _Parent:
    """The record `:parent`, of which nothing need be read where its id is all that is asked for:
    then a subquery about it is run once, and not for each row."""

    def __init__(self, table: AnyTable) -> None:
        self.table: AnyTable = aliased(table)
        self.is_read = False

    @property
    def id(self) -> Expression:
        return bindparam("parent", type_=Id)

    def __getattr__(self, name: str) -> Expression:
        self.is_read = True
        return getattr(self.table, name)  # type: ignore[no-any-return]


def narrowed(
    statement: Selection, resource: Resource, collection: SubCollection | None, shape: QueryShape
) -> Selection:
    """The statement with what chooses a list's records: filters, search, trash, `:parent`."""
    table = resource.table
    if collection is not None:
        parent = _Parent(collection.parent.table)
        under: AnyTable = parent
        statement = statement.where(collection.on(table, under))
        if parent.is_read:
            there = parent.table.id == bindparam("parent")
            statement = statement.join(parent.table, true()).where(there)
    if resource.row_filter is not None:
        statement = statement.where(resource.row_filter(table))
    if shape.condition is not None:
        statement = statement.where(sql_of(shape.condition, resource, columns_of(table)))
    if shape.q:
        found = matches_by_row(resource) if shape.by_row else matches(resource)
        statement = statement.where(found)
    if shape.deleted == "exclude":
        statement = statement.where(table.deleted_at.is_(None))
    elif shape.deleted == "only":
        statement = statement.where(table.deleted_at.is_not(None))
    return statement
