"""The lock files hold all that is installed, as they are installed without looking further."""

import re
import tomllib
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.install.__main__ import LOCKS

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
MAKEFILE = (ROOT / "Makefile").read_text()
#: What is installed with each lock, beside what the project always needs.
EXTRAS = {
    LOCKS[0]: ["build", "parquet", "png"],
    LOCKS[1]: ["build", "parquet", "png", "test"],
}
PYTHONS = ("3.11", "3.12", "3.13", "3.14")


def locked(lock: str) -> dict[str, Requirement]:
    """The requirements of a lock file by their names, as they stand there, without hashes."""
    lines = (ROOT / lock).read_text().replace("\\\n", " ").splitlines()
    texts = [line.partition(" --hash")[0] for line in lines if line and line[0] not in "# "]
    return {canonicalize_name(each.name): each for each in map(Requirement, texts)}


def applies(wanted: Requirement, extras: set[str], python: str) -> bool:
    """Whether a requirement holds on this system, with one of the extras or without any."""
    here = {"python_version": python, "python_full_version": f"{python}.0"}
    marker = wanted.marker
    return marker is None or any(
        marker.evaluate({**here, "extra": extra}) for extra in extras or {""}
    )


def missing(wanted: Requirement, found: Requirement | None, by: str) -> str | None:
    """What a lock lacks of a requirement; None when it has it."""
    if found is None:
        return f"{by} needs {wanted}, which is not there"
    (pin,) = found.specifier
    if not wanted.specifier.contains(pin.version, prereleases=True):
        return f"{by} needs {wanted}, and {found} is there"
    if left := wanted.extras - found.extras:
        return f"{by} needs {wanted}, and {found} is there without {', '.join(sorted(left))}"
    return None


def of_the_project(lock: str) -> Iterator[str]:
    there = locked(lock)
    optional = PROJECT["optional-dependencies"]
    for line in [*PROJECT["dependencies"], *(x for e in EXTRAS[lock] for x in optional[e])]:
        wanted = Requirement(line)
        if fault := missing(wanted, there.get(canonicalize_name(wanted.name)), "the project"):
            yield fault


def of_the_packages(there: dict[str, Requirement], python: str) -> Iterator[str]:
    for name, package in there.items():
        if not applies(package, set(), python):
            continue
        (pin,) = package.specifier
        try:
            if version(name) != pin.version:
                yield f"{package} is locked and {version(name)} is installed"
                continue
        except PackageNotFoundError:
            # For other systems or Pythons than the one that the tests run with.
            continue
        for wanted in map(Requirement, requires(name) or []):
            if applies(wanted, set(package.extras), python):
                fault = missing(wanted, there.get(canonicalize_name(wanted.name)), name)
                if fault:
                    yield fault


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_holds_all_that_the_project_and_its_packages_need_with_their_extras(
    lock: str,
) -> None:
    there = locked(lock)
    faults = {fault for python in PYTHONS for fault in of_the_packages(there, python)}
    assert sorted({*of_the_project(lock), *faults}) == []


def test_locks_are_made_of_these_extras() -> None:
    (command,) = re.findall(r"^COMPILE = .*$", MAKEFILE.replace("\\\n", " "), re.MULTILINE)
    assert re.findall(r"--extra (\w+)", command) == EXTRAS[LOCKS[0]]


def test_what_is_not_in_a_lock_is_found() -> None:
    there = locked(LOCKS[1])
    del there["h11"]
    there["coverage"].extras.clear()
    told = "\n".join({*of_the_packages(there, "3.11")})
    assert "h11" in told
    assert "without toml" in told


def test_locks_are_installed_as_they_stand_and_looked_at_afterwards() -> None:
    for name in ("Makefile", "Dockerfile", "docs/operations.md"):
        text = (ROOT / name).read_text().replace("\\\n", " ")
        installs = re.findall(r"install\b.*-r requirements\S*\.lock.*", text)
        assert installs, name
        for line in installs:
            assert "--no-deps" in line, line
            assert "--require-hashes" in line, line
        after = text[text.rindex(installs[-1]) :]
        assert re.search(r"pip check|\$\(PIP\) check", after), name


def test_the_program_that_makes_the_locks_is_pinned() -> None:
    assert re.search(r"^UV := uv==\d+\.\d+\.\d+$", MAKEFILE, re.MULTILINE)
