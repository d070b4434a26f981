"""Looks at whole databases, and programs of PostgreSQL that behave otherwise."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from app.commands.backup import Backup, backup
from app.commands.backups.contents import Checksums, checksums
from app.commands.snapshot import snapshot_run
from tests import processes

ROOT = Path(__file__).parents[3]


@dataclass(frozen=True)
class Copy:
    """A database, a backup of it, and the checksums of the database's tables."""

    url: str
    file: Path
    made: Backup
    sums: Checksums

    @classmethod
    async def of(cls, url: str, file: Path) -> "Copy":
        return cls(url, file, await backup(url, file), await sums_of(url))


async def sums_of(url: str) -> Checksums:
    """The checksum of every table of a database."""
    return await snapshot_run(url, checksums)


def command(url: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run one of our commands to its end."""
    environment = os.environ | {"TRADE_MISSIONS_DATABASE_URL": url}
    return processes.run(*arguments, environment=environment)


def killed(script: str, *arguments: str) -> None:
    """Run a script that ends itself as `kill -9` would."""
    ended = subprocess.run(
        [sys.executable, "-c", script, *arguments],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ended.returncode == -9, ended.stderr


def instead_of(monkeypatch: pytest.MonkeyPatch, folder: Path, program: str, script: str) -> None:
    """Put a script of the shell before one of PostgreSQL's programs."""
    places = folder / "programs"
    places.mkdir()
    (places / program).write_text(f"#!/bin/sh\n{script}\n")
    (places / program).chmod(0o755)
    monkeypatch.setenv("PATH", str(places), prepend=os.pathsep)


def flip(file: Path, place: int) -> None:
    """Change one bit of a file."""
    content = bytearray(file.read_bytes())
    content[place] ^= 1
    file.write_bytes(content)
