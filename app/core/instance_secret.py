"""What belongs to one installation: its secret, which every process on the database shares, and the
epoch of its database."""

import time
from functools import cache
from math import inf
from secrets import token_hex

from sqlalchemy import CheckConstraint, Dialect, LargeBinary, String, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from app.core.databases.interface import Base, CompiledQuery, Database, compile_query
from app.core.databases.prepared import Prepared

EPOCH_LENGTH = 6
#: For how long a process takes the epoch for what it was, where it does not read it with the data.
EPOCH_CACHE_SECONDS = 1.0


class Installation(Base):
    """One row, made with the tables. The secret signs cursors; it protects nothing but itself.

    The epoch is random, and another one after each restore: versions and numbers of changes of
    before it can be those of other content now.
    """

    __tablename__ = "installation"
    __table_args__ = (CheckConstraint("id = 1", name="one_row"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    secret: Mapped[bytes] = mapped_column(LargeBinary(32))
    epoch: Mapped[str] = mapped_column(String(EPOCH_LENGTH))


_EPOCH = select(Installation.epoch)
_READ_EPOCH = Prepared(_EPOCH)


@cache
def _secret_statement(dialect: Dialect) -> CompiledQuery:
    return compile_query(select(Installation.secret), dialect)


@cache
def _epoch_statement(dialect: Dialect) -> CompiledQuery:
    return compile_query(_EPOCH, dialect)


async def secret_of(database: Database) -> bytes:
    """The installation's secret, 32 bytes."""
    ((secret,),) = await database.read(_secret_statement(database.dialect), {}, point_lookup=True)
    return bytes(secret)


def new_epoch() -> str:
    """An epoch that no database has had."""
    return token_hex(EPOCH_LENGTH // 2)


def epoch_within(session: Session) -> str:
    """The epoch of the database as the transaction sees it."""
    ((epoch,),) = _READ_EPOCH.rows(session, {})
    return str(epoch)


class CurrentEpoch:
    """The epoch of a database that is served, at most `EPOCH_CACHE_SECONDS` old."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._epoch, self._read_at = "", -inf

    async def get(self) -> str:
        """The epoch; asked for once a second it costs nothing."""
        moment = time.monotonic()
        if moment - self._read_at > EPOCH_CACHE_SECONDS:
            statement = _epoch_statement(self._database.dialect)
            ((self._epoch,),) = await self._database.read(statement, {}, point_lookup=True)
            self._read_at = moment
        return self._epoch
