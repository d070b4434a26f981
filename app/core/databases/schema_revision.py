"""Revisions of the database's tables: which one this version of the program needs."""

import re
from functools import cache
from io import StringIO
from typing import TYPE_CHECKING

from sqlalchemy import Dialect, column, select, table

from app.core.data_files import migrations_folder
from app.core.databases.interface import CompiledQuery, compile_query

if TYPE_CHECKING:
    from alembic.config import Config

#: How a migration names its revision and the one before; the first one has none.
_NAMED = re.compile(r"^((?:down_)?revision)(?:: [^=]+)? = [\"']([^\"']+)[\"']", re.MULTILINE)


def alembic_config() -> "Config":
    """Where Alembic finds the migrations; what it says while it works is not for the terminal."""
    from alembic.config import Config

    config = Config(stdout=StringIO())
    config.set_main_option("script_location", str(migrations_folder()).replace("%", "%%"))
    return config


@cache
def revisions() -> dict[str, str | None]:
    """Each revision that this version knows, with the one before it, as the migrations say it.

    They are read as text: importing Alembic would take a good part of the start of a server.
    """
    found = {}
    for file in migrations_folder().glob("versions/*.py"):
        assigned = dict(_NAMED.findall(file.read_text(encoding="utf-8")))
        if "revision" in assigned:
            found[assigned["revision"]] = assigned.get("down_revision")
    return found


@cache
def newest() -> str:
    """The revision that this version of the program needs."""
    last = sorted(revisions().keys() - revisions().values())
    if len(last) != 1:
        raise RuntimeError(f"One migration must be the last, and these are: {', '.join(last)}.")
    return last[0]


@cache
def revision_statement(dialect: Dialect) -> CompiledQuery:
    """Reads `(version_num,)`: the revision that the database is at; no row in an empty one."""
    # Alembic's own table, of which it offers no model.
    return compile_query(
        select(column("version_num")).select_from(table("alembic_version")), dialect
    )
