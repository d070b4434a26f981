"""Behind nginx as Debian ships it, with the configuration that docs/operations.md gives: below a
path, over HTTP/2, with its buffering, and its own compression beside ours."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from tests.faults.conftest import copied
from tests.faults.test_tls import made_certificate
from tests.keys import BEARER
from tests.listening import free_port, installed, listening
from tests.servers import running_server
from tests.templates import seeded_url

NGINX = installed("nginx")
CURL = shutil.which("curl")
SECONDS = 10
ROOT = "/trade"
MISSION = "/missions/novosibirsk-april"
_DOCUMENTED = re.compile(r"```nginx\n(.*?)```", re.DOTALL)
#: Compression as many switch it on for all sites.
_AROUND = """
daemon off; worker_processes 1; pid nginx.pid; {user} error_log error.log;
events {{}}
http {{
    access_log off; gzip on; gzip_types application/json; gzip_min_length 100;
    client_body_temp_path body; proxy_temp_path proxy;
    fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi; scgi_temp_path scgi;
    {ours}
    {compressing}
}}
"""

pytestmark = pytest.mark.skipif(
    (NGINX is None or CURL is None) and "CI" not in os.environ, reason="nginx or curl is missing"
)


@dataclass
class Proxy:
    """The addresses of the service behind nginx: as documented, and where nginx compresses."""

    ours: str
    compressing: str

    def client(self, address: str = "") -> httpx.Client:
        return httpx.Client(
            base_url=address or self.ours, headers=BEARER, verify=False, timeout=SECONDS
        )


def configuration(port: int, upstream: int, files: dict[str, Path]) -> str:
    """The documented one, at a port of ours."""
    found = _DOCUMENTED.search(Path("docs/operations.md").read_text())
    assert found
    text = found[1].replace("listen 443", f"listen 127.0.0.1:{port}")
    text = text.replace("/etc/ssl/trade.pem", str(files["tls_certificate"]))
    text = text.replace("/etc/ssl/trade.key", str(files["tls_key"]))
    return text.replace("127.0.0.1:8000", f"127.0.0.1:{upstream}")


@contextmanager
def nginx(folder: Path, text: str, port: int) -> Iterator[None]:
    """Nginx with this configuration, once it listens."""
    assert NGINX is not None
    (folder / "nginx.conf").write_text(text)
    with listening([NGINX, "-p", folder, "-c", folder / "nginx.conf"], port):
        yield


@pytest.fixture(scope="module")
def proxy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    folder = tmp_path_factory.mktemp("nginx")
    url = copied(seeded_url("sqlite"), folder)
    files = made_certificate(folder)
    with running_server(url, folder, "--root-path", ROOT) as server:
        first, second = free_port(), free_port()
        text = _AROUND.format(
            # The folder is of whoever runs the tests.
            user="user root;" if os.getuid() == 0 else "",
            ours=configuration(first, server.port, files),
            compressing=configuration(second, server.port, files).replace("gzip off;", ""),
        )
        with nginx(folder, text, first):
            yield Proxy(*(f"https://127.0.0.1:{port}{ROOT}" for port in (first, second)))


def curl(*arguments: str) -> subprocess.Popen[str]:
    assert CURL is not None
    options = ("-skN", "--http2", "--compressed", "--max-time", str(SECONDS))
    key = f"Authorization: {BEARER['Authorization']}"
    return subprocess.Popen([CURL, *options, "-H", key, *arguments], stdout=-1, text=True)


def test_http_2_is_spoken_and_addresses_lead_below_the_path(proxy: Proxy) -> None:
    told = ("-o", os.devnull, "-w", "%{http_version} %{http_code} %{content_type}")
    assert curl(f"{proxy.ours}/docs", *told).communicate()[0] == "2 200 text/html; charset=utf-8"
    with proxy.client() as client:
        page = client.get("/docs").text
        for address in re.findall(r'(?:href|src)="([^"]+)', page):
            answer = client.get(f"{proxy.ours}/docs".replace("docs", address))
            assert answer.status_code == 200, address
            assert answer.headers.get("content-encoding") == (
                None if address.endswith("png") else "gzip"
            )
        following = client.get("/agreements?limit=1").links["next"]["url"]
        assert client.get(httpx.URL(proxy.ours).join(following)).status_code == 200
        made = client.post("/people", json={"full_name": "Below"})
        assert client.get(httpx.URL(proxy.ours).join(made.headers["location"])).status_code == 200


def test_entity_tags_guard_whether_the_answer_was_compressed_or_not(proxy: Proxy) -> None:
    with proxy.client() as client:
        large = client.patch(MISSION, json={"note": "a" * 500}).headers["etag"]
        for accepted, ending in (("gzip", '-gzip"'), ("identity", '"')):
            asked = {"Accept-Encoding": accepted}
            tag = client.get(MISSION, headers=asked).headers["etag"]
            assert tag == large[:-1] + ending
            again = client.get(MISSION, headers={**asked, "If-None-Match": tag})
            assert (again.status_code, again.headers["etag"]) == (304, tag)
            guarded = {**asked, "If-Match": tag}
            changed = client.patch(MISSION, json={"note": accepted * 99}, headers=guarded)
            assert changed.status_code == 200, changed.text
            stale = client.patch(MISSION, json={"note": "late"}, headers=guarded)
            assert stale.status_code == 412
            large = changed.headers["etag"]


def test_a_tag_that_nginx_has_made_weak_is_told_so(proxy: Proxy) -> None:
    with proxy.client(proxy.compressing) as client:
        person = client.post("/people", json={"full_name": "Small"}).headers["location"]
        address = httpx.URL(proxy.compressing).join(person)
        read = client.get(address)
        assert read.headers["content-encoding"] == "gzip"
        tag = read.headers["etag"]
        assert tag.startswith("W/")
        assert client.get(address, headers={"If-None-Match": tag}).status_code == 304
        refused = client.patch(address, json={"note": "x"}, headers={"If-Match": tag})
        assert refused.status_code == 412
        assert "send it without W/" in refused.json()["detail"]
        strong = {"If-Match": tag.removeprefix("W/")}
        assert client.patch(address, json={"note": "x"}, headers=strong).status_code == 200


def test_events_arrive_one_by_one(proxy: Proxy) -> None:
    events = curl(f"{proxy.compressing}/changes/stream")
    assert events.stdout is not None
    with proxy.client() as client:
        assert events.stdout.readline().startswith("retry:")
        for name in ("First", "Second"):
            client.post("/people", json={"full_name": name})
            line = next(line for line in events.stdout if line.startswith("data:"))
            assert name in line
    events.terminate()
    events.communicate()


def test_an_import_of_50_mb_passes(proxy: Proxy, tmp_path: Path) -> None:
    file = tmp_path / "people.ndjson"
    blank = " " * 1_000_000
    with file.open("w") as lines:
        lines.writelines(f'{{"full_name": "Imported {n}"}}{blank}\n' for n in range(50))
    kind = "Content-Type: application/x-ndjson"
    answer = curl("-H", kind, "--data-binary", f"@{file}", f"{proxy.ours}/people/import")
    told = json.loads(answer.communicate()[0])
    assert told["created"] == 50, told
