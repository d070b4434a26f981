"""Parts of a write that can be undone by themselves."""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

from sqlalchemy.orm import Session

from app.core.databases.deferred import deferred_of
from app.engine.history import change_log


@contextmanager
def undone_on_error(session: Session, *, savepoint: bool = True) -> Iterator[None]:
    """What is written within is undone where it ends in an exception, with what it noted for the
    log and left for the end; without a savepoint the rows stay, for whoever undoes more."""
    noted, mark = change_log.noted_count(session), deferred_of(session).mark()
    try:
        with session.begin_nested() if savepoint else nullcontext():
            yield
    except BaseException:
        change_log.forget(session, noted)
        deferred_of(session).forget(mark)
        raise
