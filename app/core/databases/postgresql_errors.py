"""What a PostgreSQL server raises through its driver when it fails, and what that means."""

import asyncpg
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from app.core.databases.db_errors import (
    first_line,
    of_sqlstate,
    of_system,
    overloaded,
    unreachable,
    unsupported,
)
from app.core.errors import Problem

#: serialization_failure and deadlock_detected: the same work can succeed when run again.
RETRIED = {"40001", "40P01"}
#: What the driver raises when the server is not there, or went away.
GONE = (
    OSError,
    asyncpg.PostgresConnectionError,
    asyncpg.CannotConnectNowError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    TimeoutError,
    # All connections are taken, and none became free in time.
    PoolTimeout,
)
#: Errors of the driver's that tell of a mistake of ours and not of the connection.
_MISTAKES = (
    asyncpg.DataError,
    asyncpg.UnsupportedClientFeatureError,
    asyncpg.UnsupportedServerFeatureError,
)
_DRIVER = (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)
_NO_TABLE = {"42P01", "42703"}
#: feature_not_supported, as engines that speak PostgreSQL's language say of what they lack. Of
#: PostgreSQL itself it tells of statements that were prepared before the tables changed.
UNSUPPORTED = "0A000"
#: invalid_parameter_value: also of a time zone that its own copy of the IANA database lacks.
_UNKNOWN = "22023"


def driver_error(error: BaseException) -> BaseException:
    """The driver's own error, which SQLAlchemy wraps twice."""
    if isinstance(error, DBAPIError) and error.orig is not None:
        error = error.orig
    return error.__cause__ if isinstance(error.__cause__, _DRIVER) else error


def sqlstate_of(error: BaseException) -> str:
    """The SQLSTATE of an error of the server's, or an empty text."""
    return getattr(driver_error(error), "sqlstate", None) or ""


def is_starting(error: BaseException) -> bool:
    """Whether the server is there and lets nobody in yet: it starts, or recovers from a crash."""
    return isinstance(driver_error(error), asyncpg.CannotConnectNowError)


def is_lost(error: BaseException) -> bool:
    """Whether the connection is gone, or could not be made."""
    driver = driver_error(error)
    if isinstance(driver, asyncpg.InterfaceError):
        return not isinstance(driver, _MISTAKES)
    if isinstance(driver, OSError):
        return of_system(driver) is None
    # What a connection says from the server's farewell until it is closed: no use to anybody.
    if isinstance(driver, asyncpg.InternalClientError):
        return True
    state = sqlstate_of(error)
    # 57P01 to 57P05: it stops, has crashed, starts, dropped the database; 53300: it is full.
    return state[:2] == "08" or state[:3] == "57P" or state == "53300"


def is_outdated(error: BaseException) -> bool:
    """Whether a statement was prepared before the tables changed; run again it is prepared anew."""
    driver = driver_error(error)
    kinds = (asyncpg.InvalidCachedStatementError, asyncpg.OutdatedSchemaCacheError)
    return isinstance(driver, kinds)


def is_behind(error: BaseException) -> bool:
    """Whether only a replica would say so: what is read was cleaned up on the primary, or the
    tables of a new version have not arrived."""
    return sqlstate_of(error) in RETRIED | _NO_TABLE or is_outdated(error)


def problem_of(error: BaseException, seconds: float) -> Problem | None:
    """What the error is told as, `seconds` being the limit of a question; None for our mistakes."""
    if isinstance(error, Problem):
        return error
    if isinstance(error, PoolTimeout):
        return overloaded()
    driver = driver_error(error)
    if isinstance(driver, OSError):
        return of_system(driver) or unreachable()
    state = sqlstate_of(error)
    if state in RETRIED or is_outdated(error):
        return unreachable()
    if state == UNSUPPORTED or (state == _UNKNOWN and "time zone" in str(driver)):
        return unsupported(first_line(driver))
    if state:
        return of_sqlstate(state, seconds)
    return unreachable() if is_lost(error) else None
