"""Files of exchange rates through the API: kept as published, one change for each file."""

import time
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import httpx

from tests.core.rate_files import samples
from tests.core.rate_files.samples import zipped

CSV, XML = "text/csv", "application/xml"
ZIP, ANY = "application/zip", "application/octet-stream"


async def import_rates(
    client: httpx.AsyncClient, content: bytes, kind: str = CSV, **query: str
) -> httpx.Response:
    address = "/exchange-rates/import"
    headers = {"Content-Type": kind}
    return await client.post(address, content=content, params=query, headers=headers)


def told(answer: httpx.Response) -> tuple[Any, ...]:
    """Of an answer: added, corrected, unchanged, the format and the provider."""
    assert answer.status_code == 200, answer.text
    body = answer.json()
    names = ("created", "updated", "unchanged", "format", "provider")
    return tuple(body[name] for name in names)


async def rates_of(client: httpx.AsyncClient, **query: Any) -> list[dict[str, Any]]:
    found = await client.get(
        "/exchange-rates", params={"limit": 100, "sort": "date,quote", **query}
    )
    assert found.status_code == 200, found.text
    data: list[dict[str, Any]] = found.json()["data"]
    return data


async def newest(client: httpx.AsyncClient) -> int:
    """The number of the newest change."""
    page = (await client.get("/changes?limit=1000")).json()["data"]
    return int(page[-1]["seq"])


async def changes_since(client: httpx.AsyncClient, seq: int) -> list[dict[str, Any]]:
    data: list[dict[str, Any]] = (await client.get(f"/changes?since={seq}")).json()["data"]
    return data


async def test_a_file_is_found_for_what_it_is_and_stored_as_published(
    fresh: httpx.AsyncClient,
) -> None:
    cases = [
        (samples.ECB_CSV, CSV, {}, (8, 0, 0, "ecb_csv", "ECB")),
        (zipped(samples.ECB_CSV), ZIP, {}, (0, 0, 8, "ecb_csv", "ECB")),
        (samples.ECB_XML, ANY, {}, (0, 0, 2, "ecb_xml", "ECB")),
        (samples.NBK_DAILY, XML, {}, (2, 0, 0, "nbk_daily", "NBK")),
        (samples.PLAIN, CSV, {"provider": "nbk"}, (0, 0, 2, "plain_csv", "NBK")),
        (samples.CBR_DAILY, f"{XML}; charset=windows-1251", {}, (2, 0, 0, "cbr_daily", "CBR")),
        (samples.CBR_DYNAMIC, "text/xml", {}, (2, 0, 0, "cbr_dynamic", "CBR")),
        (samples.PLAIN, CSV, {"provider": "A", "quote": "RUB"}, (2, 0, 0, "plain_csv", "A")),
    ]
    found = [
        told(await import_rates(fresh, content, kind, **query)) for content, kind, query, _ in cases
    ]
    assert found == [expected for *_, expected in cases]
    (rial,) = await rates_of(fresh, base="IRR", provider="NBK")
    assert (rial["rate"], rial["unit"], rial["quote"]) == (11.7, 1000, "KZT")


async def test_a_file_is_one_change_and_none_when_all_was_there(fresh: httpx.AsyncClient) -> None:
    before = await newest(fresh)
    first = (await import_rates(fresh, samples.ECB_CSV)).json()
    again = (await import_rates(fresh, samples.ECB_CSV)).json()
    (change,) = await changes_since(fresh, before)
    assert (change["action"], change["kind"], change["version"]) == ("import", "exchange_rate", 1)
    assert change["record_id"] == first["import_id"]
    assert again["import_id"] is None
    assert {name: new for name, (old, new) in change["changes"].items()} == {
        "format": "ecb_csv",
        "provider": "ECB",
        "rates": 8,
        "first_date": "2022-02-28",
        "last_date": "2022-03-02",
        "added": 8,
        "corrected": 0,
        "unchanged": 0,
    }
    brought = await rates_of(fresh, import_id=first["import_id"])
    assert len(brought) == 8
    day = brought[0]["id"]
    assert (await fresh.get(f"/exchange-rates/{day}?as_of={brought[0]['created_at']}")).json() == (
        await fresh.get(f"/exchange-rates/{day}")
    ).json()


async def test_a_corrected_rate_takes_the_place_of_the_former_which_is_in_the_trash(
    fresh: httpx.AsyncClient,
) -> None:
    await import_rates(fresh, samples.ECB_CSV)
    (former,) = await rates_of(fresh, date="2022-03-01", quote="RUB")
    corrected = samples.ECB_CSV.replace(b"117.201", b"117.202")
    before = await newest(fresh)
    answer = await import_rates(fresh, corrected)
    assert told(answer) == (0, 1, 7, "ecb_csv", "ECB")
    (change,) = await changes_since(fresh, before)
    assert change["changes"]["corrected"] == [None, 1]
    (now,) = await rates_of(fresh, date="2022-03-01", quote="RUB")
    assert (now["rate"], now["import_id"]) == (117.202, answer.json()["import_id"])
    then = await fresh.get(f"/exchange-rates/{former['id']}?deleted=include")
    assert (then.json()["rate"], then.json()["version"]) == (117.201, 2)
    assert then.json()["deleted_at"] == now["created_at"]
    as_it_was = await fresh.get(f"/exchange-rates/{former['id']}?as_of={former['created_at']}")
    assert as_it_was.json() == former


async def test_nothing_is_stored_of_a_dry_run_or_of_a_file_that_is_wrong(
    fresh: httpx.AsyncClient,
) -> None:
    twice = b"currency,date,rate\nUSD,2022-03-01,495.12\nUSD,2022-03-01,495.13\n"
    unknown = b"currency,date,rate\nUSD,2022-03-01,495.12\nUDS,2022-03-01,495.12\n"
    cases = [
        (samples.ECB_CSV + b"2022-02-27,x,1,1,\n", CSV, {}, "'x' is no rate", 5),
        (twice, CSV, {"provider": "NBK"}, "The file has two rates of USD in KZT on 2022-03-01", 3),
        (unknown, CSV, {"provider": "NBK"}, "UDS is no currency of GET /codes/currencies", 3),
        (b"currency,date,rate\nKZT,2022-03-01,1\n", CSV, {"provider": "NBK"}, "in itself", 2),
        (b"<a/>", XML, {}, "This is no file of exchange rates that is known", None),
        (b"Date,USD,\n", CSV, {}, "The file has no rates.", None),
    ]
    before = await newest(fresh)
    dry = await import_rates(fresh, samples.ECB_CSV, dry_run="true")
    assert told(dry) == (8, 0, 0, "ecb_csv", "ECB")
    wrong = []
    for content, kind, query, detail, row in cases:
        answer = await import_rates(fresh, content, kind, **query)
        error = answer.json()["errors"][0]
        if (answer.status_code, error.get("row")) != (422, row) or detail not in error["detail"]:
            wrong.append((detail, answer.json()))
    assert wrong == []
    assert await rates_of(fresh) == []
    assert await newest(fresh) == before


async def test_currencies_that_no_code_list_has_are_left_out_and_told(
    fresh: httpx.AsyncClient,
) -> None:
    answer = await import_rates(fresh, samples.ECB_CSV.replace(b"JPY", b"QQQ"))
    assert told(answer) == (5, 0, 0, "ecb_csv", "ECB")
    (left_out,) = answer.json()["left_out"]
    assert (left_out["column"], left_out["code"]) == ("QQQ", "unknown_currency")
    assert "3 rates of QQQ" in left_out["detail"]


async def test_a_sheet_with_a_column_a_field_is_read_as_with_other_kinds(
    fresh: httpx.AsyncClient,
) -> None:
    table = b"base,quote,rate,unit,date,provider\nUSD,KZT,495.12,1,2022-03-01,NBK\n"
    assert told(await import_rates(fresh, table)) == (1, 0, 0, "records", None)
    export = (await fresh.get("/exchange-rates.csv")).content
    assert told(await import_rates(fresh, export)) == (0, 0, 1, "records", None)
    (rate,) = await rates_of(fresh)
    assert rate["import_id"] is None
    # One that was entered by itself is corrected by a file as any other.
    assert told(await import_rates(fresh, samples.NBK_DAILY, XML)) == (1, 0, 1, "nbk_daily", "NBK")


async def test_a_request_that_is_repeated_gets_its_first_answer(fresh: httpx.AsyncClient) -> None:
    headers = {"Content-Type": CSV, "Idempotency-Key": str(uuid4())}
    answers = [
        await fresh.post("/exchange-rates/import", content=samples.ECB_CSV, headers=headers)
        for _ in range(2)
    ]
    assert answers[0].json() == answers[1].json()
    assert answers[1].headers["Idempotency-Replayed"] == "true"


def _history(days: int) -> Iterator[bytes]:
    """A file as long as a bank's history, of invented rates, the newest day first."""
    codes = ["USD", "JPY", "CZK", "DKK", "GBP", "HUF", "PLN", "SEK", "CHF", "NOK"]
    yield ("Date," + ",".join(codes) + ",\n").encode()
    for n in range(days, 0, -1):
        cells = ",".join(f"{1 + n / 10_000:.4f}" for _ in codes)
        yield f"{1990 + n // 336}-{n // 28 % 12 + 1:02}-{n % 28 + 1:02},{cells},\n".encode()


async def test_a_file_of_ten_times_as_many_rates_takes_some_ten_times_as_long(
    fresh: httpx.AsyncClient,
) -> None:
    """There are 280,000 in the longest file that is published."""
    seconds: list[float] = []
    for days, created, unchanged in ((50, 500, 0), (500, 4500, 500), (500, 0, 5000)):
        content = b"".join(_history(days))
        begin = time.process_time()
        answer = told(await import_rates(fresh, content))
        seconds.append(time.process_time() - begin)
        assert answer == (created, 0, unchanged, "ecb_csv", "ECB")
    few, many, again = seconds
    assert max(many, again) < 40 * few


async def test_a_rate_is_of_a_day_that_rates_are_published_of(client: httpx.AsyncClient) -> None:
    wrong = {}
    days = {"0001-01-01": 422, "1899-12-31": 422, "1900-01-01": 201, "9999-12-31": 422}
    for day, status in days.items():
        rate = {"base": "USD", "quote": "RUB", "rate": 5, "date": day, "provider": "A bank"}
        answer = await client.post("/exchange-rates?dry_run=true", json=rate)
        told = "" if status == 201 else answer.json()["errors"][0]["detail"]
        if answer.status_code != status or (told and "lie between 1900-01-01 and" not in told):
            wrong[day] = answer.text
    assert wrong == {}
