"""What is told of a database that fails: each fault as a problem that somebody can act on."""

import errno
import os
import sqlite3
from collections.abc import Callable

from app.core.errors import InsufficientStorage, Problem, Unavailable, UnsupportedByEngine

#: Less room than this, in bytes, is none: what SQLite then says of its files depends on the file.
_NO_ROOM = 256 * 1024


def _unavailable(detail: str, seconds: int = 5) -> Unavailable:
    return Unavailable(detail, headers={"Retry-After": str(seconds)})


def unreachable(cause: BaseException | None = None) -> Unavailable:
    """The 503 of a database that cannot be reached or stays locked."""
    problem = _unavailable(
        "The database cannot be reached or is busy. Nothing was stored; try again shortly."
    )
    problem.__cause__ = cause
    return problem


def overloaded() -> Unavailable:
    """The 503 of a request whose turn did not come in time."""
    return _unavailable(
        "The service is busy: the database had no time for this request within the time that one"
        " waits. Nothing was stored; try again shortly."
    )


def commit_unknown() -> Unavailable:
    """The 503 of a COMMIT whose answer was lost."""
    return _unavailable(
        "The database failed or was lost while the changes were being committed: they may or may"
        " not have been stored. Send the request again with the same Idempotency-Key, which"
        " stores nothing twice; without one, look first what is there."
    )


def query_timeout(seconds: float) -> Unavailable:
    """The 503 of a question that takes longer than one may."""
    return _unavailable(
        f"The database did not finish this within {seconds:g} s, so it was ended. Narrow the"
        " filter, ask for less, or take an export (.csv, .ndjson), which may take longer.",
        30,
    )


def lock_timeout() -> Unavailable:
    """The 503 of a write that another one keeps waiting."""
    return _unavailable(
        "Another change, which this one has to wait for, takes too long. Nothing was stored; try"
        " again shortly."
    )


def disk_full() -> InsufficientStorage:
    """The 507 of a database without room."""
    return InsufficientStorage(
        "The database has no room left for this. Nothing was stored; reading goes on. It takes"
        " more space where the database keeps its files.",
        headers={"Retry-After": "60"},
    )


def read_only() -> Unavailable:
    """The 503 of a database that is there and takes no changes."""
    return _unavailable(
        "The database takes no changes now: it, its files or its disk are read-only. Nothing was"
        " stored; reading goes on.",
        60,
    )


def io_error() -> Unavailable:
    """The 503 of files that cannot be read or written."""
    return _unavailable(
        "The database cannot read or write its files: the disk fails, or something is wrong with"
        " them. Whoever runs the service must look; `trade-missions check` tells more.",
        60,
    )


def file_replaced() -> Unavailable:
    """The 503 of a file that is not the one that was opened."""
    return _unavailable(
        "The database's file was moved, deleted or replaced while the service runs. Nothing is"
        " read from or stored in what is there now: put the file back, or start the service anew.",
        60,
    )


def unsupported(lack: str) -> UnsupportedByEngine:
    """The 501 of what the database's engine cannot run; `lack` is what it says of it."""
    return UnsupportedByEngine(
        f"The database's engine cannot run this, and says: {lack}. Nothing was stored. A filter, a"
        " sort or an expansion less may be within its reach; PostgreSQL itself runs all of them."
    )


def first_line(error: BaseException) -> str:
    """What the driver says of an error, without a full stop."""
    text = str(getattr(error, "orig", None) or error).strip() or type(error).__name__
    return text.splitlines()[0].rstrip(".")


def of_system(error: OSError) -> Problem | None:
    """The problem of a file that the work itself needed; None for any other error."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return disk_full()
    return read_only() if error.errno == errno.EROFS else None


#: SQLite's primary result codes (https://sqlite.org/rescode.html).
_SQLITE: dict[int, Callable[[], Problem]] = {
    sqlite3.SQLITE_BUSY: unreachable,
    sqlite3.SQLITE_LOCKED: unreachable,
    sqlite3.SQLITE_NOMEM: overloaded,
    sqlite3.SQLITE_READONLY: read_only,
    sqlite3.SQLITE_PERM: read_only,
    sqlite3.SQLITE_IOERR: io_error,
    sqlite3.SQLITE_CORRUPT: io_error,
    sqlite3.SQLITE_NOTADB: io_error,
    sqlite3.SQLITE_CANTOPEN: io_error,
    sqlite3.SQLITE_FULL: disk_full,
}


def of_sqlite(error: BaseException, path: str) -> Problem | None:
    """The problem of an error of SQLite; None for a fault of the statement or of its values."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code in (sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN) and _is_full(path):
        return disk_full()
    if code in _SQLITE:
        return _SQLITE[code]()
    return unreachable(error) if isinstance(error, sqlite3.OperationalError) else None


def _is_full(path: str) -> bool:
    # Its log, its index of the log and its journals fail in other ways than the file itself.
    try:
        room = os.statvfs(os.path.dirname(path) or ".")  # noqa: PTH120 (an error's path)
    except OSError:
        return False
    return room.f_bavail * room.f_frsize < _NO_ROOM


#: PostgreSQL's SQLSTATEs (its manual, appendix A) and classes of them, the first two letters.
_SQLSTATES: dict[str, Callable[[], Problem]] = {
    "08": unreachable,
    "57P": unreachable,
    "53": overloaded,
    "53100": disk_full,
    "25006": read_only,
    "42501": read_only,
    "55P03": lock_timeout,
    "25P": unreachable,
    "28": unreachable,
    "3D": unreachable,
    "58": io_error,
    "XX001": io_error,
    "XX002": io_error,
}


def of_sqlstate(state: str, seconds: float) -> Problem | None:
    """The problem of a SQLSTATE; None where the statement or its values are to blame."""
    if state == "57014":  # query_canceled: by statement_timeout, or by whoever runs the server
        return query_timeout(seconds)
    if state == "25P02":  # in_failed_sql_transaction tells of our own mistake
        return None
    for length in (5, 3, 2):
        if state[:length] in _SQLSTATES:
            return _SQLSTATES[state[:length]]()
    return None
