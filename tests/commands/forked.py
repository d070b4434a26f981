"""Runs a command on a database that something may be wrong with."""

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

from tests import processes


def run(
    *arguments: str, url: str, more: Mapping[str, str] | None = None, is_nobody: bool = False
) -> "subprocess.CompletedProcess[str]":
    """Run a command on a database; as root `is_nobody` lets an unprivileged user run it."""
    given = {**os.environ, "TRADE_MISSIONS_DATABASE_URL": url, **(more or {})}
    module = "tests.commands.as_nobody" if is_nobody else processes.COMMANDS
    return processes.run(*arguments, environment=given, module=module)


def fault_of(ended: "subprocess.CompletedProcess[str]", *words: str) -> str | None:
    """What is wrong with how a command told that it cannot be done; None when nothing is."""
    told = ended.stderr.strip()
    is_well = (
        ended.returncode == 2
        and len(told.splitlines()) == 1
        and all(word in told for word in words)
        and not any(word in told for word in ("Traceback", "busy", "Errno", "sqlalche"))
    )
    return None if is_well else f"{ended}, without {words}"


def at(path: Path) -> str:
    """The address of a file."""
    return f"sqlite:///{path}"
