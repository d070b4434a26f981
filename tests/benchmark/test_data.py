"""What is measured on: the same on both databases, and none that is in use."""

import asyncio
import itertools
import json
from pathlib import Path

import httpx
import pytest

from app.benchmark import data
from app.benchmark.peers import bare_driver
from app.benchmark.peers.service import Service
from app.benchmark.whole_sets import figures_request


async def test_the_floor_asks_what_the_service_is_asked(
    fresh: httpx.AsyncClient, fresh_url: str
) -> None:
    """The same records by the service's own SQL; the same groups by SQL written by hand."""
    page = (await fresh.get(f"/agreements?status={data.LISTED}&sort=-amount")).json()["data"]
    figures = {
        group_by: (await fresh.get(_figures(group_by))).json() for group_by in bare_driver.BY_HAND
    }

    def compare() -> None:
        asked = data.read_data(fresh_url)
        assert list(asked.listed) == [data.normal_id(record["id"]) for record in page]
        with bare_driver.driver_of(fresh_url) as driver:
            sql, values = bare_driver.same_list(fresh_url)
            rows = driver.rows(sql, next(values))
            assert [json.loads(row[0]) for row in rows] == page
            sql, values = bare_driver.same_record(fresh_url, asked)
            for title in itertools.islice(asked.sample.values(), 2):
                assert json.loads(driver.rows(sql, next(values))[0][0])["title"] == title
            for group_by, sql in bare_driver.BY_HAND.items():
                found = sorted(row[2] for row in driver.rows(sql, ()))
                told = figures[group_by]["data"]
                assert found == sorted(group["count"] for group in told), group_by
            assert bare_driver.as_csv(driver)[0] == asked.agreements

    await asyncio.to_thread(compare)


def _figures(group_by: str) -> str:
    return figures_request(Service(1, "sqlite://", "key"), group_by).path


def test_a_database_in_use_is_not_measured_on(fresh_url: str) -> None:
    """Neither a file of SQLite, which is made for it, nor a server's database that has tables."""
    right = "file of SQLite is made" if fresh_url.startswith("sqlite") else "has tables already"
    with pytest.raises(RuntimeError, match=right):
        data.refuse_used(fresh_url)


async def test_the_peers_get_all_records_as_the_api_has_them(
    fresh: httpx.AsyncClient, fresh_url: str, tmp_path: Path
) -> None:
    files = await asyncio.to_thread(data.write_files, fresh_url, tmp_path)
    counts = {name: len(file.read_text().splitlines()) for name, file in files.items()}
    first = json.loads(files["agreement"].read_text().splitlines()[0])
    shown = (await fresh.get(f"/agreements/{first['id']}")).json()
    assert {name: shown[name] for name in ("title", "signed", "sectors")} == {
        name: first[name] for name in ("title", "signed", "sectors")
    }
    for name, path in (("agreement", "agreements"), ("mission", "missions")):
        listed = await fresh.get(f"/{path}?count=exact&limit=1")
        assert listed.json()["page"]["total"] == counts[name]
