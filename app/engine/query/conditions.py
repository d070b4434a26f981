"""Conditions on records: trees that are compared by shape, without values, and their SQL."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, exists, false, func, not_, or_, select, union
from sqlalchemy.types import Boolean

from app.core.databases.expressions import AnyTable, Expression
from app.engine.paths import Relation, fields_of, find_relation, leads_to_many
from app.engine.query.aliases import TableAlias
from app.engine.query.calculated import Calculated, calculated_sql
from app.engine.query.nodes import And, Node, Not, Or, Predicate
from app.engine.query.operators import DERIVED_OPERATORS, OPERATORS, Get, Slots
from app.engine.resource import Embedded, Levels, Resource, SubCollection

Path = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Compare:
    """A comparison of the field at the end of a path; `params` name the values' parameters."""

    path: Path
    operator: str
    params: Slots


@dataclass(frozen=True, slots=True)
class Exists:
    """There is a related record at the end of a path for which the condition holds."""

    path: Path
    item: "Condition | None"


Term = Compare | Exists | Calculated
Condition = Compare | Exists | Calculated | Not["Condition"] | And["Condition"] | Or["Condition"]


def condition_of(node: Node, meant: Callable[[Predicate], Condition]) -> Condition:
    """The condition that an expression states, `meant` telling what each of its predicates does."""
    match node:
        case And():
            return And(tuple(condition_of(item, meant) for item in node.items))
        case Or():
            return Or(tuple(condition_of(item, meant) for item in node.items))
        case Not():
            return Not(condition_of(node.item, meant))
    return meant(node)


def conjunction(items: Iterable[Condition]) -> Condition | None:
    """All of the conditions together; None of none."""
    found = tuple(items)
    return found[0] if len(found) == 1 else And(found) if found else None


def joined(at: Resource | Embedded, terms: Iterable[Condition]) -> Condition | None:
    """Plain terms, all of which must hold; those that lead into the same to-many relation must
    hold for the same one of its records: the buyer from Russia, not a buyer and a Russian."""
    direct: list[Condition] = []
    within: dict[Path, list[Condition]] = {}
    for condition in terms:
        term = condition.item if isinstance(condition, Not) else condition
        steps = leads_to_many(at, term.path) if isinstance(term, Compare) else None
        if steps is None or not isinstance(term, Compare):
            direct.append(condition)
            continue
        inner = Compare(term.path[steps:], term.operator, term.params)
        negated = isinstance(condition, Not)
        within.setdefault(term.path[:steps], []).append(Not(inner) if negated else inner)
    for path, items in within.items():
        target = at
        for name in path:
            target = find_relation(target, name).target
        direct.append(Exists(path, joined(target, items)))
    return conjunction(direct)


def leads_over_relations(condition: Condition) -> bool:
    """Whether other records decide, for one part of the condition at least."""
    match condition:
        case And() | Or():
            return any(leads_over_relations(item) for item in condition.items)
        case Not():
            return leads_over_relations(condition.item)
        case Compare():
            return len(condition.path) > 1
    return True


def sql_of(condition: Condition, at: Resource | Embedded, get: Get) -> ColumnElement[bool]:
    """The condition on the record or part whose columns `get` gives."""

    def predicate(item: Term) -> ColumnElement[bool]:
        if isinstance(item, Calculated):
            return calculated_sql(item, lambda path: value_at(at, path, get))
        return _compare(item, at, get) if isinstance(item, Compare) else _exists(item, at, get)

    return combined(condition, predicate)


def combined(
    condition: Condition, sql: Callable[[Term], ColumnElement[bool]]
) -> ColumnElement[bool]:
    """The condition, `sql` giving that of each of its predicates.

    A comparison with a missing value is false, and its negation true (OData 4.01, 5.1.1.1), so
    that a filter and its negation always share out all records between them.
    """
    match condition:
        case Not():
            return not_(func.coalesce(combined(condition.item, sql), false(), type_=Boolean))
        case And():
            return and_(*(combined(item, sql) for item in condition.items))
        case Or():
            return or_(*(combined(item, sql) for item in condition.items))
    return sql(condition)


def _compare(term: Compare, at: Resource | Embedded, get: Get) -> ColumnElement[bool]:
    first, *rest = term.path
    if not rest:
        field = fields_of(at)[first]
        if term.operator == "under" and field.levels is not None:
            return _lies_under(term, field.levels, at, get)
        return (OPERATORS | DERIVED_OPERATORS)[term.operator].sql(field, get, term.params)
    inner = Compare(tuple(rest), term.operator, term.params)
    relation = find_relation(at, first)
    met = related(relation, get, inner)
    # Where there is no related record, its fields have no value either.
    if term.operator == "isnull" and not relation.is_to_many:
        return or_(get(f"{first}_id").is_(None), met)
    return met


def _lies_under(
    term: Compare, levels: Levels, at: Resource | Embedded, get: Get
) -> ColumnElement[bool]:
    """Whether a record is one of those named, or part of one, or of a part of it, and so on.

    It is no recursive query, which distributed PostgreSQL has none of; each level is asked by
    itself, as conditions with OR would be looked for in all records.
    """
    found: Condition = Compare(term.path, "in", term.params)
    ids = []
    for _ in range(levels.most):
        table = TableAlias(at.table)
        level = select(table.id).where(sql_of(found, at, columns_of(table)))
        ids.append(level.correlate_except(table.source))
        found = Exists((levels.relation,), found)
    return get("id").in_(union(*ids))


def _exists(some: Exists, at: Resource | Embedded, get: Get) -> ColumnElement[bool]:
    first, *rest = some.path
    inner = Exists(tuple(rest), some.item) if rest else some.item
    return related(find_relation(at, first), get, inner)


def related(relation: Relation, get: Get, condition: Condition | None) -> ColumnElement[bool]:
    """Whether a record that the step leads to meets the condition."""
    table = TableAlias(relation.target.table)
    met = sql_of(condition, relation.target, columns_of(table)) if condition else None
    if isinstance(relation.via, SubCollection):
        found = select(1).where(
            relation.via.on(table, ColumnProxy(get)), table.deleted_at.is_(None)
        )
        only = relation.via.child.row_filter
        conditions = [c for c in (met, only(table) if only else None) if c is not None]
        return exists(found.where(*conditions).correlate_except(table.source))
    own = table.id if isinstance(relation.via, Resource) else getattr(table, relation.via.owner)
    key = get(f"{relation.name}_id" if isinstance(relation.via, Resource) else "id")
    found = select(own).correlate_except(table.source)
    return key.in_(found if met is None else found.where(met))


def columns_of(table: AnyTable) -> Get:
    """The columns of a table or alias, by name."""
    return lambda name: getattr(table, name)


class ColumnProxy:
    """Stands for a table where its columns come from somewhere else."""

    def __init__(self, get: Get) -> None:
        self._get = get

    def __getattr__(self, name: str) -> Expression:
        return self._get(name)


def value_at(
    at: Resource | Embedded,
    path: Path,
    get: Get,
    form: Callable[[Expression], Expression] | None = None,
) -> Expression:
    """The value of the field at the end of a path of to-one relations, in a form.

    A date as stated gives the earliest day that it can mean: that is what it is sorted by.
    """
    first, *rest = path
    if not rest:
        return get(first) if form is None else form(get(first))
    relation = find_relation(at, first)
    table = TableAlias(relation.target.table)
    inner = value_at(relation.target, tuple(rest), columns_of(table), form)
    found = select(inner).where(table.id == get(f"{first}_id"))
    return found.correlate_except(table.source).scalar_subquery()
