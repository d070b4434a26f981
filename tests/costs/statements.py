"""The statements that come to a database's driver."""

from dataclasses import dataclass, field
from typing import Any

#: What is asked whatever is requested: by the service now and then who calls and which webhooks
#: there are, by the driver of PostgreSQL what a type is, and by SQLite's index of words its state.
_BY_ITSELF = ("api_key", "FROM webhook", "pg_catalog", "-- ", "search_words_config")
#: The ends of a transaction and of its parts, and settings: they read and write nothing. The epoch
#: of the database is asked for once a second, whatever is read meanwhile.
_FRAMES = (
    *("BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE", "SET", "PRAGMA", ";"),
    "SELECT installation.epoch \nFROM",
)


@dataclass
class Statements:
    """Those of the application since the last `clear`, each with what it was given."""

    all: list[tuple[str, tuple[Any, ...]]] = field(default_factory=list)

    def note(self, sql: str, *values: Any) -> None:
        if not any(words in sql[:4000] for words in _BY_ITSELF):
            self.all.append((sql, values))

    def clear(self) -> None:
        self.all.clear()

    def work(self) -> list[tuple[str, tuple[Any, ...]]]:
        """Those that read or write something."""
        return [(sql, values) for sql, values in self.all if not sql.startswith(_FRAMES)]

    def texts(self) -> list[str]:
        return [sql for sql, _ in self.work()]
