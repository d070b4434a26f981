"""Values that can only be added or compared among their like: amounts of one currency."""

from collections.abc import Collection, Iterator
from functools import cache

from sqlalchemy import Table

from app.core.errors import Fault, Invalid
from app.engine.paths import find_relation
from app.engine.query.conditions import Compare, Condition, Path
from app.engine.query.filter_reader import ParsedFilter
from app.engine.query.nodes import And
from app.engine.resource import Embedded, Resource


@cache
def units_of(at: Resource | Embedded, name: str) -> tuple[str, ...]:
    """The fields that must be equal for values of this one to be added, by the rules of the table
    that say so (`rule(…, units=…)`): the currency of an amount."""
    table = at.table.__table__
    assert isinstance(table, Table)
    found = (constraint.info.get("units", {}) for constraint in table.constraints)
    return next((units[name] for units in found if name in units), ())


def check_units(
    resource: Resource, written: str, path: Path, keys: Collection[Path], parsed: ParsedFilter
) -> None:
    """Refuse (422) a figure of values in several units: each unit is a group key of its own, or
    the filter leaves one of it."""
    at: Resource | Embedded = resource
    for relation in path[:-1]:
        at = find_relation(at, relation).target
    needed = [(*path[:-1], unit) for unit in units_of(at, path[-1])]
    fixed = {unit for unit in needed if _is_fixed(parsed, unit)}
    left = [unit for unit in needed if unit not in keys and unit not in fixed]
    if left:
        names = " and ".join(".".join(unit) for unit in left)
        flat = "&".join(f"{'__'.join(unit)}=…" for unit in left)
        text = (
            f"{written} would put together values that differ in {names}: add"
            f" {','.join('.'.join(unit) for unit in left)} to group_by, or filter by one: {flat}."
        )
        raise Invalid(text, [Fault("units", text, parameter="metrics")])


def lifted_rules(
    resource: Resource, keys: Collection[Path], parsed: ParsedFilter
) -> frozenset[str]:
    """What the rules of a kind would set apart, where all that is added is alike: by a group key
    of its own, or since the filter leaves nothing else."""
    rules = () if resource.figures is None else resource.figures.set_apart
    return frozenset(
        each.name for each in rules if (each.unless,) in keys or _is_fixed(parsed, (each.unless,))
    )


def _is_fixed(parsed: ParsedFilter, unit: Path) -> bool:
    """Whether all records that match have the same unit, or all none."""
    for term in certain(parsed.condition):
        # The values of `in` are repeated to the next power of two.
        values = {parsed.values[slot] for slot in term.params}
        if term.path == unit and term.operator in ("eq", "in", "isnull") and len(values) <= 1:
            return True
    return False


def certain(condition: Condition | None) -> Iterator[Compare]:
    """The comparisons that hold for every record that matches."""
    if isinstance(condition, Compare):
        yield condition
    elif isinstance(condition, And):
        for item in condition.items:
            yield from certain(item)
