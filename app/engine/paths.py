"""Dotted paths: from a kind of record, through its relations, to a field of another record."""

from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cache
from itertools import islice

from sqlalchemy import Boolean, Date, Enum, Integer, inspect

from app.core.databases.expressions import SqlType, TableColumn
from app.core.databases.interface import Base
from app.core.databases.types import CodeList, Exact, Id, Instant, ListedName, StatedDate
from app.core.errors import did_you_mean
from app.core.public_path import public_path
from app.engine.resource import Embedded, Levels, Resource, SubCollection

MAX_DEPTH = 3
#: How many paths are named to whoever wrote a name alone.
_MAX_NAMED = 4


class FieldType(StrEnum):
    """What sort of value a field holds, which decides how it is compared and written."""

    id = "id"
    text = "text"
    choice = "choice"
    code = "code"
    integer = "integer"
    decimal = "decimal"
    boolean = "boolean"
    date = "date"
    instant = "instant"
    stated = "stated"
    list = "list"


_FIELD_TYPES: tuple[tuple[type[SqlType], FieldType], ...] = (
    (Id, FieldType.id),
    (StatedDate, FieldType.stated),
    (CodeList, FieldType.list),
    (Exact, FieldType.decimal),
    (Instant, FieldType.instant),
    (Date, FieldType.date),
    (Boolean, FieldType.boolean),
    (Enum, FieldType.choice),
    (ListedName, FieldType.choice),
    (Integer, FieldType.integer),
)


@dataclass(frozen=True, slots=True, eq=False)
class RecordField:
    """A field at the end of a path. `codes` is the column of the code list that it is from,
    `levels` are those of the records that it names."""

    name: str
    field_type: FieldType
    type: SqlType
    nullable: bool
    choices: tuple[str, ...]
    codes: TableColumn | None
    about: str
    levels: Levels | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Relation:
    """A relation: `is_to_many` when it leads to any number of records or parts."""

    name: str
    via: Resource | Embedded | SubCollection
    target: Resource | Embedded

    @property
    def is_to_many(self) -> bool:
        return not isinstance(self.via, Resource)


class PathError(ValueError):
    """A path that leads nowhere; its text says where it fails and what is near."""


@cache
def relations_of(at: Resource | Embedded) -> dict[str, Relation]:
    """The relations that lead on from here, by name."""
    steps = {name: Relation(name, target, target) for name, target in at.to_one.items()}
    if isinstance(at, Resource):
        steps |= {name: Relation(name, part, part) for name, part in at.embedded.items()}
        steps |= {
            name: Relation(name, many, many.child)
            for name, many in at.to_many.items()
            if many.is_relation
        }
    return steps


@cache
def fields_of(at: Resource | Embedded) -> dict[str, RecordField]:
    """The fields of a record or part that hold values of its own, by name."""
    columns = inspect(at.table).columns
    if isinstance(at, Embedded):
        described = {name: info.description for name, info in at.fields.model_fields.items()}
    else:
        hidden = at.derived_elsewhere - at.looked_up
        own = (name for name in at.columns if name not in hidden)
        described = {name: at.read_fields[name][1].description for name in own}
    return {
        name: replace(_field(columns[name], name, about or ""), levels=_levels(at, name))
        for name, about in described.items()
    }


def _levels(at: Resource | Embedded, name: str) -> Levels | None:
    """The levels of the records that a field names: of its own kind, or of a related one."""
    if name in ("id", "ref"):
        return at.levels if isinstance(at, Resource) else None
    target = at.to_one.get(name.removesuffix("_id")) if name.endswith("_id") else None
    return None if target is None else target.levels


def type_of_column(of: SqlType) -> FieldType:
    """What sort of value a column of this type holds, whatever it refers to."""
    return next((kind for known, kind in _FIELD_TYPES if isinstance(of, known)), FieldType.text)


def _field(column: TableColumn, name: str, about: str) -> RecordField:
    keys = list(getattr(column, "foreign_keys", ()))
    kind = type_of_column(column.type)
    codes = None
    if kind is FieldType.text and keys:
        kind, codes = FieldType.code, next(key.column for key in keys if key.column.name == "code")
    elif isinstance(column.type, CodeList) and column.type.of is not None:
        table, _, of = column.type.of.partition(".")
        codes = Base.metadata.tables[table].c[of]
    choices = tuple(column.type.enums) if isinstance(column.type, Enum) else ()
    if isinstance(column.type, ListedName):
        choices = column.type.names()
    return RecordField(
        name, kind, column.type, getattr(column, "nullable", True), choices, codes, about
    )


class NoSuchField(PathError):
    """A field that there is not, nor anything near: `at` is where it was looked for, at the end of
    the relations `before`."""

    def __init__(self, at: Resource | Embedded, before: tuple[str, ...], name: str) -> None:
        super().__init__(f"There is no field {name!r}.")
        self.at, self.before, self.name = at, before, name


def find_relation(at: Resource | Embedded, name: str) -> Relation:
    """The relation of this name; PathError without one."""
    steps = relations_of(at)
    if name not in steps:
        known = f" Possible here: {', '.join(steps)}." if steps else " There is none here."
        raise PathError(f"There is no relation {name!r}.{did_you_mean(name, steps)}{known}")
    return steps[name]


def find_field(at: Resource | Embedded, path: tuple[str, ...], *, one: bool = False) -> RecordField:
    """The field at the end of the path; PathError where there is none, which tells others that may
    be meant: with `one` those of which a record has one value."""
    *relations, name = path
    if len(relations) > MAX_DEPTH:
        raise PathError(f"{'.'.join(path)!r} has more than {MAX_DEPTH} relations.")
    for relation in relations:
        at = find_relation(at, relation).target
    record_fields = fields_of(at)
    if name in record_fields:
        return record_fields[name]
    counted = "" if relations or not isinstance(at, Resource) else counted_elsewhere(at, name)
    if name in relations_of(at):
        found = fields_of(relations_of(at)[name].target)
        example = "ref" if "ref" in found else next(iter(found))
        raise PathError(
            f"{name!r} is a relation: name a field of it, such as {name}.{example}.{counted}"
        )
    known = [*record_fields, *relations_of(at)]
    near = counted or near_field(at, tuple(relations), name, known, one=one)
    if not near:
        raise NoSuchField(at, tuple(relations), name)
    raise PathError(f"There is no field {name!r}.{near}")


def counted_elsewhere(resource: Resource, name: str) -> str:
    """` It is counted in /insights/missions, …` where what is no field of a record is a figure of
    it; or nothing."""
    address, figures = resource.counted_at
    # `amount` has a figure for each class, and a metric is of one: `sum(amount)`.
    plain = name.partition("(")[2].rstrip(")") or name
    meant = [plain] if plain in figures else sorted(f for f in figures if f.startswith(f"{plain}_"))
    if not meant:
        return ""
    listed = f"{', '.join(meant[:-1])} and {meant[-1]}" if meant[1:] else meant[0]
    return f" It is counted in {public_path(address)}, which is sorted and filtered by {listed}."


def path_of_rows(at: Resource | Embedded, path: tuple[str, ...]) -> tuple[str, ...] | None:
    """The path of all values of a field that is that of the first row of a part; None of others:
    `mission.stops.country` for `mission.host_country`."""
    for step in path[:-1]:
        at = relations_of(at)[step].target
    found = at.first_of.get(path[-1]) if isinstance(at, Resource) else None
    return (*path[:-1], *found) if found else None


def called_so(
    at: Resource | Embedded, name: str, *, one: bool = False
) -> Iterator[tuple[str, ...]]:
    """The paths of fields that are called so, or end so, where a record itself has none of the
    name: its own first, then those of the nearest parts and related records; with `one` those of
    which a record has one value."""
    yield from ((field,) for field in fields_of(at) if field.endswith(f"_{name}"))
    level: list[tuple[tuple[str, ...], Resource | Embedded]] = [((), at)]
    for _ in range(MAX_DEPTH):
        level = [
            ((*path, step), relation.target)
            for path, here in level
            for step, relation in relations_of(here).items()
            if not isinstance(relation.via, SubCollection) and not (one and relation.is_to_many)
        ]
        found = [(*path, name) for path, here in level if name in fields_of(here)]
        if found:
            yield from found
            return


def meant_paths(paths: Iterable[tuple[str, ...]], joint: str = ".", end: str = "") -> str:
    """` Did you mean 'place_country' or 'parties.organization.country'?`, of the first of the
    paths; nothing of none."""
    written = [repr(joint.join(path) + end) for path in islice(paths, _MAX_NAMED)]
    if not written:
        return ""
    *others, last = written
    return f" Did you mean {', '.join(others)} or {last}?" if others else f" Did you mean {last}?"


def near_field(
    at: Resource | Embedded,
    before: tuple[str, ...],
    name: str,
    known: Iterable[str],
    *,
    one: bool = False,
) -> str:
    """` Did you mean 'mission.title'?` for `mission__title` or `mission_title`, which others write
    so, for a name that related records have, and else what is near among the known; `before` are
    the relations that lead here."""
    steps = relations_of(at)
    ways = [name.replace("__", ".")]
    ways += [f"{start}.{name[len(start) + 1 :]}" for start in steps if name.startswith(f"{start}_")]
    for way in ways:
        start, dot, rest = way.partition(".")
        with suppress(PathError):
            if dot and start in steps and find_field(steps[start].target, tuple(rest.split("."))):
                return f" Did you mean {'.'.join((*before, way))!r}?"
    paths = ((*before, *path) for path in called_so(at, name, one=one))
    return meant_paths(paths) or did_you_mean(name, known)


def leads_to_many(at: Resource | Embedded, path: tuple[str, ...]) -> int | None:
    """How many relations lead up to and with the first to-many one of the path; None without."""
    for count, name in enumerate(path[:-1], 1):
        start = find_relation(at, name)
        if start.is_to_many:
            return count
        at = start.target
    return None
