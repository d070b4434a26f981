"""Revisions are read from the migrations' text, so that a server need not load Alembic."""

import subprocess
import sys

from alembic.script import ScriptDirectory

from app.core.databases.schema_revision import alembic_config, newest, revisions

SERVES = """
import asyncio, sys
from app.commands.readiness import unready
from app.commands.serve import serve
from app.main import create_app
from app.settings import Settings
url = sys.argv[1]
assert asyncio.run(unready(url)) is None
create_app(Settings(database_url=url))
print(*sorted({name.partition(".")[0] for name in sys.modules}))
"""


def test_the_revisions_are_those_that_alembic_finds() -> None:
    scripts = ScriptDirectory.from_config(alembic_config())
    found = {script.revision: script.down_revision for script in scripts.walk_revisions()}
    assert revisions() == found
    assert newest() == scripts.get_current_head()


def test_a_server_that_does_not_migrate_loads_nothing_that_only_migrations_and_the_guide_take(
    fresh_url: str,
) -> None:
    made = subprocess.run(
        [sys.executable, "-c", SERVES, fresh_url], capture_output=True, text=True, check=False
    )
    assert made.returncode == 0, made.stderr
    loaded = set(made.stdout.split())
    assert "sqlalchemy" in loaded
    assert not loaded & {"alembic", "mako", "markdown_it", "pygments", "rich"}
