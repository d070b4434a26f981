"""What is deployed: the containers, the locked packages and the wheel."""

import json
import os
import re
import shutil
import ssl
import subprocess
import sys
import threading
import tomllib
import zipfile
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml
from sqlalchemy import delete

from app.commands.keys import make_first
from app.commands.migrate import engine_run
from app.core.access.keys import ApiKey, is_key
from app.main import create_app
from app.settings import Settings
from tests.conftest import client_of, copy_of
from tests.faults.test_tls import made_certificate
from tests.operation.served import served

ROOT = Path(__file__).parent.parent
DOCKERFILE = (ROOT / "Dockerfile").read_text()
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
API: dict[str, Any] = COMPOSE["services"]["api"]
DATABASE: dict[str, Any] = COMPOSE["services"]["database"]
REQUIRED = re.compile(r"\$\{\w+:\?[^}]+\}")
LOCKS = ("requirements.lock", "requirements-test.lock")


def instructions(name: str) -> list[str]:
    """What follows an instruction of the Dockerfile each time that it stands there."""
    lines = DOCKERFILE.replace("\\\n", " ").splitlines()
    return [line.removeprefix(f"{name} ") for line in lines if line.startswith(f"{name} ")]


def locked(name: str) -> dict[str, str]:
    """The requirements of a lock file, each with its hashes, by the package's name."""
    text = (ROOT / name).read_text().replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return {re.split(r"[=\[ ]", line)[0]: line for line in lines}


def version(line: str) -> str:
    return line.partition(";")[0].partition("--hash")[0].strip()


def package(requirement: str) -> str:
    return re.split(r"[\[<>=!~ ;]", requirement)[0].lower()


# Containers


def test_the_api_waits_for_a_healthy_database() -> None:
    assert API["build"] == "."
    assert API["depends_on"] == {"database": {"condition": "service_healthy"}}
    assert DATABASE["healthcheck"]["test"]


def test_the_database_is_postgresql_18_with_its_data_in_a_named_volume() -> None:
    assert DATABASE["image"] == "postgres:18"
    (mount,) = DATABASE["volumes"]
    volume, path = mount.split(":")
    assert volume in COMPOSE["volumes"]
    # From version 18 on the image keeps its data in a folder of this one.
    assert path == "/var/lib/postgresql"


def test_no_password_is_written_down_or_has_a_default() -> None:
    assert REQUIRED.fullmatch(DATABASE["environment"]["POSTGRES_PASSWORD"])
    address = API["environment"]["TRADE_MISSIONS_DATABASE_URL"]
    credentials = address.partition("://")[2].rpartition("@")[0]
    assert REQUIRED.fullmatch(credentials.partition(":")[2])


def test_the_api_may_write_nothing_and_is_not_root() -> None:
    user, group = API["user"].split(":")
    assert "0" not in (user, group)
    assert API["read_only"] is True
    assert API["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in API["security_opt"]


def test_the_containers_are_reached_from_this_machine_only() -> None:
    assert all(port.startswith("127.0.0.1:") for port in API["ports"])
    assert "ports" not in DATABASE


def test_the_image_runs_as_a_user_that_it_makes() -> None:
    user = instructions("USER")[-1]
    assert user not in ("root", "0")
    made = next(line for line in instructions("RUN") if line.startswith("useradd"))
    account = made.partition("&&")[0].split()
    assert account[-1] == user
    assert account[account.index("--uid") + 1] == API["user"].split(":")[0]


def test_what_the_image_keeps_lies_in_volumes_that_its_user_may_write() -> None:
    made = next(line for line in instructions("RUN") if line.startswith("useradd"))
    folders = re.findall(r" (/\w+)", made.partition("install --directory")[2])
    mounted = [mount.split(":")[1] for mount in API["volumes"]]
    assert {*instructions("VOLUME"), *mounted} == set(folders)
    assert all(mount.split(":")[0] in COMPOSE["volumes"] for mount in API["volumes"])


def test_every_variable_of_the_containers_is_a_setting() -> None:
    named = {f"TRADE_MISSIONS_{name.upper()}" for name in Settings.model_fields}
    given = {*API["environment"], *re.findall(r"TRADE_MISSIONS_\w+", DOCKERFILE)}
    assert given - named == set()


def test_the_api_runs_in_production_mode_with_its_admin_key_in_a_secret_file() -> None:
    environment = API["environment"]
    assert environment["TRADE_MISSIONS_MODE"] == "production"
    (secret,) = API["secrets"]
    assert environment["TRADE_MISSIONS_ADMIN_KEY_FILE"] == f"/run/secrets/{secret}"
    folder = COMPOSE["secrets"][secret]["file"].split("/")[1]
    assert folder in (ROOT / ".dockerignore").read_text().split()
    assert "TRADE_MISSIONS_ADMIN_KEY" not in environment


def test_both_start_again_and_have_time_to_stop() -> None:
    for service in (API, DATABASE):
        assert service["restart"] == "unless-stopped"
    seconds = int(API["stop_grace_period"].removesuffix("s"))
    assert seconds > Settings.model_fields["stop_seconds"].default


def test_the_image_has_the_programs_of_the_database_s_version_for_backups() -> None:
    version = DATABASE["image"].removeprefix("postgres:")
    assert instructions("ARG") == [f"POSTGRESQL={version}"]
    added = next(line for line in instructions("RUN") if "postgresql-client-$POSTGRESQL" in line)
    # For the Debian that the image is made of.
    debian = instructions("FROM")[-1].rpartition("-")[2]
    assert f" {debian}-pgdg " in added
    assert "signed-by=" in added


HEALTH = json.loads(re.findall(r"CMD (\[.*health.*\])", DOCKERFILE)[0])


def health(address: str, **environment: str) -> int:
    """The exit status of the image's health check, for a server at that address."""
    assert HEALTH[0] == "python"
    port = {"TRADE_MISSIONS_PORT": address.rpartition(":")[2]}
    return subprocess.run(
        [sys.executable, *HEALTH[1:]],
        env={**os.environ, **port, **environment},
        cwd=ROOT,
        capture_output=True,
        check=False,
    ).returncode


async def test_the_image_is_healthy_while_its_server_is_ready(
    template_url: str, tmp_path: Path
) -> None:
    async with copy_of(template_url, tmp_path) as url:
        with served(url, tmp_path) as server:
            assert health(server.address) == 0
        assert health(server.address) != 0


class Ready(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200 if self.path == "/health/ready" else 404)
        self.end_headers()

    def log_message(self, format: str, *arguments: object) -> None:
        """Nothing: a test says enough."""


def test_the_image_is_healthy_with_a_certificate_of_its_own(tmp_path: Path) -> None:
    files = made_certificate(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(files["tls_certificate"], files["tls_key"])
    with HTTPServer(("127.0.0.1", 0), Ready) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"https://127.0.0.1:{server.server_port}"
        certificate = str(files["tls_certificate"])
        assert health(address, TRADE_MISSIONS_TLS_CERTIFICATE=certificate) == 0
        server.shutdown()


def test_the_image_carries_neither_what_only_the_build_needs_nor_a_package_manager() -> None:
    final = DOCKERFILE.rpartition("\nFROM ")[2]
    assert "apt-get" not in final
    assert "--without-pip" in DOCKERFILE
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    build = {package(line) for line in extras["optional-dependencies"]["build"]}
    removed = re.search(r"pip uninstall --yes (.*?) &&", DOCKERFILE.replace("\\\n", " "))
    assert removed is not None
    assert build <= set(removed[1].split())


def test_the_image_installs_only_packages_whose_hash_is_known() -> None:
    installs = re.findall(r"pip install[^&]*", DOCKERFILE.replace("\\\n", " "))
    assert installs
    for install in installs:
        assert "--require-hashes" in install or "--no-deps" in install


def test_the_image_is_built_without_the_secrets_and_the_data_of_the_checkout() -> None:
    ignored = (ROOT / ".dockerignore").read_text().split()
    assert {".git", ".env", "*.db", "secrets", "seeds/texts"} <= set(ignored)


# The command that starts the containers


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """The files that `make compose` needs, and a `docker` that notes how it is called."""
    folder = tmp_path / "check out"
    folder.mkdir()
    for name in ("Makefile", "compose.sh", "docker-compose.yml"):
        shutil.copy(ROOT / name, folder)
    docker = folder / "bin" / "docker"
    docker.parent.mkdir()
    docker.write_text('#!/bin/sh\necho "$*" >>bin/calls\nexit "${DOCKER_STATUS:-0}"\n')
    docker.chmod(0o755)
    return folder


def compose(checkout: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """`make compose` with the stand-in for Docker, and without any setting but those given."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("TRADE_MISSIONS_")}
    path = f"{checkout / 'bin'}:{os.environ['PATH']}"
    return subprocess.run(
        ["make", "compose"],
        env={**kept, "PATH": path, **environment},
        cwd=checkout,
        umask=0o077,
        capture_output=True,
        text=True,
        check=False,
    )


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def secrets_of(checkout: Path) -> tuple[str, str]:
    """The lines of `.env` and the admin key."""
    return (checkout / ".env").read_text(), (checkout / "secrets/admin-key").read_text()


def test_one_command_makes_the_secrets_and_starts_the_containers(checkout: Path) -> None:
    done = compose(checkout)
    assert done.returncode == 0, done.stderr
    environment, key = secrets_of(checkout)
    assert re.fullmatch(r"TRADE_MISSIONS_DB_PASSWORD=[a-z0-9]{32}\n", environment)
    assert is_key(key.removesuffix("\n"))
    assert "secrets/admin-key" in done.stdout
    assert key.strip() not in done.stdout + done.stderr
    calls = (checkout / "bin/calls").read_text()
    assert "compose up --build --wait" in calls


def test_the_service_may_read_its_key_and_nobody_else_on_the_machine(checkout: Path) -> None:
    compose(checkout)
    # In the container its user reads the file alone, by the mode that it has here.
    assert mode(checkout / "secrets/admin-key") == 0o644
    assert mode(checkout / "secrets") == 0o700
    assert mode(checkout / ".env") == 0o600


def test_secrets_that_are_there_are_kept(checkout: Path) -> None:
    compose(checkout)
    before = secrets_of(checkout)
    (checkout / "secrets/admin-key").chmod(0o600)
    done = compose(checkout)
    assert secrets_of(checkout) == before
    assert "is new" not in done.stdout
    assert mode(checkout / "secrets/admin-key") == 0o644
    # Other settings, with a last line that does not end, stay in front of the password.
    (checkout / ".env").write_text("TRADE_MISSIONS_PORT=8080")
    compose(checkout)
    assert re.match(
        r"TRADE_MISSIONS_PORT=8080\nTRADE_MISSIONS_DB_PASSWORD=\w+\n", secrets_of(checkout)[0]
    )


def test_a_password_from_the_environment_is_not_written_down(checkout: Path) -> None:
    assert compose(checkout, TRADE_MISSIONS_DB_PASSWORD="of-mine").returncode == 0
    assert not (checkout / ".env").exists()


def test_what_keeps_the_containers_from_starting_is_told(checkout: Path) -> None:
    failed = compose(checkout, DOCKER_STATUS="1")
    assert failed.returncode != 0
    assert "Docker with its compose plug-in is needed" in failed.stderr
    (checkout / "secrets/admin-key").write_text("hunter2\n")
    refused = compose(checkout)
    assert refused.returncode != 0
    assert "secrets/admin-key holds no key" in refused.stderr


async def test_the_service_takes_the_key_that_was_made(
    checkout: Path, template_url: str, tmp_path: Path
) -> None:
    compose(checkout)
    key = secrets_of(checkout)[1].strip()
    async with copy_of(template_url, tmp_path) as url:
        await engine_run(url, lambda connection: connection.execute(delete(ApiKey)))
        file = checkout / "secrets/admin-key"
        await make_first(Settings(database_url=url, admin_key=None, admin_key_file=file))
        app = create_app(Settings(database_url=url))
        async with app.router.lifespan_context(app), client_of(app) as client:
            answer = await client.get("/api-keys", headers={"Authorization": f"Bearer {key}"})
            assert answer.status_code == 200


# Packages


@pytest.mark.parametrize("name", LOCKS)
def test_every_locked_package_has_one_version_and_its_hashes(name: str) -> None:
    for line in locked(name).values():
        assert re.match(r"[a-z0-9._-]+(\[[a-z,]+\])?==\S+ .*--hash=sha256:[0-9a-f]{64}", line), line


def test_the_tests_run_with_the_packages_that_are_served() -> None:
    served, tested = (locked(name) for name in LOCKS)
    differing = {name for name in served if version(served[name]) != version(tested.get(name, ""))}
    assert differing == set()


def test_every_requirement_of_the_project_is_locked() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    # The build needs its packages too: nothing is built in isolation.
    served = {package(line) for line in [*project["dependencies"], *extras["build"]]}
    tested = {package(line) for line in extras["test"]}
    assert served - set(locked("requirements.lock")) == set()
    assert tested - set(locked("requirements-test.lock")) == set()


# The wheel


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The names of the files in the project's wheel."""
    pytest.importorskip("hatchling", reason="the wheel is built with hatchling")
    folder = tmp_path_factory.mktemp("wheel")
    building = [sys.executable, "-m", "pip", "wheel", "--quiet", "--disable-pip-version-check"]
    options = ["--no-deps", "--no-build-isolation", "--wheel-dir", str(folder), str(ROOT)]
    built = subprocess.run([*building, *options], capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stderr
    (file,) = folder.glob("*.whl")
    with zipfile.ZipFile(file) as archive:
        return archive.namelist()


@pytest.mark.parametrize("folder", ["seeds", "migrations"])
def test_the_wheel_carries_the_data(wheel: list[str], folder: str) -> None:
    for path in (ROOT / folder).rglob("*"):
        inside = path.relative_to(ROOT / folder)
        if path.is_file() and inside.parts[0] != "texts" and path.suffix != ".pyc":
            assert f"app/data/{folder}/{inside.as_posix()}" in wheel


def test_the_wheel_carries_every_module_and_no_test(wheel: list[str]) -> None:
    modules = {path.relative_to(ROOT).as_posix() for path in (ROOT / "app").rglob("*.py")}
    assert modules - set(wheel) == set()
    assert [name for name in wheel if name.startswith("tests/")] == []
