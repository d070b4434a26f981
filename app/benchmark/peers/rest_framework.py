"""Django REST framework behind gunicorn."""

import json
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from urllib.parse import urlencode

from app.benchmark.data import LISTED, Row, Search
from app.benchmark.peers.contestant import Api, Place, json_request
from app.benchmark.peers.environment import Environment
from app.benchmark.processes import Answer, Program, Request, run_to_end

PROGRAMS = Path(__file__).parent / "programs"
THREADS = 4
BATCHED = 1_000


class RestFramework(Api):
    """Its view sets behind gunicorn, in so many processes."""

    name = "Django REST framework"
    imports = True

    def __init__(self, environment: Environment, processes: int) -> None:
        self.environment, self.processes = environment, processes
        self.settings = (
            f"{environment.version('djangorestframework')} on Django"
            f" {environment.version('django')}, model view sets, cursor pages,"
            f" gunicorn {environment.version('gunicorn')} with gthread, {processes} processes of"
            f" {THREADS} threads; SQLite with WAL, IMMEDIATE, synchronous=FULL; no access checks"
        )

    def set_up(self, place: Place) -> None:
        files = [f"{name}={file}" for name, file in place.files.items()]
        run_to_end(self._program(place, "drf_site", *files), place.folder / "load.log")

    def program(self, place: Place, port: int) -> Program:
        server = ("gunicorn", "drf_site.wsgi:application")
        address = ("--bind", f"127.0.0.1:{port}", "--log-level", "warning", "--keep-alive", "75")
        workers = ("--workers", str(self.processes), "--worker-class", "gthread")
        threads = ("--threads", str(THREADS))
        return self._program(place, *server, *address, *workers, *threads)

    def _program(self, place: Place, module: str, *arguments: str) -> Program:
        variables = {
            "BENCHMARK_FILE": str(place.folder / "django.db"),
            "DJANGO_SETTINGS_MODULE": "drf_site.settings",
        }
        command = [str(self.environment.python), "-m", module, *arguments]
        return Program(command, variables, PROGRAMS)

    def record(self, key: str) -> Request:
        return Request("GET", f"/agreements/{key}")

    def listing(self) -> Request:
        return Request("GET", f"/agreements?status={LISTED}")

    def expanded(self) -> Request:
        return Request("GET", f"/full-agreements?status={LISTED}")

    def search(self, search: Search) -> Request:
        asked = urlencode({"search": " ".join(search.words), **search.filters})
        # Of its two lists one has the newest first, the other the dearest.
        path = "/agreements" if search.filters else "/found-agreements"
        return Request("GET", f"{path}?{asked}")

    def create(self, row: Row) -> Request:
        return json_request("POST", "/agreements", _written(row))

    def change(self, key: str, note: str) -> Request:
        return json_request("PATCH", f"/agreements/{key}", {"note": note})

    def delete(self, key: str) -> Request:
        return Request("DELETE", f"/agreements/{key}")

    def batches(self, rows: Iterable[Row]) -> Iterator[Request]:
        left = iter(rows)
        while batch := [_written(row) for row in islice(left, BATCHED)]:
            yield json_request("POST", "/agreements", batch)

    def records(self, answer: Answer) -> list[Row]:
        found: list[Row] = json.loads(answer.body)["results"]
        return found


def _written(row: Row) -> Row:
    found = {name: value for name, value in row.items() if name != "mission_id"}
    return {**found, "mission": row["mission_id"]}
