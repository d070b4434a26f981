"""Tells whoever opens the database itself what its tables and columns mean.

On SQLite, which has no comments, a view; on PostgreSQL comments. Both are made of the descriptions
that the API's documentation has, whenever the tables have been migrated.
"""

from collections.abc import Iterator

from sqlalchemy import Connection, inspect, text
from sqlalchemy.exc import DBAPIError

from app.core.databases.expressions import AnyTable, SqlType
from app.core.databases.types import CodeList, Exact, Instant, JsonText

VIEW = "about_this_database"
#: One entry: a table, a column of it or nothing, and what it means.
Entry = tuple[str, str, str]

TRASH = "In the trash since then; null of what is not in the trash."
_NO_FIELD = "No field of the API's records: kept for the service itself."
_ABOUT = (
    "Trade missions and what comes out of them. Write through the API, not here: it keeps the"
    " history and checks the rules. Rows with deleted_at are in the trash: leave them out."
)
_AMOUNTS = (
    " Amounts, shares and rates are whole numbers here, because SQLite has no decimals: divide"
    " those of money by 10000; each column says so."
)


def entries(dialect: str) -> Iterator[Entry]:
    """What there is to tell, the whole first."""
    from app.api import RESOURCES

    yield "", "", _ABOUT + (_AMOUNTS if dialect == "sqlite" else "")
    described: set[str] = set()
    for resource in RESOURCES:
        about = {name: info.description for name, (_, info) in resource.read_fields.items()}
        yield from _of_table(resource.table, resource.about, about, described, dialect)
        for part in resource.embedded.values():
            about = {name: info.description for name, info in part.fields.model_fields.items()}
            yield from _of_table(part.table, part.fields.__doc__, about, described, dialect)


def _of_table(
    table: AnyTable,
    about: str | None,
    columns: dict[str, str | None],
    described: set[str],
    dialect: str,
) -> Iterator[Entry]:
    name = str(table.__tablename__)
    # Companies are organizations, and share their table.
    if name in described:
        return
    described.add(name)
    yield name, "", _line(about)
    for column in inspect(table).local_table.columns:
        says = TRASH if column.name == "deleted_at" else _line(columns.get(column.name))
        note = _stored(column.type) if dialect == "sqlite" else ""
        yield name, column.name, f"{says or _NO_FIELD} {note}".strip()


def _line(text: str | None) -> str:
    return " ".join((text or "").split())


def _stored(kind: SqlType) -> str:
    """How SQLite keeps a value that it has no type for."""
    match kind:
        case Exact():
            unit = 10**kind.scale
            return f"A whole number of 1/{unit}: divide it by {unit}.0."
        case Instant():
            return "Text: ISO 8601 in UTC."
        case CodeList() | JsonText():
            return "Text: JSON."
    return ""


def is_described(connection: Connection) -> bool:
    """Whether the database tells of itself; what it tells is made anew with each migration."""
    if connection.dialect.name == "sqlite":
        found = text("SELECT 1 FROM sqlite_master WHERE name = :view")
        return connection.execute(found, {"view": VIEW}).first() is not None
    statement = text("SELECT obj_description(to_regclass('alembic_version'), 'pg_class')")
    return connection.scalar(statement) is not None


def describe(connection: Connection) -> None:
    """Make the view or the comments anew."""
    if connection.dialect.name == "sqlite":
        forget(connection)
        rows = ",\n".join(
            f"({_quoted(table)}, {_quoted(column)}, {_quoted(says)})"
            for table, column, says in entries("sqlite")
        )
        names = "column1 AS table_name, column2 AS column_name, column3 AS meaning"
        view = f"CREATE VIEW {VIEW} AS SELECT {names} FROM (VALUES\n{rows})"  # noqa: S608
        connection.exec_driver_sql(view)
        return
    try:
        with connection.begin_nested():
            for table, column, says in entries("postgresql"):
                target = f"COLUMN {table}.{column}" if column else f"TABLE {table}"
                if not table:
                    target = "TABLE alembic_version"
                connection.exec_driver_sql(f"COMMENT ON {target} IS {_quoted(says)}")
    except DBAPIError as error:
        # Comments are the owner's to make; whoever may do all else can do without them.
        if getattr(error.orig, "sqlstate", None) != "42501":
            raise


def forget(connection: Connection) -> None:
    """Take the view away."""
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql(f"DROP VIEW IF EXISTS {VIEW}")


def _quoted(text: str) -> str:
    """As a literal of SQL: neither a view nor a comment takes parameters."""
    return "'" + text.replace("'", "''") + "'"
