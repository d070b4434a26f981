"""Records that cells name: found by id, ref or any of their names, or made of a name alone."""

from collections.abc import Container, Iterable
from dataclasses import dataclass
from typing import Final, NamedTuple
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.core.databases.types import uuid7
from app.core.errors import Fault, Invalid, did_you_mean
from app.core.loose_types import Fields, JsonValue
from app.core.text.name_keys import name_key
from app.core.validation import validate
from app.engine.imports.cell_error import shown
from app.engine.keys import as_id, names_of
from app.engine.paths import fields_of
from app.engine.record import Record
from app.engine.resource import Resource
from app.engine.search.searched import searched
from app.engine.writes import store
from app.engine.writes.resolve_references import find_id

#: How many names of records are remembered with their ids.
_MAX_KNOWN_KEYS: Final = 50_000
#: How many names that are not there are looked for among those that are, to tell the nearest.
_MAX_NEAREST: Final = 20
_MAX_LENGTH: Final = 200
#: How many characters a name has at most; longer texts are not looked for.
_MAX_NAME: Final = 1000
_MAX_COMPARED: Final = 2_000
_LEAST_OF_A_BEGINNING: Final = 4


@dataclass(frozen=True, slots=True)
class NewRecord:
    """A record that a row names and that is not there: it is created when the row is good."""

    resource: Resource
    name: str
    id: UUID
    fields: Fields


class _Called(NamedTuple):
    """One of the names of a record."""

    text: str
    record_id: UUID
    is_main: bool


class NamedRecords:
    """Finds the records that are named in a file; with `creates`, those that are not there are
    new, where a name is enough to make one."""

    def __init__(self, session: Session, creates: bool = False) -> None:
        self.session, self.creates = session, creates
        #: The table whose records may come later in the file, and are not created yet.
        self.awaited: type[Record] | None = None
        #: What rows that fail are called: a record made of the name alone would hide that.
        self.failed: Container[str] = ()
        self._ids: dict[str, dict[str, UUID]] = {}
        #: All names of the records of a kind, by what they are compared by.
        self._called: dict[Resource, dict[str, list[_Called]]] = {}
        #: One record of each kind that was made in this transaction.
        self._made: dict[Resource, UUID] = {}
        self._nearest_told = 0

    def enter(self, session: Session) -> None:
        """Go on in another transaction: the records that were found may be gone. What others are
        called besides is not read again, which would take a look at all of them, but where what
        was made in the one before has been undone."""
        self.session = session
        self._ids.clear()
        for of, record_id in self._made.items():
            if session.get(of.table, record_id) is None:
                self._called.pop(of, None)
        self._made.clear()

    def forget(self, of: type[Record], names: Iterable[str] | None = None) -> None:
        """Forget whom these names stood for, by default all that records of this table may have:
        another may be called so."""
        if names is None:
            self._ids.clear()
            self._called = {
                each: found for each, found in self._called.items() if each.table is not of
            }
            return
        for name in names:
            self._ids.pop(name, None)

    def find(self, target: Resource, text: str, pointer: str) -> UUID | NewRecord:
        """The record that the text names, or the new one; Invalid where there is neither."""
        known = self._ids.get(text, {}).get(target.path)
        if known is None:
            if "\0" in text or any("\ud800" <= letter <= "\udfff" for letter in text):
                detail = "The name has a character that no text here can have."
                raise Invalid.at(pointer, "reference", detail)
            if len(text) > _MAX_NAME:
                detail = (
                    f"{shown(text)} has {len(text):,} characters: no name has over {_MAX_NAME:,}."
                )
                raise Invalid.at(pointer, "reference", detail)
            found = self._found(target, text, pointer)
            if isinstance(found, NewRecord):
                return found
            known = found
            self._keep(target, text, known)
        return known

    def _keep(self, target: Resource, text: str, record_id: UUID) -> None:
        if len(self._ids) >= _MAX_KNOWN_KEYS:
            self._ids.clear()
        self._ids.setdefault(text, {})[target.path] = record_id

    def _found(self, target: Resource, text: str, pointer: str) -> UUID | NewRecord:
        try:
            return find_id(self.session, target, text, pointer)
        except Invalid as problem:
            if problem.errors[0].code != "reference" or as_id(text):
                raise
            called = self._names(target).get(name_key(text), [])
            ids = {each.record_id for each in called if each.text == text}
            ids = ids or {each.record_id for each in called}
            if len(ids) > 1:
                raise _ambiguous(target, text, pointer) from None
            found = ids.pop() if ids else self._by_parts(target, text, pointer)
            if found is not None:
                return found
            detail = problem.errors[0].detail + self._near(target, text)
            if target.body_of_name is not None:
                detail += " Write one that is there, or say create_missing=true."
            raise Invalid.at(pointer, "reference", detail) from None

    def _by_parts(self, target: Resource, text: str, pointer: str) -> UUID | NewRecord | None:
        """The record that has what the text says besides the name, as a legal form; or a new one
        of it. None where a name says no more, and makes no record."""
        if target.body_of_name is None:
            return None
        fields = target.body_of_name(self.session, text)
        name_field = names_of(target)[0]
        name = fields[name_field]
        if name != text:
            found = self._like(target, fields, name_field)
            if len(found) == 1:
                return found[0]
            if found:
                raise _ambiguous(target, name, pointer)
        if not self.creates or target.table is self.awaited or text in self.failed:
            return None
        return NewRecord(target, text, uuid7(), fields)

    def _like(self, target: Resource, fields: Fields, name_field: str) -> list[UUID]:
        """The ids of records with the name, none of whose other fields say otherwise."""
        table = target.table
        said = [
            n for n, v in fields.items() if isinstance(v, str) and n not in (name_field, "kind")
        ]
        columns = [getattr(table, name) for name in said]
        called = self._names(target).get(name_key(str(fields[name_field])), [])
        ids = {each.record_id for each in called if each.is_main}
        if not ids:
            return []
        rows = self.session.execute(
            select(table.id, *columns).where(table.id.in_(ids), table.deleted_at.is_(None))
        )
        fits = (
            (record_id, all(v in (None, fields[n]) for n, v in zip(said, values, strict=True)))
            for record_id, *values in rows
        )
        return [UUID(str(record_id)) for record_id, does_fit in fits if does_fit][:2]

    def create(self, new: NewRecord) -> None:
        """Store a new record."""
        store.create(self.session, new.resource, validate(new.resource.create, new.fields), new.id)
        self._keep(new.resource, new.name, new.id)
        self._made[new.resource] = new.id
        if (known := self._called.get(new.resource)) is not None:
            for name in searched(new.resource).names:
                _note(known, new.fields.get(name), new.id, is_main=name in names_of(new.resource))

    def _names(self, target: Resource) -> dict[str, list[_Called]]:
        """All names of the kind's records, those in lists too, read once."""
        if target not in self._called:
            found: dict[str, list[_Called]] = {}
            table = target.table
            columns = {name: getattr(table, name) for name in searched(target).names}
            columns = {
                name: column
                for name, column in columns.items()
                if name in names_of(target) or hasattr(column.type, "of")
            }
            rows = select(table.id, *columns.values()).where(table.deleted_at.is_(None))
            if target.row_filter is not None:
                rows = rows.where(target.row_filter(table))
            for record_id, *values in self.session.execute(rows) if columns else ():
                for name, value in zip(columns, values, strict=True):
                    _note(found, value, UUID(str(record_id)), is_main=name in names_of(target))
            self._called[target] = found
        return self._called[target]

    def _near(self, target: Resource, text: str) -> str:
        """` Did you mean 'Nobel'?`, of the names that begin as this one does."""
        self._nearest_told += 1
        is_long = len(text) > _MAX_LENGTH
        if not names_of(target) or is_long or self._nearest_told > _MAX_NEAREST:
            return ""
        fields = target.body_of_name(self.session, text) if target.body_of_name else {}
        column = getattr(target.table, names_of(target)[0])
        name = str(fields.get(names_of(target)[0], text))
        begins = name[:_LEAST_OF_A_BEGINNING]
        statement = select(column).where(
            func.substr(column, 1, len(begins)) == begins, target.table.deleted_at.is_(None)
        )
        return did_you_mean(name, self.session.scalars(statement.limit(_MAX_COMPARED)).all())


def _note(
    found: dict[str, list[_Called]], value: JsonValue, record_id: UUID, *, is_main: bool
) -> None:
    """Note the names in a field of a record."""
    for text in value if isinstance(value, list) else [value]:
        if isinstance(text, str):
            found.setdefault(name_key(text), []).append(_Called(text, record_id, is_main))


def _ambiguous(target: Resource, text: str, pointer: str) -> Invalid:
    several = f"Several records of {target.plural} are called {text!r}"
    return Invalid.at(pointer, "ambiguous", f"{several}: give an id or ref.")


def described(new: NewRecord, row: int, sheet: str | None) -> Fault:
    """What is told of a record that was created because a row names it."""
    text = f"{new.name!r} was not there: it is a new {new.resource.singular}{_lacking(new)}."
    return Fault("created", text, row=row, sheet=sheet)


def _lacking(new: NewRecord) -> str:
    """`, without a country`, where the name does not say of which one it is."""
    for name, field in fields_of(new.resource).items():
        of_country = field.codes is not None and field.codes.table.name == "country"
        if of_country and not new.fields.get(name):
            return f", without a {name}"
    return ""
