"""Files that are there whole or not at all, each with its SHA-256 beside it."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from hashlib import file_digest
from pathlib import Path
from secrets import token_hex

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeElapsedColumn

#: How a file of SQLite begins, and one of pg_dump's custom format.
SQLITE, POSTGRESQL = b"SQLite format 3\x00", b"PGDMP"


@contextmanager
def written_whole(file: Path, *, force: bool) -> Iterator[Path]:
    """A temporary file beside `file` that gets its name at the end, when all is on the disk.

    Only the owner may read it. Raises RuntimeError when the file is there, unless `force`, and
    when it cannot be written.
    """
    if file.is_dir():
        raise RuntimeError(f"{file} is a folder. Name a file.")
    if not force and file.exists():
        raise RuntimeError(_is_there(file))
    part = file.with_name(f".{file.name}.{token_hex(4)}.part")
    with told(file):
        os.close(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    try:
        yield part
        with told(file):
            _to_disk(part)
            _name(part, file, force=force)
            _to_disk(file.parent)
    finally:
        for left in (part, part.with_name(f"{part.name}-journal")):
            left.unlink(missing_ok=True)


@contextmanager
def told(file: Path) -> Iterator[None]:
    """Within, what the system refuses is told of the file, and not of the database."""
    try:
        yield
    except OSError as error:
        raise RuntimeError(f"{file}: {error.strerror or error}.") from error


def _is_there(file: Path) -> str:
    return f"{file} is there already. Choose another name, or replace it with --force."


def _name(part: Path, file: Path, *, force: bool) -> None:
    if force:
        part.replace(file)
        return
    try:
        # Unlike renaming, this fails when somebody has made the file meanwhile.
        file.hardlink_to(part)
    except FileExistsError:
        raise RuntimeError(_is_there(file)) from None
    except OSError:
        # Some file systems have no second names.
        if file.exists():
            raise RuntimeError(_is_there(file)) from None
        part.rename(file)


def _to_disk(path: Path) -> None:
    """Survive a power cut: a file's contents, or the names in a folder."""
    handle = os.open(path, os.O_RDONLY)
    try:
        # Some file systems cannot do so for folders.
        with suppress(OSError) if path.is_dir() else told(path):
            os.fsync(handle)
    finally:
        os.close(handle)


def digest_of(file: Path) -> str:
    """The SHA-256 of a file: 64 hexadecimal digits."""
    with told(file), file.open("rb") as content:
        return file_digest(content, "sha256").hexdigest()


def note_of(file: Path) -> Path:
    """Where the SHA-256 of a backup stands, as `sha256sum --check` reads it."""
    return file.with_name(f"{file.name}.sha256")


def write_note(file: Path, digest: str) -> None:
    """Write the SHA-256 of a file beside it."""
    with written_whole(note_of(file), force=True) as part:
        part.write_text(f"{digest}  {file.name}\n")


def noted_digest(file: Path) -> str | None:
    """The SHA-256 that stands beside a file; None when nothing does."""
    note = note_of(file)
    if not note.is_file():
        return None
    with told(note):
        return (note.read_text(errors="replace").split() or [""])[0]


def magic_of(file: Path) -> bytes:
    """Which database a backup is of: `SQLITE` or `POSTGRESQL`; RuntimeError when of none."""
    with told(file), file.open("rb") as content:
        start = content.read(len(SQLITE))
    for magic in (SQLITE, POSTGRESQL):
        if start.startswith(magic):
            return magic
    raise RuntimeError(f"{file} is not a backup: neither a database of SQLite nor one of pg_dump.")


def refuse_altered(file: Path) -> str:
    """The SHA-256 of a backup; RuntimeError when another one stands beside it."""
    digest, noted = digest_of(file), noted_digest(file)
    if noted is not None and noted != digest:
        raise RuntimeError(
            f"{file} is damaged: its SHA-256 is {digest}, and {note_of(file).name} says {noted}."
        )
    return digest


def size_of(file: Path) -> str:
    """The size of a file, for people."""
    size = file.stat().st_size
    return f"{size:,} bytes" if size < 1_000_000 else f"{size / 1_000_000:,.1f} MB"


def progress_bar(*, of_bytes: bool = True) -> Progress:
    """A bar over bytes, or rows, on the terminal; nothing where errors go elsewhere."""
    console = Console(stderr=True)
    done = DownloadColumn() if of_bytes else TextColumn("{task.completed:,} rows")
    columns = (TextColumn("{task.description}"), BarColumn(), done, TimeElapsedColumn())
    return Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
