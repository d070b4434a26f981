"""Jobs over all records at once: import, export, figures by group."""

import csv
import http.client
import io
import json
import time
from typing import Any

from app.benchmark.data import Data
from app.benchmark.jobs import Turn, WrongAnswer
from app.benchmark.peers.contestant import Api
from app.benchmark.peers.service import Service
from app.benchmark.processes import Request

RECEIVED = 1 << 16
#: The groups whose amounts are added up too, as the SQL by hand does.
SUMMED = ("currency,status", "mission.host_country,currency")


def import_rows(api: Api, turn: Turn, count: int) -> int:
    """Have so many new rows stored by the quickest way there is, over one connection."""
    rows = turn.data.new_agreements(count)
    connection = http.client.HTTPConnection("127.0.0.1", turn.server.port, timeout=600)
    try:
        for request in api.batches(rows):
            headers = dict(request.headers)
            connection.request(request.method, request.path, request.body, headers)
            answer = connection.getresponse()
            body = answer.read()
            if answer.status not in (200, 201):
                raise WrongAnswer(f"an import is answered with {answer.status}: {body[:300]!r}")
            _check_import(api, body, count)
    finally:
        connection.close()
    return count


def _check_import(api: Api, body: bytes, count: int) -> None:
    told = json.loads(body)
    if isinstance(api, Service) and told.get("created") != count:
        raise WrongAnswer(f"an import of {count} rows is answered with {body[:300]!r}")


def export_all(service: Service, turn: Turn, waited: list[float]) -> int:
    """All records as CSV: how many; after what time the first byte came is added to the list."""
    request = service.export()
    connection = http.client.HTTPConnection("127.0.0.1", turn.server.port, timeout=600)
    began, lines = time.perf_counter(), 0
    try:
        connection.request(request.method, request.path, headers=dict(request.headers))
        answer = connection.getresponse()
        if answer.status != 200:
            raise WrongAnswer(f"an export is answered with {answer.status}")
        content = answer.read(1)
        waited.append(time.perf_counter() - began)
        while content:
            # A line a record, but for a text that has lines of its own: close enough to compare.
            lines += content.count(b"\n")
            content = answer.read(RECEIVED)
    finally:
        connection.close()
    return lines - 1


def check_export(service: Service, turn: Turn) -> None:
    """Whether an export has all records, each once."""
    answer = turn.server.ask(service.export())
    found = [row["id"] for row in csv.DictReader(io.StringIO(answer.body.decode()))]
    if len(set(found)) != len(found) or len(found) != turn.data.agreements:
        raise WrongAnswer(
            f"an export has {len(found)} rows, {len(set(found))} of them distinct, where"
            f" {turn.data.agreements} are right"
        )


def figures_request(service: Service, group_by: str) -> Request:
    """Figures by two dimensions, in some with sums."""
    return service.aggregate(group_by, "count,sum(amount)" if group_by in SUMMED else "count")


def check_figures(service: Service, turn: Turn, group_by: str, by_hand: list[Any]) -> None:
    """Whether figures are those that SQL by hand gives: as many groups, as many records."""
    answer = turn.server.ask(figures_request(service, group_by))
    if answer.status != 200:
        raise WrongAnswer(f"figures are answered with {answer.status}: {answer.body[:300]!r}")
    told = json.loads(answer.body)
    found = (len(told["data"]), sum(group["count"] for group in told["data"]))
    right = (len(by_hand), sum(row[2] for row in by_hand))
    if found != right:
        raise WrongAnswer(
            f"figures by {group_by}: {found[0]} groups of {found[1]} records, where {right[0]} of"
            f" {right[1]} are right"
        )


def imported(data: Data) -> int:
    """How many rows are imported: a fifth of what there is."""
    return max(100, data.agreements // 5)
