"""Which records the rows of an imported file are of."""

from collections.abc import Iterable, Sequence
from uuid import UUID

from sqlalchemy import ColumnElement, Select, Text, bindparam, cast, literal, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from app.core import json_codec
from app.core.errors import Conflict, Invalid
from app.engine.imports.entry import Entry
from app.engine.query.render import record_json
from app.engine.resource import Resource
from app.engine.writes.locked_in_order import lock_in_order
from app.engine.writes.store import State


class ExistingRecords:
    """The records that rows name, as they are: looked up for a batch of rows at a time."""

    def __init__(self, session: Session, resource: Resource) -> None:
        self.session, self.resource = session, resource
        # One statement each: with both in one, SQLite would read the whole table.
        self.by_id = _matching(resource, resource.table.id)
        self.by_ref = _matching(resource, resource.table.ref)
        self.by_key: dict[str, tuple[bool, State]] = {}
        self.touched: set[str] = set()

    def fetch(self, entries: Iterable[Entry]) -> None:
        """Look up what these rows name, and lock it."""
        several = list(entries)
        lock_in_order(self.session, self.resource, (key for e in several for key in e.known_by()))
        self.by_key, self.touched = {}, set()
        self._fetch(several)

    def _fetch(self, several: Sequence[Entry]) -> None:
        ids = [entry.id for entry in several if entry.id is not None]
        refs = [entry.ref for entry in several if entry.ref is not None]
        self._keep(self.by_id, ids)
        self._keep(self.by_ref, [ref for ref in refs if ref not in self.by_key])

    def _keep(self, statement: Select[bool, str], keys: Sequence[UUID | str]) -> None:
        for is_kind, body in self.session.execute(statement, {"keys": keys}) if keys else ():
            state = json_codec.loads_stored(body)
            self.by_key[state["id"]] = (bool(is_kind), state)
            if state["ref"] is not None:
                self.by_key[state["ref"]] = (bool(is_kind), state)

    def find(self, entry: Entry) -> State | None:
        """The record of the row, by id or else by ref; None for a new one. Raises Problem for one
        that the row cannot be about."""
        if not self.touched.isdisjoint(entry.known_by()):
            # An earlier row of the batch has to do with the same record.
            for key in entry.known_by():
                self.by_key.pop(key, None)
            self._fetch([entry])
        found = self.by_key.get(str(entry.id)) if entry.id is not None else None
        if found is None and entry.ref is not None:
            found = self.by_key.get(entry.ref)
        if found is None:
            self._check_new(entry)
            return None
        is_kind, state = found
        if not is_kind:
            text = f"The record is there, but it is no {self.resource.singular}."
            raise Conflict("", [entry.fault("id" if entry.id else "ref", "kind", text)])
        self._check(entry, state)
        return state

    def _check_new(self, entry: Entry) -> None:
        if entry.deleted_at is not None:
            text = "A new record is not in the trash: leave the cell empty, or the row out."
            raise Invalid("", [entry.fault("deleted_at", "trash", text)])

    def _check(self, entry: Entry, state: State) -> None:
        if entry.version not in (None, state["version"]):
            text = f"The record has changed since: it is at version {state['version']}."
            raise Conflict("", [entry.fault("version", "stale", text)])
        # XLSX knows moments to the millisecond.
        sent, known = entry.deleted_at, state["deleted_at"]
        if "deleted_at" in entry.plan.headers and (sent or "")[:23] != (known or "")[:23]:
            text = "An import neither deletes nor restores: leave the column out."
            raise Invalid("", [entry.fault("deleted_at", "trash", text)])

    def touch(self, entry: Entry, state: State | None = None) -> None:
        """Remember that the row stores something under these keys."""
        self.touched |= entry.known_by()
        if state is not None:
            self.touched |= {key for key in (state["id"], state["ref"]) if key}


def _matching(
    resource: Resource, column: InstrumentedAttribute[UUID] | InstrumentedAttribute[str | None]
) -> Select[bool, str]:
    table = resource.table
    is_kind: ColumnElement[bool] = (
        literal(True) if resource.row_filter is None else resource.row_filter(table)
    )
    body = cast(record_json(resource), Text)
    return select(is_kind, body).where(column.in_(bindparam("keys", expanding=True)))
