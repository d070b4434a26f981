"""How many related records an answer would show: counted before any of them is rendered."""

from collections.abc import Iterator
from functools import lru_cache

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

from app.core.databases.expressions import Expression, Selection
from app.core.databases.interface import CompiledQuery, compile_query
from app.core.databases.types import Id
from app.engine.paths import Relation, relations_of
from app.engine.query.aliases import TableAlias
from app.engine.query.conditions import Path, columns_of
from app.engine.query.operators import Get
from app.engine.query.parameters import RelatedList, View
from app.engine.query.render import Projection, projection_of, rows_under
from app.engine.resource import Embedded, Resource, SubCollection

#: The most related records of one answer, some 20 MB of JSON.
MAX_RELATED = 20_000


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


@lru_cache(maxsize=512)
def fan_out_statement(resource: Resource, view: View, dialect: Dialect) -> CompiledQuery:
    """Reads, for each path of `shown_many`, how many records it shows, counted up to one more than
    MAX_RELATED; `:ids` is the JSON list of the ids of the records that show them."""
    shown = projection_of(resource, view)
    counts = [_count(resource, path, shown, dialect) for path in shown_many(resource, view)]
    return compile_query(select(*counts), dialect)


def _count(resource: Resource, path: Path, shown: Projection, dialect: Dialect) -> Expression:
    """How many records are shown at the end of the path: up to the first relation of which some
    are left out row by row, and from there on for each row as it would show them."""
    table = TableAlias(resource.table)
    at: Resource | Embedded = resource
    found: Selection = (
        select(literal(1)).select_from(table.source).where(table.id.in_(_ids(dialect)))
    )
    while path and not shown.relations[path[0]].related.is_narrowed:
        relation = relations_of(at)[path[0]]
        found, table = _joined(found, table, relation)
        at, shown, path = relation.target, shown.relations[path[0]], path[1:]
    number = _number(at, path, shown, columns_of(table)) if path else literal(1)
    first = found.with_only_columns(number.label("shown")).limit(MAX_RELATED + 1).subquery()
    return select(cast(func.coalesce(func.sum(first.c.shown), 0), BigInteger)).scalar_subquery()


def _number(at: Resource | Embedded, path: Path, shown: Projection, get: Get) -> Expression:
    """How many records the one whose columns `get` gives shows at the end of the path."""
    first, *rest = path
    relation, inner = relations_of(at)[first], shown.relations[first]
    # Their order decides which are shown, and so how many of others, but not how many there are.
    rows = _rows(relation, get, inner.related, ordered=bool(rest))
    counted: Expression = func.count()
    if rest:
        counted = func.sum(_number(relation.target, tuple(rest), inner, lambda n: rows.c[n]))
    return select(counted).select_from(rows).scalar_subquery()


def _rows(relation: Relation, get: Get, related: RelatedList, *, ordered: bool) -> Subquery:
    """The records or parts that the relation leads to, as they would be shown."""
    if isinstance(relation.via, SubCollection):
        return rows_under(relation.via, get, related, ordered=ordered)
    table = TableAlias(relation.target.table)
    if isinstance(relation.via, Embedded):
        names = [f"{name}_id" for name in relation.via.to_one]
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
