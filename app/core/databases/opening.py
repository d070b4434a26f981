"""Opens the database at an address."""

from app.core.databases.addresses import is_sqlite
from app.core.databases.interface import Database


def open_database(
    url: str, *, read_url: str | None = None, max_seconds: float = 30, max_lag: float = 10
) -> Database:
    """The database at an SQLAlchemy address: `sqlite:///file.db` or `postgresql://…`.

    `read_url` is a replica's, used while it is at most `max_lag` seconds behind; `max_seconds` is
    how long a question may take. ValueError for addresses that are none.
    """
    if is_sqlite(url):
        if read_url:
            raise ValueError("SQLite has no replicas: leave the address for reads out.")
        from app.core.databases.sqlite import SqliteDatabase

        return SqliteDatabase(url, max_seconds=max_seconds)
    if read_url and is_sqlite(read_url):
        raise ValueError("The address for reads is of SQLite, the other one of PostgreSQL.")
    from app.core.databases.postgresql import PostgresDatabase

    return PostgresDatabase(url, read_url, max_seconds=max_seconds, max_lag=max_lag)
