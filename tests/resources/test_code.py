"""The code lists: read-only, in three languages, with the nearest name for a wrong one."""

import re
from typing import Any

import httpx
import pytest

from app.resources.code import canonical_region


async def codes(client: httpx.AsyncClient, path: str) -> list[dict[str, Any]]:
    """The codes of a list, of all pages."""
    found: list[dict[str, Any]] = []
    separator, cursor = "&" if "?" in path else "?", ""
    while cursor is not None:
        answer = await client.get(f"{path}{separator if cursor else ''}{cursor}")
        assert answer.status_code == 200, answer.text
        found += answer.json()["data"]
        following = answer.json()["page"]["next_cursor"]
        cursor = following and f"cursor={following}"
    return found


def problem(answer: httpx.Response, status: int) -> str:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    return str(answer.json()["detail"])


async def test_the_lists_are_listed_with_their_sizes(client: httpx.AsyncClient) -> None:
    lists = {entry["name"]: entry["codes"] for entry in (await client.get("/codes")).json()["data"]}
    names = {"countries", "regions", "currencies", "sectors", "legal-forms", "languages"}
    assert names | {"instruments", "statuses", "party-roles"} <= set(lists)
    for name, size in lists.items():
        assert len(await codes(client, f"/codes/{name}")) == size > 0


async def test_codes_come_in_pages_of_at_most_a_thousand(client: httpx.AsyncClient) -> None:
    answer = (await client.get("/codes/regions?limit=5000")).json()
    assert len(answer["data"]) == 1000
    assert answer["page"]["next_cursor"]


async def test_pages_follow_one_another_in_the_order_of_the_codes(
    client: httpx.AsyncClient,
) -> None:
    first = await client.get("/codes/countries?limit=2")
    second = await client.get(first.links["next"]["url"])
    pages = (first.json()["data"], second.json()["data"])
    assert [c["code"] for page in pages for c in page] == ["AD", "AE", "AF", "AG"]


async def test_pages_lead_back_as_they_lead_on(client: httpx.AsyncClient) -> None:
    first = await client.get("/codes/countries?limit=2")
    second = await client.get(first.links["next"]["url"])
    back = await client.get(second.links["prev"]["url"])
    assert back.json()["data"] == first.json()["data"]
    assert back.json()["page"]["prev_cursor"] is None
    assert {*back.links} == {"next"}


@pytest.mark.parametrize("path", ["currencies", "countries?parent=KZ", "statuses"])
async def test_a_cursor_of_another_list_is_refused(client: httpx.AsyncClient, path: str) -> None:
    cursor = (await client.get("/codes/countries?limit=2")).json()["page"]["next_cursor"]
    separator = "&" if "?" in path else "?"
    answer = await client.get(f"/codes/{path}{separator}cursor={cursor}")
    assert "another filter or order" in problem(answer, 400)


@pytest.mark.parametrize("name", ["countries", "regions", "currencies", "sectors"])
async def test_codes_are_in_the_same_order_on_both_databases(
    client: httpx.AsyncClient, name: str
) -> None:
    found = [code["code"] for code in await codes(client, f"/codes/{name}")]
    assert found == sorted(found)


@pytest.mark.parametrize(
    ("path", "labels"),
    [
        ("countries/KZ", {"en": "Kazakhstan", "ru": "Казахстан", "kk": "Қазақстан"}),
        (
            "regions/KZ-55",
            {"en": "Pavlodar Region", "ru": "Павлодарская область", "kk": "Павлодар облысы"},
        ),
        ("statuses/signed", {"en": "Signed", "ru": "Подписано", "kk": "Қол қойылды"}),
    ],
)
async def test_a_code_has_labels_in_three_languages(
    client: httpx.AsyncClient, path: str, labels: dict[str, str]
) -> None:
    assert (await client.get(f"/codes/{path}")).json()["labels"] == labels


@pytest.mark.parametrize("name", ["countries", "legal-forms", "instruments", "statuses"])
async def test_no_label_is_missing(client: httpx.AsyncClient, name: str) -> None:
    for code in await codes(client, f"/codes/{name}"):
        assert all(code["labels"].values()), code


# Parents


async def test_the_regions_of_a_country_have_numeric_codes_in_kazakhstan(
    client: httpx.AsyncClient,
) -> None:
    regions = await codes(client, "/codes/regions?parent=KZ")
    assert len(regions) == 20
    assert all(r["parent"] == "KZ" and re.fullmatch(r"KZ-\d\d", r["code"]) for r in regions)


async def test_the_parts_of_a_sector_are_told(client: httpx.AsyncClient) -> None:
    groups = [code["code"] for code in await codes(client, "/codes/sectors?parent=C20")]
    assert groups == ["C201", "C202", "C203"]


@pytest.mark.parametrize("code", ["C1050", "C2022", "C2395", "C2420", "C2732", "C2930", "G4649"])
async def test_a_class_leads_up_to_its_section(client: httpx.AsyncClient, code: str) -> None:
    chain = [code]
    while parent := (await client.get(f"/codes/sectors/{chain[-1]}")).json()["parent"]:
        chain.append(parent)
    assert chain == [code, code[:4], code[:3], code[0]]


async def test_every_parent_of_a_sector_is_a_sector(client: httpx.AsyncClient) -> None:
    found = await codes(client, "/codes/sectors")
    assert {code["parent"] for code in found} - {None} <= {code["code"] for code in found}


async def test_every_region_is_of_a_country(client: httpx.AsyncClient) -> None:
    countries = {code["code"] for code in await codes(client, "/codes/countries")}
    assert {code["parent"] for code in await codes(client, "/codes/regions")} <= countries


async def test_the_siberian_federal_district_has_a_code_of_our_own(
    client: httpx.AsyncClient,
) -> None:
    regions = await codes(client, "/codes/regions?parent=RU")
    own = [r for r in regions if r["labels"]["en"] == "Siberian Federal District"]
    assert len(own) == 1
    assert not re.fullmatch(r"RU-[A-Z0-9]{1,3}", own[0]["code"])


# Standards


@pytest.mark.parametrize(
    ("currency", "decimals"), [("JPY", 0), ("USD", 2), ("KZT", 2), ("RUB", 2), ("KWD", 3)]
)
async def test_a_currency_has_its_number_of_decimals(
    client: httpx.AsyncClient, currency: str, decimals: int
) -> None:
    assert (await client.get(f"/codes/currencies/{currency}")).json()["decimals"] == decimals


@pytest.mark.parametrize(
    ("code", "elf", "parent", "names"),
    [
        ("17R7", "17R7", "RU", {"ООО"}),
        ("R71T", "R71T", "RU", {"АО"}),
        ("4TYO", "4TYO", "RU", {"ПАО"}),
        ("kz-llp", None, "KZ", {"ТОО", "ЖШС", "LLP"}),
        ("kz-jsc", None, "KZ", {"АО", "АҚ", "JSC"}),
    ],
)
async def test_a_legal_form_has_its_elf_code_and_printed_names(
    client: httpx.AsyncClient, code: str, elf: str | None, parent: str, names: set[str]
) -> None:
    form = (await client.get(f"/codes/legal-forms/{code}")).json()
    assert (form["elf"], form["parent"]) == (elf, parent)
    assert names <= set(form["aliases"])


@pytest.mark.parametrize(
    ("old", "code"),
    [
        ("KZ-PAV", "KZ-55"),
        ("KZ-AKM", "KZ-11"),
        ("KZ-VOS", "KZ-63"),
        ("KZ-AST", "KZ-71"),
        ("KZ-ALA", "KZ-75"),
    ],
)
async def test_a_region_of_kazakhstan_has_its_old_code_as_an_alias(
    client: httpx.AsyncClient, old: str, code: str
) -> None:
    assert old in (await client.get(f"/codes/regions/{code}")).json()["aliases"]


async def test_an_old_region_code_leads_to_the_new(client: httpx.AsyncClient) -> None:
    answer = await client.get("/codes/regions/KZ-PAV", follow_redirects=True)
    assert (answer.status_code, answer.json().get("code")) == (200, "KZ-55")


@pytest.mark.parametrize("language", ["ru", "kk", "en"])
async def test_the_languages_of_the_labels_are_codes(
    client: httpx.AsyncClient, language: str
) -> None:
    assert (await client.get(f"/codes/languages/{language}")).json()["retired"] is False


# Wrong names


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/codes/region", "Did you mean 'regions'?"),
        ("/codes/currency/USD", "Did you mean 'currencies'?"),
        ("/codes/xyzzy", "See /codes."),
        ("/codes/instruments/suply_contract", "Did you mean 'supply_contract'?"),
        ("/codes/currencies/usd", "Did you mean 'USD'?"),
        ("/codes/countries/QQ", "no code 'QQ'"),
    ],
)
async def test_a_wrong_name_is_not_found_and_the_nearest_is_named(
    client: httpx.AsyncClient, path: str, words: str
) -> None:
    assert words in problem(await client.get(path), 404)


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("parnt=KZ", "'parent'"),
        ("limit=-1", "Must be 1 or more"),
        ("limit=many", "whole number"),
        ("offset=1", "'offset'"),
        ("cursor=nonsense", "no cursor of this service"),
    ],
)
async def test_a_wrong_parameter_is_told(client: httpx.AsyncClient, query: str, words: str) -> None:
    assert words in problem(await client.get(f"/codes/regions?{query}"), 400)


async def test_an_unknown_parent_is_told(client: httpx.AsyncClient) -> None:
    answer = await client.get("/codes/regions?parent=QQ")
    assert "QQ" in problem(answer, 400)


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
async def test_codes_are_read_only(client: httpx.AsyncClient, method: str) -> None:
    answer = await client.request(method, "/codes/countries/KZ", json={})
    assert "GET" in problem(answer, 405)
    assert answer.headers["allow"] == "GET, HEAD"


async def test_what_others_write_for_a_code_is_told_the_code(client: httpx.AsyncClient) -> None:
    meant = {"TNG": "KZT", "RMB": "CNY", "SOM": "KGS", "SUM": "UZS", "UKP": "GBP"}
    asked = [("/agreements", "currency", *pair) for pair in meant.items()]
    countries = [("UK", "GB"), ("KAZ", "KZ")]
    asked += [("/organizations", "country", *pair) for pair in countries]
    faults = []
    for path, field, wrong, right in asked:
        detail = problem(await client.get(path, params={field: wrong}), 400)
        faults += [] if f"Did you mean '{right}'?" in detail else [detail]
        if field == "currency":
            rate = {"base": wrong, "quote": "USD", "rate": 2, "date": "2016-04-12", "provider": "B"}
            written = await client.post("/exchange-rates?dry_run=true", json=rate)
            faults += [] if f"Did you mean '{right}'?" in written.text else [written.text]
    assert faults == []


async def test_a_code_that_is_meant_is_told_alike_in_bodies_and_filters(
    client: httpx.AsyncClient,
) -> None:
    cases = [
        ("country", "UK", "GB"),
        ("country", "uk", "GB"),
        ("country", "KAZ", "KZ"),
        ("country", "kaz", "KZ"),
        ("country", "kz", "KZ"),
        ("country", "Россия", "RU"),
        ("country", "Қазақстан", "KZ"),
        ("region", "kz-pav", "KZ-55"),
        ("region", "Павлодарская область", "KZ-55"),
        ("cost_currency", "TNG", "KZT"),
        ("cost_currency", "tng", "KZT"),
        ("cost_currency", "тенге", "KZT"),
        ("cost_currency", "usd", "USD"),
        ("legal_form", "ТОО", "kz-llp"),
        ("legal_form", "ПАО", "4TYO"),
    ]
    missing = []
    for field, wrong, right in cases:
        path = "/missions" if field == "cost_currency" else "/organizations"
        body: dict[str, Any] = {"kind": "company", "name": "Zebra", field: wrong}
        if field == "cost_currency":
            body = {"kind": "outward_mission", "title": "A visit", "cost_amount": 1, field: wrong}
        answers = {
            "body": await client.post(f"{path}?dry_run=true", json=body),
            "filter": await client.get(path, params={field: wrong}),
        }
        for where, answer in answers.items():
            if answer.status_code < 400 or f"Did you mean '{right}'?" not in answer.text:
                missing.append((field, wrong, where, answer.text))
    assert missing == []


async def test_an_old_code_of_a_region_is_taken_in_every_filter(client: httpx.AsyncClient) -> None:
    body = {"kind": "company", "name": "Ertis", "country": "KZ", "region": "KZ-PAV"}
    made = (await client.post("/organizations", json=body)).json()
    assert made["region"] == "KZ-55"
    mission = await client.post("/missions", json={"title": "Visit", "kind": "outward_mission"})
    event = {"mission_id": mission.json()["id"], "kind": "meeting", "title": "A talk"}
    event |= {"place_country": "KZ", "place_region": "KZ-PAV"}
    held = (await client.post("/events", json=event)).json()
    asked = [
        "organizations?region=KZ-PAV",
        "organizations?region__in=KZ-PAV,KZ-AKM",
        "organizations?region__startswith=KZ-PAV",
        "organizations?filter=region eq 'KZ-PAV'",
        "organizations?filter=region in ('KZ-AKM','KZ-PAV')",
        "organizations?region__ne=KZ-AKM",
        "companies?region=KZ-PAV",
        "events?place_region=KZ-PAV",
    ]
    wrong = []
    for address in asked:
        path, _, query = address.partition("?")
        name, _, value = query.partition("=")
        answer = await client.get(f"/{path}", params={name: value, "limit": 1000})
        ids = [each["id"] for each in answer.json().get("data", [])]
        if (held if path == "events" else made)["id"] not in ids:
            wrong.append((address, answer.status_code, answer.text[:200]))
    assert wrong == []
    having = {"group_by": "region", "having": "region eq 'KZ-PAV'"}
    answer = await client.get("/organizations/aggregate", params=having)
    assert [group["region"] for group in answer.json()["data"]] == ["KZ-55"], answer.text
    assert (await client.get("/organizations?region__ne=KZ-PAV&id=" + made["id"])).json()[
        "data"
    ] == []


async def test_countries_that_trade_with_central_asia_have_their_legal_forms(
    client: httpx.AsyncClient,
) -> None:
    countries = (
        "KZ UZ KG TJ TM RU CN TR BY UA AZ AM GE DE IT FR NL BE CH AT GB ES PL CZ SK HU RO BG GR LT"
        " LV EE SE FI RS SI JP KR IN PK IR AE SA US SG MY VN TH ID BR MN"
    )
    forms = await codes(client, "/codes/legal-forms")
    assert countries.split() == list(dict.fromkeys(countries.split()))
    assert set(countries.split()) == {form["parent"] for form in forms}
    assert [f["code"] for f in forms if not f["aliases"]] == []
    # A code of ISO 20275 is four capitals and digits, and stands for itself.
    assert [
        f["code"] for f in forms if f["elf"] and not re.fullmatch("[0-9A-Z]{4}", f["elf"])
    ] == []
    assert [
        f["code"] for f in forms if re.fullmatch("[0-9A-Z]{4}", f["code"]) and not f["elf"]
    ] == []
    printed = {
        "GmbH": "2HBR",
        "A.Ş.": "W2SQ",
        "SRL": "OV32",
        "有限责任公司": "cn-llc",
        "MChJ": "uz-llc",
    }
    printed |= {"ОсОО": "kg-llc", "ҶДММ": "tj-llc", "sp. z o.o.": "O7XB", "株式会社": "T417"}
    found = {name: [f["code"] for f in forms if name in f["aliases"]] for name in printed}
    assert [(name, code) for name, code in printed.items() if code not in found[name]] == []


async def test_a_legal_form_is_one_of_the_country(client: httpx.AsyncClient) -> None:
    cases: list[tuple[dict[str, Any], str]] = [
        ({"legal_form": "kz-llp", "country": "KZ"}, ""),
        ({"legal_form": "kz-llp"}, ""),
        ({"country": "QA"}, ""),
        ({"legal_form": "17R7", "country": "KZ"}, "'17R7' is a legal form of RU, and"),
        ({"legal_form": "17R7", "country": "KZ"}, "kz-llp (ТОО)"),
        ({"legal_form": "17R7", "country": "KZ"}, "/codes/legal-forms?parent=KZ"),
        ({"legal_form": "17R7", "country": "AQ"}, "leave `legal_form` out"),
    ]
    wrong = []
    for fields, words in cases:
        for path in ("organizations", "companies"):
            body = {"kind": "company", "name": "Zebra"} | fields
            answer = await client.post(f"/{path}?dry_run=true", json=body)
            told = answer.json()["errors"][0] if answer.status_code == 422 else {"detail": ""}
            if words not in told["detail"] or (told.get("pointer") == "/legal_form") == (not words):
                wrong.append((path, fields, answer.text))
    made = await client.post("/companies", json={"name": "Zebra", "legal_form": "kz-llp"})
    path = f"/companies/{made.json()['id']}"
    if (answer := await client.patch(path, json={"country": "RU"})).status_code != 422:
        wrong.append((path, {}, answer.text))
    if (answer := await client.patch(path, json={"country": "KZ"})).status_code != 200:
        wrong.append((path, {}, answer.text))
    assert wrong == []


def test_what_is_empty_is_no_other_name_of_a_code() -> None:
    assert canonical_region("") == ""


# Search


async def test_a_code_is_found_by_what_it_is_called(client: httpx.AsyncClient) -> None:
    """By words of its labels in three languages, its aliases and itself, in any case, ending and
    script; what is called so comes first, then what begins so."""
    cases = [
        ("countries", "казахстане", "KZ"),
        ("countries", "KAZAKHSTAN", "KZ"),
        ("countries", "Қазақстан", "KZ"),
        ("countries", "ка", "KZ"),
        ("countries", "UK", "GB"),
        ("countries", "kz", "KZ"),
        ("regions?parent=KZ", "pavlodar", "KZ-55"),
        ("regions?parent=KZ", "Павлодарской области", "KZ-55"),
        ("regions?parent=KZ", "KZ-PAV", "KZ-55"),
        ("currencies", "тенге", "KZT"),
        ("currencies", "доллар", "USD"),
        ("currencies", "₸", "KZT"),
        ("currencies", "usd", "USD"),
        ("sectors?parent=C108", "feed", "C1080"),
        ("sectors?parent=C108", "корма", "C1080"),
        ("sectors?parent=C", "C10", "C10"),
        ("legal-forms", "ТОО", "kz-llp"),
        ("legal-forms", "gmbh", "2HBR"),
        ("languages", "казахский", "kk"),
        ("instruments", "меморандум", "memorandum_of_understanding"),
        ("instruments", "supply contract", "supply_contract"),
        ("party-roles", "покупатели", "buyer"),
        ("statuses", "signed", "signed"),
    ]
    missing = []
    for name, q, code in cases:
        path, _, parent = name.partition("?parent=")
        asked = {"q": q, "parent": parent} if parent else {"q": q}
        answer = await client.get(f"/codes/{path}", params=asked)
        found = [each["code"] for each in answer.json().get("data", [answer.text])]
        is_first = found[:1] == [code]
        # Several codes begin so, or have the words alike.
        if not (is_first or (q in ("ка", "доллар") and code in found)):
            missing.append((name, q, code, found[:5]))
    assert missing == []


async def test_every_code_is_found_by_itself_and_by_its_labels_first(
    client: httpx.AsyncClient,
) -> None:
    """What others are called too comes with them, before what only has the words."""
    missing = []
    names = [entry["name"] for entry in (await client.get("/codes")).json()["data"]]
    for name in names:
        # All words of a long list would take a second.
        part = {"regions": "KZ", "sectors": "C10", "legal-forms": "KZ"}.get(name)
        of = {"parent": part} if part else {}
        first = await client.get(f"/codes/{name}", params={"limit": "1", **of})
        (code,) = first.json()["data"]
        for called in (code["code"], *filter(None, code["labels"].values())):
            answer = await client.get(f"/codes/{name}", params={"q": called, **of})
            found = [each["code"] for each in answer.json()["data"][:5]]
            missing += [] if code["code"] in found else [(name, called, found)]
    assert len(names) > 20
    assert missing == []


async def test_what_is_found_in_a_code_list_comes_in_pages(client: httpx.AsyncClient) -> None:
    address = "/codes/regions?q=область&parent=RU"
    whole = (await client.get(address)).json()["data"]
    assert len(whole) > 40
    assert {region["parent"] for region in whole} == {"RU"}
    pages = [await client.get(f"{address}&limit=20")]
    while "next" in pages[-1].links:
        pages.append(await client.get(pages[-1].links["next"]["url"]))
    assert [code for page in pages for code in page.json()["data"]] == whole
    back = await client.get(pages[1].links["prev"]["url"])
    assert back.json()["data"] == pages[0].json()["data"]
    cursor = pages[0].json()["page"]["next_cursor"]
    answer = await client.get("/codes/regions", params={"q": "край", "cursor": cursor})
    assert "another filter or order" in problem(answer, 400)


async def test_a_search_that_finds_no_code_is_an_empty_page(client: httpx.AsyncClient) -> None:
    for q in ("xyzzy", "!!!", '"поставки договор"'):
        answer = await client.get("/codes/instruments", params={"q": q})
        assert (answer.status_code, answer.json()["data"]) == (200, []), q
    for path, status in (
        ("countries?q=", 400),
        ("region?q=a", 404),
        ("regions?q=a&parent=QQ", 400),
    ):
        problem(await client.get(f"/codes/{path}"), status)
    problem(await client.get("/codes/countries", params={"q": "a " * 65}), 400)
