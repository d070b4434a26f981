"""How much an answer would show: related records are counted, and long texts, before any of it is
rendered."""

from collections.abc import Callable, Iterator
from functools import lru_cache, reduce
from operator import add

from sqlalchemy import (
    JSON,
    BigInteger,
    Dialect,
    Subquery,
    Text,
    bindparam,
    cast,
    func,
    literal,
    select,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.expression import FunctionElement

from app.core.databases.expressions import Expression, Selection
from app.core.databases.interface import CompiledQuery, compile_query
from app.core.databases.made_once import made_once
from app.core.databases.types import Id
from app.engine.paths import Relation, relations_of
from app.engine.query.aliases import TableAlias
from app.engine.query.conditions import Path, columns_of
from app.engine.query.operators import Get
from app.engine.query.orders import in_order
from app.engine.query.parameters import QueryShape, View
from app.engine.query.render import Projection, projection_of, rows_under
from app.engine.query.statements import keys_of, narrowed
from app.engine.resource import Embedded, Resource, SubCollection
from app.engine.schemas import Prose
from app.engine.search.searched import fields_like

#: The most related records of one answer, some 20 MB of JSON.
MAX_RELATED = 20_000
#: The most bytes of long texts in one answer, which is in memory several times as it is made.
MAX_TEXT_BYTES = 16_000_000
#: What a record or a part adds to an answer, given its columns.
_Measure = Callable[[Get], Expression]


class _octets(FunctionElement[int]):  # noqa: N801 (reads as an SQL function)
    """How many bytes a text has, or a list of texts as JSON; 0 for none."""

    inherit_cache = True
    type = BigInteger()


@compiles(_octets, "sqlite")
def _octets_on_sqlite(element: _octets, compiler: SQLCompiler, **kw: object) -> str:
    # octet_length() came with SQLite 3.43.
    return f"coalesce(length(CAST({compiler.process(element.clauses, **kw)} AS BLOB)), 0)"


@compiles(_octets, "postgresql")
def _octets_on_postgresql(element: _octets, compiler: SQLCompiler, **kw: object) -> str:
    # Of a long text that is stored compressed this reads how long it is alone.
    return f"coalesce(octet_length(({compiler.process(element.clauses, **kw)})::text), 0)"


@lru_cache(maxsize=512)
def shown_many(resource: Resource, view: View) -> tuple[Path, ...]:
    """The paths of the view by which a record can show any number of others."""
    return tuple(_many(resource, projection_of(resource, view), (), is_many=False))


def _many(
    at: Resource | Embedded, shown: Projection, path: Path, *, is_many: bool
) -> Iterator[Path]:
    for name, inner in shown.relations.items():
        relation = relations_of(at)[name]
        many = is_many or relation.is_to_many
        if many:
            yield (*path, name)
        yield from _many(relation.target, inner, (*path, name), is_many=many)


@lru_cache(maxsize=512)
def shown_long(resource: Resource, view: View) -> tuple[Path, ...]:
    """The paths of the view at which it shows long texts, `()` that of the records themselves."""
    return tuple(_long(resource, projection_of(resource, view), ()))


def _long(at: Resource | Embedded, shown: Projection, path: Path) -> Iterator[Path]:
    if _long_fields(at, shown):
        yield path
    for name, inner in shown.relations.items():
        yield from _long(relations_of(at)[name].target, inner, (*path, name))


def _long_fields(at: Resource | Embedded, shown: Projection) -> tuple[str, ...]:
    """The fields of long texts that are shown of a record or part."""
    return tuple(name for name in fields_like(at.fields.model_fields, Prose) if shown.has(name))


@lru_cache(maxsize=512)
def multiplied(resource: Resource, view: View) -> tuple[Path, ...]:
    """Those of the paths of `shown_many` that show the same records again and again: beneath what
    many records refer to."""
    return tuple(path for path in shown_many(resource, view) if _multiplies(resource, path))


def _multiplies(resource: Resource, path: Path) -> bool:
    at: Resource | Embedded = resource
    refers = False
    for name in path:
        relation = relations_of(at)[name]
        if refers and isinstance(relation.via, SubCollection):
            return True
        refers = refers or not relation.is_to_many
        at = relation.target
    return False


def leads_to_collection(resource: Resource, path: Path) -> bool:
    """Whether the path passes through more than the parts of the record itself."""
    at: Resource | Embedded = resource
    for name in path:
        relation = relations_of(at)[name]
        if isinstance(relation.via, SubCollection):
            return True
        at = relation.target
    return False


def list_of(resource: Resource, path: Path) -> Resource | None:
    """The kind of the records at the end of the path; None for parts, which have no list."""
    at: Resource | Embedded = resource
    for name in path:
        at = relations_of(at)[name].target
    return at if isinstance(at, Resource) else None


@made_once(512)
def fan_out_statement(resource: Resource, view: View, dialect: Dialect) -> CompiledQuery:
    """Reads, for each path of `shown_many`, how many records it shows, counted up to one more than
    MAX_RELATED, and then for each of `shown_long` the bytes of its long texts; `:ids` is the JSON
    list of the ids of the records that show them."""
    shown = projection_of(resource, view)
    ids = _ids(dialect)
    counts = [_sum(resource, path, shown, ids) for path in shown_many(resource, view)]
    sizes = [_sum(resource, path, shown, ids, sized=True) for path in shown_long(resource, view)]
    return compile_query(select(*counts, *sizes), dialect)


@made_once(128)
def multiplied_statement(
    resource: Resource, collection: SubCollection | None, shape: QueryShape, dialect: Dialect
) -> CompiledQuery:
    """Reads, for each path of `multiplied`, how many records the first `limit` of a list show,
    counted up to one more than MAX_RELATED."""
    shown = projection_of(resource, shape.view)
    table = resource.table
    ids = narrowed(select(table.id), resource, collection, shape).correlate(None)
    ids = ids.order_by(*in_order(keys_of(resource, shape)))
    ids = ids.limit(bindparam("limit", type_=BigInteger))
    counts = [_sum(resource, path, shown, ids) for path in multiplied(resource, shape.view)]
    return compile_query(select(*counts), dialect)


def _sum(
    resource: Resource, path: Path, shown: Projection, ids: Selection, *, sized: bool = False
) -> Expression:
    """How many records are shown at the end of the path, or how many bytes of long texts they
    have: up to the first relation of which some are left out row by row, and from there on for each
    row as it would show them."""
    table = TableAlias(resource.table)
    at: Resource | Embedded = resource
    found: Selection = select(literal(1)).select_from(table.source).where(table.id.in_(ids))
    measure = _measure(resource, path, shown, sized=sized)
    while path and not shown.relations[path[0]].related.is_narrowed:
        relation = relations_of(at)[path[0]]
        found, table = _joined(found, table, relation)
        at, shown, path = relation.target, shown.relations[path[0]], path[1:]
    get = columns_of(table)
    if path:
        number = _number(at, path, shown, get, measure)
    else:
        number = literal(1) if measure is None else measure(get)
    first = found.with_only_columns(number.label("shown")).limit(MAX_RELATED + 1).subquery()
    return select(cast(func.coalesce(func.sum(first.c.shown), 0), BigInteger)).scalar_subquery()


def _measure(resource: Resource, path: Path, shown: Projection, *, sized: bool) -> _Measure | None:
    """The bytes of the long texts of what is at the end of the path; None to count records."""
    if not sized:
        return None
    at: Resource | Embedded = resource
    for name in path:
        at, shown = relations_of(at)[name].target, shown.relations[name]
    names = _long_fields(at, shown)
    return lambda get: reduce(add, (_octets(get(name)) for name in names))


def _number(
    at: Resource | Embedded, path: Path, shown: Projection, get: Get, measure: _Measure | None
) -> Expression:
    """What the record whose columns `get` gives shows at the end of the path."""
    first, *rest = path
    relation, inner = relations_of(at)[first], shown.relations[first]
    # Their order decides which are shown, and so how much of others, but not how many there are.
    rows = _rows(relation, get, inner, ordered=bool(rest) or measure is not None)
    counted: Expression = func.count()
    if rest:
        inside = _number(relation.target, tuple(rest), inner, lambda n: rows.c[n], measure)
        counted = func.sum(inside)
    elif measure is not None:
        counted = func.sum(measure(lambda n: rows.c[n]))
    return select(counted).select_from(rows).scalar_subquery()


def _rows(relation: Relation, get: Get, shown: Projection, *, ordered: bool) -> Subquery:
    """The records or parts that the relation leads to, as they would be shown."""
    if isinstance(relation.via, SubCollection):
        return rows_under(relation.via, get, shown.related, ordered=ordered)
    table = TableAlias(relation.target.table)
    if isinstance(relation.via, Embedded):
        names = [f"{name}_id" for name in relation.via.to_one]
        names += _long_fields(relation.via, shown)
        there = getattr(table, relation.via.owner) == get("id")
    else:
        names, there = list(relation.via.columns), table.id == get(f"{relation.name}_id")
    columns = (getattr(table, name).label(name) for name in names)
    found = select(literal(1).label("found"), *columns).where(there)
    return found.correlate_except(table.source).subquery()


def _joined(
    found: Selection, table: TableAlias, relation: Relation
) -> tuple[Selection, TableAlias]:
    """The records so far, and each with those that the relation leads to."""
    other = TableAlias(relation.target.table)
    if isinstance(relation.via, SubCollection):
        found = found.join(other.source, relation.via.on(other, table))
        found = found.where(other.deleted_at.is_(None))
        row_filter = relation.via.child.row_filter
        return found if row_filter is None else found.where(row_filter(other)), other
    if isinstance(relation.via, Embedded):
        return found.join(other.source, getattr(other, relation.via.owner) == table.id), other
    return found.join(other.source, other.id == getattr(table, f"{relation.name}_id")), other


def _ids(dialect: Dialect) -> Selection:
    ids = bindparam("ids", type_=Text)
    if dialect.name == "sqlite":
        return select(func.json_each(ids).table_valued("value").c.value)
    listed = func.json_array_elements_text(cast(ids, JSON)).table_valued("value")
    return select(cast(listed.c.value, Id))
