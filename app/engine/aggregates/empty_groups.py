"""Groups that no record is in: which there could be, by what group keys are and filters ask for."""

import math
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta, tzinfo
from itertools import islice, product
from typing import Final
from uuid import UUID

from app.core.loose_types import JsonValue, Value
from app.engine.aggregates.periods import day_in, periods_between
from app.engine.aggregates.shape import UNDATED, DatePart, GroupKey, many_of
from app.engine.aggregates.units import certain
from app.engine.paths import FieldType, find_field
from app.engine.query.conditions import Compare, Condition, Exists, Path
from app.engine.query.filter_reader import ParsedFilter, bad_parameter
from app.engine.query.nodes import And, Not, Or
from app.engine.resource import Resource

#: How many groups there are at most, those that no record is in among them.
MAX_GROUPS: Final = 10_000
_TEXTS: Final = (FieldType.code, FieldType.list, FieldType.text, FieldType.id)
#: Comparisons whose values are asked for.
_ASKED: Final = ("eq", "in", "has")
_Key = tuple[JsonValue, ...]


def is_enumerable(resource: Resource, key: GroupKey) -> bool:
    """Whether there can be groups of the key besides those that records are in."""
    if key.part is not None:
        return True
    kind = find_field(resource, key.path).field_type
    return kind in (*_TEXTS, FieldType.choice, FieldType.boolean)


def values_of_keys(
    resource: Resource,
    keys: Sequence[GroupKey],
    parsed: ParsedFilter,
    seen: Collection[_Key],
    zone: tzinfo = UTC,
) -> list[list[JsonValue]]:
    """The values that each key is combined with those of the others by: what there could be and
    what is `seen` in groups, but for nulls. BadRequest for too many combinations."""
    found: list[list[JsonValue]] = []
    for at, key in enumerate(keys):
        known = dict.fromkeys(row[at] for row in seen if not _is_none(key, row[at]))
        expected = _expected(resource, key, parsed, list(known), zone)
        found.append(list(dict.fromkeys((*expected, *known))))
    without = sum(any(map(_is_none, keys, row)) for row in seen)
    if math.prod(map(len, found)) + without > MAX_GROUPS:
        text = (
            f"There would be more than {MAX_GROUPS:,} groups, as every value of a key stands with"
            " every one of the others: narrow the records by filters, or group by wider periods."
        )
        raise bad_parameter("empty_groups", "too_many", text)
    return found


def empty_keys(values: Iterable[list[JsonValue]], seen: Collection[_Key]) -> list[_Key]:
    """The keys of the groups that no record is in."""
    return [key for key in product(*values) if key not in seen]


def _is_none(key: GroupKey, value: JsonValue) -> bool:
    return value is None or (key.part is not None and value == UNDATED)


def _expected(
    resource: Resource,
    key: GroupKey,
    parsed: ParsedFilter,
    seen: list[JsonValue],
    zone: tzinfo,
) -> Iterator[JsonValue]:
    """What a key could be: the periods from the first to the last, all values of an enumeration, or
    those that filters ask for."""
    is_many = many_of(resource, key.path) is not None
    if key.part is not None:
        limits = [] if is_many else list(_limits(key.path, parsed, zone))
        yield from _periods(key.part, seen, limits)
        return
    record_field = find_field(resource, key.path)
    values: Iterable[Value] = ()
    if record_field.field_type is FieldType.boolean:
        values = (False, True)
    elif record_field.field_type is FieldType.choice:
        values = record_field.choices
    elif record_field.field_type in _TEXTS:
        values = _asked(parsed.condition, key.path, parsed)
    possible = (v for v in values if is_many or _can_be(parsed.condition, key.path, v, parsed)[0])
    for value in possible:
        if key.level is not None and record_field.codes is not None:
            yield from _of_level(value, record_field.codes.table.info["levels"][key.level])
        else:
            yield str(value) if isinstance(value, UUID) else value


def _of_level(code: str, length: int) -> Iterator[str]:
    """The code of a level that the code lies under; nothing for a wider one."""
    if len(code) >= length:
        yield code[:length]


def _periods(
    part: DatePart, seen: list[JsonValue], limits: list[tuple[date | None, date | None]]
) -> Iterator[str]:
    """The periods between what filters limit a date to; where they do not, between the first and
    the last that there are."""
    days = [day_in(part, text) for text in (min(seen), max(seen))] if seen else []
    first = max((day for day, _ in limits if day), default=min(days, default=None))
    last = min((day for _, day in limits if day), default=max(days, default=None))
    first, last = first or last, last or first
    if first and last:
        yield from islice(periods_between(part, first, last), MAX_GROUPS + 1)


def _limits(
    path: Path, parsed: ParsedFilter, zone: tzinfo
) -> Iterator[tuple[date | None, date | None]]:
    """The first and the last day that each filter of the date leaves, where it has such."""
    for term in certain(parsed.condition):
        values = [parsed.values[slot] for slot in term.params]
        if term.path != path or not values or not all(isinstance(v, date) for v in values):
            continue
        match term.operator:
            case "gte" | "gt":
                yield _day(values[0], zone, term.operator == "gt"), None
            case "lte" | "lt":
                yield None, _day(values[0], zone, -(term.operator == "lt"))
            case "eq" | "in" | "during":
                yield _day(min(values), zone), _day(max(values), zone)


def _day(value: date, zone: tzinfo, beyond: int = 0) -> date:
    """The day of a limit; `beyond` leaves out the limit itself, after it or before it."""
    try:
        if isinstance(value, datetime):
            return (value + timedelta(microseconds=beyond)).astimezone(zone).date()
        return value + timedelta(days=beyond)
    except OverflowError:
        return value.date() if isinstance(value, datetime) else value


def _asked(
    condition: Condition | None, path: Path, parsed: ParsedFilter, before: Path = ()
) -> Iterator[Value]:
    """The values of the field that the filters name, but for those that they rule out."""
    match condition:
        case Compare():
            if (*before, *condition.path) == path and condition.operator in _ASKED:
                yield from (parsed.values[slot] for slot in condition.params)
        case Exists():
            yield from _asked(condition.item, path, parsed, (*before, *condition.path))
        case And() | Or():
            for item in condition.items:
                yield from _asked(item, path, parsed, before)


def _can_be(
    condition: Condition | None, path: Path, value: Value, parsed: ParsedFilter
) -> tuple[bool, bool]:
    """Whether a record with this value of the field can meet the condition, and whether it can
    fail it."""
    match condition:
        case Not():
            met, failed = _can_be(condition.item, path, value, parsed)
            return failed, met
        case And() | Or():
            each = [_can_be(item, path, value, parsed) for item in condition.items]
            both = all if isinstance(condition, And) else any
            either = any if isinstance(condition, And) else all
            return both(met for met, _ in each), either(failed for _, failed in each)
        case Compare() if condition.path == path:
            return _compared(condition, value, parsed)
    return True, True


def _compared(term: Compare, value: Value, parsed: ParsedFilter) -> tuple[bool, bool]:
    given = [parsed.values[slot] for slot in term.params]
    match term.operator:
        case "eq" | "in":
            met = value in given
        case "isnull":
            met = False
        case "startswith":
            met = value.startswith(given[0])
        case _:
            return True, True
    return met, not met
