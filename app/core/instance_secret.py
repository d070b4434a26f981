"""What belongs to one installation: its secret, which every process on the database shares."""

from functools import cache

from sqlalchemy import CheckConstraint, Dialect, LargeBinary, select
from sqlalchemy.orm import Mapped, mapped_column

from app.core.databases.interface import Base, CompiledQuery, Database, compile_query


class Installation(Base):
    """One row, made with the tables. The secret signs cursors; it protects nothing but itself."""

    __tablename__ = "installation"
    __table_args__ = (CheckConstraint("id = 1", name="one_row"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    secret: Mapped[bytes] = mapped_column(LargeBinary(32))


@cache
def _statement(dialect: Dialect) -> CompiledQuery:
    return compile_query(select(Installation.secret), dialect)


async def secret_of(database: Database) -> bytes:
    """The installation's secret, 32 bytes."""
    ((secret,),) = await database.read(_statement(database.dialect), {}, point_lookup=True)
    return bytes(secret)
