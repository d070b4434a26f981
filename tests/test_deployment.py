"""What is deployed: the containers, the locked packages and the wheel."""

import json
import os
import re
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from app.settings import Settings
from tests.conftest import copy_of
from tests.servers import running_server

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


async def test_the_image_is_healthy_while_its_server_is_ready(
    template_url: str, tmp_path: Path
) -> None:
    line = re.search(r"CMD (\[.*health.*\])", DOCKERFILE)
    assert line is not None
    python, *arguments = json.loads(line[1])
    assert python == "python"
    async with copy_of(template_url, tmp_path) as url:
        with running_server(url, tmp_path) as server:
            port = {"TRADE_MISSIONS_PORT": str(server.port)}
            assert status([sys.executable, *arguments], port) == 0
        assert status([sys.executable, *arguments], port) != 0


def status(command: list[str], environment: Mapping[str, str]) -> int:
    environment = {**os.environ, **environment}
    return subprocess.run(command, env=environment, capture_output=True, check=False).returncode


def test_the_image_installs_only_packages_whose_hash_is_known() -> None:
    installs = re.findall(r"pip install[^&]*", DOCKERFILE.replace("\\\n", " "))
    assert installs
    for install in installs:
        assert "--require-hashes" in install or "--no-deps" in install


def test_the_image_is_built_without_the_secrets_and_the_data_of_the_checkout() -> None:
    ignored = (ROOT / ".dockerignore").read_text().split()
    assert {".git", ".env", "*.db", "secrets", "seeds/texts"} <= set(ignored)


def test_a_start_without_docker_makes_no_secrets(tmp_path: Path) -> None:
    # A docker without its compose plug-in is there as little as none.
    (tmp_path / "docker").symlink_to("/bin/false")
    script = tmp_path / "compose.sh"
    script.write_bytes((ROOT / "compose.sh").read_bytes())
    path = {"PATH": f"{tmp_path}:{os.environ['PATH']}"}
    assert status(["sh", str(script)], path) == 1
    assert {each.name for each in tmp_path.iterdir()} == {"docker", "compose.sh"}


# Packages


@pytest.mark.parametrize("name", LOCKS)
def test_every_locked_package_has_one_version_and_its_hashes(name: str) -> None:
    for line in locked(name).values():
        assert re.match(
            r"[a-z0-9._-]+(\[[a-z0-9,-]+\])?==\S+ .*--hash=sha256:[0-9a-f]{64}", line
        ), line


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
