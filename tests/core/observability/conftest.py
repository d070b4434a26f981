"""A database for what runs as a process of its own and is alike whichever database there is."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.templates import migrated_url


@pytest.fixture(scope="session")
def file_in() -> Callable[[Path], str]:
    """Gives the address of a new database in a folder."""

    def new(folder: Path) -> str:
        shutil.copy(migrated_url("sqlite").removeprefix("sqlite:///"), folder / "records.db")
        return f"sqlite:///{folder}/records.db"

    return new
