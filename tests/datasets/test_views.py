"""The views of datasets: in the database what /datasets shows whoever has no key."""

import re
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest
from fastapi import FastAPI
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection

from app.commands.check import run as check
from app.commands.connection import engine_run
from app.commands.migrate import changing_run, migrate
from app.commands.views import DICTIONARY, _written
from app.core import json_codec
from app.core.databases.types import instant_text
from app.datasets.columns import ALL_DATASETS, columns
from app.datasets.views import outdated_views, view_name
from tests.drawing import drawing
from tests.examples import create
from tests.insights.deals import Deals
from tests.insights.drawn_deals import entered, sets

PATCH = {"Content-Type": "application/merge-patch+json"}
ONE = {
    "title": "One",
    "instrument": "supply_contract",
    "parties": [{"description": "A buyer", "role": "buyer"}],
}
#: A number of more digits than the 15 that a float has.
LONG_NUMBER = re.compile(r"-?(?=[0-9.]{17})[0-9]+(\.[0-9]+)?")
Client = httpx.AsyncClient
Rows = list[dict[str, Any]]


async def _made(client: Client) -> None:
    """Records of every kind of secrecy, and one in the trash."""
    mission = await create(client, "missions", {"title": "A visit", "kind": "trade_fair"})
    # Other legal forms and sectors are called like these.
    alike = {"legal_form": "kz-jsc", "sectors": ["C10", "C27", "A01"]}
    named = {"name": "Алина", "country": "KZ", "kind": "company"}
    company = await create(client, "companies", named | alike)
    several: Rows = [
        {"amount": "12345678901.25", "currency": "USD", "sectors": ["C27", "A01"]},
        {"amount": "0.01", "currency": "KZT", "withheld": ["amount"]},
        {"amount": "5", "currency": "USD", "confidential": True},
        {"amount": "7", "currency": "EUR", "signed": "2016-04"},
    ]
    for fields in several:
        parties = [{"organization_id": company["id"], "role": "supplier", "share_percent": "12.5"}]
        record = {"mission_id": mission["id"], "title": "It's 100 %", "parties": parties, **fields}
        record |= {"instrument": "supply_contract", "targets": [{"measure": "jobs", "quantity": 3}]}
        made = await create(client, "agreements", record)
        await create(client, "outcomes", {"agreement_id": made["id"], "jobs": 3})
    assert (await client.delete(f"/agreements/{made['id']}")).is_success


def _plain(value: Any) -> Any:
    """A value of a view as the API writes it."""
    match value:
        case bool() | int() | None:
            return value
        case float() | Decimal():
            text = format(Decimal(str(value)), "f")
            return text.rstrip("0").rstrip(".") if "." in text else text
        case datetime():
            return instant_text(value)
        case date():
            return value.isoformat()
    return str(value)


async def _rows(url: str, sql: str) -> Rows:
    def read(connection: Connection) -> Rows:
        return [dict(row) for row in connection.exec_driver_sql(sql).mappings()]

    return await engine_run(url, read)


async def _told(app: FastAPI) -> dict[str, Rows]:
    """The rows of each dataset that whoever has no key is shown."""
    told: dict[str, Rows] = {}
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as anybody:
        for dataset in ALL_DATASETS:
            content = (await anybody.get(f"/datasets/{dataset.name}.ndjson")).content
            told[dataset.name] = [json_codec.loads(line) for line in content.splitlines()]
    return told


def _place(row: dict[str, Any]) -> list[Any]:
    """Where a row stands among those of its dataset."""
    first = row["seq"] if "seq" in row else row["id"]
    return [first, *(value for name, value in row.items() if name.endswith("position"))]


def _is_same(told: Any, shown: Any) -> bool:
    """Whether both are one; of a long number SQLite's views have what a float can hold."""
    if told == shown or not (isinstance(told, str) and isinstance(shown, str)):
        return bool(told == shown)
    return bool(LONG_NUMBER.fullmatch(shown)) and float(told) == pytest.approx(
        float(shown), rel=1e-15
    )


def _differing(told: dict[str, Rows], rows_of: Callable[[str], Rows]) -> list[object]:
    """What views have otherwise than the datasets."""
    wrong: list[object] = []
    for name, expected in told.items():
        shown = sorted(
            [{column: _plain(v) for column, v in row.items()} for row in rows_of(f"bi_{name}")],
            key=_place,
        )
        if len(expected) != len(shown):
            wrong.append((name, len(expected), len(shown)))
        for one, other in zip(expected, shown, strict=False):
            names = [n for n in {**one, **other} if not _is_same(one.get(n), other.get(n))]
            wrong += [(name, n, one.get(n), other.get(n)) for n in names]
    return wrong


async def test_views_and_their_file_have_the_rows_that_datasets_show_whoever_has_no_key(
    fresh: Client, fresh_app: FastAPI, fresh_url: str, tmp_path: Path
) -> None:
    await _made(fresh)
    told = await _told(fresh_app)
    assert all(told[name] for name in ("agreements", "targets", "outcomes", "mission_totals"))

    def differing(connection: Connection) -> list[object]:
        def rows_of(view: str) -> Rows:
            found = connection.exec_driver_sql(f"SELECT * FROM {view}").mappings()
            return [dict(row) for row in found]

        return _differing(told, rows_of)

    assert await engine_run(fresh_url, differing) == []
    file = tmp_path / "views.db"
    # A second time in place of the first, whose readers keep their right to read it.
    await _written(fresh_url, file)
    file.chmod(0o644)
    assert " 0 mission" not in await _written(fresh_url, file)
    assert file.stat().st_mode & 0o777 == 0o644
    with closing(sqlite3.connect(file)) as reading:
        reading.row_factory = sqlite3.Row

        def in_file(view: str) -> Rows:
            return [dict(row) for row in reading.execute(f"SELECT * FROM {view}")]

        assert _differing(told, in_file) == []
        made = {row[0] for row in reading.execute("SELECT name FROM sqlite_master")}
        assert made == {DICTIONARY, *map(view_name, ALL_DATASETS)}
        described = reading.execute(f"SELECT count(*) FROM {DICTIONARY}").fetchone()[0]
        assert described == sum(1 + len(columns(dataset)) for dataset in ALL_DATASETS)


async def test_a_file_that_views_did_not_write_is_left_as_it_is(
    fresh_url: str, tmp_path: Path
) -> None:
    url, tmp_path = fresh_url, tmp_path / "files"
    tmp_path.mkdir()
    other, broken = tmp_path / "other.db", tmp_path / "letter.txt"
    with closing(sqlite3.connect(other)) as writing:
        writing.execute("CREATE TABLE api_key (id)")
    broken.write_text("Dear Sir,")
    before = [path.read_bytes() for path in (other, broken)]
    for path in (other, broken):
        with pytest.raises(RuntimeError, match=r"did not write it\. Choose another name"):
            await _written(url, path)
    for path, says in ((tmp_path, "is a folder"), (tmp_path / "no" / "views.db", "No such file")):
        with pytest.raises(RuntimeError, match=says):
            await _written(url, path)
    assert [path.read_bytes() for path in (other, broken)] == before
    assert {path.name for path in tmp_path.iterdir()} == {"other.db", "letter.txt"}


async def test_views_that_another_version_made_are_told_and_made_anew(fresh_url: str) -> None:
    def change(connection: Connection) -> None:
        connection.exec_driver_sql("DROP VIEW bi_missions")
        connection.exec_driver_sql("DROP VIEW bi_claims")
        connection.exec_driver_sql("CREATE VIEW bi_claims AS SELECT 1 AS id")
        connection.exec_driver_sql("CREATE VIEW bi_of_old AS SELECT 1 AS id")

    await changing_run(fresh_url, change)
    assert await check(fresh_url) == [
        f"the view {name} is not what the program declares. Run: trade-missions migrate"
        for name in ("bi_claims", "bi_missions", "bi_of_old")
    ]
    assert await migrate(fresh_url)
    assert await engine_run(fresh_url, outdated_views) == []
    assert await migrate(fresh_url) is False


async def test_the_role_for_dashboards_reads_the_views_and_nothing_else(role: Any) -> None:
    reading, _, _ = role
    tables = """
        SELECT relname, has_table_privilege(oid, 'SELECT') AS reads,
          has_table_privilege(oid, 'INSERT, UPDATE, DELETE, TRUNCATE') AS writes FROM pg_class
        WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'v', 'm', 'S', 'p')
    """
    found = await reading.fetch(tables)
    assert {row["relname"] for row in found if row["reads"]} == set(map(view_name, ALL_DATASETS))
    assert not [row["relname"] for row in found if row["writes"]]
    for sql in ("SELECT 1 FROM agreement", "CREATE TABLE mine (id INTEGER)", "TABLE api_key"):
        with pytest.raises(asyncpg.PostgresError, match=r"permission denied|read-only"):
            await reading.execute(sql)
    assert await reading.fetchval("SELECT count(*) FROM bi_agreements") > 0


async def test_a_condition_of_a_reader_is_not_run_on_rows_that_the_view_hides(
    role: Any, fresh: Client
) -> None:
    """A function of the reader's own, or an error that tells a value, would show them."""
    reading, _, _ = role
    await create(
        fresh,
        "agreements",
        {**ONE, "title": "Secret", "confidential": True},
    )
    told: list[str] = []
    reading.add_log_listener(lambda connection, message: told.append(str(message)))
    await reading.execute("SET default_transaction_read_only = off")
    await reading.execute("""
        CREATE FUNCTION pg_temp.tell(text) RETURNS boolean LANGUAGE plpgsql COST 0.0000001 AS
        'BEGIN RAISE NOTICE ''%'', $1; RETURN true; END'
    """)
    await reading.fetch("SELECT id FROM bi_agreements WHERE pg_temp.tell(title)")
    assert told
    assert "Secret" not in "".join(told)


async def test_a_migration_leaves_the_readers_of_views_their_rights(
    role: Any, fresh_url: str
) -> None:
    reading, owner, name = role
    await owner.execute("DROP VIEW bi_claims")
    await owner.execute(f"REVOKE SELECT ON bi_targets FROM {name}")
    assert await migrate(fresh_url)
    may = "SELECT has_table_privilege($1, $2, 'SELECT')"
    assert await reading.fetchval("SELECT count(*) FROM bi_missions") == 1
    assert await owner.fetchval(may, name, "bi_agreements")
    assert not await owner.fetchval(may, name, "bi_targets")


#: An amount, and what makes it count for less, for more or for somebody else.
MONEY = st.fixed_dictionaries(
    {
        "amount": st.decimals(min_value=0, max_value=10**10, places=2).map(str),
        "currency": st.sampled_from(["USD", "KZT"]),
        "amount_bound": st.sampled_from(["exact", "at_least", "approximately"]),
        "amount_period": st.sampled_from([None, "per_year"]),
        "instrument": st.sampled_from(["supply_contract", "memorandum_of_understanding"]),
        "stands_for": st.sampled_from([1, 3]),
    },
    optional={"withheld": st.just(["amount"]), "confidential": st.just(True)},
)


@settings(
    max_examples=3, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(several=st.lists(MONEY, min_size=2, max_size=4))
async def test_sums_of_the_views_are_those_of_the_api(
    fresh: Client, fresh_app: FastAPI, fresh_url: str, several: Rows
) -> None:
    mission = await create(fresh, "missions", {"title": "A visit", "kind": "trade_fair"})
    whole: list[str] = []
    for money in several:
        fields = {**ONE, **money, "mission_id": mission["id"]}
        fields["related"] = [{"agreement_id": one, "relation": "part_of"} for one in whole[:1]]
        whole.append((await create(fresh, "agreements", fields))["id"])
    where = f"WHERE mission_id = '{mission['id']}'"
    sql = (
        f"SELECT currency, count(*) AS n, count(amount) AS m FROM bi_agreements {where} GROUP BY 1"
    )
    counts = {tuple(row.values()) for row in await _rows(fresh_url, sql)}
    sums = await _rows(fresh_url, f"SELECT * FROM bi_mission_totals {where}")
    transport = httpx.ASGITransport(fresh_app)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as anybody:
        query = {"group_by": "currency", "metrics": "count(id),count(amount)"}
        query |= {"mission_id": mission["id"]}
        groups = (await anybody.get("/agreements/aggregate", params=query)).json()["data"]
        answer = await anybody.get(f"/missions/{mission['id']}/summary")
    assert counts == {(g["currency"], g["count_id"], g["count_amount"]) for g in groups}
    totals = json_codec.loads(answer.content)["totals"]
    assert [_figures(row) for row in _in_order(sums)] == [_figures(t) for t in _in_order(totals)]


@drawing(2)
@given(drawn=sets())
async def test_sums_over_all_missions_are_the_same_by_rows_of_agreements_and_by_totals(
    fresh: Client, fresh_app: FastAPI, fresh_url: str, drawn: Deals
) -> None:
    """Of missions whose deals are parts of those of others, and of what belongs to none."""
    await entered(fresh, drawn)
    told = {"totals": (await _told(fresh_app))["totals"]}
    views = await _rows(fresh_url, "SELECT * FROM bi_totals")
    assert _differing(told, lambda view: views) == []
    by_rows = await _rows(
        fresh_url,
        """SELECT currency, firmness, CASE amount_period WHEN 'per_year' THEN 'year' END AS per,
        sum(stands_for) AS agreements, sum(amount) AS amount FROM bi_agreements
        WHERE left_out IS NULL AND amount IS NOT NULL GROUP BY 1, 2, 3""",
    )
    expected = _in_order([row for row in views if row["agreements"]])
    # Numbers of SQLite's views are floats: a sum of them is the exact one but for its last digits.
    assert [_sum(row, float(row["amount"])) for row in _in_order(by_rows)] == [
        _sum(row, pytest.approx(float(row["amount"]), rel=1e-12)) for row in expected
    ]


def _sum(row: dict[str, Any], amount: Any) -> list[Any]:
    return [*(row[name] for name in ("currency", "firmness", "per", "agreements")), amount]


def _in_order(rows: Rows) -> Rows:
    return sorted(rows, key=lambda row: [row["currency"], row["firmness"], row["per"] or ""])


def _figures(row: dict[str, Any]) -> list[Any]:
    named = ("currency", "firmness", "per", "agreements", "not_exact", "left_out")
    amounts = (row[name] for name in ("amount", "at_least", "at_most"))
    return [*(row[n] for n in named), *(a if a is None else _plain(float(a)) for a in amounts)]
