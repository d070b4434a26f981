"""Whether a database of PostgreSQL sorts as the service does."""

from sqlalchemy import Connection, text


def locale_faults(connection: Connection) -> list[str]:
    """A database of PostgreSQL that sorts texts otherwise than by their code points, as SQLite and
    our cursors do, or whose letters are not those of Unicode."""
    if connection.dialect.name == "sqlite":
        return []
    row = (
        connection.execute(
            text(
                "SELECT to_jsonb(d) AS all, pg_encoding_to_char(d.encoding) AS encoding"
                " FROM pg_database d WHERE d.datname = current_database()"
            )
        )
        .mappings()
        .one()
    )
    found = row["all"]
    # PostgreSQL 15 and 16 call it daticulocale, later ones datlocale.
    locale = found.get("datlocale") or found.get("daticulocale") or found["datcollate"]
    faults = []
    if found.get("datlocprovider") == "i" or locale.split(".")[0] not in ("C", "POSIX"):
        faults.append(
            f"The database sorts by the locale {locale}, and lists come in another order than"
            " elsewhere. Make it anew with --locale=C.UTF-8, and restore a backup into it."
        )
    if row["encoding"] != "UTF8":
        faults.append(
            f"The database is encoded in {row['encoding']}, which lacks letters. Make it anew with"
            " --encoding=UTF8, and restore a backup into it."
        )
    return faults
