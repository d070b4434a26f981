"""A database for what runs as a process of its own and is alike whichever database there is."""

import asyncio
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from app.commands.migrate import migrate


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated database without records, to be copied."""
    file = tmp_path_factory.mktemp("migrated") / "migrated.db"
    asyncio.run(migrate(f"sqlite:///{file}"))
    return file


@pytest.fixture(scope="session")
def file_in(migrated_file: Path) -> Callable[[Path], str]:
    """Gives the address of a new database in a folder."""

    def new(folder: Path) -> str:
        shutil.copy(migrated_file, folder / "records.db")
        return f"sqlite:///{folder}/records.db"

    return new
