"""What reads are asked for: the parameters that lists and records have, and the shape they make."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, tzinfo
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from app.core.errors import did_you_mean
from app.core.query_models import OpenQuery, Several
from app.core.time_zones import find_zone
from app.engine.paths import (
    MAX_DEPTH,
    FieldType,
    PathError,
    fields_of,
    find_field,
    find_relation,
    leads_to_many,
    near_field,
    relations_of,
)
from app.engine.query.conditions import Condition, Path
from app.engine.query.filter_reader import ParsedFilter, bad_parameter, read_filters
from app.engine.query.hints import by_label, unknown_field
from app.engine.query.orders import Sort
from app.engine.resource import Embedded, Resource
from app.engine.schemas import Schema

MAX_LIMIT = 1000
MAX_SORT = 8
MAX_OFFSET = 10_000

Deleted = Literal["exclude", "include", "only"]


def _whole(value: object) -> object:
    if isinstance(value, str) and not re.fullmatch(r"-?[0-9]{1,4000}", value):
        raise ValueError("must be a whole number")
    return value


#: Numbers in digits alone; Pydantic would take `1_0` and `5.0` too. (Limits stand before the
#: validator: after it JSON Schema would not be told of them.)
VersionNumber = Annotated[int, Field(ge=1, le=2**31 - 1), BeforeValidator(_whole)]
Offset = Annotated[int, Field(ge=0, le=MAX_OFFSET), BeforeValidator(_whole)]
Limit = Annotated[int, Field(ge=1, le=2**53), BeforeValidator(_whole)]
#: Told as a pattern and checked by its signature, which says more than that it does not match.
Cursor = Annotated[
    str, Field(max_length=4000, json_schema_extra={"pattern": "^[A-Za-z0-9_-]{28,}$"})
]
#: Names, separated by commas or given one by one.
Names = Annotated[str | None, Several()]


class ViewQuery(Schema):
    """Parameters that say how much of a record is shown."""

    fields: Names = Field(None, max_length=2000)
    """Only these fields, separated by commas; a dot goes on into a related record. Typed clients
    may miss the others."""
    expand: Names = Field(None, max_length=500)
    """Related records to show in full, separated by commas; a dot goes on into theirs, at most 3
    steps."""


class ItemQuery(ViewQuery):
    """Parameters of reading one record."""

    deleted: Literal["exclude", "include"] = "exclude"
    """`include` also finds a record in the trash."""


class FilterQuery(OpenQuery, Schema):
    """Parameters that choose records, besides the filters of single fields."""

    q: str | None = Field(None, min_length=1, max_length=500)
    """Words to be found in the record's names and texts, whatever their endings and script; words
    in quotes must follow each other."""
    filter: str | None = Field(None, min_length=1, max_length=2000)
    """A condition in the grammar of OData's `$filter`, AND-ed with all other filters. Example:
    `status eq 'signed' or mission/host_country eq 'RU'`."""
    deleted: Deleted = "exclude"
    """Whether records in the trash are shown: not, too, or alone."""
    timezone: str | None = Field(None, min_length=1, max_length=64)
    """The IANA zone whose days, weeks and months those of moments such as `created_at` are, and
    whose day `today` is: UTC when left out. Example: `Asia/Almaty`."""


class RecordsQuery(FilterQuery, ViewQuery):
    """What lists and exports have in common: which records, what of them, in which order."""

    sort: Names = Field(None, max_length=500)
    """Fields to sort by, separated by commas, `-` first for descending; a dot goes on into a
    related record. Missing values come last; `id` breaks ties."""


class ListQuery(RecordsQuery):
    """Parameters that every list has, besides its filters."""

    limit: Limit = 50
    """The most records to answer with; more than 1000 is taken for 1000."""
    cursor: Cursor | None = None
    """`next_cursor` or `prev_cursor` of a page of the same list, to go on from there."""
    offset: Offset | None = None
    """How many records to pass over, at most 10,000; a cursor walks a whole list, and faster."""
    count: Literal["none", "exact", "estimated"] = "none"
    """Whether to tell how many records match in all: `estimated` is exact up to
    10,000, and always where counting is quick."""


class PartsQuery(Schema):
    """Parameters of what lies under a record that others of its kind can be part of."""

    parts: Literal["include", "exclude"] = "include"
    """`exclude` leaves out what lies under the records that are part of this one."""


class ListWithPartsQuery(PartsQuery, ListQuery):
    """Parameters of a list under such a record."""


@dataclass(frozen=True, slots=True)
class RelatedList:
    """Which of the records that a relation leads to are shown, in which order: missing values are
    least. `limit` and `offset` name parameters, `counted_as` the member that says how many there
    are without these."""

    condition: Condition | None = None
    sort: Sort = ()
    limit: str | None = None
    offset: str | None = None
    counted_as: str | None = None

    @property
    def is_narrowed(self) -> bool:
        """Whether fewer records are shown than there are."""
        return any(each is not None for each in (self.condition, self.limit, self.offset))


ALL_RELATED = RelatedList()


@dataclass(frozen=True, slots=True)
class View:
    """What is shown of a record: all or `fields`, and `expand`ed relations, `related` telling which
    records of some."""

    fields: tuple[Path, ...] | None = None
    expand: tuple[Path, ...] = ()
    related: tuple[tuple[Path, RelatedList], ...] = ()

    @property
    def whole(self) -> bool:
        """True when just the record itself is shown, all of it."""
        return self.fields is None and not self.expand


@dataclass(frozen=True, slots=True)
class Seek:
    """Where a page begins: beyond the record with the key `:k0, :k1, …` in the order of the list.

    `nulls` tells which parts of the key are null. `nulls_segment` is for what follows when the
    records on the same side of the first key's null have come to an end.
    """

    backward: bool
    nulls: tuple[bool, ...]
    nulls_segment: bool = False


@dataclass(frozen=True, slots=True)
class QueryShape:
    """What makes two lists the same statement, without values."""

    condition: Condition | None = None
    q: bool = False
    deleted: Deleted = "exclude"
    sort: Sort = ((("id",), False),)
    #: Whether missing values come where the least one would, and not last.
    nulls_are_least: bool = False
    view: View = View()
    seek: Seek | None = None
    offset: bool = False
    #: Whether `q` is asked of the list's records one by one, as its words are common.
    by_row: bool = False

    def after(self, seek: Seek | None) -> "QueryShape":
        """The same list from another place on."""
        return replace(self, seek=seek)


@dataclass(slots=True)
class Listing:
    """A list that is asked for: its statement's shape, and the values that fill it."""

    shape: QueryShape
    parsed: ParsedFilter


def read_listing(
    resource: Resource, query: RecordsQuery, asked_at: datetime | None = None
) -> Listing:
    """The records that the query asks for; BadRequest for what does not exist. Relative dates are
    counted from now, or from when the list's first page was `asked_at`."""
    parsed = read_conditions(resource, query, asked_at)
    shape = QueryShape(
        condition=parsed.condition,
        q=query.q is not None,
        deleted=query.deleted,
        sort=read_sort(resource, query.sort),
        view=read_view(resource, query),
        offset=isinstance(query, ListQuery) and bool(query.offset),
    )
    return Listing(shape, parsed)


def read_conditions(
    resource: Resource, query: FilterQuery, asked_at: datetime | None = None
) -> ParsedFilter:
    """What chooses the records of a query: `filter` and its parameters that are fields."""
    known, zone = type(query).model_fields, read_zone(query.timezone)
    return read_filters(resource, query.others, query.filter, known, zone, asked_at)


def read_zone(name: str | None) -> tzinfo:
    """The zone of this name, UTC without one; BadRequest for one that there is not."""
    try:
        return UTC if name is None else find_zone(name)
    except ValueError as error:
        raise bad_parameter("timezone", "unknown", str(error)) from None


def read_view(resource: Resource, query: ViewQuery) -> View:
    """What the query wants to see of each record."""
    expand = _paths("expand", query.expand)
    for path in expand:
        _check_expand(resource, path)
    if query.fields is None:
        return View(None, expand)
    fields = _paths("fields", query.fields)
    for path in fields:
        _check_field(resource, path)
    return View(fields, expand)


def _paths(parameter: str, text: str | None) -> tuple[Path, ...]:
    """`a,b.c` as paths in one order."""
    if text is None:
        return ()
    return tuple(tuple(word.split(".")) for word in sorted(set(listed(parameter, text))))


def listed(parameter: str, text: str) -> list[str]:
    """The names of a parameter, which are separated by commas."""
    words = [word.strip() for word in text.split(",")]
    if words in ([""], ["-"]):
        raise bad_parameter(
            parameter, "empty", "Is empty: write names, separated by commas, or leave it out."
        )
    if "" in words or "-" in words:
        raise bad_parameter(parameter, "empty", "There is a name missing before or after a comma.")
    return words


def _check_expand(resource: Resource, path: Path) -> None:
    at: Resource | Embedded = resource
    if len(path) > MAX_DEPTH:
        text = f"{'.'.join(path)!r} has more than {MAX_DEPTH} steps."
        raise bad_parameter("expand", "too_deep", text)
    for name in path:
        known = expandable(at)
        if name not in known:
            near = did_you_mean(name, known)
            allowed = ", ".join(known) or "nothing"
            text = f"There is no relation {name!r} to expand.{near} Possible here: {allowed}."
            raise bad_parameter("expand", "unknown", text)
        at = relations_of(at)[name].target


def expandable(at: Resource | Embedded) -> list[str]:
    """The relations that can be shown in full; parts always are, and are passed through."""
    return [
        name
        for name, relation in relations_of(at).items()
        if not isinstance(relation.via, Embedded) or relation.via.to_one
    ]


def _check_field(resource: Resource, path: Path) -> None:
    at: Resource | Embedded = resource
    if len(path) > MAX_DEPTH + 1:
        text = f"{'.'.join(path)!r} has more than {MAX_DEPTH} relations."
        raise bad_parameter("fields", "too_deep", text)
    for name in path[:-1]:
        try:
            at = find_relation(at, name).target
        except PathError as error:
            raise bad_parameter("fields", "unknown", str(error)) from None
    known = [*shown_in(at), *relations_of(at)]
    if path[-1] not in known:
        near = near_field(at, path[:-1], path[-1], known)
        near = near or by_label(at, path[:-1], path[-1]) or f" Possible: {', '.join(known)}."
        text = f"There is no field {path[-1]!r}.{near}"
        raise bad_parameter("fields", "unknown", text)


def shown_in(at: Resource | Embedded) -> Iterable[str]:
    """The names of the fields that a record or part is shown with."""
    return at.read_fields if isinstance(at, Resource) else at.fields.model_fields


def read_sort(resource: Resource, text: str | None) -> Sort:
    """`-amount,mission.title` as paths with "descending?"; `id` is always the last key."""
    keys: dict[Path, bool] = {}
    for name in listed("sort", text) if text is not None else ():
        path = tuple(name.removeprefix("-").split("."))
        _check_sort(resource, path)
        if path in keys:
            text = f"{'.'.join(path)} is given more than once: records are sorted by it once."
            raise bad_parameter("sort", "repeated", text)
        keys[path] = name.startswith("-")
    if len(keys) > MAX_SORT:
        raise bad_parameter("sort", "too_many", f"At most {MAX_SORT} fields can be sorted by.")
    names = list(keys)
    if ("id",) in keys:
        # No two records have the same: what comes after it decides nothing.
        keys = {path: keys[path] for path in names[: names.index(("id",)) + 1]}
    # The tie-break runs with the first key, so that one index serves both directions.
    keys.setdefault(("id",), next(iter(keys.values()), False))
    return tuple(keys.items())


def _check_sort(resource: Resource, path: Path) -> None:
    try:
        field = find_field(resource, path, one=True)
        many = leads_to_many(resource, path)
    except PathError as error:
        text = unknown_field(error, sortable(resource) if len(path) == 1 else ())
        raise bad_parameter("sort", "unknown", text) from None
    if field.field_type is FieldType.list or many is not None:
        text = f"{'.'.join(path)} has any number of values, which cannot be sorted by."
        raise bad_parameter("sort", "unsortable", text)


def sortable(resource: Resource) -> list[str]:
    """The record's own fields that lists can be sorted by."""
    return [
        name
        for name, field in fields_of(resource).items()
        if field.field_type is not FieldType.list
    ]
