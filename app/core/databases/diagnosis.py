"""What keeps a database from being used, in one sentence for whoever runs the service."""

import os
import socket
import sqlite3
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy.exc import DBAPIError

from app.core.databases.addresses import PostgresAddress, is_sqlite, sqlite_path
from app.core.databases.db_errors import first_line
from app.core.errors import InsufficientStorage, Unavailable, UnsupportedByEngine

#: Problems of requests that a database's own error is told as.
_OF_DATABASES = (InsufficientStorage, Unavailable, UnsupportedByEngine)
_AWAY = "The database cannot be reached: "
_MEND = "or correct the database's address."


class DatabaseUnusable(RuntimeError):
    """The database cannot be used as it is; the text says why, and what would be right."""


@contextmanager
def diagnosed(url: str) -> Iterator[None]:
    """Within, faults of the database at the address are raised as `DatabaseUnusable`.

    What may be over at the next try, as while a server starts, is raised as it is.
    """
    try:
        yield
    except Exception as error:
        sentence = diagnose(url, error)
        if sentence is None:
            raise
        raise DatabaseUnusable(sentence) from error


def diagnose(url: str, error: BaseException) -> str | None:
    """What is wrong with the database at the address; None where the error tells of no fault."""
    if isinstance(error, _OF_DATABASES) and error.__cause__ is not None:
        error = error.__cause__
    if isinstance(error, DBAPIError) and error.orig is not None:
        error = error.orig
    if is_sqlite(url):
        return _of_sqlite(sqlite_path(url), error)
    return _of_postgres(PostgresAddress.read(url), error)


# SQLite


def file_obstacle(file: Path) -> str | None:
    """Why a database cannot be kept in the file, by what the file system says; None if it can."""
    file = file.absolute()
    for folder in reversed(file.parents):
        if not os.path.lexists(folder):
            return f"{_AWAY}there is no folder {folder}. Make it, {_MEND}"
        if not folder.is_dir():
            return f"{_AWAY}{folder} is not a folder. Name a file in a folder, {_MEND}"
        if not os.access(folder, os.X_OK):
            return f"{_AWAY}this user may not enter the folder {folder}."
    if file.is_dir():
        return f"{_AWAY}{file} is a folder. Name a file in it, {_MEND}"
    if file.exists() and not os.access(file, os.R_OK):
        return f"{_AWAY}this user may not read {file}."
    if file.exists() and not os.access(file, os.W_OK):
        return f"{_AWAY}this user may not write to {file}."
    if not os.access(file.parent, os.W_OK):
        return (
            f"{_AWAY}this user may not write to the folder {file.parent}, where SQLite keeps its"
            " log beside the database."
        )
    return None


def _of_sqlite(path: str, error: BaseException) -> str | None:
    if isinstance(error, FileNotFoundError | NotADirectoryError | PermissionError):
        return file_obstacle(Path(path))
    if not isinstance(error, sqlite3.Error):
        return None
    code, words = getattr(error, "sqlite_errorcode", 0) & 0xFF, first_line(error)
    if code == sqlite3.SQLITE_NOTADB:
        return f"{_AWAY}{path} is not a database of SQLite. Name another file."
    if code == sqlite3.SQLITE_CORRUPT:
        return f"The database {path} is damaged: {words}. Restore a backup."
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return f"Another program has held {path} for too long. Let it end, or stop it."
    if code == sqlite3.SQLITE_FULL:
        return f"There is no room left where {path} is. Nothing was stored."
    if code in (
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_PERM,
        sqlite3.SQLITE_IOERR,
    ):
        return file_obstacle(Path(path)) or f"{_AWAY}{path}: {words}."
    return None


# PostgreSQL


def _of_postgres(address: PostgresAddress, error: BaseException) -> str | None:
    from app.core.databases.postgresql_errors import driver_error

    driver = driver_error(error)
    state = getattr(driver, "sqlstate", None)
    if state:
        return _of_sqlstate(address, str(state), first_line(driver))
    # The files of a backup have names, the connections to a server have none.
    if isinstance(driver, OSError) and driver.filename is None:
        return f"{_AWAY}{_of_network(address, driver)}"
    return _of_driver(address, driver)


def _of_network(address: PostgresAddress, error: OSError) -> str:
    server = address.server
    if isinstance(error, socket.gaierror):
        return f"no host of the name in {server} is known here. Correct the database's address."
    if isinstance(error, ssl.SSLError):
        reason = getattr(error, "verify_message", "") or error.reason or first_line(error)
        return f"the certificate or the TLS of {server} will not do: {reason}."
    if isinstance(error, TimeoutError):
        return f"{server} does not answer. See that it runs and lets this machine in, {_MEND}"
    if isinstance(error, ConnectionError) and "SSL" in str(error):
        mode = address.parameters.get("sslmode", "require")
        return f"{server} has no TLS, which sslmode={mode} asks for. Set it up there, {_MEND}"
    if isinstance(error, ConnectionError) and error.errno is None:
        return f"what answers at {server} is no PostgreSQL, or hung up: {first_line(error)}."
    words = os.strerror(error.errno) if error.errno else "nothing listens there"
    return f"no server answers at {server} ({words.lower()}). Start it, {_MEND}"


def _of_sqlstate(address: PostgresAddress, state: str, words: str) -> str | None:
    name, user, server = address.database or address.user, address.user, address.server
    if state == "3D000":
        return (
            f'{_AWAY}there is no database "{name}" on {server}. Make it there (CREATE DATABASE'
            f' "{name}"), {_MEND}'
        )
    if state[:2] == "28":
        return f'{_AWAY}{server} does not let the user "{user}" in: {words}.'
    if state == "42501":
        return f'The user "{user}" may not do this in the database "{name}": {words}.'
    if state == "0A000":
        return f"The engine of {server} cannot run what this takes, and says: {words}."
    if state == "25006":
        return f"{server} takes no changes: {words}. Name the primary server."
    if state == "53100":
        return f"{server} has no room left: {words}. Nothing was stored."
    if state[:2] in ("22", "42") and "parameter" in words:
        return f"{_AWAY}{server} refuses the options of the address: {words}."
    if state[:2] == "08":
        return f"{_AWAY}what answers at {server} is no PostgreSQL, or hung up: {words}."
    if state[:2] == "58" or state in ("57P04", "57P05"):
        return f"{_AWAY}{server} says: {words}."
    return None


def _of_driver(address: PostgresAddress, driver: BaseException) -> str | None:
    import asyncpg

    if isinstance(driver, asyncpg.TargetServerAttributeNotMatched):
        wanted = address.parameters.get("target_session_attrs")
        return f"{_AWAY}none of {address.server} is a server of target_session_attrs={wanted}."
    if isinstance(driver, asyncpg.ClientConfigurationError):
        return f"The database's address will not do: {first_line(driver)}."
    if isinstance(driver, asyncpg.InternalClientError | asyncpg.ProtocolError):
        return f"{_AWAY}what answers at {address.server} is no PostgreSQL: {first_line(driver)}."
    return None
