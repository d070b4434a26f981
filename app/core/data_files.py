"""Where the project's data files are, in a checkout and in an installed package."""

from pathlib import Path

_PACKAGE = Path(__file__).parent.parent


def _folder(name: str) -> Path:
    # A wheel carries the folders inside the package; a checkout has them beside it.
    inside = _PACKAGE / "data" / name
    return inside if inside.is_dir() else _PACKAGE.parent / name


def seeds_folder() -> Path:
    """The folder of the data that a new database starts with."""
    return _folder("seeds")


def migrations_folder() -> Path:
    """The folder of Alembic's migrations."""
    return _folder("migrations")
