"""Installs both lock files into empty environments, by several Pythons and pips; prints a table.

    python -m tests.install [--pip VERSION …] PYTHON …

It takes some minutes and the registry. The suite holds what makes it true: see test_locks.py.
"""

import argparse
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).parents[2]
LOCKS = ("requirements.lock", "requirements-test.lock")
#: What Python 3.11 came with first, what its later releases came with, and the newest there is.
PIPS = ("23.0.1", "23.2.1", "newest")
#: The pips that need a module which Python 3.12 no longer has: there they install nothing at all.
UP_TO_311 = ("23.0.1",)


def commands(folder: Path, pip: str, lock: str) -> Iterator[tuple[str, list[str]]]:
    """What is run in a new environment, in order: as docs/operations.md says."""
    python = str(folder / "bin" / "python")
    installing = [python, "-m", "pip", "--quiet", "--disable-pip-version-check", "install"]
    wanted = ["--upgrade", "pip"] if pip == "newest" else [f"pip=={pip}"]
    yield "pip", [*installing, *wanted]
    yield "lock", [*installing, "--no-deps", "--require-hashes", "-r", str(ROOT / lock)]
    yield "project", [*installing, "--no-deps", "--no-build-isolation", str(ROOT)]
    yield "pip check", [python, "-m", "pip", "check"]
    yield "--version", [str(folder / "bin" / "trade-missions"), "--version"]
    # The modules that a server imports last, from the installed package and not the checkout.
    yield "import", [python, "-I", "-c", "import app.main, app.commands.serve"]
    if lock == LOCKS[1]:
        yield "pytest", [python, "-m", "pytest", "--version"]


def is_together(python: str, pip: str) -> bool:
    """Whether the pip runs on the Python."""
    question = "import sys; sys.exit(sys.version_info >= (3, 12))"
    return pip not in UP_TO_311 or subprocess.run([python, "-c", question]).returncode == 0


def attempt(python: str, pip: str, lock: str) -> str | None:
    """The step that fails and what it says; None when all goes well."""
    with TemporaryDirectory(prefix="install-") as name:
        folder = Path(name, "environment")
        making = "venv", [python, "-m", "venv", str(folder)]
        for step, command in [making, *commands(folder, pip, lock)]:
            try:
                done = subprocess.run(
                    command, cwd=name, capture_output=True, text=True, check=False
                )
            except OSError as error:
                return f"{step}: {error}"
            if done.returncode != 0:
                lines = (done.stderr.strip() or done.stdout.strip()).splitlines()
                return f"{step}: {' / '.join(lines[-3:])}"
    return None


def main() -> int:
    """Try all combinations and print a line for each as it ends; 1 when one fails."""
    parser = argparse.ArgumentParser(prog="python -m tests.install", description=__doc__)
    parser.add_argument("pythons", nargs="+", metavar="PYTHON", help="python3.11, or its path")
    parser.add_argument("--pip", action="append", help="a version, or newest; may be repeated")
    given = parser.parse_args()
    if absent := [python for python in given.pythons if shutil.which(python) is None]:
        parser.error(f"not there: {', '.join(absent)}")
    failed = False
    for python, pip, lock in product(given.pythons, given.pip or PIPS, LOCKS):
        if not is_together(python, pip):
            continue
        began = time.monotonic()
        fault = attempt(python, pip, lock)
        failed = failed or fault is not None
        took = f"{time.monotonic() - began:.0f} s"
        line = f"{Path(python).name:12} pip {pip:8} {lock:24} {took:>6}  {fault or 'well'}\n"
        sys.stdout.write(line)
        sys.stdout.flush()
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
