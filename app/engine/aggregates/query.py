"""What an aggregate is asked for: group keys, metrics, a condition on them, and their order."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, tzinfo

from pydantic import Field

from app.core.databases.interface import Base
from app.core.errors import did_you_mean
from app.engine.aggregates.having import read_having
from app.engine.aggregates.shape import (
    ADDED,
    LIMITS,
    DatePart,
    Function,
    Grouping,
    GroupKey,
    Metric,
    Output,
    find_output,
    many_of,
)
from app.engine.aggregates.units import check_units, lifted_rules
from app.engine.paths import (
    FieldType,
    PathError,
    RecordField,
    find_field,
    leads_to_many,
    path_of_rows,
)
from app.engine.query.conditions import Path
from app.engine.query.filter_reader import ParsedFilter, bad_parameter
from app.engine.query.hints import unknown_field
from app.engine.query.parameters import (
    FilterQuery,
    Limit,
    listed,
    read_conditions,
    read_zone,
)
from app.engine.resource import Resource
from app.engine.schemas import Flag

MAX_KEYS = 4
MAX_METRICS = 10
MAX_LIMIT = 10_000


class AggregateQuery(FilterQuery):
    """Parameters of an aggregate, besides its filters."""

    group_by: str | None = Field(None, max_length=1000)
    """Up to 4 fields to group by, separated by commas; a dot goes on into a related record, and
    `year()`, `quarter()`, `month()`, `week()` (ISO 8601) and `day()` take a part of a date. One
    relation or list with any number of values is possible: a record then counts once in each group
    that it belongs to. Example: `mission.host_country,year(signed)`."""
    metrics: str = Field("count", max_length=1000)
    """Up to 10 of `count`, `count(field)` (records with a value), `count_distinct(field)`
    (over relations too: `parties.organization_id`), `sum(field)`, `avg(field)`, `min(field)` and
    `max(field)`, separated by commas; and of amounts `at_least(field)`, `at_most(field)` and
    `not_exact(field)`: the limits of a sum, and how many in it are no exact amount. An average has
    four decimals more than its field, the last one rounded half up (away from zero)."""
    having: str | None = Field(None, min_length=1, max_length=2000)
    """A condition on metrics and group keys, in the grammar of `filter`: comparisons, `in`, `and`,
    `or` and `not`. Example: `count gt 5 and sum_amount ge 1000000`."""
    sort: str | None = Field(None, max_length=1000)
    """Metrics and group keys to sort by, separated by commas, `-` before one for descending, such
    as `-sum_amount`; nulls and `undated` come last. Ties, and all groups when left out, are in the
    order of the group keys."""
    limit: Limit = 1000
    """The most groups to answer with; more than 10000 is taken for 10000."""
    empty_groups: Flag = False
    """`true` adds groups that no record is in, up to 10,000 in all: of every value of an
    enumeration, of what filters ask for, and of every period from the first to the last."""


@dataclass(slots=True)
class Aggregate:
    """An aggregate that is asked for: its statement's shape, and the values that fill it."""

    grouping: Grouping
    parsed: ParsedFilter
    #: Whose days those of moments are.
    zone: tzinfo = UTC


def read_aggregate(
    resource: Resource, query: AggregateQuery, asked_at: datetime, finer: tuple[Path, ...] = ()
) -> Aggregate:
    """The aggregate that the query asks for, its groups divided by `finer` fields and its relative
    dates counted from when it was `asked_at`; BadRequest for what does not exist, and Invalid (422)
    for figures of values in different units, such as a sum over several currencies."""
    keys = _read_keys(resource, query.group_by)
    plain = {key.path for key in keys if key.part is None}
    added = tuple(GroupKey(path) for path in finer if path not in plain)
    keys = (*keys, *added)
    metrics = _read_metrics(resource, query.metrics)
    outputs = _by_name((*keys, *metrics))
    zone, parsed = read_zone(query.timezone), read_conditions(resource, query, asked_at)
    for metric in metrics:
        if metric.function in _VALUES:
            plain_keys = {key.path for key in keys if key.part is None}
            check_units(resource, metric.written, metric.path, plain_keys, parsed)
    having = read_having(resource, outputs, query.having, parsed, zone) if query.having else None
    sort = _read_sort(outputs, keys, query.sort)
    grouping = Grouping(
        parsed.condition, query.q is not None, query.deleted, keys, metrics, having, sort
    )
    if lifted := lifted_rules(resource, {key.path for key in keys}, parsed):
        grouping = replace(grouping, lifted=lifted)
    if added:
        grouping = replace(grouping, finer=len(added))
    if _is_local(resource, query.timezone, keys):
        grouping = replace(grouping, is_local=True)
        parsed.values["zone"] = query.timezone
    if query.empty_groups and keys:
        grouping = replace(grouping, empty_groups=True)
    return Aggregate(grouping, parsed, zone)


def _is_local(resource: Resource, zone: str | None, keys: tuple[GroupKey, ...]) -> bool:
    """Whether a key is the part of a moment in a zone that is not UTC."""
    return zone not in (None, "UTC") and any(
        key.part is not None and find_field(resource, key.path).field_type is FieldType.instant
        for key in keys
    )


_CALL = re.compile(r"([A-Za-z_]+)\(([^()]*)\)")
_VALUES = (*ADDED, Function.MIN, Function.MAX)
_NUMBERS = (FieldType.integer, FieldType.decimal)
_DATES = (FieldType.date, FieldType.instant, FieldType.stated)


def _words(parameter: str, text: str, limit: int) -> list[str]:
    words = listed(parameter, text)
    if len(words) > limit:
        raise bad_parameter(
            parameter, "too_many", f"At most {limit} are possible, not {len(words)}."
        )
    return words


def _read_keys(resource: Resource, text: str | None) -> tuple[GroupKey, ...]:
    if text is None:
        return ()
    text = _LEVEL.sub(r"\1(\2;\3)", text)
    keys = [_key(resource, word) for word in _words("group_by", text, MAX_KEYS)]
    many = {many_of(resource, key.path) for key in keys} - {None}
    if len(many) > 1:
        names = " and ".join(sorted(".".join(path) for path in many if path))
        text = f"{names} each have any number of values: group by one of them."
        raise bad_parameter("group_by", "many", text)
    return tuple(keys)


def _key(resource: Resource, word: str) -> GroupKey:
    call = _CALL.fullmatch(word)
    part = None
    if call is not None:
        if call[1] not in list(DatePart) and (levels := levels_of(call[1])):
            return _level_key(resource, call[1], call[2], levels)
        if call[1] not in list(DatePart):
            known = ", ".join(DatePart)
            text = f"There is no part {call[1]!r} of a date.{did_you_mean(call[1], DatePart)}"
            raise bad_parameter("group_by", "unknown", f"{text} Possible: {known}.")
        part, word = DatePart(call[1]), call[2]
    path = tuple(word.split("."))
    if part is None and (right := _part_meant(resource, word)):
        text = f"A part of a date is written {right}, not {word}."
        raise bad_parameter("group_by", "unknown", text)
    record_field = _field("group_by", resource, path)
    if part is not None and record_field.field_type not in _DATES:
        raise bad_parameter(
            "group_by", "kind", f"{word} is no date: {part}() takes the part of one."
        )
    of_rows = path_of_rows(resource, path)
    if of_rows is not None:
        return GroupKey(of_rows, part, asked=path)
    many = many_of(resource, path)
    if many is not None and (many_of(resource, path, len(many)) is not None):
        text = f"{word} passes more than one relation or list with any number of values."
        raise bad_parameter("group_by", "many", text)
    return GroupKey(path, part)


#: `sector(sectors,division)`, whose comma is none between two keys.
_LEVEL = re.compile(r"\b([a-z_]+)\(\s*([\w.]+)\s*,\s*(\w+)\s*\)", re.ASCII)


def levels_of(list_name: str) -> Mapping[str, int]:
    """The levels of a list of codes, and how long the codes of each are; of most lists none."""
    table = Base.metadata.tables.get(list_name)
    levels: Mapping[str, int] = {} if table is None else table.info.get("levels", {})
    return levels


def _level_key(
    resource: Resource, list_name: str, inner: str, levels: Mapping[str, int]
) -> GroupKey:
    """The key of `sector(sectors,division)`."""
    name, _, level = inner.partition(";")
    path = tuple(name.split("."))
    record_field = _field("group_by", resource, path)
    if record_field.codes is None or record_field.codes.table.name != list_name:
        text = f"{name} is not of the list of {list_name} codes."
        raise bad_parameter("group_by", "kind", text)
    if level not in levels:
        near, known = did_you_mean(level, levels), ", ".join(levels)
        text = f"Write {list_name}({name},level).{near} Possible levels: {known}."
        raise bad_parameter("group_by", "unknown", text)
    many = many_of(resource, path)
    if many is not None and many_of(resource, path, len(many)) is not None:
        text = f"{name} passes more than one relation or list with any number of values."
        raise bad_parameter("group_by", "many", text)
    return GroupKey(path, level=level)


_PARTS = "|".join(DatePart)
#: `signed.year`, `signed_year`, `signed__year`, and the same the other way round.
_MEANT = re.compile(
    rf"(?P<field>.+?)(?:\.|:|_{{1,2}})(?P<part>{_PARTS})|(?P<first>{_PARTS})(?:\.|:|_{{1,2}})(?P<of>.+)"
)


def _part_meant(resource: Resource, word: str) -> str:
    """`year(signed)` where it is written otherwise and no field is called so; or nothing."""
    found = _MEANT.fullmatch(word)
    if found is None or _kind_of(resource, word) is not None:
        return ""
    field, part = found["field"] or found["of"], found["part"] or found["first"]
    return f"{part}({field})" if _kind_of(resource, field) in _DATES else ""


def _kind_of(resource: Resource, word: str) -> FieldType | None:
    try:
        return find_field(resource, tuple(word.split("."))).field_type
    except PathError:
        return None


def _field(parameter: str, resource: Resource, path: Path) -> RecordField:
    try:
        return find_field(resource, path)
    except PathError as error:
        raise bad_parameter(parameter, "unknown", unknown_field(error)) from None


def _read_metrics(resource: Resource, text: str) -> tuple[Metric, ...]:
    return tuple(_metric(resource, word) for word in _words("metrics", text, MAX_METRICS))


def _metric(resource: Resource, word: str) -> Metric:
    if word == Function.COUNT:
        return Metric(Function.COUNT)
    call = _CALL.fullmatch(word)
    name = call[1] if call is not None else word
    if call is None or name not in list(Function):
        right = (
            f" Write {word}(field)." if word in list(Function) else _metric_meant(resource, word)
        )
        right = right or did_you_mean(name, Function)
        text = f"There is no metric {word!r}.{right} Possible: {', '.join(Function)}."
        raise bad_parameter("metrics", "unknown", text)
    if call[2] in ("", "*"):
        raise bad_parameter(
            "metrics", "unknown", "Write count for the number of records, or count(field)."
        )
    metric = Metric(Function(name), tuple(call[2].split(".")))
    _check_metric(resource, metric)
    return metric


def _metric_meant(resource: Resource, word: str) -> str:
    """` Did you mean 'sum(amount)'?` for `sum_amount`, `amount.sum` or `amount`; or nothing."""
    for function in Function:
        for field in (
            re.sub(rf"^{function}[._:]+", "", word),
            re.sub(rf"[._:]+{function}$", "", word),
        ):
            if field != word and _kind_of(resource, field) is not None:
                return f" Did you mean '{function}({field})'?"
    kind = _kind_of(resource, word)
    if kind is None:
        return ""
    function = Function.SUM if kind in _NUMBERS else Function.COUNT
    return f" A metric of a field is written so: {function}({word})."


def _check_metric(resource: Resource, metric: Metric) -> None:
    record_field, path = _field("metrics", resource, metric.path), ".".join(metric.path)
    kinds = _KINDS.get(metric.function)
    is_distinct = metric.function is Function.COUNT_DISTINCT
    if leads_to_many(resource, metric.path) is not None and not is_distinct:
        text = f"{path} leads to any number of records: ask for an aggregate of those."
        raise bad_parameter("metrics", "many", text)
    if kinds is not None and record_field.field_type not in kinds:
        taken = "a number" if kinds is _NUMBERS else _ORDERED_TOLD
        raise bad_parameter(
            "metrics", "kind", f"{path} has no {metric.function}: it takes {taken}."
        )
    ranges = () if resource.figures is None else resource.figures.ranges
    if metric.function in LIMITS and path not in ranges:
        known = f" Possible: {', '.join(ranges)}." if ranges else ""
        text = f"{path} is no number that can be stated as a limit or a range.{known}"
        raise bad_parameter("metrics", "kind", text)
    if kinds is _NUMBERS and len(metric.path) > 1:
        # A mission's cost would be added once for each of its agreements.
        text = f"{path} would count once for each record that leads to it: ask for an aggregate of"
        raise bad_parameter("metrics", "repeated", f"{text} {metric.path[-2]} instead.")


_ORDERED_TOLD = "a number, a date, a time or a text"
_KINDS: Mapping[Function, tuple[FieldType, ...]] = {
    Function.SUM: _NUMBERS,
    Function.AVG: _NUMBERS,
    Function.AT_LEAST: _NUMBERS,
    Function.AT_MOST: _NUMBERS,
    Function.NOT_EXACT: _NUMBERS,
    Function.MIN: (*_NUMBERS, *_DATES, FieldType.text),
    Function.MAX: (*_NUMBERS, *_DATES, FieldType.text),
}


def _by_name(outputs: Iterable[Output]) -> dict[str, Output]:
    """The outputs by their names in the answer, which must be as many."""
    found: dict[str, Output] = {}
    for output in outputs:
        parameter = "group_by" if isinstance(output, GroupKey) else "metrics"
        name = output.name
        if name in found:
            other = found[name]
            text = f"{output.written} is given more than once."
            if other != output:
                text = f"{output.written} and {other.written} have the same name in the answer."
            raise bad_parameter(parameter, "repeated", text)
        found[name] = output
    return found


def _read_sort(
    outputs: Mapping[str, Output], keys: tuple[GroupKey, ...], text: str | None
) -> tuple[tuple[Output, bool], ...]:
    """`-sum_amount` as outputs with "descending?", and after them the keys that are left."""
    found: dict[Output, bool] = {}
    for word in _words("sort", text, MAX_KEYS + MAX_METRICS) if text is not None else ():
        output = find_output(outputs, word.removeprefix("-"))
        if output is None:
            near = did_you_mean(word.removeprefix("-"), outputs)
            known = f" Possible here: {', '.join(outputs)}."
            raise bad_parameter("sort", "unknown", f"There is no {word!r} to sort by.{near}{known}")
        if output in found:
            text = f"{output.written} is given more than once: groups are sorted by it once."
            raise bad_parameter("sort", "repeated", text)
        found[output] = word.startswith("-")
    for key in keys:
        found.setdefault(key, False)
    return tuple(found.items())
