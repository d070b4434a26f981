"""Exports with labels: readable to people, and taken back by imports."""

import csv
import io
from itertools import cycle
from typing import Any

import httpx

from app.api import RESOURCES
from tests.engine.imports.calls import send
from tests.examples import create

Client = httpx.AsyncClient


async def _csv(client: Client, address: str, **parameters: str) -> list[dict[str, str]]:
    answer = await client.get(address, params=parameters)
    assert answer.status_code == 200, answer.text
    return list(csv.DictReader(io.StringIO(answer.text)))


async def test_headers_and_codes_are_labels(client: Client) -> None:
    await create(
        client,
        "missions",
        {
            "ref": "labelled",
            "title": "A",
            "kind": "trade_fair",
            "host_country": "KZ",
            "sectors": ["F", "C10"],
        },
    )
    fields = "ref,kind,host_country,sectors,parent.title"
    shown = {
        language: (
            await _csv(client, "/missions.csv", ref="labelled", fields=fields, labels=language)
        )[0]
        for language in ("en", "ru", "kk")
    }
    assert shown["ru"] == {
        "Обозначение": "labelled",
        "Вид миссии": "Торговая выставка-ярмарка",
        "Принимающая страна": "Казахстан",
        "Отрасли": shown["ru"]["Отрасли"],
        "Входит в: Название": "",
    }
    assert len(shown["ru"]["Отрасли"].split("; ")) == 2
    assert shown["en"]["Host country"] == "Kazakhstan"
    assert shown["kk"]["Қабылдаушы ел"] == "Қазақстан"
    organization = {"kind": "company", "name": "A", "ref": "labelled-org", "is_named": True}
    await create(client, "organizations", organization)
    (row,) = await _csv(client, "/organizations.csv", ref="labelled-org", labels="ru")
    assert row["Названа в источнике"] == "да"
    for address, labels in (("/missions.ndjson", "ru"), ("/missions.csv", "de")):
        answer = await client.get(address, params={"labels": labels})
        assert answer.status_code == 400
        assert answer.json()["errors"][0]["parameter"] == "labels"


async def test_an_import_takes_back_what_an_export_with_labels_wrote(client: Client) -> None:
    """Of all kinds the rows are as they are; each language and format comes once in four."""
    wrong: list[Any] = []
    forms = cycle((("ru", "csv"), ("kk", "xlsx"), ("en", "csv"), ("ru", "xlsx"), ("kk", "csv")))
    for resource, (language, kind) in zip(RESOURCES, forms, strict=False):
        file = await client.get(f"/{resource.path}.{kind}", params={"labels": language})
        answer = await send(client, resource.path, file.content, kind)
        told = answer.json()
        if answer.status_code != 200 or told["created"] or told["updated"]:
            wrong.append((resource.path, language, kind, answer.text[:500]))
    assert wrong == []
