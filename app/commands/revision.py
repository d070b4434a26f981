"""The revision that a database is at, and whether this version knows it."""

from sqlalchemy import Connection, column, inspect, select, table

from app.core.databases.schema_revision import revisions


def revision_of(connection: Connection) -> str | None:
    """The revision that the database is at; None for an empty one."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    # Alembic's own table, of which it offers no model.
    return connection.scalar(select(column("version_num")).select_from(table("alembic_version")))


def is_known(revision: str) -> bool:
    """Whether this version has heard of the revision; it has not of those of newer versions."""
    return revision in revisions()


def newer(revision: str) -> str:
    """Says that the database is of a newer version of the program."""
    return (
        f"The database is at revision {revision}, which this version does not know: it was made"
        " by a newer version."
    )
