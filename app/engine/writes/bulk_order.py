"""The order of operations of which some name records that later ones create: those come first."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import cache

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core.errors import Invalid
from app.core.loose_types import JsonValue
from app.engine.record import Record
from app.engine.resource import Embedded, Resource
from app.engine.writes.bulk_operations import ReadOperation
from app.engine.writes.nested_schemas import nested_in
from app.engine.writes.resolve_references import note_unknown

#: How many operations of a circle are told.
_MAX_TOLD = 10
#: How many refs are looked up at a time.
_BATCH = 500


class BulkOrder:
    """In which order operations are done, as `places`; `read` are the operations in the order in
    which they were sent, those with a problem that can never be done in any order."""

    def __init__(self, resource: Resource, read: list[ReadOperation]) -> None:
        self.resource, self.read = resource, list(read)
        self.places = list(range(len(read)))
        #: Whether no operation names what a later one gives.
        self.is_as_sent = True
        #: The refs that each operation names and another one gives: what is moved needs those too
        #: that came before it.
        self._awaited: dict[int, list[str]] = {}
        #: The first operation that creates a record of a ref, and that renames one to it.
        self._creates: dict[str, int] = {}
        self._renames: dict[str, int] = {}
        if _names_own_kind(resource, resource.table):
            self._look()

    def settle(self, session: Session) -> None:
        """Put operations before those that name what they create, but for records that are there
        already: what comes later changes these."""
        if self.is_as_sent:
            return
        there = self._there(session)
        for place, refs in self._awaited.items():
            self._awaited[place] = [ref for ref in refs if ref not in there]
        self.places.clear()
        done: set[int] = set()
        for place in range(len(self.read)):
            self._visit(place, done)

    def _look(self) -> None:
        bodies = [_body(each) for each in self.read]
        for place, body in enumerate(bodies):
            refs = self._renames if self.read[place].op == "update" else self._creates
            for ref in _given(self.resource, self.resource.table, body):
                refs.setdefault(ref, place)
        for place, body in enumerate(bodies):
            named = dict.fromkeys(_named(self.resource, self.resource.table, body))
            others = [ref for ref in named if self._giver(ref) not in (-1, place)]
            if others:
                self._awaited[place] = others
                self.is_as_sent &= all(self._giver(ref) < place for ref in others)

    def _giver(self, ref: str) -> int:
        return self._creates.get(ref, self._renames.get(ref, -1))

    def _there(self, session: Session) -> set[str]:
        """The refs that are those of records by now, in the trash too."""
        refs = sorted({ref for several in self._awaited.values() for ref in several})
        column, found = self.resource.table.ref, set[str]()
        for at in range(0, len(refs), _BATCH):
            found.update(session.scalars(select(column).where(column.in_(refs[at : at + _BATCH]))))
        return found

    def _visit(self, first: int, done: set[int]) -> None:
        """Note this operation and, before it, those that it waits for."""
        path = {first: iter(self._awaited.get(first, ()))}
        while path:
            place = next(reversed(path))
            ref = None if place in done else next(path[place], None)
            if ref is None:
                del path[place]
                if place not in done:
                    done.add(place)
                    self.places.append(place)
                continue
            giver = self._creates.get(ref)
            if giver is None and self._renames[ref] in done:
                continue
            if giver is None:
                self._refuse_renamed(place, ref)
            elif giver in path:
                circle = list(path)[list(path).index(giver) :]
                self._refuse_circle(sorted(circle))
            elif giver not in done:
                path[giver] = iter(self._awaited.get(giver, ()))

    def _refuse_renamed(self, place: int, ref: str) -> None:
        text = (
            f"There is no {self.resource.singular} {ref!r} yet: the update"
            f" /operations/{self._renames[ref]} gives that ref. Put it before this one."
        )
        self._refuse(place, "reference", text)

    def _refuse_circle(self, places: list[int]) -> None:
        several = ", ".join(f"/operations/{place}" for place in places[:_MAX_TOLD])
        more = ", …" if len(places) > _MAX_TOLD else ""
        text = (
            f"{several}{more} name each other, so that none can be the first: leave one of the"
            " names out, and set it by an update that comes after them."
        )
        for place in places:
            self._refuse(place, "circle", text)

    def _refuse(self, place: int, code: str, text: str) -> None:
        if self.read[place].problem is None:
            problem = Invalid.at("/body", code, text).alone()
            self.read[place] = replace(self.read[place], problem=problem)


def _body(read: ReadOperation) -> JsonValue:
    return read.members.get("body") if read.problem is None else None


@cache
def _names_own_kind(resource: Resource, table: type[Record]) -> bool:
    """Whether records of a kind, or what can be nested in them, can name some of this table."""
    parts = [target for part in resource.embedded.values() for target in part.to_one.values()]
    if any(target.table is table for target in (*resource.to_one.values(), *parts)):
        return True
    below = nested_in(resource, is_inner=True).values()
    return any(_names_own_kind(each.child, table) for each in below if each.child is not resource)


def _named(resource: Resource, table: type[Record], body: JsonValue) -> Iterator[str]:
    """The refs of records of a table that a body names, those in it too."""
    return (ref for target, ref in _all_named(resource, body) if target.table is table)


def _all_named(at: Resource | Embedded, body: JsonValue) -> Iterator[tuple[Resource, str]]:
    """The refs of records that a body names, those in it too, each with the kind of its record."""
    if not isinstance(body, dict):
        return
    for name, target in at.to_one.items():
        told = body.get(name)
        if isinstance(told, dict) and told.keys() == {"ref"}:
            yield from ((target, ref) for ref in told.values() if isinstance(ref, str))
    if isinstance(at, Resource):
        for name, part in at.embedded.items():
            for row in _rows(body.get(name)):
                yield from _all_named(part, row)
        for name, collection in nested_in(at).items():
            for row in _rows(body.get(name)):
                yield from _all_named(collection.child, row)


def note_unknown_refs(session: Session, resource: Resource, read: Iterable[ReadOperation]) -> None:
    """Find out together which of the refs that the operations name are of no record."""
    named: dict[Resource, set[str]] = {}
    for each in read:
        for target, ref in _all_named(resource, _body(each)):
            named.setdefault(target, set()).add(ref)
    for target, refs in named.items():
        note_unknown(session, target, refs)


def _given(resource: Resource, table: type[Record], body: JsonValue) -> Iterator[str]:
    """The refs that a body gives to records of a table, those in it too."""
    if not isinstance(body, dict):
        return
    if resource.table is table and isinstance(body.get("ref"), str):
        yield body["ref"]
    for name, collection in nested_in(resource).items():
        for row in _rows(body.get(name)):
            yield from _given(collection.child, table, row)


def _rows(value: JsonValue) -> list[JsonValue]:
    return value if isinstance(value, list) else []
