"""Databases to back up and to restore into, and PostgreSQL's programs in the PATH."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.commands.backups.drills import Copy
from tests.postgres import system_postgres, wheel_postgres
from tests.test_migrations import empty_database


@pytest.fixture(autouse=True)
def programs(monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of PostgreSQL's programs, which is the first one in the PATH."""
    folder = wheel_postgres() or system_postgres()
    assert folder is not None
    monkeypatch.setenv("PATH", str(folder), prepend=os.pathsep)
    return folder


@pytest.fixture
def bare_url(database_kind: str, tmp_path: Path) -> Iterator[str]:
    """An empty database of the test's own."""
    with empty_database(database_kind, tmp_path) as url:
        yield url


@pytest.fixture
def other_url(database_kind: str, tmp_path: Path) -> Iterator[str]:
    """Another one."""
    with empty_database(database_kind, tmp_path) as url:
        yield url


@pytest.fixture
async def copy(fresh_url: str, tmp_path: Path) -> Copy:
    """A seeded database and its backup."""
    return await Copy.of(fresh_url, tmp_path / "backup")
