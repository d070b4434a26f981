"""The service itself, as it is shipped: with its checks, limits, headers, tags, log and index."""

import csv
import io
import shutil
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from urllib.parse import quote, urlencode

from app.benchmark.data import LISTED, Row, Search
from app.benchmark.peers.contestant import Api, Place, json_request
from app.benchmark.processes import Program, Request
from app.core.databases.addresses import is_sqlite, sqlite_path

_LIST = f"/agreements?status={LISTED}&sort=-amount"


class Service(Api):
    """Trade-mission deals in so many processes."""

    name = "trade-missions"
    imports = True

    def __init__(self, processes: int, url: str, key: str) -> None:
        self.processes = processes
        if processes > 1:
            self.name = f"{self.name} × {processes}"
        kind = "SQLite, synchronous=FULL" if is_sqlite(url) else "PostgreSQL"
        self.settings = (
            f"`serve --workers {processes}`, {kind}, as shipped: access checks, rate limits"
            " (raised out of reach), metrics, entity tags, change log, search index"
        )
        self.key = key
        self.authorized = (("Authorization", f"Bearer {self.key}"),)

    def set_up(self, place: Place) -> None:
        if is_sqlite(place.url):
            shutil.copy(sqlite_path(place.url), place.folder / "service.db")

    def database(self, place: Place) -> str:
        """The address of its database: of its own, or the server's that all share."""
        return f"sqlite:///{place.folder / 'service.db'}" if is_sqlite(place.url) else place.url

    def program(self, place: Place, port: int) -> Program:
        command = (sys.executable, "-m", "app", "serve", "--port", str(port))
        environment = {
            "TRADE_MISSIONS_DATABASE_URL": self.database(place),
            "TRADE_MISSIONS_WORKERS": str(self.processes),
            "TRADE_MISSIONS_ADMIN_KEY": self.key,
            # Requests are counted as ever, but no limit is reached.
            "TRADE_MISSIONS_RATE_LIMIT": "1000000000/minute",
            "TRADE_MISSIONS_RATE_LIMIT_KEY": "1000000000/minute",
            "PYTHONPATH": str(Path(__file__).parents[3]),
        }
        return Program(command, environment, place.folder)

    def record(self, key: str) -> Request:
        return Request("GET", f"/agreements/{key}")

    def listing(self) -> Request:
        return Request("GET", _LIST)

    def expanded(self) -> Request:
        return Request("GET", f"{_LIST}&expand=parties.organization")

    def search(self, search: Search) -> Request:
        sort = {"sort": "-amount"} if search.filters else {}
        asked = urlencode({"q": " ".join(search.words)} | search.filters | sort)
        return Request("GET", f"/agreements?{asked}")

    def create(self, row: Row) -> Request:
        return json_request("POST", "/agreements", row, *self.authorized)

    def change(self, key: str, note: str) -> Request:
        return json_request("PATCH", f"/agreements/{key}", {"note": note}, *self.authorized)

    def delete(self, key: str) -> Request:
        return Request("DELETE", f"/agreements/{key}", headers=self.authorized)

    def batches(self, rows: Iterable[Row]) -> Iterator[Request]:
        """All of them as one file of CSV, which is stored whole or not at all."""
        text = io.StringIO()
        listed = list(rows)
        lines = csv.DictWriter(text, listed[0])
        lines.writeheader()
        lines.writerows(listed)
        headers = (("Content-Type", "text/csv"), *self.authorized)
        yield Request("POST", "/agreements/import", text.getvalue().encode(), headers)

    def export(self) -> Request:
        """All agreements as CSV."""
        return Request("GET", "/agreements.csv")

    def aggregate(self, group_by: str, metrics: str) -> Request:
        """Figures by group."""
        asked = urlencode(
            {"group_by": group_by, "metrics": metrics, "limit": 1000}, quote_via=quote
        )
        return Request("GET", f"/agreements/aggregate?{asked}")
