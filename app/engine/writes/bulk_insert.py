"""Creation of many records at once: the same rules as one by one, in few statements."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

from pydantic import BaseModel
from sqlalchemy.orm import Session

from app.core import json_codec
from app.core.databases.prepared import connection_of
from app.core.errors import Problem
from app.core.loose_types import Fields, Values
from app.engine.history import change_log
from app.engine.history.change_log import Action, note_change
from app.engine.resource import Resource
from app.engine.search.index import index_many
from app.engine.writes import store
from app.engine.writes.broken_rules import with_all_rules
from app.engine.writes.codes_of_time import check_codes_of_time
from app.engine.writes.records import insert_records, new_record
from app.engine.writes.references import Known, loose_references
from app.engine.writes.rendering import render_records
from app.engine.writes.savepoint import undone_on_error
from app.engine.writes.withheld import check_withheld

#: How many references are remembered; what is forgotten is asked for again.
_MAX_KNOWN_REFERENCES = 50_000


@dataclass(frozen=True, slots=True)
class New:
    """A record to create, at an id of its own or a new one; `kept` are columns that are no fields
    of it."""

    body: BaseModel
    id: UUID | None = None
    kept: Fields = field(default_factory=dict)


@dataclass(slots=True)
class BulkState:
    """What one transaction has learnt from earlier batches."""

    known: Known = field(default_factory=set)
    #: Kinds whose rules write other records: these are created one after another.
    alone: set[str] = field(default_factory=set)
    #: Whether each batch has a savepoint, to find out which record the database refuses. SQLite
    #: keeps what all savepoints of a transaction have saved, so a good file has none.
    savepoints: bool = True


class RetryWithSavepoints(Exception):
    """What was written without savepoints is to be undone, and written again with them."""


class _WritesOthers(Exception):
    """A rule has changed another record, so the next record's rules may depend on this one's."""


def create_many(
    session: Session, resource: Resource, new: Sequence[New], bulk_state: BulkState
) -> dict[int, Problem]:
    """Store new records, in order; the answer tells by their places which were refused and why,
    of which nothing is stored."""
    if len(bulk_state.known) > _MAX_KNOWN_REFERENCES:
        bulk_state.known.clear()
    data = [store.whole(resource, each.body) for each in new]
    batch = _Batch(session, resource, new, data, bulk_state)
    batch.refused |= loose_references(session, resource, data, bulk_state.known)
    batch.store([at for at in range(len(new)) if at not in batch.refused])
    return batch.refused


@dataclass(slots=True)
class _Batch:
    """Records to create, each as its body and as the values of that; some may be refused."""

    session: Session
    resource: Resource
    new: Sequence[New]
    data: Sequence[Values]
    bulk_state: BulkState
    refused: dict[int, Problem] = field(default_factory=dict)

    def store(self, places: Sequence[int]) -> None:
        """Store those at the places: all at once or, if one is refused, each half by itself."""
        if not places:
            return
        try:
            with undone_on_error(self.session, savepoint=self.bulk_state.savepoints):
                if self.resource.record_type in self.bulk_state.alone:
                    self._create_each(places)
                else:
                    self._insert(places)
        except _WritesOthers:
            self.bulk_state.alone.add(self.resource.record_type)
            if not self.bulk_state.savepoints:
                raise RetryWithSavepoints from None
            self.store(places)
        except Problem as problem:
            if not self.bulk_state.savepoints:
                raise RetryWithSavepoints from None
            if len(places) == 1:
                self.refused[places[0]] = problem.alone()
                return
            middle = len(places) // 2
            self.store(places[:middle])
            self.store(places[middle:])

    def _create_each(self, places: Sequence[int]) -> None:
        for at in places:
            new = self.new[at]
            store.create(self.session, self.resource, new.body, new.id, new.kept)

    def _insert(self, places: Sequence[int]) -> None:
        resource, session = self.resource, self.session
        noted = change_log.noted_count(session)
        records = []
        for at in places:
            self.refused.pop(at, None)
            entered = store.transaction_time(session)
            data = {**self.data[at], **self.new[at].kept}
            record = new_record(resource, data, self.new[at].id, entered)
            try:
                check_withheld(resource, record)
                with with_all_rules(resource, [record]):
                    resource.check(session, record, None)
                    check_codes_of_time(session, resource, record, None)
                records.append(record)
            except Problem as problem:
                self.refused[at] = problem.alone()
            # A rule may have changed another record, which is noted then.
            if change_log.noted_count(session) != noted:
                raise _WritesOthers
        if not records:
            return
        insert_records(session, resource, records)
        bodies = render_records(session, resource, [record.id for record in records])
        states = [json_codec.loads_stored(body) for body in bodies]
        hidden = [record.hidden for record in records]
        for state, withheld in zip(states, hidden, strict=True):
            note_change(
                session,
                Action.CREATE,
                resource.record_type,
                None,
                state,
                resource.derived_elsewhere,
                hidden=withheld,
                was_hidden=withheld,
            )
        index_many(connection_of(session), resource, states, hidden)
        for state in states:
            resource.follow(session, resource, None, state)
