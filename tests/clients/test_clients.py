"""Clients that others generate from the document work as they come, on both databases.

They create, filter by typed parameters, page to the end, change under an ETag, and read problems.
"""

import json
import os
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.clients import tools
from tests.conftest import copy_of
from tests.keys import ADMIN_KEY
from tests.servers import running_server

PACKAGE = "trade_missions_client"


@pytest.fixture(scope="module")
async def url(template_url: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    async with copy_of(template_url, tmp_path_factory.mktemp("clients")) as url:
        yield url


@pytest.fixture(scope="module")
def server(anyio_backend: str, url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a server on a seeded database of the module's own."""
    with running_server(url, tmp_path_factory.mktemp("server")) as server:
        yield server.address


@pytest.fixture(scope="session")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the clients that this run generates: once, as a document is no database's."""
    base = tmp_path_factory.getbasetemp()
    # That of a worker lies in that of the run.
    return (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "generated"


@pytest.fixture
def document(server: str, tmp_path: Path) -> Path:
    path = tmp_path / "openapi.json"
    path.write_bytes(httpx.get(f"{server}/openapi.json", timeout=60).content)
    return path


def seen(folder: Path, *command: str | Path) -> dict[str, Any]:
    """What a program that uses a client prints."""
    found: dict[str, Any] = json.loads(tools.run(*command, folder=folder))
    return found


def check(found: dict[str, Any]) -> None:
    # 200 or more, in dollars or tenge: all of seven but the first and the one in euros.
    assert found["titles"] == ["Supply 6", "Supply 5", "Supply 4", "Supply 2", "Supply 1"]
    assert found["pages"] == 3
    assert found["changed"] == [200, "cancelled", 2]
    assert found["stale"]["status"] == 412
    assert "it is at version 2" in found["stale"]["detail"]
    assert found["wrong"]["status"] == 422
    assert "currency is missing" in found["wrong"]["detail"]
    assert found["wrong"]["pointers"] == ["/currency"]


def test_a_generated_python_client_works(server: str, document: Path, generated: Path) -> None:
    python = tools.python()

    def generate(folder: Path) -> None:
        (folder / "settings.yml").write_text("post_hooks: []\n")
        generator = python.with_name("openapi-python-client")
        arguments: list[str | Path] = [
            "--meta",
            "none",
            "--config",
            "settings.yml",
            "--path",
            document,
        ]
        tools.run(generator, "generate", *arguments, "--output-path", PACKAGE, folder=folder)
        (folder / "walk.py").write_text((tools.HERE / "walk.py").read_text())
        checking: list[str | Path] = [sys.executable, "-m", "mypy", "--strict", "walk.py"]
        tools.run(*checking, "--python-executable", python, folder=folder)

    folder = tools.filled(generated / "python", generate)
    check(seen(folder, python, "walk.py", server, ADMIN_KEY))


def test_a_generated_typescript_client_works_and_is_typed(
    server: str, document: Path, generated: Path
) -> None:
    packages = tools.packages()

    def generate(folder: Path) -> None:
        (folder / "node_modules").symlink_to(packages)
        (folder / "package.json").write_text((tools.HERE / "package.json").read_text())
        (folder / "walk.ts").write_text((tools.HERE / "walk.ts").read_text())
        binaries = packages / ".bin"
        tools.run(binaries / "openapi-typescript", document, "-o", "api.d.ts", folder=folder)
        options = ["--strict", "--module", "nodenext", "--target", "es2022"]
        options += ["--lib", "es2022,dom,dom.iterable"]
        tools.run(binaries / "tsc", *options, "walk.ts", folder=folder)

    folder = tools.filled(generated / "typescript", generate)
    check(seen(folder, tools.NODE / "node", "walk.js", server, ADMIN_KEY))
