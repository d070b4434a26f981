"""Column types: what goes in comes out, on both databases, and JSON shows every digit."""

import time
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any
from uuid import RFC_4122, UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Dialect, Text, bindparam, select, type_coerce
from sqlalchemy.dialects import sqlite
from sqlalchemy.dialects.postgresql import asyncpg
from sqlalchemy.types import TypeEngine

from app.core import json_codec
from app.core.databases.interface import Database, compile_query
from app.core.databases.opening import open_database
from app.core.databases.types import (
    CodeList,
    Exact,
    Id,
    Instant,
    JsonText,
    instant_text,
    line_key,
    uuid7,
    uuid7_of,
)
from app.engine.query.operators import line_key as key_in_database
from app.engine.query.render import as_json, object_of
from tests.conftest import copy_of

DIALECTS: tuple[Dialect, ...] = (sqlite.dialect(), asyncpg.dialect())  # type: ignore[no-untyped-call]
#: What asyncpg calls a numeric; the other types do not look at it.
NUMERIC = 1700
over_dialects = pytest.mark.parametrize("dialect", DIALECTS, ids=lambda d: d.name)


# Ids


def test_a_uuid7_has_its_version_variant_and_time() -> None:
    before = time.time_ns() // 1_000_000
    made = uuid7()
    assert (made.version, made.variant) == (7, RFC_4122)
    assert before <= made.int >> 80 <= time.time_ns() // 1_000_000


@given(st.integers(0, 2**48 - 1), st.integers(0, 2**74 - 1))
def test_a_uuid7_keeps_its_time_and_its_noise(milliseconds: int, noise: int) -> None:
    made = uuid7_of(milliseconds, noise)
    assert (made.version, made.variant) == (7, RFC_4122)
    assert made.int >> 80 == milliseconds
    assert ((made.int >> 64) & 0xFFF) << 62 | made.int & (2**62 - 1) == noise


@given(st.integers(0, 2**48 - 2), st.integers(0, 2**74 - 1), st.integers(0, 2**74 - 1))
def test_later_uuid7s_sort_later(milliseconds: int, one: int, other: int) -> None:
    earlier, later = uuid7_of(milliseconds, one), uuid7_of(milliseconds + 1, other)
    assert earlier < later
    assert str(earlier) < str(later)


def test_uuid7s_made_at_once_differ() -> None:
    assert len({uuid7() for _ in range(10_000)}) == 10_000


# Moments


@pytest.mark.parametrize(
    ("moment", "text"),
    [
        (datetime(2016, 4, 12, 9, 30, tzinfo=UTC), "2016-04-12T09:30:00.000000Z"),
        (datetime(2016, 4, 12, 9, 30, 1, 5, tzinfo=UTC), "2016-04-12T09:30:01.000005Z"),
        (
            datetime(2016, 4, 12, 2, tzinfo=timezone(timedelta(hours=6))),
            "2016-04-11T20:00:00.000000Z",
        ),
        (datetime(1, 1, 1, tzinfo=UTC), "0001-01-01T00:00:00.000000Z"),
        (datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC), "9999-12-31T23:59:59.999999Z"),
    ],
)
def test_a_moment_is_written_in_one_way(moment: datetime, text: str) -> None:
    assert instant_text(moment) == text


@given(*[st.datetimes(timezones=st.just(UTC))] * 2)
def test_moments_sort_as_their_texts(one: datetime, other: datetime) -> None:
    assert (one < other) == (instant_text(one) < instant_text(other))
    assert datetime.fromisoformat(instant_text(one)) == one


# Through a dialect and back


def stored(kind: TypeEngine[Any], dialect: Dialect, value: Any) -> Any:
    """The value as the driver gets it, and read from there again."""
    there = kind.dialect_impl(dialect).bind_processor(dialect)
    back = kind.dialect_impl(dialect).result_processor(dialect, NUMERIC)
    given = there(value) if there else value
    return back(given) if back else given


@over_dialects
@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (Id(), UUID("0190b1de-0000-7000-8000-000000000000")),
        (Instant(), datetime(2016, 4, 12, 9, 30, 1, 5, tzinfo=UTC)),
        (Exact(18, 4), Decimal("-99999999999999.9999")),
        (Exact(18, 8), Decimal("0.00000001")),
        *((kind, None) for kind in (Id(), Instant(), Exact(18, 4), CodeList())),
    ],
    ids=repr,
)
def test_a_value_comes_back_from_the_driver(
    kind: TypeEngine[Any], value: Any, dialect: Dialect
) -> None:
    assert stored(kind, dialect, value) == value


def test_sqlite_stores_the_smallest_units() -> None:
    units = Exact(18, 4).process_bind_param(Decimal("12.3400"), DIALECTS[0])
    assert (units, type(units)) == (123400, int)


def test_a_column_of_more_digits_than_sqlite_holds_is_refused() -> None:
    with pytest.raises(ValueError, match="18 digits"):
        Exact(19, 4)


# Through a database


@pytest.fixture(scope="session")
async def database(template_url: str, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A database that these tests only read; the template itself cannot be copied while open."""
    async with copy_of(template_url, tmp_path_factory.mktemp("types")) as url:
        opened = open_database(url)
        await opened.start()
        yield opened
        await opened.stop()


async def shown(database: Database, kind: TypeEngine[Any], value: Any) -> str:
    """How a value of the type looks in JSON that the database writes."""
    column = type_coerce(bindparam("value", type_=kind), kind)
    rows = select(column.label("value")).subquery()
    statement = compile_query(select(object_of({"value": as_json(rows.c.value)})), database.dialect)
    ((text,),) = await database.read(statement, {"value": value})
    return str(text)


LIMITS = [
    Decimal(text)
    for text in (
        *(
            "0",
            "1",
            "-1",
            "0.5",
            "-0.5",
            "0.0001",
            "-0.0001",
            "10",
            "10.01",
            "-10.0100",
            "100.1000",
        ),
        *("99999999999999.9999", "-99999999999999.9999", "12345678901234.5678", "99999999999999"),
    )
]


async def test_an_exact_number_is_shown_with_its_digits(database: Database) -> None:
    for value in LIMITS:
        text = await shown(database, Exact(18, 4), value)
        digits = text.partition(":")[2].strip(" }")
        assert digits == json_codec.dumps(value).decode()
        assert json_codec.loads(text) == {"value": value}


async def test_null_is_null_of_every_type(database: Database) -> None:
    for kind in (Exact(18, 4), Id(), Instant(), CodeList(), JsonText()):
        assert json_codec.loads(await shown(database, kind, None)) == {"value": None}, kind


async def test_a_moment_and_an_id_are_shown_as_they_are_written(database: Database) -> None:
    moment = datetime(2016, 4, 12, 9, 30, 1, 5, tzinfo=UTC)
    text = await shown(database, Instant(), moment)
    assert json_codec.loads(text) == {"value": instant_text(moment)}
    made = uuid7()
    assert json_codec.loads(await shown(database, Id(), made)) == {"value": str(made)}


async def test_finished_json_keeps_its_digits(database: Database) -> None:
    text = await shown(database, JsonText(), '{"b":[99999999999999.9999,null],"a":"«»"}')
    assert json_codec.loads(text) == {
        "value": {"b": [Decimal("99999999999999.9999"), None], "a": "«»"}
    }


async def test_lines_are_compared_alike_in_python_and_by_the_database(database: Database) -> None:
    blanks = [chr(at) for at in range(1, 0x3001) if chr(at).isspace()]
    lines = ["İstanbul  ΤΟΥΣ", " i\u0307STANBUL τους ", *(f"A{blank} b" for blank in blanks)]
    asked = compile_query(
        select(key_in_database(bindparam("line", type_=Text()))), database.dialect
    )
    found = [(await database.read(asked, {"line": line}))[0][0] for line in lines]
    assert found == [line_key(line) for line in lines]
    assert found[:3] == ["istanbul τουσ", "istanbul τουσ", "a b"]
