"""A mission of thirty deals goes from a report and a sheet into the database in few calls."""

from dataclasses import dataclass, field
from typing import Any

import httpx

from tests.missions.ways import PLAIN, send_good

TEXT = (
    "Тридцать сделок заключила делегация области в Оше 5 июня 2023 года. Глава делегации назвал"
    " сумму: более 90 млн долларов; палата говорит о 75 млн. Двое подписали первый договор."
)
KINDS = ("Договор поставки", "Меморандум", "Договор оказания услуг")
CITED = {"source": {"ref": "osh-text"}, "quote": "Тридцать сделок"}
MISSION: dict[str, Any] = {
    "ref": "osh",
    "title": "Делегация области в Оше",
    "kind": "outward_mission",
    "stops": [{"country": "KG", "city": "Ош", "dates": "2023-06-05"}],
    "citations": [CITED],
    "delegates": [
        {
            "description": "глава делегации",
            "side": "delegation",
            "capacity": "head_of_delegation",
        }
    ],
    "reported_totals": [
        {"measure": "agreements", "value": 30, "citations": [CITED | {"field": "/value"}]},
        {
            "measure": "amount",
            "value": 90_000_000,
            "currency": "USD",
            "bound": "more_than",
            "citations": [{"source": {"ref": "osh-text"}, "quote": "более 90 млн долларов"}],
        },
        {
            "measure": "amount",
            "value": 75_000_000,
            "currency": "USD",
            "claimed_by": {"kind": "chamber_of_commerce", "name": "Ошская палата (вымышлена)"},
        },
    ],
}


def sheet() -> bytes:
    """Thirty deals as people keep them: numbered, with a row of totals, in two currencies."""
    rows = ["№;Ref;Миссия;Вид;Поставщик;Покупатель;Дата подписания;Сумма;Отрасль"]
    for n in range(1, 31):
        amount = ("1,5 млн долл.", "", "250 тыс. USD")[n % 3]
        kind, buyer = KINDS[n % 3], f"ОсОО «Ошский покупатель {n % 7}»"
        rows.append(
            f"{n};osh-{n};osh;{kind};ТОО «Караван {n}»;{buyer};5 июня 2023 г.;{amount};"
            "Производство пищевых продуктов"
        )
    return "\n".join([*rows, ";;;;;;Итого;17,5 млн долл.;"]).encode()


@dataclass
class Calls:
    """Each request and answer of a client."""

    seen: list[httpx.Response] = field(default_factory=list)

    async def note(self, answer: httpx.Response) -> None:
        await answer.aread()
        self.seen.append(answer)


async def test_thirty_deals_are_entered_in_under_thirty_calls_without_looking_for_an_id(
    client: httpx.AsyncClient,
) -> None:
    calls = Calls()
    client.event_hooks["response"].append(calls.note)
    source = {"ref": "osh-text", "publisher": "Областная газета", "title": "Сделки (вымышлены)"}
    await send_good(client, "/sources", json=source)
    await send_good(client, "/sources/osh-text/text", "PUT", content=TEXT.encode(), headers=PLAIN)
    await send_good(client, "/missions", json=MISSION)
    address = "/agreements/import?create_missing=true"
    csv: dict[str, Any] = {"content": sheet(), "headers": {"Content-Type": "text/csv"}}
    tried = await send_good(client, f"{address}&dry_run=true", **csv)
    told = await send_good(client, address, **csv)
    # What only the report says of one of them.
    first = {
        "parties_complete": False,
        "targets": [{"measure": "jobs", "quantity": 12, "bound": "at_least"}],
        "citations": [{"source": {"ref": "osh-text"}, "quote": "Двое подписали первый договор"}],
    }
    await send_good(client, "/agreements/osh-1", "PATCH", json=first)
    entering = list(calls.seen)
    assert (tried["created"], told["created"], told["failed"]) == (30, 30, 0)
    assert [fault["code"] for fault in told["left_out"]] == ["column", "total"]
    assert len(told["related"]) == 37
    summary = await send_good(client, "/missions/osh/summary", "GET")
    assert summary["agreements"] == 30
    assert [(total["currency"], total["amount"]) for total in summary["totals"]] == [
        ("USD", 10 * 1_500_000 + 10 * 250_000)
    ]
    assert summary["undated"] == 0
    evidence = await send_good(client, "/missions/osh/evidence", "GET")
    assert sorted(each["quote"] for each in evidence["data"]) == sorted(
        ["Тридцать сделок"] * 2 + ["более 90 млн долларов", "Двое подписали первый договор"]
    )
    assert len(entering) < 30
    assert not [call.request.url for call in entering if call.request.method == "GET"]
    ids = {record["id"] for answer in entering for record in [answer.json()] if "id" in record}
    sent = "".join(str(call.request.url) + call.request.content.decode() for call in entering)
    assert not [each for each in ids if each in sent]
