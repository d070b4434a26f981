"""Logs: one line an event, as JSON or for reading, with nothing secret in it."""

import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from app.core.observability.redaction import redacted, redacted_fields
from tests.keys import ADMIN_KEY
from tests.loaded import ROOT
from tests.servers import Server, running_server

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


@pytest.fixture(scope="module")
def server(
    file_in: Callable[[Path], str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    """Two processes that write into one log."""
    folder = tmp_path_factory.mktemp("logs")
    with running_server(file_in(folder), folder, workers=2, access_log=True) as server:
        yield server


@pytest.fixture
def client(server: Server) -> Iterator[httpx.Client]:
    with server.client() as client:
        yield client


def test_a_request_is_one_line(server: Server, client: httpx.Client) -> None:
    answer = client.get("/people?limit=5")
    line = server.line(request_id=answer.headers["x-request-id"])
    assert list(line)[:3] == ["time", "level", "event"]
    took, bytes_sent = line.pop("duration_ms"), line.pop("bytes")
    at = datetime.fromisoformat(line.pop("time"))
    assert 0 < took < 60_000
    assert bytes_sent == len(answer.content)
    assert timedelta(0) <= datetime.now(UTC) - at < timedelta(minutes=5)
    assert line == {
        "level": "info",
        "event": "request",
        "request_id": answer.headers["x-request-id"],
        "method": "GET",
        "path": "/people",
        "route": "/people",
        "status": 200,
        "caller": "admin",
        "client": "127.0.0.1",
    }


def test_times_are_utc(server: Server, client: httpx.Client) -> None:
    client.get("/missions")
    assert re.fullmatch(
        r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z", server.line(path="/missions")["time"]
    )


def test_an_error_names_its_problem(server: Server, client: httpx.Client) -> None:
    client.get("/missions/nowhere-near")
    line = server.line(path="/missions/nowhere-near")
    assert (line["status"], line["problem"], line["level"]) == (404, "/problems/not-found", "info")


def test_an_address_that_is_none_has_no_route(server: Server, client: httpx.Client) -> None:
    client.get("/nowhere-at-all")
    assert server.line(path="/nowhere-at-all")["route"] == "unmatched"


def test_the_clients_own_request_id_is_kept(server: Server, client: httpx.Client) -> None:
    mine = "order.2016-04_12"
    answer = client.get("/missions", headers={"X-Request-ID": mine})
    assert answer.headers["x-request-id"] == mine
    assert server.line(request_id=mine)["status"] == 200
    problem = client.get("/missions/nowhere", headers={"X-Request-ID": mine}).json()
    assert problem["request_id"] == mine


@pytest.mark.parametrize("sent", [b"", b"a b", b"x" * 129, b'a"b', "ж".encode(), b"../etc"])
def test_any_other_request_id_is_replaced(client: httpx.Client, sent: bytes) -> None:
    answer = client.get("/health/live", headers=[(b"X-Request-ID", sent)])
    assert re.fullmatch(r"[0-9a-f]{32}", answer.headers["x-request-id"])


def test_a_trace_is_named(server: Server, client: httpx.Client) -> None:
    client.get(
        "/missions",
        headers={"traceparent": f"00-{TRACE}-00f067aa0ba902b7-01", "X-Request-ID": "t1"},
    )
    assert server.line(request_id="t1")["trace_id"] == TRACE


@pytest.mark.parametrize(
    "sent", ["nonsense", f"00-{'0' * 32}-00f067aa0ba902b7-01", f"ff-{TRACE}-00f067aa0ba902b7-01"]
)
def test_a_trace_that_is_none_is_not(server: Server, client: httpx.Client, sent: str) -> None:
    name = f"t{abs(hash(sent))}"
    client.get("/missions", headers={"traceparent": sent, "X-Request-ID": name})
    assert "trace_id" not in server.line(request_id=name)


def test_no_key_is_ever_written(server: Server, client: httpx.Client) -> None:
    secret = ADMIN_KEY[-43:]
    client.get(f"/missions.csv?api_key={ADMIN_KEY}", headers={"X-Request-ID": "k1"})
    client.get(f"/missions/{ADMIN_KEY}", headers={"X-Request-ID": "k2"})
    client.get("/missions", headers={"Authorization": f"Basic {secret}", "X-Request-ID": "k3"})
    for name in ("k1", "k2", "k3"):
        server.line(request_id=name)
    assert secret not in server.log.read_text()
    assert server.line(request_id="k2")["path"] == "/missions/tmd_testtest_[hidden]"


def test_what_a_client_sends_cannot_forge_a_line(server: Server, client: httpx.Client) -> None:
    client.get(
        "/missions/a%0A%7B%22event%22:%22forged%22%7D%1b[31m", headers={"X-Request-ID": "f1"}
    )
    assert server.line(request_id="f1")["path"] == '/missions/a\n{"event":"forged"}\x1b[31m'
    assert not [line for line in server.lines() if line["event"] == "forged"]


def test_every_line_is_json_whoever_wrote_it(server: Server, client: httpx.Client) -> None:
    client.get("/missions")
    for line in server.lines():
        assert {"time", "level", "event"} <= set(line)


def test_without_the_setting_requests_are_not_logged(
    file_in: Callable[[Path], str], tmp_path: Path
) -> None:
    with running_server(file_in(tmp_path), tmp_path) as server, server.client() as client:
        client.get("/missions")
        server.stop()
        assert not [line for line in server.lines() if line["event"] == "request"]


def test_several_processes_write_into_one_log(server: Server) -> None:
    for number in range(30):
        with server.client() as client:
            client.get("/people", headers={"X-Request-ID": f"n{number}"})
    for number in range(30):
        assert server.line(request_id=f"n{number}")["status"] == 200


def test_lines_can_be_for_reading(file_in: Callable[[Path], str], tmp_path: Path) -> None:
    with running_server(file_in(tmp_path), tmp_path, access_log=True, log_format="text") as server:
        with server.client() as client:
            client.get("/missions/a%0Ab%1b[31m")
        server.stop()
        (line,) = (text for text in server.log.read_text().splitlines() if "/missions/" in text)
        assert re.match(r"\d{4}-\d\d-\d\dT[\d:.]+Z \[info\s*\] request ", line)
        assert "path='/missions/a\\nb\\x1b[31m'" in line
        assert "status=404" in line


FAILING = """
import logging, sys, threading, warnings
from app.core.observability.logs import LogFormat, configure_logs
configure_logs(LogFormat(sys.argv[1]))
class Passing:
    secret = "local-value"
def fail(argument):
    held = Passing.secret + argument
    headers = {"Authorization": "Bearer tmd_abcdefgh_" + "s" * 43, "Accept": "*/*"}
    address = f"https://host/a.csv?api_key=tmd_abcdefgh_{'s' * 43}&b=1"
    raise ValueError(f"cannot read {address} {headers}")
try:
    fail("another-local-value")
except ValueError as error:
    logging.getLogger("trade_missions").error("failed", exc_info=error, extra={"request_id": "r1"})
logging.getLogger("uvicorn.error").error("of the server")
warnings.warn("of a library")
thread = threading.Thread(target=fail, args=("x",), name="worker")
thread.start(); thread.join()
fail("at the end")
"""


def failing(form: str) -> str:
    run = [sys.executable, "-c", FAILING, form]
    done = subprocess.run(run, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    return done.stderr


def test_a_traceback_is_a_field_without_values_of_variables_and_without_secrets() -> None:
    text = failing("json")
    assert "s" * 20 not in text
    assert "local-value" not in text
    lines = [json.loads(line) for line in text.splitlines()]
    failed, of_server, warned, in_thread, uncaught = lines
    assert (failed["level"], failed["event"], failed["request_id"]) == ("error", "failed", "r1")
    (trace,) = failed["exception"]
    assert trace["exc_type"] == "ValueError"
    assert trace["exc_value"] == (
        "cannot read https://host/a.csv?api_key=[hidden]&b=1"
        " {'Authorization': 'Bearer [hidden]', 'Accept': '*/*'}"
    )
    assert [frame["name"] for frame in trace["frames"]] == ["<module>", "fail"]
    assert of_server["event"] == "of the server"
    assert (warned["level"], "of a library" in warned["event"]) == ("warning", True)
    for line in (in_thread, uncaught):
        assert (line["level"], line["event"]) == ("critical", "uncaught")


def test_a_traceback_for_reading_has_no_secrets_either() -> None:
    text = failing("text")
    assert "Traceback (most recent call last)" in text
    assert "s" * 20 not in text
    assert "another-local-value" not in text.replace('fail("another-local-value")', "")


SECRET = "Sx9" * 8


@pytest.mark.parametrize(
    "text",
    [
        f"Authorization: Bearer {SECRET}",
        f"authorization: basic {SECRET}==",
        f"{{'authorization': 'Bearer {SECRET}'}}",
        f'{{\\"Authorization\\": \\"Bearer {SECRET}\\"}}',
        f"[(b'authorization', b'Bearer {SECRET}')]",
        f"GET /agreements.csv?api_key={SECRET}&limit=1",
        f"api_key={SECRET}",
        f'{{"password": "{SECRET}"}}',
        f"postgresql://user:{SECRET}@host/name",
        f"tmd_abcdefgh_{SECRET}",
        f"eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ4In0.{SECRET}",
        f"sent Bearer {SECRET}",
    ],
)
def test_a_secret_is_hidden_however_it_is_written(text: str) -> None:
    assert SECRET not in redacted(text.encode()).decode()
    assert "[hidden]" in redacted(text.encode()).decode()


@pytest.mark.parametrize(
    "text",
    [
        "GET /missions/basic-agreement-on-cooperation",
        "key tmd_abcdefgh (price list) was created by command line",
        "The basic understanding of both parties",
        "https://example.org/a:b?c=d",
        '{"event":"request","path":"/tokens","status":200}',
    ],
)
def test_what_is_no_secret_is_left_alone(text: str) -> None:
    assert redacted(text.encode()).decode() == text


def test_a_secret_takes_nothing_with_it_that_stands_beside_it() -> None:
    line = {
        "event": "request",
        "path": "/webhooks/5/secret",
        "route": "/webhooks/{id}/secret",
        "status": 200,
        "caller": "token=5",
        "client": "127.0.0.1",
        "problem": '{"token":5}',
        "text": "key tmd_abcdefgh (token, scope read) was created by password, who may",
    }
    assert redacted_fields(line) == {**line, "problem": '{"token":"[hidden]"}'}
    sent = {"token": 5, "nested": [{"Authorization": f"Bearer {SECRET}"}, f"api_key={SECRET}&b=1"]}
    assert redacted_fields({**sent, "is": None}) == {
        "token": "[hidden]",
        "nested": [{"Authorization": "[hidden]"}, "api_key=[hidden]&b=1"],
        "is": None,
    }


def test_the_secret_of_a_webhook_can_be_changed_and_the_line_says_so(
    server: Server, client: httpx.Client
) -> None:
    address = f"/webhooks/{'0' * 8}-0000-4000-8000-{'0' * 12}/secret"
    assert client.post(address, headers={"X-Request-ID": "rotated"}).status_code in (401, 404)
    line = server.line(request_id="rotated")
    assert (line["path"], line["route"]) == (address, "/webhooks/{id}/secret")
    assert line["status"] in (401, 404)
