"""Reads the data files of seeds/: code lists, and the facts of articles with their evidence."""

import csv
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from hashlib import sha256
from pathlib import Path
from uuid import UUID

from sqlalchemy import Enum, Table, inspect

from app.api import RESOURCES
from app.core.data_files import seeds_folder
from app.core.databases.expressions import AnyTable
from app.core.databases.types import uuid7_of
from app.core.loose_types import Json, Values
from app.engine.codes import list_of_enumeration
from app.engine.examples import values_of
from app.engine.registry import RECORD_TYPES
from app.engine.resource import Resource
from app.resources.citation import citation

#: The time in the ids of seeded records: 12 April 2016, 00:00 UTC.
_EPOCH = 1_460_419_200_000

BY_PATH = {resource.path: resource for resource in RESOURCES}


@dataclass(frozen=True, slots=True)
class Fact:
    """A record to seed: its fixed id, and its fields as the API takes them."""

    resource: Resource
    id: UUID
    fields: Values


def seeded_id(kind: str, ref: str) -> UUID:
    """The id that a seeded record has on every installation: a UUID version 7 of its ref."""
    digest = sha256(f"{kind}:{ref}".encode()).digest()
    return uuid7_of(_EPOCH, int.from_bytes(digest[:10], "big") >> 6)


def code_rows(name: str) -> Iterator[dict[str, str]]:
    """The rows of one code list's file."""
    with (seeds_folder() / "codes" / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


def terms() -> Iterator[dict[str, str]]:
    """The rows of our own enumerations; a value that has no labels yet is called as it is named."""
    labelled = {(row["list"], row["code"]): row for row in code_rows("terms")}
    yield from labelled.values()
    for name, codes in _enumerations().items():
        for code in codes:
            if (name, code) not in labelled:
                label = code.replace("_", " ").capitalize()
                yield {"list": name, "code": code, "en": label, "ru": "", "kk": "", "retired": ""}


def _enumerations() -> dict[str, tuple[str, ...]]:
    """The values of each enumeration that a record is made with, by the name of its code list."""
    found: dict[str, tuple[str, ...]] = {"record-kinds": tuple(RECORD_TYPES)}
    for resource in RESOURCES:
        for table in (resource.table, *(part.table for part in resource.embedded.values())):
            for column in inspect(table).columns:
                if isinstance(column.type, Enum) and column.type.enum_class is not None:
                    name = list_of_enumeration(column.type.enum_class.__name__)
                    found[name] = tuple(column.type.enums)
    return found


@cache
def facts() -> tuple[Fact, ...]:
    """All records of all fact files, each after those it refers to, with their citations."""
    found: list[Fact] = []
    for path in sorted(seeds_folder().glob("*.toml")):
        found += _read(path)
    return tuple(found)


def _read(path: Path) -> list[Fact]:
    tables = tomllib.loads(path.read_text(encoding="utf-8"), parse_float=Decimal)
    records: list[Fact] = []
    evidence: list[Fact] = []
    (source,) = tables["sources"]
    for name, rows in tables.items():
        resource = BY_PATH[name]
        for row in rows:
            passages = row.pop("passages", [])
            fact = _fact(resource, row)
            records.append(fact)
            evidence += (
                _citation(source["ref"], fact, number, passage)
                for number, passage in enumerate(passages, 1)
            )
    return _ordered(records) + evidence


def invented(resource: Resource) -> Json:
    """An example of a kind that there is no fact of: as its declaration has it, or made up."""
    if not resource.example:
        ref = f"example-{resource.record_type.replace('_', '-')}"
        return {"ref": ref} | {
            name: values_of(resource, name)[0]
            for name, info in resource.fields.model_fields.items()
            if info.is_required()
        }
    return dict(_fact(resource, resource.example).fields)


def _fact(resource: Resource, row: Values) -> Fact:
    fields = _with_ids(resource.table.__table__, row)
    for name, part in resource.embedded.items():
        if name in row:
            fields[name] = [_with_ids(part.table.__table__, item) for item in row[name]]
    return Fact(resource, seeded_id(resource.record_type, row["ref"]), fields)


def _with_ids(table: AnyTable, row: Values) -> Json:
    """The row with refs in `…_id` fields turned into the ids they stand for."""
    assert isinstance(table, Table)
    result = dict(row)
    for name, value in row.items():
        if name.endswith("_id"):
            (key,) = table.c[name].foreign_keys
            result[name] = str(seeded_id(key.column.table.name, value))
    return result


def _citation(source: str, fact: Fact, number: int, passage: Values) -> Fact:
    kind = fact.resource.record_type
    ref = f"{kind.replace('_', '-')}-{fact.fields['ref']}-{number}"
    fields = {
        "ref": ref,
        "source_id": str(seeded_id("source", source)),
        "record_kind": kind,
        "record_id": str(fact.id),
        **passage,
    }
    return Fact(citation, seeded_id("citation", ref), fields)


def _ordered(records: list[Fact]) -> list[Fact]:
    """Each record after those that its fields name, otherwise in the order of the file."""
    waiting = {str(fact.id): fact for fact in records}
    ordered: list[Fact] = []

    def place(fact: Fact) -> None:
        if waiting.pop(str(fact.id), None) is None:
            return
        for value in fact.fields.values():
            if isinstance(value, str) and value in waiting:
                place(waiting[value])
        ordered.append(fact)

    for fact in records:
        place(fact)
    return ordered
