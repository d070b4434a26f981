"""What rows of a file say of others of their own kind, which may stand below them."""

from collections.abc import Iterator

from app.core.errors import Fault
from app.core.loose_types import Value
from app.engine.imports.entry import Entry
from app.engine.resource import Resource


class OwnKind:
    """The relations of a kind to its own, those of its embedded lists too: to the mission that one
    is a part of, to the agreements that one replaces."""

    def __init__(self, resource: Resource) -> None:
        table = resource.table
        self.relations = [name for name, to in resource.to_one.items() if to.table is table]
        self.in_lists = [
            (name, relation)
            for name, part in resource.embedded.items()
            for relation, to in part.to_one.items()
            if to.table is table
        ]

    def __bool__(self) -> bool:
        return bool(self.relations or self.in_lists)

    def mentioned(self, entry: Entry) -> set[str]:
        """All that a row says where such a record is meant."""
        fields = (f"{name}_id" for name in self.relations)
        told = {each for field in fields for each in _texts(entry.values.get(field))}
        return told.union(*(_in_list(entry, *each) for each in self.in_lists))

    def named(self, entry: Entry, fault: Fault) -> list[str]:
        """The records of its own kind of which a fault of a row may say that one is not there."""
        if fault.code != "reference":
            return []
        headers = entry.plan.headers
        fields = [f"{name}_id" for name in self.relations]
        found = [
            text
            for field in fields
            if fault.column == headers.get(field)
            for text in _texts(entry.values.get(field))
        ]
        for name, relation in self.in_lists:
            if fault.column == headers.get(name):
                found += _in_list(entry, name, relation)
        return [text.strip() for text in found]


def _in_list(entry: Entry, name: str, relation: str) -> Iterator[str]:
    rows = entry.values.get(name)
    for row in rows if isinstance(rows, list) else ():
        if isinstance(row, dict):
            yield from _texts(row.get(relation))
            yield from _texts(row.get(f"{relation}_id"))


def _texts(value: Value) -> list[str]:
    values = value.values() if isinstance(value, dict) else [value]
    return [each for each in values if isinstance(each, str)]
