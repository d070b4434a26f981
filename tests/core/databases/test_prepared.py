"""Statements that are compiled once and given to the driver: they do as SQLAlchemy's do."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from fastapi import FastAPI
from sqlalchemy import bindparam, insert, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.api import RESOURCES
from app.core.databases.interface import Database
from app.core.databases.prepared import Prepared
from app.core.databases.types import uuid7
from app.engine.writes.records import find_record
from app.resources.code import Currency

INSERT = Prepared(insert(Currency.__table__), ["code", "en", "decimals", "aliases", "retired"])  # type: ignore[arg-type]
FIND = Prepared(select(Currency.code).where(Currency.code.like(bindparam("pattern"))))


@pytest.fixture
def database(fresh_app: FastAPI) -> Database:
    found = fresh_app.state.database
    assert isinstance(found, Database)
    return found


def currency(code: str) -> dict[str, Any]:
    return {"code": code, "en": code, "decimals": 2, "aliases": [], "retired": False}


async def codes(database: Database) -> set[str]:
    rows = await database.write(lambda session: FIND.rows(session, {"pattern": "ZZ_"}))
    return {code for (code,) in rows}


async def test_a_record_is_found_with_the_values_that_sqlalchemy_reads(database: Database) -> None:
    def compare(session: Session) -> list[str]:
        wrong, looked = [], 0
        for resource in RESOURCES:
            for known in session.scalars(select(resource.table).limit(20)):
                found = find_record(session, resource, "id", known.id)
                if found is None:
                    continue  # Another kind of the same table.
                looked += 1
                for name, value in found.__dict__.items():
                    if name in resource.embedded:
                        parts = resource.embedded[name].table.__table__.columns.keys()
                        theirs = [
                            {part: getattr(row, part) for part in parts}
                            for row in getattr(known, name)
                        ]
                        ours = [{part: getattr(row, part) for part in parts} for row in value]
                    elif not name.startswith("_"):
                        theirs, ours = getattr(known, name), value
                    else:
                        continue
                    if (ours, type(ours)) != (theirs, type(theirs)):
                        wrong.append(f"{resource.name}.{name}: {ours!r}, {theirs!r}")
        assert looked > 40
        return wrong

    wrong = await database.write(compare)
    assert not wrong, "\n".join(wrong)


async def test_what_a_database_refuses_is_the_error_that_sqlalchemy_raises(
    database: Database,
) -> None:
    with pytest.raises(IntegrityError) as one:
        await database.write(lambda session: INSERT.run(session, currency("KZT")))
    with pytest.raises(IntegrityError) as many:
        await database.write(lambda session: INSERT.run_many(session, [currency("KZT")]))
    for told in (one, many):
        # The values are users' and have no place in a log.
        assert "KZT" not in str(told.value).partition("DETAIL")[0]


def refusing(*, nested: bool, sqlalchemy_first: bool) -> Callable[[Session], None]:
    """A write whose middle is refused, by a rule that it goes on after, or altogether."""

    def work(session: Session) -> None:
        INSERT.run(session, currency("ZZA"))
        if nested:
            with suppress(LookupError), session.begin_nested():
                if sqlalchemy_first:
                    session.execute(insert(Currency), [currency("ZZB")])
                INSERT.run(session, currency("ZZC"))
                raise LookupError
        else:
            if sqlalchemy_first:
                session.execute(insert(Currency), [currency("ZZD")])
            INSERT.run(session, currency("ZZE"))
            raise LookupError
        INSERT.run(session, currency("ZZF"))

    return work


@pytest.mark.parametrize("sqlalchemy_first", [False, True])
async def test_what_is_undone_is_undone_whichever_way_it_was_written(
    database: Database, sqlalchemy_first: bool
) -> None:
    with pytest.raises(LookupError):
        await database.write(refusing(nested=False, sqlalchemy_first=sqlalchemy_first))
    assert await codes(database) == set()
    await database.write(refusing(nested=True, sqlalchemy_first=sqlalchemy_first))
    assert await codes(database) == {"ZZA", "ZZF"}


async def test_a_statement_without_rows_finds_none(database: Database) -> None:
    missing = Prepared(
        select(Currency.code, Currency.decimals).where(Currency.code == bindparam("code"))
    )
    found = await database.write(lambda session: missing.mappings(session, {"code": str(uuid7())}))
    assert found == []
    await database.write(lambda session: INSERT.run_many(session, ()))
