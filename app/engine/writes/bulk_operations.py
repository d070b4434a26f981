"""One of many operations: what it says, read before the writer, and what it does."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import copy
from dataclasses import dataclass

from pydantic import BaseModel
from sqlalchemy import select
from sqlalchemy.orm import Session
from sqlalchemy.orm.exc import StaleDataError

from app.core.errors import Conflict, Fault, Invalid, Problem, did_you_mean, within
from app.core.json_pointer import write_pointer
from app.core.loose_types import Json, JsonValue
from app.core.validation import MAX_FAULTS, telling
from app.engine.history.change_log import Action
from app.engine.keys import is_askable
from app.engine.record import Record
from app.engine.resource import Resource
from app.engine.writes import store
from app.engine.writes.nested import change_nested, create_nested, read_flat
from app.engine.writes.nested_size import check_nested, nested_count
from app.engine.writes.store import Stored

#: How many failures of a list of operations are looked for, and how many of their faults are told.
MAX_FAILURES, MAX_TOLD = 100, 1000

Item = Json


@dataclass(frozen=True, slots=True)
class Done:
    """What one operation came to."""

    op: str
    status: int
    stored: Stored | None = None
    problem: Problem | None = None
    #: Where it stands among the operations, where these are not done in their order.
    place: int | None = None

    def to_dict(self) -> Item:
        """As the answer tells it."""
        if self.problem is not None:
            faults = [
                {"pointer": f.pointer, "parameter": f.parameter, "code": f.code, "detail": f.detail}
                for f in self.problem.errors
            ]
            problem = {"title": self.problem.title, "detail": self.problem.detail, "errors": faults}
            return {"op": self.op, "status": self.status, "problem": problem}
        assert self.stored is not None
        known = {"id": str(self.stored.id), "version": self.stored.version}
        parts = {"parts": self.stored.parts} if self.stored.parts else {}
        return {"op": self.op, "status": self.status, **known, **parts}


@dataclass(frozen=True, slots=True)
class ReadOperation:
    """An operation as far as it can be read without a database: what is wrong with it, or what it
    creates or changes; no body where others are nested in it."""

    item: JsonValue
    problem: Problem | None = None
    body: BaseModel | None = None

    @property
    def op(self) -> str:
        """Its name, as far as it has one."""
        return str(self.item.get("op") if isinstance(self.item, dict) else None)

    @property
    def members(self) -> Item:
        """What it says, where nothing is wrong with it."""
        assert isinstance(self.item, dict)
        return self.item


def read_operations(
    resource: Resource, items: list[JsonValue], *, lenient: bool = False
) -> list[ReadOperation]:
    """Read what the operations say; this takes long for many, and nobody should wait meanwhile.

    It ends early where so many are wrong that the others would not be told of; where each is by
    itself, all are read, and of those after many faults one is told. Invalid where they have more
    records within others than one request may have.
    """
    bodies = (item.get("body") for item in items if isinstance(item, dict))
    check_nested(sum(nested_count(resource, body) for body in bodies), "/operations")
    read, failures, told = list[ReadOperation](), 0, 0
    for item in items:
        with telling(MAX_FAULTS if told < MAX_TOLD else 1):
            read.append(_read(resource, item))
        if (problem := read[-1].problem) is not None:
            failures, told = failures + 1, told + len(problem.errors)
            if failures == MAX_FAILURES and not lenient:
                break
    return read


def _read(resource: Resource, item: JsonValue) -> ReadOperation:
    try:
        op = _checked(item)
        assert isinstance(item, dict)
        if op == "create":
            with within("/body"):
                return ReadOperation(item, body=read_flat(resource, item["body"]))
        return ReadOperation(item, body=_body(resource, item) if op == "update" else None)
    except Problem as problem:
        return ReadOperation(item, problem=problem.alone())


def _checked(item: JsonValue) -> str:
    """The name of the operation, whose members are those that it takes."""
    if not isinstance(item, dict):
        raise Invalid.at("", "object", "An operation is a JSON object.")
    op = item.get("op")
    if not isinstance(op, str) or op not in _OPERATIONS:
        near = did_you_mean(str(op), _OPERATIONS)
        text = f"{op!r} is no operation: write one of {', '.join(_OPERATIONS)}.{near}"
        raise Invalid.at("/op", "unknown", text)
    _, takes = _OPERATIONS[op]
    known = takes | {"op"} if op == "create" else takes | {"op", "version"}
    unknown = sorted(item.keys() - known)[:MAX_FAULTS]
    faults = [
        Fault("unknown", f"{op} takes no {name!r}.{did_you_mean(name, known)}", pointer=pointer)
        for name in unknown
        for pointer in (write_pointer([name]),)
    ]
    faults += [
        Fault("missing", f"{op} needs {name!r}.", pointer=f"/{name}")
        for name in sorted(takes - item.keys())
    ]
    if faults:
        raise Invalid(faults[0].detail, faults)
    return op


def _body(resource: Resource, item: Item) -> BaseModel | None:
    """What an operation changes; None where that needs the database to be read."""
    with within("/body"):
        return read_flat(resource, item["body"], resource.patch)


def _guard(item: Item) -> store.Guard:
    """What `version` asks of the record: that it is still at that one."""
    expected = item.get("version")
    if expected is None:
        return store.no_guard
    if isinstance(expected, bool) or not isinstance(expected, int):
        raise Invalid.at("/version", "number", "version is a whole number.")
    if expected < 1:
        raise Invalid.at("/version", "number", "version is at least 1.")

    def guard(record: Record) -> None:
        if record.version != expected:
            text = f"The record has changed since: it is at version {record.version}."
            raise Conflict.at("/version", "stale", text)

    return guard


def _found(
    session: Session, resource: Resource, item: Item, key: JsonValue, pointer: str
) -> Record:
    """The record that an operation is on."""
    if not isinstance(key, str):
        raise Invalid.at(pointer, "text", "key is the record's id or ref, as a text.")
    guard = _guard(item)
    with within(pointer):
        record = store.find_live(session, resource, key)
    guard(record)
    return record


def _create(session: Session, resource: Resource, read: ReadOperation) -> Done:
    with within("/body"):
        return Done("create", 201, create_nested(session, resource, read.members["body"]))


def _update(session: Session, resource: Resource, read: ReadOperation) -> Done:
    item = read.members
    record = _found(session, resource, item, item["key"], "/key")
    return Done("update", 200, _changed(session, resource, record, item, read.body))


def _changed(
    session: Session, resource: Resource, record: Record, item: Item, body: BaseModel | None
) -> Stored:
    with within("/body"):
        if body is None:
            return change_nested(session, resource, record, item["body"], Action.UPDATE)
        return store.change(session, resource, record, store.patched(body))


def _upsert(session: Session, resource: Resource, read: ReadOperation) -> Done:
    item = read.members
    if not isinstance(item["body"], dict):
        raise Invalid.at("/body", "object", "Must be a JSON object.")
    ref = item["body"].get("ref")
    if not isinstance(ref, str):
        raise Invalid.at("/body/ref", "missing", "upsert finds the record by ref: give one.")
    table = resource.table
    # What can be no ref is refused as any wrong body is.
    by_ref = select(table.id).where(table.ref == ref)
    if not is_askable(ref) or session.scalar(by_ref) is None:
        _guard(item)
        if item.get("version") is not None:
            text = "There is no record with this ref, so it has no version."
            raise Conflict.at("/version", "stale", text)
        with within("/body"), _repeated_where_taken():
            stored = create_nested(session, resource, item["body"], is_repeatable=True)
        return Done("upsert", 201, stored)
    body = _body(resource, item)
    record = _found(session, resource, item, ref, "/body/ref")
    return Done("upsert", 200, _changed(session, resource, record, item, body))


@contextmanager
def _repeated_where_taken() -> Iterator[None]:
    """Have the transaction repeated where another one has stored the ref since it was looked for:
    then the record is there to be changed."""
    try:
        yield
    except Conflict as conflict:
        if store.is_taken(conflict, "/ref"):
            raise StaleDataError(str(conflict)) from None
        raise


def _delete(session: Session, resource: Resource, read: ReadOperation) -> Done:
    item = read.members
    record = _found(session, resource, item, item["key"], "/key")
    return Done("delete", 200, store.trash(session, resource, record))


_OPERATIONS: dict[str, tuple[Callable[[Session, Resource, ReadOperation], Done], set[str]]] = {
    "create": (_create, {"body"}),
    "update": (_update, {"key", "body"}),
    "upsert": (_upsert, {"body"}),
    "delete": (_delete, {"key"}),
}


def run_operation(session: Session, resource: Resource, read: ReadOperation) -> Done:
    """Do what the operation says; the problem of one that was wrong before is raised here."""
    if read.problem is not None:
        # Whoever catches it writes into it where it is.
        raise copy(read.problem)
    run, _ = _OPERATIONS[read.op]
    return run(session, resource, read)
