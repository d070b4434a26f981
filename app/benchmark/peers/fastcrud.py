"""FastCRUD: FastAPI with async SQLAlchemy models, and endpoints that a library makes of them."""

from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlencode

from app.benchmark.data import LISTED, PAGE, Row, Search
from app.benchmark.peers.contestant import Api, Place, json_request
from app.benchmark.peers.environment import Environment
from app.benchmark.processes import Program, Request, run_to_end
from app.core.databases.addresses import is_sqlite

PROGRAMS = Path(__file__).parent / "programs"


class FastCrud(Api):
    """Its router behind uvicorn, in so many processes."""

    name = "FastCRUD"
    created, changed, deleted = 200, 200, 200

    def __init__(self, environment: Environment, processes: int, url: str) -> None:
        self.environment, self.processes = environment, processes
        kind = "SQLite with WAL, synchronous=FULL" if is_sqlite(url) else "PostgreSQL"
        self.settings = (
            f"{environment.version('fastcrud')}, `crud_router`, SQLAlchemy"
            f" {environment.version('sqlalchemy')}, uvicorn with httptools and uvloop,"
            f" {processes} processes; {kind}; no access checks"
        )

    def set_up(self, place: Place) -> None:
        files = [f"{name}={file}" for name, file in place.files.items()]
        command = [str(self.environment.python), "-m", "fastcrud_site", _url(place), *files]
        run_to_end(Program(command, {}, PROGRAMS), place.folder / "load.log")

    def program(self, place: Place, port: int) -> Program:
        options = ("--factory", "fastcrud_site.api:create_app", "--port", str(port))
        quiet = ("--no-access-log", "--log-level", "warning")
        processes = ("--workers", str(self.processes))
        python = str(self.environment.python)
        command = [python, "-m", "uvicorn", *options, *quiet, *processes]
        variables: Mapping[str, str] = {"BENCHMARK_URL": _url(place)}
        return Program(command, variables, PROGRAMS)

    def record(self, key: str) -> Request:
        return Request("GET", f"/agreements/{key}")

    def listing(self) -> Request:
        asked = {"status": LISTED, "sort": "-amount,-id", "itemsPerPage": PAGE, "page": 1}
        # It cannot say that what has no amount comes last, where PostgreSQL would put it first.
        asked["amount__gte"] = 0
        return Request("GET", f"/agreements?{urlencode(asked)}")

    def expanded(self) -> Request:
        return Request("GET", f"/full-agreements?status={LISTED}")

    def search(self, search: Search) -> Request | None:
        return None

    def create(self, row: Row) -> Request:
        return json_request("POST", "/agreements", row)

    def change(self, key: str, note: str) -> Request:
        return json_request("PATCH", f"/agreements/{key}", {"note": note})

    def delete(self, key: str) -> Request:
        return Request("DELETE", f"/agreements/{key}")


def _url(place: Place) -> str:
    """The address as SQLAlchemy has it, of a file or of the service's PostgreSQL."""
    if is_sqlite(place.url):
        return f"sqlite+aiosqlite:///{place.folder / 'fastcrud.db'}"
    return f"postgresql+asyncpg://{place.url.partition('://')[2]}"
