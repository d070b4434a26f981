"""Revisions of the database's tables: which one this version of the program needs."""

from functools import cache
from io import StringIO
from typing import TYPE_CHECKING

from sqlalchemy import Dialect, column, select, table

from app.core.database import Prepared, prepare
from app.core.places import migrations_folder

if TYPE_CHECKING:
    from alembic.config import Config


def alembic_config() -> "Config":
    """Where Alembic finds the migrations; what it says while it works is not for the terminal."""
    from alembic.config import Config

    config = Config(stdout=StringIO())
    config.set_main_option("script_location", str(migrations_folder()).replace("%", "%%"))
    return config


@cache
def newest() -> str:
    """The revision that this version of the program needs."""
    from alembic.script import ScriptDirectory

    head = ScriptDirectory.from_config(alembic_config()).get_current_head()
    assert head is not None
    return head


@cache
def revision_statement(dialect: Dialect) -> Prepared:
    """Reads `(version_num,)`: the revision that the database is at; no row in an empty one."""
    # Alembic's own table, of which it offers no model.
    return prepare(select(column("version_num")).select_from(table("alembic_version")), dialect)
