"""Columns of an imported file: which field each header stands for, and which say nothing new."""

import csv
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from app.core.errors import BadRequest, Fault, did_you_mean
from app.core.loose_types import JsonValue
from app.engine.imports.absent_columns import absent_columns
from app.engine.imports.cells import (
    CellReaders,
    Read,
    read_key_number,
    read_name,
    read_native,
    read_text,
    read_word,
)
from app.engine.imports.code_labels import list_of
from app.engine.imports.stand_ins import columns_standing_in, replaced_by
from app.engine.keys import names_of
from app.engine.labels import fields_by_label, label_key, term_labels
from app.engine.paths import PathError, fields_of, find_field
from app.engine.resource import Resource

#: How well a column stands for a field that only an export would call so.
_SHOWN = 9
#: What the server keeps of a record and a file may say, so that it is known which one is meant.
KEYS = ("id", "version", "deleted_at")
_KEY_READERS: Mapping[str, Read] = {
    "id": read_word,
    "version": read_key_number,
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
class PartColumn:
    """A column whose cells become parts, all with one value: under `Поставщик` stand parties whose
    `role` is supplier and whose `organization`, the `relation`, is named; under `БИН` identifiers.
    """

    header: str
    part: str
    values: Mapping[str, JsonValue]
    relation: str


@dataclass(frozen=True, slots=True)
class Plan:
    """How the rows under some headers are read.

    `title_parts` are the headers that make up the name of a record which has no column; `skipped`
    tells of columns that are passed over; `links` are the fields that name records, and of which
    kind these are, or None for parts that may name some; `absent` says of fields what would hold
    them in a table that has no column of theirs.
    """

    columns: tuple[ImportColumn, ...]
    keys: tuple[ImportColumn, ...]
    missing: tuple[str, ...]
    faults: tuple[Fault, ...]
    headers: Mapping[str, str]
    parts: tuple[PartColumn, ...] = ()
    title_parts: tuple[str, ...] = ()
    skipped: tuple[Fault, ...] = ()
    links: tuple[tuple[str, Resource | None], ...] = ()
    absent: Mapping[str, str] = field(default_factory=dict)

    @property
    def only_new(self) -> bool:
        """Whether every row is a new record, as nothing says which one it could be."""
        return not self.headers.keys() & {"id", "ref"}


@dataclass(slots=True)
class _Found:
    """What the headers looked at so far stand for; of several for one field, the best."""

    by_field: dict[str, tuple[int, str]] = field(default_factory=dict)
    parts: list[PartColumn] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    unknown: list[Fault] = field(default_factory=list)
    numbers: list[Fault] = field(default_factory=list)


def plan_of(
    resource: Resource,
    headers: Iterable[str],
    mapping: Mapping[str, str],
    readers: CellReaders | None,
    skip_unknown: bool = False,
) -> Plan:
    """What the headers stand for; `mapping` says it of some, "" of one that is not to be read.

    NDJSON has no `readers`: its values need no reading. What is wrong is in `faults`.
    """
    found = _Found()
    named = list(headers)
    for header in named:
        _place(resource, header, mapping.get(header), readers, found)
    for header in mapping:
        if header not in named and readers is not None:
            text = f"columns names {header!r}, but no column is called so."
            near = did_you_mean(header, named)
            found.faults.append(Fault("columns", text + near, row=1, column=header))
    if not skip_unknown:
        found.faults += found.unknown
    found.faults += _both(found)
    fields, standing = resource.fields.model_fields, dict.fromkeys(_standing(resource, found))
    given = replaced_by(resource, standing) | found.by_field.keys()
    missing = [n for n, info in fields.items() if info.is_required() and n not in given]
    title_parts = _title_parts(resource, missing, found)
    columns = (
        *(_column(resource, name, h, readers) for name, h in _headers(found, fields)),
        *(ImportColumn(h, n, _reader(n, readers)) for n, h in _headers(found, standing)),
    )
    parts = {part.part for part in found.parts} | resource.embedded.keys() & found.by_field.keys()
    headers_of = {name.removesuffix(".ref"): header for name, (_, header) in found.by_field.items()}
    in_parts = dict.fromkeys((part.part for part in found.parts), "")
    return Plan(
        columns,
        tuple(ImportColumn(h, name, _KEY_READERS[name]) for name, h in _headers(found, KEYS)),
        tuple(name for name in missing if not title_parts or name != resource.title_parts[0]),
        tuple(found.faults),
        headers_of,
        tuple(found.parts),
        title_parts,
        tuple(map(_passed_over, found.numbers + (found.unknown if skip_unknown else []))),
        (
            *((column.field, column.link) for column in columns if column.link is not None),
            *((part, None) for part in sorted(parts)),
        ),
        {} if readers is None else absent_columns(resource, headers_of | in_parts),
    )


def _standing(resource: Resource, found: _Found) -> Iterator[str]:
    """The columns that stand in for fields, but a ref that an export shows beside an id."""
    for name in columns_standing_in(resource).values():
        rank, _ = found.by_field.get(name, (0, ""))
        if rank < _SHOWN or f"{name.partition('.')[0]}_id" not in found.by_field:
            yield name


def _reader(name: str, readers: CellReaders | None) -> Read:
    return read_native if readers is None else read_name if "." in name else read_text


def _passed_over(fault: Fault) -> Fault:
    text = f"The column is left out. {fault.detail.partition(' Say what')[0]}"
    return Fault("column", text, row=fault.row, column=fault.column)


def _both(found: _Found) -> Iterable[Fault]:
    """Parts that have a column of their own as well as others that make them up."""
    for each in {part.part: part for part in reversed(found.parts)}.values():
        if each.part in found.by_field:
            other = found.by_field[each.part][1]
            text = f"{each.header!r} and {other!r} both have {each.part}: keep one of them."
            yield Fault("twice", text, row=1, column=each.header)


def _title_parts(resource: Resource, missing: list[str], found: _Found) -> tuple[str, ...]:
    if not resource.title_parts or resource.title_parts[0] not in missing:
        return ()
    headers: list[str] = []
    for name in resource.title_parts[1:]:
        headers += [part.header for part in found.parts if part.part == name]
        if name in found.by_field and name not in resource.embedded:
            headers.append(found.by_field[name][1])
    return tuple(headers)


def _headers(found: _Found, names: Iterable[str]) -> list[tuple[str, str]]:
    return [(name, found.by_field[name][1]) for name in names if name in found.by_field]


def _column(
    resource: Resource, name: str, header: str, readers: CellReaders | None
) -> ImportColumn:
    info = resource.fields.model_fields[name]
    required = info.is_required()
    return ImportColumn(
        header,
        name,
        read_native if readers is None else readers.of(resource, name),
        resource.to_one.get(name.removesuffix("_id")) if name.endswith("_id") else None,
        required,
        None if required else info.get_default(call_default_factory=True),
    )


def _place(
    resource: Resource,
    header: str,
    given: str | None,
    readers: CellReaders | None,
    found: _Found,
) -> None:
    if given == "":
        return
    name = folded(given or header)
    target = _target(resource, name) if readers is None else find_target(resource, given or header)
    if target is None and readers is not None:
        part = _part_column(resource, header, given or header, readers)
        if part is not None:
            found.parts.append(part)
            return
    if target is None:
        if readers is not None and label_key(header) in _NUMBERS_OF_ROWS:
            found.numbers.append(Fault("", "It numbers the rows.", row=1, column=header))
            return
        labelled = fields_by_label(resource).get(label_key(given or header), name)
        if not (_says_nothing(resource, name) or _says_nothing(resource, labelled)):
            is_first = len(found.unknown) < _MAX_NEAREST and len(header) <= _MAX_HEADER
            found.unknown.append(_unknown(resource, header, name, is_first))
        return
    to, rank = target
    if to in found.by_field and found.by_field[to][0] == rank:
        other = found.by_field[to][1]
        text = f"{header!r} and {other!r} are both the field {to}: keep one of them."
        found.faults.append(Fault("twice", text, row=1, column=header))
    elif to not in found.by_field or rank < found.by_field[to][0]:
        found.by_field[to] = (rank, header)


#: Headers over the numbers of rows, which are no part of the records.
_NUMBERS_OF_ROWS = frozenset(("№", "№ п/п", "№п/п", "п/п", "#", "no", "nr", "n", "р/с", "р/с №"))
_NUMBERED = re.compile(r"[\s_]*[0-9]{1,2}$")


def _part_column(
    resource: Resource, header: str, name: str, readers: CellReaders
) -> PartColumn | None:
    """The parts that a header is of, as the label of a value that they have in common; several
    columns can be numbered: `Поставщик 2`."""
    for part_name, part in resource.embedded.items():
        if part.sheet_columns is None:
            continue
        value, relation = part.sheet_columns
        labels = readers.lists.of(fields_of(part)[value])
        code = labels.find(name) or labels.find(_NUMBERED.sub("", name))
        if isinstance(code, str):
            return PartColumn(header, part_name, {value: code}, relation)
    return None


def folded(header: str) -> str:
    """A header as fields are named: `Place country` is place_country."""
    return re.sub(r"[\s_-]+", "_", header.strip().casefold())


def find_target(resource: Resource, text: str) -> tuple[str, int] | None:
    """The field that a name or a label stands for, and how well: 0 is best."""
    found = _target(resource, folded(text))
    name = fields_by_label(resource).get(label_key(text))
    return found if found or name is None else _target(resource, name)


def _target(resource: Resource, name: str) -> tuple[str, int] | None:
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


#: For how many unknown headers the nearest label is looked for, and how long these may be.
_MAX_NEAREST, _MAX_HEADER = 50, 200


def _unknown(resource: Resource, header: str, name: str, is_looked_for: bool) -> Fault:
    known = [*resource.fields.model_fields, *KEYS, *resource.to_one, *columns_standing_in(resource)]
    known += [
        f"{relation}.{label}"
        for relation, to in resource.to_one.items()
        for label in to.read_fields
    ]
    near = did_you_mean(name, known) if is_looked_for else ""
    if is_looked_for and not near:
        near = did_you_mean(label_key(header), fields_by_label(resource))
    what = near or " Say what it is by columns, or pass over such columns by skip_unknown."
    text = f"There is no field {header!r} of {resource.plural}.{what}"
    return Fault("unknown", text, row=1, column=header)


def is_known(resource: Resource, header: str) -> bool:
    """Whether a text names a column as far as can be told without the database, by which a header
    is found below titles."""
    if find_target(resource, header) or _says_nothing(resource, folded(header)):
        return True
    return any(
        label_key(_NUMBERED.sub("", header)) in term_labels(list_of(fields_of(part)[name]))
        for part in resource.embedded.values()
        for name in (part.sheet_columns or ())[:1]
    )


def read_mapping(resource: Resource, text: str | None) -> dict[str, str]:
    """What `Header=field,Заголовок=title` says; a comma within a header goes into quotes, and
    `Header=` leaves a column out. BadRequest for what is not a field."""
    mapping: dict[str, str] = {}
    for pair in _pairs(text) if text else ():
        header, sign, name = pair.rpartition("=")
        if not sign or not header.strip():
            raise _wrong(f"Write Header=field, with commas between several; got {pair!r}.")
        name = name.strip()
        if name and find_target(resource, name) is None and not _may_be_part(resource):
            near = did_you_mean(name, [*resource.fields.model_fields, *KEYS])
            raise _wrong(f"{name!r} is not a field of {resource.plural}.{near}")
        mapping[header.strip()] = name
    return mapping


def _may_be_part(resource: Resource) -> bool:
    """Whether a header can be that of parts, which only the labels in the database tell."""
    return any(part.sheet_columns for part in resource.embedded.values())


def _pairs(text: str) -> list[str]:
    try:
        return next(csv.reader([text]), [])
    except csv.Error:
        raise _wrong(
            "A header in columns has a line break or a quote that is not closed."
        ) from None


def _wrong(text: str) -> BadRequest:
    return BadRequest(text, [Fault("columns", text, parameter="columns")])
