"""Revisions are read from the migrations' text, so that a server need not load Alembic."""

import itertools
import subprocess
import sys

from alembic.script import ScriptDirectory

from app.api import RESOURCES
from app.core.databases.schema_revision import alembic_config, newest, revisions

SERVES = """
import asyncio, gc, sys
gc.disable()
from app.commands.readiness import unready
from app.commands.serve import serve
from app.core.databases.pooler import pooled
from app.core.observability.logs import LogFormat, configure_logs
from app.main import create_app
from app.settings import Settings
configure_logs(LogFormat.JSON)
url = sys.argv[1]
assert asyncio.run(unready(url)) is None
create_app(Settings(database_url=url, access_log=True))
print(*sorted({name.partition(".")[0] for name in sys.modules}))
from fastapi.routing import APIRoute
from pydantic import BaseModel
made = gc.get_objects()
print(sum(isinstance(each, APIRoute) for each in made))
print(*(each.__name__ for each in made if isinstance(each, type) and issubclass(each, BaseModel)))
from app.core.server.memory import resident_bytes
print(resident_bytes() if sys.platform == "linux" else 0)
"""
#: What only migrations, the guide, the other database, files and terminals take.
NOT_LOADED = {
    *("alembic", "mako", "markdown_it", "pygments", "rich"),
    *("asyncpg", "pyarrow", "xlsxwriter", "httpx"),
}
#: What a process that serves may have at its start; 104 MB were counted.
MAX_BYTES = 128_000_000


def test_the_revisions_are_those_that_alembic_finds() -> None:
    scripts = ScriptDirectory.from_config(alembic_config())
    found = {script.revision: script.down_revision for script in scripts.walk_revisions()}
    assert revisions() == found
    assert newest() == scripts.get_current_head()


def test_a_server_that_has_started_has_loaded_and_made_only_what_serving_takes(
    fresh_url: str, database_kind: str
) -> None:
    made = subprocess.run(
        [sys.executable, "-c", SERVES, fresh_url], capture_output=True, text=True, check=False
    )
    assert made.returncode == 0, made.stderr
    modules, routes, models, memory = made.stdout.splitlines()
    loaded = set(modules.split())
    assert "sqlalchemy" in loaded
    takes = {"asyncpg"} if database_kind == "postgresql" else set()
    assert loaded & NOT_LOADED == takes
    # FastAPI's routes and the models of answers are made with the document, those of bodies at the
    # first one too.
    assert int(routes) == 0
    kinds = itertools.product(RESOURCES, ("", "List", "Create", "Patch", "Tree", "Operations"))
    assert {f"{resource.name}{what}" for resource, what in kinds} & set(models.split()) == set()
    assert int(memory) < MAX_BYTES
