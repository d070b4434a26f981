"""Who is measured: the service, the floor, and the peers that are installed."""

import subprocess
import sys
from pathlib import Path

from app.benchmark.peers import pocketbase
from app.benchmark.peers.bare_server import BareServer
from app.benchmark.peers.contestant import Contestant
from app.benchmark.peers.environment import Environment
from app.benchmark.peers.fastcrud import FastCrud
from app.benchmark.peers.rest_framework import RestFramework
from app.benchmark.peers.service import Service
from app.core.auth.api_keys import new_secret
from app.core.databases.addresses import is_sqlite

PEERS = (pocketbase.PocketBase.name, FastCrud.name, RestFramework.name)
#: What installs all of them, and how to have them elsewhere.
INSTALL = (
    "install the extra `benchmark` (pip install -e '.[benchmark]'), or install it in another"
    " environment and name that one's interpreter with --python."
)
_FASTCRUD = ("fastcrud", "sqlalchemy", "greenlet", "uvicorn")
_DJANGO = ("djangorestframework", "django", "django-filter", "gunicorn")


def find_contestants(
    python: Path | None, processes: int, url: str, peers: bool
) -> tuple[list[Contestant], dict[str, str]]:
    """Those that can be measured, and what to do for each of the others."""
    key = new_secret()
    found: list[Contestant] = [BareServer(), Service(1, url, key)]
    if processes > 1:
        found.append(Service(processes, url, key))
    if not peers:
        return found, {}
    # Programs are started in folders of their own. (A link is kept: it leads to its environment.)
    environment = Environment((python or Path(sys.executable)).absolute())
    there = _installed(environment, processes, url)
    missing = {name: f"to have it, {INSTALL}" for name in PEERS if name not in there}
    if not is_sqlite(url):
        others = (pocketbase.PocketBase.name, RestFramework.name)
        missing |= dict.fromkeys(others, "it is measured on SQLite only.")
    return [*found, *there.values()], missing


def _installed(environment: Environment, processes: int, url: str) -> dict[str, Contestant]:
    there: dict[str, Contestant] = {}
    executable = pocketbase.find(environment.python.parent)
    if executable is not None and is_sqlite(url):
        version = _version_of(executable)
        there[pocketbase.PocketBase.name] = pocketbase.PocketBase(executable, version)
    if environment.has(*_FASTCRUD, "aiosqlite" if is_sqlite(url) else "asyncpg"):
        there[FastCrud.name] = FastCrud(environment, processes, url)
    if environment.has(*_DJANGO) and is_sqlite(url):
        there[RestFramework.name] = RestFramework(environment, processes)
    return there


def _version_of(executable: Path) -> str:
    done = subprocess.run([executable, "--version"], capture_output=True, text=True, check=False)
    return done.stdout.strip().rpartition(" ")[2] or "of an unknown version"
