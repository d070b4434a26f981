"""The shape of an aggregate: what it groups by and the outputs of each group, without values."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import lru_cache

from sqlalchemy import Date, String

from app.engine.paths import FieldType, RecordField, find_field, find_relation, leads_to_many
from app.engine.query.conditions import Condition, Path
from app.engine.query.parameters import Deleted
from app.engine.record import bound_names
from app.engine.resource import Embedded, Resource

#: What stands for a date that belongs to no year, quarter, month, week or day.
UNDATED = "undated"


class DatePart(StrEnum):
    """What a date is grouped by: `2016`, `2016-Q2`, `2016-04`, `2016-W15`, `2016-04-12`."""

    year = "year"
    quarter = "quarter"
    month = "month"
    week = "week"
    day = "day"


class Function(StrEnum):
    """What a metric tells of the records of a group."""

    COUNT = "count"
    COUNT_DISTINCT = "count_distinct"
    SUM = "sum"
    AVG = "avg"
    MIN = "min"
    MAX = "max"
    AT_LEAST = "at_least"
    AT_MOST = "at_most"
    NOT_EXACT = "not_exact"


#: What is added up: where a kind has rules for its figures, nothing is added twice.
ADDED = (Function.SUM, Function.AVG, Function.AT_LEAST, Function.AT_MOST, Function.NOT_EXACT)
#: What tells how far a sum can be from the true one.
LIMITS = (Function.AT_LEAST, Function.AT_MOST, Function.NOT_EXACT)


@dataclass(frozen=True, slots=True)
class GroupKey:
    """A field that groups are made by, or a part of it when it is a date.

    `asked` is the path that was asked for, where that of the first of several values stands for
    all of them. `level` is that of a code whose list has levels: groups are made of the codes of
    that level which a record's lie under.
    """

    path: Path
    part: DatePart | None = None
    asked: Path = ()
    level: str | None = None

    @property
    def dotted(self) -> str:
        """The field as it is asked for: `mission.dates`."""
        return ".".join(self.asked or self.path)

    @property
    def written(self) -> str:
        """As it is asked for: `year(mission.dates)`."""
        return f"{self.part}({self.dotted})" if self.part else self.dotted

    @property
    def name(self) -> str:
        """What it is called in the answer: `year_mission_dates`, `sectors_division`."""
        return plain(f"{self.dotted}_{self.level}" if self.level else self.written)


@dataclass(frozen=True, slots=True)
class Metric:
    """A figure of each group; without a path the number of its records. A count `of_added` is of
    the values that are in the sum, and not of what is left out of it."""

    function: Function
    path: Path = ()
    of_added: bool = False

    @property
    def dotted(self) -> str:
        """The field that it is of."""
        return ".".join(self.path)

    @property
    def written(self) -> str:
        """As it is asked for: `sum(amount)`."""
        return f"{self.function}({self.dotted})" if self.path else str(self.function)

    @property
    def name(self) -> str:
        """What it is called in the answer: `sum_amount`."""
        return plain(f"added_{self.dotted}" if self.of_added else self.written)


Output = GroupKey | Metric


@dataclass(frozen=True, slots=True)
class Grouping:
    """What makes two aggregates the same statement, without values. `sort` has each output once."""

    condition: Condition | None
    q: bool
    deleted: Deleted
    keys: tuple[GroupKey, ...]
    metrics: tuple[Metric, ...]
    having: Condition | None
    sort: tuple[tuple[Output, bool], ...]
    #: What else would be set apart, but all that is added is alike in it.
    lifted: frozenset[str] = frozenset()
    #: Whether the parts of moments are those in the zone of the parameter `:zone`.
    is_local: bool = False
    #: How many keys, the last ones, divide groups that are one group otherwise: what is a part of
    #: another record there is left out wherever that one is.
    finer: int = 0
    #: Whether groups that no record is in are there too.
    empty_groups: bool = False

    @property
    def outputs(self) -> tuple[Output, ...]:
        """What a group is told by, in the order of the answer."""
        return (*self.keys, *self.metrics)


@lru_cache(maxsize=1024)
def plain(text: str) -> str:
    """A name for programs: `count_distinct(mission.id)` as `count_distinct_mission_id`.

    Such a name is taken as it is by data frames, dashboards and SQL, where brackets and dots have a
    meaning of their own.
    """
    return re.sub(r"\W+", "_", text, flags=re.ASCII).strip("_")


def find_output(outputs: Mapping[str, Output], name: str) -> Output | None:
    """The output with this name, also as it is asked for."""
    if name in outputs:
        return outputs[name]
    return next((o for o in outputs.values() if name == o.written), None)


def output_field(resource: Resource, output: Output) -> RecordField:
    """The field that the values of a group key or of a min or max are of: one end of a stated
    date, and an item of a list."""
    field = find_field(resource, output.path)
    if isinstance(output, Metric) and field.field_type is FieldType.stated:
        (*_, name) = bound_path(output.path, output.function is Function.MAX)
        return replace(field, name=name, field_type=FieldType.date, type=Date())
    if field.field_type is FieldType.list:
        return replace(
            field,
            field_type=FieldType.text if field.codes is None else FieldType.code,
            type=String(),
        )
    return field


def counts_related(resource: Resource, output: Output) -> bool:
    """Whether it counts the different values of any number of related records, or of a list."""
    return (
        isinstance(output, Metric)
        and output.function is Function.COUNT_DISTINCT
        and many_of(resource, output.path) is not None
    )


def bound_path(path: Path, latest: bool = False) -> Path:
    """The path of a stated date's earliest or latest day."""
    return (*path[:-1], bound_names(path[-1])[latest])


def many_of(resource: Resource, path: Path, after: int = 0) -> Path | None:
    """The path up to and with its first step to any number of values, a list's being its own end;
    None without one. The first `after` steps are passed over."""
    if after == len(path):
        return None
    at: Resource | Embedded = resource
    for name in path[:after]:
        at = find_relation(at, name).target
    rest = path[after:]
    steps = leads_to_many(at, rest)
    if steps is None and find_field(at, rest).field_type is FieldType.list:
        steps = len(rest)
    return path[: after + steps] if steps is not None else None
