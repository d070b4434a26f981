"""The many side as files: a row for each part in a list of each record, such as its parties."""

import csv
import io
from typing import Any

import httpx
import pyarrow.parquet as parquet

from app.api import RESOURCES
from app.core import json_codec
from app.engine.labels import LANGUAGES
from app.engine.resource import Embedded, Resource
from app.rest.exports import FORMATS, address_of
from tests.core.sheets.tables import read
from tests.examples import create, inn

Client = httpx.AsyncClient

PARTS = [(resource, name) for resource in RESOURCES for name in resource.embedded]


def _address(resource: Resource, name: str) -> str:
    return f"/{resource.path}/{address_of(name)}"


async def _file(client: Client, address: str, **query: Any) -> bytes:
    answer = await client.get(address, params=query)
    assert answer.status_code == 200, (address, answer.text)
    return answer.content


async def _csv(client: Client, address: str, **query: Any) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO((await _file(client, address, **query)).decode())))


async def _lines(client: Client, address: str, **query: Any) -> list[dict[str, Any]]:
    content = await _file(client, address, **query)
    return [json_codec.loads(line) for line in content.splitlines()]


def _rows(content: bytes, kind: str) -> list[dict[str, Any]]:
    if kind == "parquet":
        found: list[dict[str, Any]] = parquet.read_table(io.BytesIO(content)).to_pylist()
        return found
    return [cells for _, cells in read(content, kind)]


async def _deals(client: Client, ref: str) -> None:
    """Records with two rows in every list that a record can have."""
    company = {"kind": "company", "country": "KZ", "legal_form": "kz-llp"}
    numbers = [{"scheme": "ru_inn", "value": inn()} for _ in range(2)]
    for letter, identifiers in (("a", numbers), ("b", [])):
        body: dict[str, Any] = {
            "ref": f"{ref}-{letter}",
            "name": f"Zhana, {letter}",
            "identifiers": identifiers,
        }
        await create(client, "organizations", {**company, **body})
    stops = [{"country": "RU", "city": "Omsk", "dates": "2016-04"}, {"city": "Tomsk"}]
    mission: dict[str, Any] = {"ref": ref, "title": "A", "kind": "trade_fair", "stops": stops}
    await create(client, "missions", mission)
    agreement: dict[str, Any] = {
        "ref": f"{ref}-1",
        "title": "First",
        "instrument": "supply_contract",
    }
    agreement |= {"mission": {"ref": ref}, "amount": "7.50", "currency": "USD"}
    parties = [
        {"role": "supplier", "organization": {"ref": f"{ref}-a"}, "share_percent": "12.5"},
        {"role": "buyer", "description": '=a "buyer", not named'},
    ]
    await create(client, "agreements", {**agreement, "parties": parties})
    targets = [{"measure": "jobs", "quantity": 20}, {"measure": "output", "quantity": 3}]
    targets[1] |= {"unit": "tonne", "per": "year", "due": "../2020"}
    related = [
        {"agreement": {"ref": f"{ref}-1"}, "relation": "part_of"},
        {"agreement": {"ref": f"{ref}-1"}, "relation": "follows"},
    ]
    years = [{"year": 2016, "amount": "1.25"}, {"year": 2017, "amount": 6}]
    lists = {"targets": targets, "related": related, "amount_by_year": years}
    second = {**agreement, "ref": f"{ref}-2", "title": "Second", "parties": parties[1:], **lists}
    await create(client, "agreements", second)
    achieved = {"agreement": {"ref": f"{ref}-2"}, "ref": ref, "achieved": [targets[0], targets[0]]}
    achieved["achieved"] = [targets[0], {k: v for k, v in targets[1].items() if k != "due"}]
    await create(client, "outcomes", achieved)
    for letter in ("a", "b", "c"):
        source: dict[str, Any] = {
            "ref": f"{ref}-{letter}",
            "publisher": "P",
            "title": f"Of {letter}",
        }
        if letter == "c":
            source |= {
                "based_on": [{"source": {"ref": f"{ref}-a"}}, {"source": {"ref": f"{ref}-b"}}]
            }
        await create(client, "sources", source)


def _expected(part: Embedded, name: str, shown: dict[str, Any]) -> dict[str, Any]:
    """What a row tells of a part, where the list shows it with all that it refers to."""
    row = {f"{name}.{field}": shown[field] for field in part.fields.model_fields}
    for relation in part.to_one:
        row |= {
            f"{name}.{relation}.{field}": (shown[relation] or {}).get(field)
            for field in ("ref", "name", "full_name", "title")
        }
    return row


async def _expected_rows(
    client: Client, resource: Resource, name: str, asked: dict[str, Any]
) -> list[dict[str, Any]]:
    """The rows that an export has of what the list of the kind shows."""
    part = resource.embedded[name]
    expand = ",".join(f"{name}.{relation}" for relation in part.to_one)
    query = asked | ({"expand": expand} if expand else {})
    shown = await client.get(f"/{resource.path}", params=query)
    return [
        {"id": r["id"], "ref": r["ref"], f"{name}.position": at, **_expected(part, name, each)}
        for r in json_codec.loads(shown.content)["data"]
        for at, each in enumerate(r[name])
    ]


async def test_every_list_of_a_record_is_exported_with_a_row_for_each_of_its_parts(
    client: Client,
) -> None:
    """Of which record it is and where in its list, all of the part, and what it refers to by id,
    ref and name; alike in every format."""
    await _deals(client, "flat")
    asked: dict[str, Any] = {"sort": "ref", "limit": 1000, "ref__startswith": "flat"}
    wrong: list[Any] = []
    for resource, name in PARTS:
        part, address = resource.embedded[name], _address(resource, name)
        wanted = await _expected_rows(client, resource, name, asked)
        lines = await _lines(client, f"{address}.ndjson", **asked)
        columns = list(lines[0]) if lines else []
        told = [{key: line[key] for key in columns if key in wanted[0]} for line in lines]
        if len(wanted) < 2 or told != [{key: row[key] for key in told[0]} for row in wanted]:
            wrong.append((address, told, wanted))
        named = {f"{name}.{field}" for field in ("position", *part.fields.model_fields)}
        named |= {f"{name}.{relation}.ref" for relation in part.to_one}
        # Of each that it refers to there is a name too, and of the record one at most.
        size = 2 + len(named) + len(part.to_one)
        if columns[:2] != ["id", "ref"] or not named <= {*columns} or len(columns) - size > 1:
            wrong.append((address, columns))
        for kind in ("csv", "xlsx", "parquet"):
            rows = _rows(await _file(client, f"{address}.{kind}", **asked), kind)
            if [list(row) for row in rows] != [columns] * len(lines):
                wrong.append((address, kind, rows))
            texts = [{k: None if v is None else str(v) for k, v in x.items()} for x in lines]
            if kind == "csv" and rows != texts:
                wrong.append((address, rows, texts))
    assert wrong == []
    assert len(PARTS) >= 9


async def test_filters_search_sort_and_trash_are_those_of_the_list(client: Client) -> None:
    await _deals(client, "sorted")
    chosen = {"mission": "sorted", "sort": "-title", "fields": "title,parties.role"}
    rows = await _csv(client, "/agreements/parties.csv", **chosen)
    assert [list(row.values()) for row in rows] == [
        ["Second", "buyer"],
        ["First", "supplier"],
        ["First", "buyer"],
    ]
    by_part = {"filter": "parties/any(p: p/role eq 'supplier')", "mission": "sorted"}
    assert len(await _csv(client, "/agreements/parties.csv", **by_part)) == 2
    assert len(await _csv(client, "/agreements/parties.csv", mission="sorted", limit=1)) == 1
    assert len(await _csv(client, "/agreements/parties.csv", mission="sorted", q="second")) == 1
    await client.delete("/agreements/sorted-1", headers={"If-Match": "*"})
    assert len(await _csv(client, "/agreements/parties.csv", mission="sorted")) == 1
    trash = {"mission": "sorted", "deleted": "only"}
    assert len(await _csv(client, "/agreements/parties.csv", **trash)) == 2
    companies = await _csv(client, "/companies/identifiers.csv", ref="sorted-a")
    assert companies == await _csv(client, "/organizations/identifiers.csv", ref="sorted-a")


async def test_fields_and_expand_choose_columns_of_the_record_of_the_part_and_beyond(
    client: Client,
) -> None:
    await _deals(client, "wide")
    asked = {"mission": "wide", "sort": "ref", "limit": 1}
    address = "/agreements/parties"
    fields = (
        "parties.position,mission.title,parties.organization,parties.organization.country,targets"
    )
    (row,) = await _lines(client, f"{address}.ndjson", fields=fields, **asked)
    assert row == {
        "parties.position": 0,
        "mission.title": "A",
        "parties.organization.name": "Zhana, a",
        "parties.organization.country": "KZ",
        "targets": [],
    }
    (alone,) = await _csv(client, f"{address}.csv", fields="parties.position", **asked)
    assert alone == {"parties.position": "0"}
    (part,) = await _csv(client, f"{address}.csv", fields="ref,parties", **asked)
    assert list(part)[:3] == ["ref", "parties.position", "parties.organization_id"]
    # More columns than one function of PostgreSQL takes values for.
    expand = "mission,event,parties.organization,parties.signed_by"
    (line,) = await _lines(client, f"{address}.ndjson", expand=expand, **asked)
    assert line["mission.ref"] == "wide"
    assert line["parties.organization.ref"] == "wide-a"
    (cells,) = await _csv(client, f"{address}.csv", expand=expand, **asked)
    assert list(cells) == list(line)
    assert len(line) > 80


async def test_labels_are_those_of_other_exports(client: Client) -> None:
    await _deals(client, "said")
    asked = {"mission": "said", "sort": "ref", "fields": "title,parties.role,parties.organization"}
    shown = {
        language: (await _csv(client, "/agreements/parties.csv", labels=language, **asked))[0]
        for language in LANGUAGES
    }
    assert shown["ru"] == {
        "Название": "First",
        "Стороны: Роль": "Поставщик",
        "Стороны: Организация: Название": "Zhana, a",
    }
    assert shown["en"]["Parties: Role"] == "Supplier"
    missing = []
    for resource, name in PARTS:
        header = (await _file(client, f"{_address(resource, name)}.csv", labels="ru")).decode()
        columns = header.partition("\r\n")[0].split(",")
        missing += [(name, c) for c in columns if c.rpartition(": ")[2].isascii() and "ID" not in c]
    assert missing == []


async def test_files_of_parts_are_asked_for_again_and_piece_by_piece_as_other_exports_are(
    client: Client,
) -> None:
    await _deals(client, "pieces")
    wrong: list[Any] = []
    for kind in FORMATS:
        address = f"/agreements/parties.{kind}?mission=pieces"
        whole = await client.get(address)
        expected = {
            "content-type": (await client.get(f"/people.{kind}")).headers["content-type"],
            "content-disposition": f'attachment; filename="agreements-parties.{kind}"',
        }
        told = {name: whole.headers[name] for name in expected}
        wrong += [] if told == expected else [(kind, told)]
        tag = whole.headers["etag"]
        again = await client.get(address, headers={"If-None-Match": tag})
        wrong += [] if again.status_code == 304 else [(kind, again.status_code)]
        head = await client.head(address)
        length = None if kind == "xlsx" else str(len(whole.content))
        wrong += [] if head.headers.get("content-length") == length else [(kind, head.headers)]
        if kind != "xlsx":
            piece = await client.get(address, headers={"Range": "bytes=3-9"})
            found = piece.status_code, piece.content
            wrong += [] if found == (206, whole.content[3:10]) else [(kind, found)]
    assert wrong == []


async def test_what_is_wrong_is_told(client: Client) -> None:
    cases = [
        ("/agreements/parties.pdf", 404, "write one of csv"),
        ("/agreements/partie.csv", 404, "/agreements/parties.csv"),
        ("/agreements/parties.csv?cursor=a", 400, "without pages"),
        ("/agreements/parties.csv?fields=parties.rol", 400, "Did you mean 'role'?"),
        ("/agreements/parties.csv?fields=citations", 400, "any number"),
        ("/agreements/parties.csv?fields=targets.unit", 400, "any number"),
        (
            "/agreements/parties.csv?fields=parties.organization.identifiers.value",
            400,
            "any number",
        ),
        ("/agreements/parties.csv?expand=parties.organization.identifiers", 400, "identifiers"),
        ("/agreements/parties.csv?expand=outcomes", 400, "any number"),
        ("/agreements/parties.ndjson?labels=ru", 400, "labels is of tables"),
        ("/agreements/parties.csv?sort=parties.role", 400, "sort"),
        ("/agreements/parties.csv?currency=TNG", 400, "KZT"),
    ]
    wrong = []
    for address, status, words in cases:
        answer = await client.get(address)
        if answer.status_code != status or words not in answer.text:
            wrong.append((address, answer.status_code, answer.json()["detail"]))
    assert wrong == []
