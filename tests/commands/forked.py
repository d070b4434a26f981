"""Runs a command in a copy of this process: as alone as a started one, without its start."""

import gc
import os
import signal
import sys
import time
import traceback
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryFile
from typing import NoReturn

from app.__main__ import main
from app.core.databases.schema_revision import newest
from app.settings import settings

# What the copies would otherwise each import; an unprivileged user may not even be able to.
for name in (
    "app.commands.backup",
    "app.commands.generate",
    "app.commands.import_",
    "app.commands.keys",
    "app.commands.refusals",
    "app.commands.restore",
    "app.commands.serve",
    "app.commands.verify",
    "app.core.databases.postgresql",
    "app.core.databases.sqlite",
    "app.main",
    "encodings.idna",
    "encodings.utf_8_sig",
):
    import_module(name)

PATIENCE = 60.0
#: Somebody who owns nothing and may do nothing that not everybody may.
NOBODY = 65534


@dataclass(frozen=True)
class Outcome:
    """How a command ended and what it printed."""

    status: int
    out: str
    err: str


def run(
    *arguments: str, url: str, more: Mapping[str, str] | None = None, is_nobody: bool = False
) -> Outcome:
    """Run a command on a database; as root `is_nobody` lets an unprivileged user run it."""
    newest()
    with TemporaryFile() as out, TemporaryFile() as err:
        child = os.fork()
        if child == 0:
            given = {"TRADE_MISSIONS_DATABASE_URL": url, **(more or {})}
            _be_the_command(arguments, given, out.fileno(), err.fileno(), is_nobody)
        status = _wait(child)
        texts = []
        for file in (out, err):
            file.seek(0)
            texts.append(file.read().decode())
    return Outcome(status, *texts)


def _wait(child: int) -> int:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        pid, status = os.waitpid(child, os.WNOHANG)
        if pid:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.005)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return -signal.SIGKILL


def _be_the_command(
    arguments: tuple[str, ...], given: dict[str, str], out: int, err: int, is_nobody: bool
) -> NoReturn:
    status = 70
    try:
        # Nothing of the tests' is to be closed by a copy of them.
        gc.freeze()
        os.dup2(out, 1)
        os.dup2(err, 2)
        sys.stdout, sys.stderr = os.fdopen(1, "w"), os.fdopen(2, "w")
        os.environ.update(given)
        settings.cache_clear()
        sys.argv = ["trade-missions", *arguments]
        if is_nobody and os.geteuid() == 0:
            os.setgroups([])
            os.setgid(NOBODY)
            os.setuid(NOBODY)
        main()
        status = 0
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else 1
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def fault_of(outcome: Outcome, *words: str) -> str | None:
    """What is wrong with how a command told that it cannot be done; None when nothing is."""
    told = outcome.err.strip()
    is_well = (
        outcome.status == 2
        and len(told.splitlines()) == 1
        and all(word in told for word in words)
        and not any(word in told for word in ("Traceback", "busy", "Errno", "sqlalche"))
    )
    return None if is_well else f"{outcome}, without {words}"


def at(path: Path) -> str:
    """The address of a file."""
    return f"sqlite:///{path}"
