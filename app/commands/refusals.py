"""What a command says when it cannot do what was asked: a sentence for whoever can mend it."""

import errno
import os
import sqlite3

import asyncpg
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from app.core.databases.db_errors import first_line
from app.core.databases.diagnosis import diagnose
from app.core.errors import Problem
from app.settings import settings

#: Of errors without a file, those of standard output or of a file that was open: databases tell
#: theirs otherwise.
_OF_OUTPUT = (errno.ENOSPC, errno.EPIPE, errno.EIO)
_OF_DATABASES = (
    OSError,
    sqlite3.Error,
    DBAPIError,
    PoolTimeout,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
)


def sentence(error: Exception) -> str | None:
    """What is wrong, with what would be right; None where only a traceback could tell."""
    if isinstance(error, Problem):
        return _of_database(error) or error.detail
    if isinstance(error, OSError) and error.filename is not None:
        return f"{error.filename}: {error.strerror or error}."
    if isinstance(error, OSError) and error.errno in _OF_OUTPUT:
        return f"Writing failed: {os.strerror(error.errno)}."
    if isinstance(error, _OF_DATABASES):
        return _of_database(error) or f"The database refused: {first_line(error)}."
    if isinstance(error, RuntimeError | ValueError):
        return str(error)
    return None


def _of_database(error: Exception) -> str | None:
    try:
        return diagnose(settings().database_url, error)
    except ValueError:
        return None
