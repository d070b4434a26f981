"""Many operations in one transaction, stored together or each by itself."""

from collections import Counter
from collections.abc import Callable, Iterator
from copy import copy
from dataclasses import replace

from sqlalchemy.orm import Session

from app.core import json_codec
from app.core.databases.types import uuid7
from app.core.errors import Fault, Invalid, Problem, within
from app.engine.resource import Resource
from app.engine.writes.bulk_insert import BulkState, New, create_many
from app.engine.writes.bulk_operations import (
    MAX_TOLD,
    Done,
    Item,
    ReadOperation,
    run_operation,
)
from app.engine.writes.bulk_order import BulkOrder, note_unknown_refs
from app.engine.writes.locked_in_order import lock_in_order
from app.engine.writes.savepoint import undone_on_error
from app.engine.writes.store import Stored

MAX_OPERATIONS = 10_000
#: How many records are created together.
BATCH_OPERATIONS = 250
_PAST = {"create": "created", "update": "updated", "upsert": "updated", "delete": "deleted"}


def run_all(
    session: Session,
    resource: Resource,
    read: list[ReadOperation],
    *,
    isolated: bool,
    most_failures: int = MAX_OPERATIONS,
    check: Callable[[], None] = lambda: None,
) -> list[Done]:
    """Do the operations in their order, but that what others name comes before them; `isolated`
    keeps one that fails from undoing the others.

    Otherwise the first failure is raised as its problem, placed under `/operations/<n>`. It ends
    early where `most_failures` have failed; `check` is called now and then, and ends it by raising.
    """
    order = BulkOrder(resource, read)
    order.settle(session)
    lock_in_order(session, resource, _changed(order.read))
    places, ordered = order.places, [order.read[place] for place in order.places]
    done: list[Done] = []
    failures = looked = 0
    bulk_state = BulkState()
    while len(done) < len(read) and failures < most_failures:
        check()
        first = len(done)
        if first >= looked:
            looked = first + BATCH_OPERATIONS
            note_unknown_refs(session, resource, ordered[first:looked])
        plain = _plain(ordered, first)
        if plain:
            at = places[first : first + len(plain)]
            done += _create_all(session, resource, plain, bulk_state, at, isolated=isolated)
        else:
            with within(f"/operations/{places[first]}"):
                done.append(
                    _isolated(session, resource, ordered[first])
                    if isolated
                    else run_operation(session, resource, ordered[first])
                )
        failures += sum(one.problem is not None for one in done[first:])
    return done if order.is_as_sent else as_sent(done, places)


def as_sent(done: list[Done], places: list[int]) -> list[Done]:
    """What operations came to that were done in this order, in the order in which they were sent;
    each says its place."""
    placed = (replace(one, place=place) for one, place in zip(done, places, strict=False))
    return sorted(placed, key=lambda one: one.place or 0)


def _changed(read: list[ReadOperation]) -> Iterator[str]:
    """The ids and refs of the records that operations may change."""
    for each in read:
        if each.problem is None:
            body = each.members.get("body")
            key = each.members.get("key")
            if each.op == "upsert" and isinstance(body, dict):
                key = body.get("ref")
            if isinstance(key, str):
                yield key


def _plain(read: list[ReadOperation], first: int) -> list[New]:
    """As many of the operations, from this one on, as create one record and nothing with it."""
    found: list[New] = []
    for each in read[first : first + BATCH_OPERATIONS]:
        if each.op != "create" or each.body is None:
            break
        found.append(New(each.body, uuid7()))
    return found


def _create_all(
    session: Session,
    resource: Resource,
    new: list[New],
    bulk_state: BulkState,
    places: list[int],
    *,
    isolated: bool,
) -> list[Done]:
    """Create records together, the operations at these places."""
    refusals = create_many(session, resource, new, bulk_state)
    done = []
    for at, each in enumerate(new):
        problem = refusals.get(at)
        if problem is None:
            assert each.id is not None
            done.append(Done("create", 201, Stored("", each.id, 1)))
            continue
        with within("" if isolated else f"/operations/{places[at]}"):
            try:
                with within("/body"):
                    raise problem
            except Problem as placed:
                if not isolated:
                    raise
                done.append(Done("create", placed.status, problem=placed.alone()))
    return done


def refused(done: list[Done], total: int) -> Invalid:
    """The 422 of a list of so many operations that is stored as a whole or not at all, one entry
    an operation or more."""
    faults: list[Fault] = []
    for at, one in enumerate(done):
        if one.problem is not None:
            try:
                with within(f"/operations/{at if one.place is None else one.place}"):
                    raise one.problem
            except Problem as problem:
                faults += problem.errors
    failed = sum(one.problem is not None for one in done)
    of = f"{failed} of {total}" if len(done) == total else f"At least {failed} of {total}"
    text = f"{of} operations fail, so nothing was stored. First:"
    return Invalid(f"{text} {faults[0].pointer}: {faults[0].detail}", faults[:MAX_TOLD])


def summary(done: list[Done]) -> dict[str, int]:
    """How many operations came to what."""
    counted = Counter(
        "failed" if one.problem else "created" if one.status == 201 else _PAST[one.op]
        for one in done
    )
    return {name: counted[name] for name in ("created", "updated", "deleted", "failed")}


def _isolated(session: Session, resource: Resource, read: ReadOperation) -> Done:
    try:
        if read.problem is not None:
            raise copy(read.problem)
        with undone_on_error(session):
            return run_operation(session, resource, read)
    except Problem as problem:
        return Done(read.op, problem.status, problem=problem.alone())


def results_json(done: list[Done], *, results: bool = True) -> str:
    """The answer to a list of operations, as JSON."""
    answer: Item = {"summary": summary(done)}
    if results:
        answer["results"] = [one.to_dict() for one in done]
    return json_codec.dumps(answer).decode()
