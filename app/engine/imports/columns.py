"""Columns of an imported file: which field each header stands for, and which say nothing new."""

import csv
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from app.core.errors import BadRequest, Fault, did_you_mean
from app.core.loose_types import JsonValue
from app.engine.imports.cells import (
    Read,
    read_integer,
    read_native,
    read_text,
    read_word,
    reader_of,
)
from app.engine.imports.stand_ins import columns_standing_in, replaced_by
from app.engine.keys import names_of
from app.engine.paths import PathError, find_field
from app.engine.resource import Resource

#: How well a column stands for a field that only an export would call so.
_SHOWN = 9
#: What the server keeps of a record and a file may say, so that it is known which one is meant.
KEYS = ("id", "version", "deleted_at")
_KEY_READERS: Mapping[str, Read] = {
    "id": read_word,
    "version": read_integer,
    "deleted_at": read_text,
}


@dataclass(frozen=True, slots=True)
class ImportColumn:
    """A column that is read: its header as it stands in the file, and the field it is of.

    `link` is the kind of record that its cells name by id, ref or exact name; `default` is what
    the field has when its cell is empty, and that is an error when it is `required`.
    """

    header: str
    field: str
    read: Read
    link: Resource | None = None
    required: bool = False
    default: JsonValue = None


@dataclass(frozen=True, slots=True)
class Plan:
    """How the rows under some headers are read."""

    columns: tuple[ImportColumn, ...]
    keys: tuple[ImportColumn, ...]
    missing: tuple[str, ...]
    faults: tuple[Fault, ...]
    headers: Mapping[str, str]

    @property
    def only_new(self) -> bool:
        """Whether every row is a new record, as nothing says which one it could be."""
        return not self.headers.keys() & {"id", "ref"}


@dataclass(slots=True)
class _Found:
    """What the headers looked at so far stand for; of several for one field, the best."""

    by_field: dict[str, tuple[int, str]] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)


def plan_of(
    resource: Resource, headers: Iterable[str], mapping: Mapping[str, str], native: bool
) -> Plan:
    """What the headers stand for; `mapping` says it of some, "" of one that is not to be read.

    `native` is for NDJSON, whose values need no reading. What is wrong is in `faults`.
    """
    found = _Found()
    named = list(headers)
    for header in named:
        _place(resource, header, mapping.get(header), found)
    for header in mapping:
        if header not in named and not native:
            text = f"columns names {header!r}, but no column is called so."
            near = did_you_mean(header, named)
            found.faults.append(Fault("columns", text + near, row=1, column=header))
    fields, standing = resource.fields.model_fields, dict.fromkeys(_standing(resource, found))
    given = replaced_by(resource, standing) | found.by_field.keys()
    missing = [n for n, info in fields.items() if info.is_required() and n not in given]
    return Plan(
        (
            *(_column(resource, name, h, native) for name, h in _headers(found, fields)),
            *(ImportColumn(h, n, _reader(n, native)) for n, h in _headers(found, standing)),
        ),
        tuple(ImportColumn(h, name, _KEY_READERS[name]) for name, h in _headers(found, KEYS)),
        tuple(missing),
        tuple(found.faults),
        {name.removesuffix(".ref"): header for name, (_, header) in found.by_field.items()},
    )


def _standing(resource: Resource, found: _Found) -> Iterator[str]:
    """The columns that stand in for fields, but a ref that an export shows beside an id."""
    for name in columns_standing_in(resource).values():
        rank, _ = found.by_field.get(name, (0, ""))
        if rank < _SHOWN or f"{name.partition('.')[0]}_id" not in found.by_field:
            yield name


def _reader(name: str, native: bool) -> Read:
    return read_native if native else read_word if "." in name else read_text


def _headers(found: _Found, names: Iterable[str]) -> list[tuple[str, str]]:
    return [(name, found.by_field[name][1]) for name in names if name in found.by_field]


def _column(resource: Resource, name: str, header: str, native: bool) -> ImportColumn:
    info = resource.fields.model_fields[name]
    required = info.is_required()
    return ImportColumn(
        header,
        name,
        read_native if native else reader_of(resource, name),
        resource.to_one.get(name.removesuffix("_id")) if name.endswith("_id") else None,
        required,
        None if required else info.get_default(call_default_factory=True),
    )


def _place(resource: Resource, header: str, given: str | None, found: _Found) -> None:
    if given == "":
        return
    name = folded(given or header)
    target = _target(resource, name)
    if target is None:
        if not _says_nothing(resource, name):
            found.faults.append(_unknown(resource, header, name))
        return
    to, rank = target
    if to in found.by_field and found.by_field[to][0] == rank:
        other = found.by_field[to][1]
        text = f"{header!r} and {other!r} are both the field {to}: keep one of them."
        found.faults.append(Fault("twice", text, row=1, column=header))
    elif to not in found.by_field or rank < found.by_field[to][0]:
        found.by_field[to] = (rank, header)


def folded(header: str) -> str:
    """A header as fields are named: `Place country` is place_country."""
    return re.sub(r"[\s_-]+", "_", header.strip().casefold())


def _target(resource: Resource, name: str) -> tuple[str, int] | None:
    """The field that a name stands for, and how well: 0 is best."""
    fields = resource.fields.model_fields
    if name in fields or name in KEYS:
        return name, 0
    if (standing := columns_standing_in(resource).get(name)) is not None:
        return standing, _SHOWN if name in resource.read_fields and name != standing else 0
    relation, _, label = name.partition(".")
    if relation not in resource.to_one or f"{relation}_id" not in fields:
        return None
    ways = ("id", "", "ref", *names_of(resource.to_one[relation]))
    return (f"{relation}_id", ways.index(label) + 1) if label in ways else None


def _says_nothing(resource: Resource, name: str) -> bool:
    """Whether an export has such a column, which is not the record's own to say."""
    relation, *rest = name.split(".")
    if not rest:
        return name in resource.read_fields or name in resource.to_one
    # `merged_into.name` beside a computed id; `mission.host_city` beside the mission's own.
    if relation not in resource.to_one:
        return False
    try:
        find_field(resource, tuple(name.split(".")))
    except PathError:
        return rest[-1] in ("id", *resource.to_one[relation].read_fields)
    return True


def _unknown(resource: Resource, header: str, name: str) -> Fault:
    known = [*resource.fields.model_fields, *KEYS, *resource.to_one, *columns_standing_in(resource)]
    known += [
        f"{relation}.{label}"
        for relation, to in resource.to_one.items()
        for label in to.read_fields
    ]
    text = f"There is no field {header!r} of {resource.plural}.{did_you_mean(name, known)}"
    return Fault("unknown", text, row=1, column=header)


def read_mapping(resource: Resource, text: str | None) -> dict[str, str]:
    """What `Header=field,Заголовок=title` says; a comma within a header goes into quotes, and
    `Header=` leaves a column out. BadRequest for what is not a field."""
    mapping: dict[str, str] = {}
    for pair in _pairs(text) if text else ():
        header, sign, name = pair.rpartition("=")
        if not sign or not header.strip():
            raise _wrong(f"Write Header=field, with commas between several; got {pair!r}.")
        name = name.strip()
        if name and _target(resource, folded(name)) is None:
            near = did_you_mean(name, [*resource.fields.model_fields, *KEYS])
            raise _wrong(f"{name!r} is not a field of {resource.plural}.{near}")
        mapping[header.strip()] = name
    return mapping


def _pairs(text: str) -> list[str]:
    try:
        return next(csv.reader([text]), [])
    except csv.Error:
        raise _wrong(
            "A header in columns has a line break or a quote that is not closed."
        ) from None


def _wrong(text: str) -> BadRequest:
    return BadRequest(text, [Fault("columns", text, parameter="columns")])
