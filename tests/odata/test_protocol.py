"""The protocol of OData 4.0: versions, forms, pages, conditions, errors."""

import xml.etree.ElementTree as ElementTree
from typing import Any

import httpx
import pytest

from app.api import RESOURCES
from app.core import json_codec
from app.datasets.columns import ALL_DATASETS
from app.rest import related
from tests.examples import create

Client = httpx.AsyncClient
JSON = "application/json"
EDM = "{http://docs.oasis-open.org/odata/ns/edm}"


async def _get(client: Client, address: str, **headers: str) -> httpx.Response:
    answer = await client.get(f"/odata{address}", headers=headers)
    assert answer.status_code == 200, (address, answer.text)
    return answer


async def test_metadata_is_xml_whatever_accept_says_and_names_types_that_there_are(
    client: Client,
) -> None:
    documents = {
        (await _get(client, "/$metadata", Accept=accept)).content
        for accept in ("*/*", JSON, "application/xml", "text/html", "image/png", "")
    }
    (document,) = documents
    schema = ElementTree.fromstring(document.decode())[-1][0]
    named = {each.get("Name"): each for each in schema}
    primitive = {"Guid", "String", "Int32", "Decimal", "Boolean", "Date", "DateTimeOffset"}
    wrong = []
    for kind in schema:
        names = [each.get("Name") for each in kind.iter() if each.tag != f"{EDM}PropertyRef"]
        for each in kind:
            of = str(each.get("Type", "")).removeprefix("Collection(").removesuffix(")")
            space, _, name = of.partition(".")
            known = name in primitive if space == "Edm" else name in named
            if each.tag in (f"{EDM}Property", f"{EDM}NavigationProperty") and not known:
                wrong.append((kind.get("Name"), each.get("Name"), each.get("Type")))
            if "Decimal" in of and each.get("Scale") is None:
                wrong.append((kind.get("Name"), each.get("Name"), "no scale"))
        keys = (each.get("Name") for each in kind.iter(f"{EDM}PropertyRef"))
        wrong += [(kind.get("Name"), "key", key) for key in keys if key not in names]
    container = named["Records"]
    sets = {each.get("Name"): each.get("EntityType") for each in container.iter(f"{EDM}EntitySet")}
    wrong += [(name, "no type", of) for name, of in sets.items() if str(of)[14:] not in named]
    bound = container.iter(f"{EDM}NavigationPropertyBinding")
    wrong += [
        ("binding", each.get("Path"), None) for each in bound if each.get("Target") not in sets
    ]
    assert not wrong
    listed = (await _get(client, "/")).json()["value"]
    assert [each["name"] for each in listed] == [*sets]
    assert len(sets) == len(RESOURCES) + len(ALL_DATASETS)


def _fits(value: Any, of: str, nullable: bool) -> bool:
    if of.startswith("Collection("):
        inner = of.removeprefix("Collection(").removesuffix(")")
        return isinstance(value, list) and all(_fits(each, inner, False) for each in value)
    if value is None:
        return nullable
    kinds: dict[str, type | tuple[type, ...]] = {
        "Edm.Int32": int,
        "Edm.Decimal": (int, float),
        "Edm.Boolean": bool,
    }
    return isinstance(value, kinds.get(of, dict if of.startswith("TradeMissions") else str))


async def test_every_entity_has_the_properties_and_types_that_the_metadata_tells(
    client: Client,
) -> None:
    schema = ElementTree.fromstring((await _get(client, "/$metadata")).text)[-1][0]
    types = {str(each.get("Name")): each for each in schema}
    wrong = []
    for each in types["Records"].iter(f"{EDM}EntitySet"):
        declared = {
            str(p.get("Name")): (str(p.get("Type")), p.get("Nullable") == "true")
            for p in types[str(each.get("EntityType")).removeprefix("TradeMissions.")]
            if p.tag == f"{EDM}Property"
        }
        for entity in (await _get(client, f"/{each.get('Name')}?$top=20")).json()["value"]:
            if entity.keys() != declared.keys():
                wrong.append((each.get("Name"), entity.keys() ^ declared.keys()))
            for name, value in entity.items():
                if name in declared and not _fits(value, *declared[name]):
                    wrong.append((each.get("Name"), {name: value}))
    assert not wrong


@pytest.fixture
async def made(client: Client) -> Any:
    """A mission with five agreements."""
    mission = await create(client, "missions", {"title": "Pages", "kind": "trade_fair"})
    for number in range(5):
        body = {"mission_id": mission["id"], "title": f"Deal {number}", "status": "announced"}
        money = {"amount": f"{number}.5", "currency": "USD"}
        await create(client, "agreements", {**body, **money, "instrument": "supply_contract"})
    return mission


async def _walk(client: Client, address: str, **headers: str) -> list[list[str]]:
    """The titles of each page, by the links of the answers."""
    pages = []
    answer = await _get(client, address, **headers)
    while True:
        pages.append([each["title"] for each in answer.json()["value"]])
        link = answer.json().get("@odata.nextLink")
        if link is None:
            return pages
        assert link.startswith("http://test/odata/"), link
        assert "$select=title" in link.replace("%24", "$"), link
        answer = await client.get(link, headers=headers)
        assert answer.status_code == 200, answer.text


async def test_pages_are_walked_by_absolute_links_that_keep_the_options(
    client: Client, made: Any
) -> None:
    deals = [f"Deal {number}" for number in range(5)]
    wrong: dict[tuple[str, str], Any] = {}
    for name in ("agreements", "flat_agreements"):
        own = f"/{name}?$filter=mission_id eq {made['id']}&$select=title"
        two = {"Prefer": "respond-async, odata.maxpagesize=2"}
        walked = {
            "whole": (await _walk(client, own), [deals]),
            "two each": (await _walk(client, own, **two), [deals[:2], deals[2:4], deals[4:]]),
            "top": (await _walk(client, f"{own}&$top=3", **two), [deals[:2], deals[2:3]]),
            "skip": (await _walk(client, f"{own}&$skip=3", **two), [deals[3:]]),
            "skip, top": (await _walk(client, f"{own}&$skip=1&$top=1"), [deals[1:2]]),
            "none": (await _walk(client, f"{own}&$top=0"), [[]]),
            "order": (
                await _walk(client, f"{own}&$orderby=amount desc,title", **two),
                [deals[:2:-1], deals[2:0:-1], deals[:1]],
            ),
            "blanks": (await _walk(client, own.replace(" ", "+")), [deals]),
            "encoded": (await _walk(client, own.replace("$", "%24").replace(" ", "%20")), [deals]),
        }
        wrong |= {(name, way): pair[0] for way, pair in walked.items() if pair[0] != pair[1]}
        answer = await _get(client, f"{own}&$count=true&$top=1", **two)
        if answer.json()["@odata.count"] != 5 or "@odata.nextLink" in answer.json():
            wrong[name, "count"] = answer.json()
        if answer.headers["preference-applied"] != "odata.maxpagesize=2":
            wrong[name, "preference"] = dict(answer.headers)
    assert not wrong


async def test_numbers_that_lose_digits_are_texts_where_that_is_asked_for(
    client: Client, made: Any
) -> None:
    asked = f"?$filter=mission_id eq {made['id']}&$top=1&$select=amount,stands_for&$count=true"
    wrong = {}
    for name in ("agreements", "flat_agreements"):
        address = f"/{name}{asked}".replace(",stands_for", "" if "flat" in name else ",stands_for")
        texts = f"{JSON};odata.metadata=minimal;IEEE754Compatible=true"
        for way, answer in {
            "accept": await _get(client, address, Accept=texts),
            "format": await _get(client, f"{address}&$format={texts}", Accept="text/html"),
        }.items():
            content = json_codec.loads(answer.content)
            entity = content["value"][0]
            right = entity["amount"] == "0.5" and content["@odata.count"] == "5"
            if not right or entity.get("stands_for", 1) != 1:
                wrong[name, way] = content
            if "IEEE754Compatible=true" not in answer.headers["content-type"]:
                wrong[name, way] = answer.headers
        plain = json_codec.loads((await _get(client, address)).content)
        if str(plain["value"][0]["amount"]) != "0.5" or plain["@odata.count"] != 5:
            wrong[name, "plain"] = plain
    assert not wrong


async def test_every_answer_is_of_version_4_0_and_errors_have_the_shape_of_odata(
    client: Client,
) -> None:
    newer = {"OData-MaxVersion": "4.01", "OData-Version": "4.01"}
    told: dict[str, tuple[int, str | None]] = {
        "GET /": (200, None),
        "GET /$metadata": (200, None),
        "GET /missions": (200, None),
        "HEAD /missions": (200, None),
        "HEAD /": (200, None),
        "HEAD /$metadata": (200, None),
        "HEAD /missions('novosibirsk-april')/title/$value": (200, None),
        "GET /mission": (404, "Did you mean 'missions'?"),
        "GET /missions(0197c5a0-0000-7000-8000-000000000000)": (404, "0197c5a0"),
        "GET /missions('no-such-mission')": (404, "no-such-mission"),
        "GET /missions('novosibirsk-april')/titel": (404, "Did you mean 'title'?"),
        "GET /missions('novosibirsk-april')/title/value": (404, "$value"),
        "GET /missions('novosibirsk-april')/stops/$value": (400, "collection"),
        "GET /missions('novosibirsk-april')/title/$count": (404, "$value"),
        "GET /missions?$search=steel OR cement": (501, "OR in $search"),
        "GET /flat_missions?$search=steel AND NOT cement": (501, "NOT in $search"),
        "GET /missions?$search=AND": (400, "Is empty"),
        "GET /missions(a,b)": (400, "is no key"),
        "GET /missions(": (400, "no step"),
        "GET /missions?$top=x": (400, "whole number"),
        "GET /missions?$top=-1": (400, "whole number"),
        "GET /missions?$skip=99999999": (400, "at most"),
        "GET /missions?$count=1": (400, "true or false"),
        "GET /missions?$top=1&$top=2": (400, "more than once"),
        "GET /missions?$format=xml": (406, "json"),
        "GET /missions?$select=titel": (400, "Did you mean 'title'?"),
        "GET /missions?$expand=agreement": (400, "Did you mean 'agreements'?"),
        "GET /missions?$expand=stops": (400, "leave it out"),
        "GET /missions?$orderby=titel": (400, "Did you mean"),
        "GET /missions?$orderby=title up": (400, "asc or desc"),
        "GET /missions?$filter=titel eq 'x'": (400, "Did you mean"),
        "GET /missions?filter=title eq 'x'": (400, "$filter"),
        "GET /missions?$skiptoken=abc": (400, "cursor"),
        "GET /missions('novosibirsk-april')?$top=1": (400, "no meaning"),
        "GET /missions?$apply=groupby((status))": (501, "$apply"),
        "GET /missions?$expand=agreements($search=cement)": (501, "$search"),
        "GET /missions?$expand=*": (501, "*"),
        "GET /missions?$orderby=tolower(title)": (501, "tolower"),
        "GET /missions('novosibirsk-april')/agreements(1)": (501, "key"),
        "GET /missions('novosibirsk-april')/$ref": (501, "$ref"),
        "GET /$all": (501, "$all"),
        "GET /flat_missions?$expand=agreements": (400, "no meaning"),
        "GET /flat_missions?$filter=kind_label eq 'x'": (501, "kind_label"),
        "GET /flat_mission_stops(1)": (400, "stops_position"),
        "POST /$batch": (501, "$batch"),
        "POST /missions": (405, "POST"),
        "DELETE /missions('novosibirsk-april')": (405, "DELETE"),
    }
    wrong = {}
    for asked, (status, said) in told.items():
        method, _, path = asked.partition(" ")
        answer = await client.request(method, f"/odata{path}", headers=newer)
        if answer.status_code != status or answer.headers.get("odata-version") != "4.0":
            wrong[asked] = (answer.status_code, answer.headers.get("odata-version"), answer.text)
        elif said is not None:
            error = answer.json().get("error", {})
            if said not in error.get("message", "") or not error.get("code"):
                wrong[asked] = (status, "", answer.text)
    assert not wrong


async def test_a_client_of_older_versions_is_told(client: Client) -> None:
    statuses = {}
    for most in ("3.0", "2.0;NetFx", "x", "", "4.0", "4.01", "4.0;NetFx"):
        answer = await client.get("/odata/missions?$top=1", headers={"OData-MaxVersion": most})
        statuses[most] = answer.status_code
        assert answer.headers["odata-version"] == "4.0"
    assert [*statuses.values()] == [400, 400, 400, 400, 200, 200, 200], statuses


async def test_searches_find_all_of_their_words_beside_filters(client: Client, made: Any) -> None:
    counts = {}
    for text in ("pages", 'Pages AND "pages"', "pages AND nowhere", "(pages)", '"or"'):
        query = {"$search": text, "$filter": f"id eq {made['id']}", "$count": "true", "$top": "1"}
        answer = await client.get("/odata/missions", params=query)
        assert answer.status_code == 200, answer.text
        counts[text] = (answer.json()["@odata.count"], len(answer.json()["value"]))
    assert [*counts.values()] == [(1, 1), (1, 1), (0, 0), (1, 1), (0, 0)], counts


async def test_an_unchanged_answer_is_not_sent_again(client: Client) -> None:
    wrong = {}
    for path in ("/missions", "/missions('novosibirsk-april')", "/flat_missions"):
        tag = (await _get(client, path)).headers["etag"]
        again = await client.get(f"/odata{path}", headers={"If-None-Match": tag})
        texts = {"If-None-Match": tag, "Accept": f"{JSON};IEEE754Compatible=true"}
        other = await client.get(f"/odata{path}", headers=texts)
        found = (again.status_code, again.headers.get("odata-version"), other.status_code)
        if found != (304, "4.0", 200):
            wrong[path] = found
    assert not wrong


async def test_files_open_the_service_in_power_bi_and_excel(client: Client) -> None:
    power_bi = await _get(client, "/trade-missions.pbids")
    details = power_bi.json()["connections"][0]["details"]
    assert details == {"protocol": "odata", "address": {"url": "http://test/odata/"}}
    excel = await _get(client, "/trade-missions.odc")
    assert "Data Source=http://test/odata/;" in excel.text
    for answer in (power_bi, excel):
        assert answer.headers["content-disposition"].startswith("attachment; filename=")


async def test_a_page_that_would_show_too_many_others_is_made_shorter(
    client: Client, made: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(related, "MAX_RELATED", 5)
    other = await create(client, "missions", {"title": "Also", "kind": "trade_fair"})
    body = {"mission_id": other["id"], "instrument": "supply_contract", "status": "announced"}
    await create(client, "agreements", {**body, "title": "One"})
    own = f"/missions?$filter=id in ({made['id']},{other['id']})&$select=title"
    assert await _walk(client, f"{own}&$expand=agreements") == [["Pages"], ["Also"]]
    shown = f"{own}&$expand=agreements($select=title)&$top=2"
    assert await _walk(client, shown) == [["Pages"], ["Also"]]
