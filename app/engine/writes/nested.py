"""Writes of a record with what lies under it and what it points to, in one transaction."""

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from uuid import UUID

from pydantic import BaseModel
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core import json_codec
from app.core.errors import Invalid, within
from app.core.loose_types import Json, JsonValue, Value
from app.core.validation import Model
from app.engine.history.change_log import Action
from app.engine.keys import as_id, is_askable
from app.engine.record import Record
from app.engine.registry import kind_named
from app.engine.resource import Resource, SubCollection
from app.engine.writes import store
from app.engine.writes.as_read import check_kept, kept_by_server, says, separate, state_of
from app.engine.writes.linked import Create, Links, checked
from app.engine.writes.nested_faults import with_others
from app.engine.writes.nested_schemas import MAX_NESTED, left_out_of, nested_in, nested_lists
from app.engine.writes.nested_size import check_nested, nested_count
from app.engine.writes.records import find_record
from app.engine.writes.rendering import render_record, render_records
from app.engine.writes.store import Stored

#: Fields that tie records to one of the kind with this table.
Above = Mapping[tuple[str, type[Record]], Value]


def read_flat(resource: Resource, value: JsonValue, model: Model | None = None) -> BaseModel | None:
    """A record or, by its model, a change of one, given as JSON; Invalid tells where it is wrong.

    None for one with others in it, or with members that the server keeps, which need the database:
    `create_nested` and `change_nested` read those. This keeps no other write from its turn.
    """
    model = model or resource.create
    if not isinstance(value, dict):
        return checked(model, resource, value)
    if not value.keys().isdisjoint(_not_flat(resource)):
        check_nested(nested_count(resource, value))
        return None
    for name, part in resource.embedded.items():
        rows = value.get(name)
        for row in rows if isinstance(rows, list) else ():
            if isinstance(row, dict) and not row.keys().isdisjoint(part.to_one):
                check_nested(nested_count(resource, value))
                return None
    return checked(model, resource, value)


@cache
def _not_flat(resource: Resource) -> frozenset[str]:
    standing = resource.stand_ins.fields.model_fields if resource.stand_ins is not None else ()
    return kept_by_server(resource) | {*resource.to_one, *nested_in(resource), *standing}


def create_nested(
    session: Session,
    resource: Resource,
    value: JsonValue,
    create: Create = store.create,
    *,
    is_repeatable: bool = False,
) -> Stored:
    """Store a record given as JSON, its nested records with it; Invalid tells where it is wrong.

    Where a field `x_id` is expected, an object `x` can stand: a new record, or the `ref` or `id` of
    one that is there. `create` stores the record itself.
    """
    flat = read_flat(resource, value)
    if flat is not None:
        return create(session, resource, flat)
    return _create_tree(Links(session, is_repeatable), resource, value, create)


def _create_tree(
    links: Links, resource: Resource, value: Json, create: Create = store.create
) -> Stored:
    """Store a new record and what is told under it; Invalid tells what is wrong with all of it."""
    try:
        return _create(links, resource, value, create)
    except Invalid as problem:
        raise with_others(problem, resource, value) from None


def _create(
    links: Links,
    resource: Resource,
    value: Json,
    create: Create = store.create,
    *,
    is_inner: bool = False,
    above: Above = MappingProxyType({}),
) -> Stored:
    """Store a new record, and what is told under it; `is_inner` one that is under another."""
    nested = nested_lists(resource, value, is_inner=is_inner)
    own = {name: item for name, item in value.items() if name not in nested}
    stored = links.create(resource, own, create)
    for name, collection in nested.items():
        with within(f"/{name}"):
            _Under(links, collection, stored.id, above, is_new=True).put(value[name])
    return _as_it_is_now(links.session, resource, stored) if nested else stored


def create_under(
    session: Session, collection: SubCollection, parent_id: UUID, value: Json
) -> Stored:
    """Store a record given as JSON under the one with this id, which is there."""
    if not isinstance(value, dict):
        raise Invalid.at("", "object", "Must be a JSON object.")
    check_nested(nested_count(collection.child, value))
    told = told_under(collection, parent_id, value)
    return _create_tree(Links(session), collection.child, told)


def change_nested(
    session: Session,
    resource: Resource,
    record: Record,
    value: Json,
    action: Action,
    above: Above = MappingProxyType({}),
) -> Stored:
    """Change a record at hand as JSON tells, or with `Action.REPLACE` set all of it.

    Of nested records those that are there already are changed as well, the others created, and
    those that are not in the list stay as they are.
    """
    before = state_of(session, resource, record.id)
    own, kept = separate(resource, value)
    nested = nested_lists(resource, value)
    own = {name: item for name, item in own.items() if name not in nested}
    links, whole = Links(session, is_repeatable=True), action is Action.REPLACE
    model = resource.create if whole else resource.patch
    body = links.read(resource, model, own, before)
    data = store.whole(resource, body) if whole else store.patched(body)
    stored = store.change(session, resource, record, data, action)
    if kept:
        after = json_codec.loads_stored(stored.body)
        check_kept(session, resource, kept, before, after)
    for name, collection in nested.items():
        with within(f"/{name}"):
            _Under(links, collection, stored.id, above).put(value[name])
    return _as_it_is_now(session, resource, stored) if nested else stored


def change_at(
    session: Session,
    resource: Resource,
    key: str,
    value: JsonValue,
    action: Action,
    guard: store.Guard = store.no_guard,
) -> Stored:
    """Change or replace the record at an address as JSON tells."""
    record = store.find_live(session, resource, key)
    guard(record)
    return change_nested(session, resource, record, value, action)


def _as_it_is_now(session: Session, resource: Resource, stored: Stored) -> Stored:
    """A rule of a nested record can have changed this one, as an outcome moves its agreement."""
    body = render_record(session, resource, stored.id)
    return Stored(body, stored.id, json_codec.loads_stored(body)["version"])


def told_under(collection: SubCollection, parent_id: UUID, item: Json) -> Json:
    """A record as it is told under its parent, with the fields that tie it to that; Invalid where
    it names another."""
    ties = collection.ties(parent_id)
    own, text = dict(item), "Leave it out: it is the record above."
    for name in sorted(own.keys() & left_out_of(collection)):
        if name not in ties or not _is_same(own[name], ties[name]):
            raise Invalid.at(f"/{name}", "given", text)
    # As the model reads it.
    return own | {name: str(value) for name, value in ties.items()}


def _is_same(sent: JsonValue, value: UUID | str) -> bool:
    """Whether what was sent is this id, or this kind however it is called."""
    text = str(sent)
    return text.lower() == str(value) or kind_named(text) == value


class _Under:
    """The records of one kind that a body puts under a record, which is stored by now; `above` is
    what ties that record, and those above it, to theirs."""

    def __init__(
        self,
        links: Links,
        collection: SubCollection,
        parent_id: UUID,
        above: Above,
        *,
        is_new: bool = False,
    ) -> None:
        self.links, self.session, self.parent_id = links, links.session, parent_id
        self.collection, self.child = collection, collection.child
        self.ties = collection.ties(parent_id)
        #: What a record under this one is tied to where it does not say so itself.
        self.above = {**above, **{(n, collection.parent.table): v for n, v in self.ties.items()}}
        #: Those that are there, each by its id; those that were told leave.
        self.there: dict[str, Json] | None = {} if is_new else None
        self.is_new = is_new

    def put(self, items: JsonValue) -> None:
        """Store what the list tells."""
        if not isinstance(items, list) or len(items) > MAX_NESTED:
            raise Invalid.at("", "list", f"Must be a list of at most {MAX_NESTED} records.")
        for at, item in enumerate(items):
            with within(f"/{at}"):
                if not isinstance(item, dict):
                    raise Invalid.at("", "object", "Must be a JSON object.")
                self._put(told_under(self.collection, self.parent_id, item))

    def _put(self, item: Json) -> None:
        record = self._named(item)
        if record is None and (same := self._told(item)) is not None:
            self._children().pop(same)
        elif record is None:
            _create(self.links, self.child, self._tied(item), is_inner=True, above=self.above)
        else:
            self._children().pop(str(record.id), None)
            change_nested(self.session, self.child, record, item, Action.UPDATE, self.above)

    def _tied(self, item: Json) -> Json:
        """The item with what ties it to the records further up, where it does not say so: an
        agreement at an event of a mission is one of the mission."""
        found = dict(item)
        for (name, table), value in self.above.items():
            relation = name.removesuffix("_id")
            target = self.child.to_one.get(relation)
            if target is not None and target.table is table and relation not in item:
                found.setdefault(name, str(value))
        return found

    def _named(self, item: Json) -> Record | None:
        """The record that an item names by id or ref; None for a new one."""
        key, kind = "id" if item.get("id") is not None else "ref", self.child.singular
        named = item.get(key)
        if self.is_new or not isinstance(named, str):
            return None
        record: Record | None = None
        if key == "ref":
            record = (
                find_record(self.session, self.child, "ref", named) if is_askable(named) else None
            )
            if record is None:
                return None
        elif (record_id := as_id(named)) is not None:
            record = find_record(self.session, self.child, "id", record_id)
        if record is None:
            raise Invalid.at("/id", "reference", f"There is no {kind} with this id: leave it out.")
        if record.deleted_at is not None:
            raise Invalid.at(f"/{key}", "trash", f"This {kind} is in the trash: restore it first.")
        if any(getattr(record, name) != value for name, value in self.ties.items()):
            raise Invalid.at(f"/{key}", "elsewhere", f"This {kind} lies under another record.")
        return record

    def _told(self, item: Json) -> str | None:
        """The id of one that is there and that an item without id or ref tells as it is."""
        children = self._children()
        states = (
            state for state in children.values() if says(self.session, self.child, item, state)
        )
        return next((str(state["id"]) for state in states), None)

    def _children(self) -> dict[str, Json]:
        if self.there is None:
            table = self.child.table
            ties = (getattr(table, name) == value for name, value in self.ties.items())
            there = select(table.id).where(*ties, table.deleted_at.is_(None))
            found = there.order_by(table.id).limit(MAX_NESTED)
            ids = self.session.scalars(found).all()
            bodies = render_records(self.session, self.child, ids)
            states = [json_codec.loads_stored(body) for body in bodies]
            self.there = {state["id"]: state for state in states}
        return self.there
