"""Changes as listeners are told of them, read from the log in order."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import orjson

from app.core.databases.interface import Database
from app.core.instance_secret import EPOCH_LENGTH
from app.core.loose_types import Values
from app.engine.history.change_log import Action
from app.engine.history.feed import FeedShape, feed_statement


@dataclass(frozen=True, slots=True)
class Entry:
    """One change: what it is chosen by, and its JSON as `/changes` shows it."""

    seq: int
    #: The same, with the epoch of the database.
    position: str
    kind: str
    record_id: str
    actor: str
    action: str
    body: bytes
    #: Whether it tells of no field: of a record that was withheld or is shown again, or of one of
    #: which another part is now with what it belongs to.
    says_nothing: bool
    #: The change as the public sees it; None for what it sees nothing of, or was not read for it.
    public: "Entry | None" = field(default=None, compare=False)

    @property
    def is_withdrawn(self) -> bool:
        """Whether it is what the public is told of a record that was withheld: to drop it."""
        return self.action == Action.DELETE and self.says_nothing

    @property
    def epoch(self) -> str:
        """The epoch of the database that the change is of."""
        return self.position[-EPOCH_LENGTH:]

    def is_among(self, wanted: Mapping[str, str]) -> bool:
        """Whether the change has all of these values."""
        return all(getattr(self, name) == value for name, value in wanted.items())


def withdrawn(entry: Entry) -> Entry:
    """What the public is told of a change of a record that is withheld by now."""
    change = orjson.loads(entry.body) | {"action": Action.DELETE, "changes": {}}
    return read_entry(orjson.dumps(change).decode())


def read_entry(body: str) -> Entry:
    """The entry of a change that stands in JSON."""
    # Digits of amounts do not matter here, and this is many times faster than keeping them.
    change = orjson.loads(body)
    names = ("seq", "position", "kind", "record_id", "actor", "action")
    told = {name: change[name] for name in names}
    return Entry(**told, body=body.encode(), says_nothing=not change["changes"])


async def find_entries(
    database: Database,
    since: int,
    limit: int,
    wanted: Values,
    few: bool = False,
    *,
    whole: bool = False,
) -> list[Entry]:
    """The changes after `since` that have these values, in order, the first `limit` of them, as the
    public sees them or as a `whole`."""
    shape = FeedShape(tuple(sorted(("since", *wanted))), newest_first=False)
    values = {**wanted, "since": since, "limit": limit}
    dialect = database.whole_dialect if whole else database.dialect
    statement = feed_statement(shape, dialect)
    rows = await database.read(statement, values, point_lookup=few)
    return [read_entry(row[0]) for row in rows]


async def find_for_all(
    database: Database, since: int, limit: int, few: bool = False
) -> list[Entry]:
    """The changes after `since`, in order, the first `limit` of them, each also as the `public`
    sees it."""
    found = await find_entries(database, since, limit, {}, few, whole=True)
    # What is withheld meanwhile is so for the public, which is read last.
    seen = {e.seq: e for e in await find_entries(database, since, limit, {}, few)}
    return [replace(entry, public=seen.get(entry.seq)) for entry in found]
