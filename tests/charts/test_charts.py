"""Charts: what they say is what the API says, in every form, language and theme."""

import json
from collections import Counter
from decimal import Decimal
from itertools import combinations, product
from random import Random
from typing import Any
from xml.etree import ElementTree

import httpx
from fastapi import FastAPI
from starlette.requests import Request

from app.api import routes
from app.charts.drawing import ChartQuery
from app.charts.gallery import CHARTS, ChartMaker

Body = dict[str, Any]
SVG = "{http://www.w3.org/2000/svg}"
ARTICLE = "mission=novosibirsk-april"
NAMES = tuple(chart.name for chart in CHARTS)


async def picture(client: httpx.AsyncClient, address: str) -> ElementTree.Element:
    answer = await client.get(address)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("image/svg+xml")
    return ElementTree.fromstring(answer.text)


def figures(root: ElementTree.Element) -> Counter[tuple[str, str, str]]:
    """What is counted in a picture, by group, class and what is told apart in it."""
    found: Counter[tuple[str, str, str]] = Counter()
    for each in root.iter(f"{SVG}g"):
        if "data-value" in each.attrib:
            told = each.attrib
            key = (told["data-group"], told["data-mark"], told.get("data-key", ""))
            found[key] += int(told["data-value"])
    return found


async def test_every_chart_is_listed_and_drawn_in_every_language_theme_and_width(
    client: httpx.AsyncClient,
) -> None:
    listed = (await client.get("/charts")).json()["data"]
    assert [chart["name"] for chart in listed] == list(NAMES)
    wrong = []
    ways = list(product(("en", "ru", "kk"), ("light", "dark"), (320, 760)))
    for at, chart in enumerate(listed):
        # Each chart in some of the ways, and all ways among the charts.
        for language, theme, width in ways[at % 3 :: 3]:
            query = f"lang={language}&theme={theme}&width={width}"
            root = await picture(client, f"{chart['svg']}?{query}")
            children = [child.tag.removeprefix(SVG) for child in root[:2]]
            texts = ["".join(each.itertext()) for each in root.iter(f"{SVG}text")]
            said = root.attrib | {"styles": [e.tag for e in root.iter() if "style" in e.attrib]}
            right = (
                children == ["title", "desc"]
                and said["role"] == "img"
                and said["lang"] == language
                and said["width"] == str(width)
                and not said["styles"]
                and root.find(f".//{SVG}style") is None
                and root.find(f".//{SVG}a") is None
                and texts
                and not any("{" in each for each in texts)
            )
            if not right:
                wrong.append((chart["name"], query, said, texts))
    assert not wrong


async def test_a_picture_counts_what_its_read_counts(client: httpx.AsyncClient) -> None:
    listed = {chart["name"]: chart for chart in (await client.get("/charts")).json()["data"]}
    columns = {
        "firmness": (None, "firmness", None),
        "instruments": ("instrument", "firmness", "status"),
        "sectors": ("sectors_division", "firmness", None),
        "host-countries": ("mission_host_country", "firmness", None),
        "party-countries": ("parties_organization_country", "firmness", None),
    }
    wrong = []
    for name, (group, mark, key) in columns.items():
        answer = (await client.get(listed[name]["source"])).json()
        wanted = Counter(
            {
                (
                    "all" if group is None else row[group] or "null",
                    row[mark],
                    row[key] if key else "",
                ): row["count"]
                for row in answer["data"]
            }
        )
        found = figures(await picture(client, listed[name]["svg"]))
        spec = (await client.get(listed[name]["json"])).json()
        values = sum(row["value"] for row in spec["data"]["values"])
        if found != wanted or values != wanted.total():
            wrong.append((name, found - wanted, wanted - found))
    assert not wrong
    by_status = figures(await picture(client, "/charts/funnel.svg"))
    answer = (await client.get("/agreements/aggregate?group_by=status")).json()
    assert {row["status"]: row["count"] for row in answer["data"]} == {
        status: sum(n for key, n in by_status.items() if key[0] == status)
        for status in {key[0] for key in by_status}
    }


async def test_amounts_are_drawn_as_they_are_added_up_with_their_limits(
    fresh: httpx.AsyncClient,
) -> None:
    amounts: list[Body] = [
        {"amount": 7, "amount_bound": "at_least"},
        {"amount": 100, "amount_max": 250.25},
        {"amount": 40, "amount_bound": "approximately", "instrument": "letter_of_intent"},
        {"amount": 3, "currency": "KZT"},
        {"amount": 9, "amount_period": "per_year"},
    ]
    for extra in amounts:
        body: Body = {"title": "A", "instrument": "supply_contract", "currency": "USD", **extra}
        body["parties"] = [{"description": "somebody", "role": "signatory"}]
        assert (await fresh.post("/agreements", json=body)).status_code == 201
    listed = {chart["name"]: chart for chart in (await fresh.get("/charts")).json()["data"]}
    added = json.loads((await fresh.get(listed["money"]["source"])).content, parse_float=Decimal)
    root = await picture(fresh, "/charts/money.svg")
    drawn = sorted(
        (each.attrib["data-mark"], Decimal(each.attrib["data-value"]))
        for each in root.iter(f"{SVG}g")
        if "data-value" in each.attrib
    )
    assert drawn == sorted(
        (group["firmness"], Decimal(group["sum_amount"]))
        for group in added["data"]
        if group["sum_amount"] is not None
    )
    texts = " ".join("".join(each.itertext()) for each in root.iter(f"{SVG}text"))
    assert "amounts of each year: 1" in texts
    spec = json.loads((await fresh.get(listed["money"]["json"])).content, parse_float=Decimal)
    assert [row["value"] for row in spec["data"]["values"]].count(3) == 1


async def test_what_has_no_year_or_month_is_in_a_strip_of_its_own(
    fresh: httpx.AsyncClient,
) -> None:
    for signed in ("2016-11", "2017-02-03", "2017", "XXXX-04-12"):
        body: Body = {"title": "A", "instrument": "supply_contract", "signed": signed}
        body["parties"] = [{"description": "somebody", "role": "signatory"}]
        assert (await fresh.post("/agreements", json=body)).status_code == 201
    root = await picture(fresh, "/charts/signings.svg?title=A")
    assert {key[0]: count for key, count in figures(root).items()} == {
        "2016-11": 1,
        "2017-02": 1,
        "undated": 2,
    }
    texts = ["".join(each.itertext()) for each in root.iter(f"{SVG}text")]
    assert {"Nov 2016", "Dec 2016", "Jan 2017", "Feb 2017"} <= set(texts)
    # Where it is all there is, the empty room says why it is empty.
    alone = "A year with its month is stated for none of them."
    assert alone not in texts
    root = await picture(fresh, "/charts/signings.svg?title=A&signed=XXXX-04-12")
    assert alone in ["".join(each.itertext()) for each in root.iter(f"{SVG}text")]


async def test_what_was_not_signed_is_in_no_chart_of_signings_unless_it_is_asked_for(
    client: httpx.AsyncClient,
) -> None:
    counts = {
        query: sum(figures(await picture(client, f"/charts/signings.svg?{query}")).values())
        for query in (ARTICLE, f"{ARTICLE}&was_signed=false")
    }
    # Four of six were signed; one is a plan, one an office that is open.
    assert counts == {ARTICLE: 4, f"{ARTICLE}&was_signed=false": 2}


async def test_cohorts_are_drawn_as_the_conversion_counts_them(client: httpx.AsyncClient) -> None:
    query = "months=6,24&today=2030-01-01"
    told = (await client.get(f"/insights/conversion?{query}")).json()
    root = await picture(client, f"/charts/conversion.svg?{query}")
    found = figures(root)
    for cohort in told["data"]:
        for after in cohort["after"]:
            key = f"{cohort['stage']}-{after.pop('months')}"
            assert after == {state: found[key, state, ""] for state in after}


async def test_partners_are_drawn_as_a_count_in_plain_python_has_them(
    fresh: httpx.AsyncClient,
) -> None:
    chance = Random(3)
    keys = [f"partner-{number}" for number in range(9)]
    for key in keys:
        body: Body = {"ref": key, "name": f"<{key}> & «{key}»"}
        body["country"] = chance.choice(("KZ", "RU", None))
        assert (await fresh.post("/companies", json=body)).status_code == 201
    for number in range(30):
        several = [{"organization": {"ref": chance.choice(keys)}, "role": "signatory"}]
        several += [
            {"organization": {"ref": key}, "role": "signatory"}
            for key in chance.sample(keys, chance.randrange(3))
        ]
        several.append({"description": "somebody", "role": "signatory"})
        body = {"title": f"P {number}", "parties": several, "stands_for": chance.choice((1, 4))}
        body["instrument"] = chance.choice(("supply_contract", "letter_of_intent"))
        assert (await fresh.post("/agreements", json=body)).status_code == 201
    listed = (await fresh.get("/agreements?limit=1000&expand=parties")).json()["data"]
    wanted: Counter[tuple[frozenset[str], str]] = Counter()
    alone = 0
    for deal in listed:
        ids = {p["organization_id"] for p in deal["parties"]} - {None}
        alone += deal["stands_for"] * (len(ids) < 2)
        for pair in combinations(ids, 2):
            wanted[frozenset(pair), deal["firmness"]] += deal["stands_for"]
    root = await picture(fresh, "/charts/partners.svg")
    found: Counter[tuple[frozenset[str], str]] = Counter()
    for each in root.iter(f"{SVG}g"):
        if "data-left" in each.attrib:
            told = each.attrib
            both = frozenset((told["data-left"], told["data-right"]))
            found[both, told["data-mark"]] += int(told["data-value"])
    assert found == wanted
    texts = " ".join("".join(each.itertext()) for each in root.iter(f"{SVG}text"))
    assert f"are in no line: {alone}." in texts


async def test_a_chart_takes_the_filters_of_its_list_and_a_moment(
    client: httpx.AsyncClient,
) -> None:
    for query in ("status=signed", "filter=status eq 'signed'", "amount__isnull=true", "q=office"):
        listed = (await client.get(f"/agreements?{query}&limit=1000")).json()["data"]
        found = figures(await picture(client, f"/charts/firmness.svg?{query}"))
        assert found.total() == sum(record["stands_for"] for record in listed), query


async def test_a_chart_is_drawn_as_it_would_have_been_then(fresh: httpx.AsyncClient) -> None:
    tag = (await fresh.get("/charts/instruments.svg")).headers["etag"]
    position = "-".join(tag.removeprefix('W/"').split("-")[:2])
    before = figures(await picture(fresh, "/charts/instruments.svg"))
    body: Body = {"title": "Another", "instrument": "letter_of_intent", "status": "signed"}
    body["parties"] = [{"description": "somebody", "role": "signatory"}]
    assert (await fresh.post("/agreements", json=body)).status_code == 201
    now = figures(await picture(fresh, "/charts/instruments.svg"))
    then = figures(await picture(fresh, f"/charts/instruments.svg?as_of={position}"))
    assert then == before
    assert (now - before).total() == 1
    for name in NAMES:
        assert len(await picture(fresh, f"/charts/{name}.svg?as_of={position}")) > 2, name


async def test_in_a_page_what_is_counted_leads_to_the_list_of_it(fresh_app: FastAPI) -> None:
    maker = ChartMaker(routes())
    scope = {"type": "http", "app": fresh_app, "query_string": b"", "path": "/", "headers": []}
    client = httpx.AsyncClient(transport=httpx.ASGITransport(fresh_app), base_url="http://test")
    wrong, counted = [], 0
    for chart in CHARTS:
        query = ChartQuery()
        query.others.append(("title__contains", "о"))
        if chart.resource.path != "agreements":
            continue
        made = await maker.make(Request(scope), chart, query)
        root = ElementTree.fromstring(made.svg(has_links=True))
        assert root.attrib["role"] == "group"
        for each in root.iter(f"{SVG}g"):
            link = each.find(f"{SVG}a")
            if link is None:
                continue
            listed = (await client.get(link.attrib["href"])).json()
            counted += 1
            if sum(r["stands_for"] for r in listed["data"]) != int(each.attrib["data-value"]):
                wrong.append((chart.name, link.attrib["href"], listed))
    assert not wrong
    assert counted > 10


async def test_what_is_confidential_is_drawn_for_those_alone_who_may_see_it(
    fresh: httpx.AsyncClient, fresh_app: FastAPI
) -> None:
    (deal,) = (await fresh.get("/agreements?instrument=supply_contract")).json()["data"]
    patch = {"Content-Type": "application/merge-patch+json", "If-Match": "*"}
    done = await fresh.patch(
        f"/agreements/{deal['id']}", json={"confidential": True}, headers=patch
    )
    assert done.status_code == 200, done.text
    anybody = httpx.AsyncClient(transport=httpx.ASGITransport(fresh_app), base_url="http://test")
    drawn = []
    for caller in (fresh, anybody):
        root = await picture(caller, "/charts/partners.svg")
        lines = [each for each in root.iter(f"{SVG}g") if "data-left" in each.attrib]
        bars = figures(await picture(caller, "/charts/instruments.svg"))
        drawn.append((len(lines), "supply_contract" in {key[0] for key in bars}))
    assert drawn == [(2, True), (1, False)]


async def test_what_cannot_be_drawn_is_refused_with_what_would_be_right(
    client: httpx.AsyncClient,
) -> None:
    cases = {
        "/charts/weather.svg": (404, "firmness"),
        "/charts/firmnes.svg": (404, "Did you mean 'firmness'?"),
        "/charts/firmness": (404, ".svg"),
        "/charts/firmness.gif": (404, ".png"),
        "/charts/firmness.svg?lang=de": (400, "en, ru, kk"),
        "/charts/firmness.svg?theme=blue": (400, "dark"),
        "/charts/firmness.svg?width=7": (400, "320"),
        "/charts/firmness.svg?width=x": (400, "width"),
        "/charts/firmness.svg?statsu=signed": (400, "status"),
        "/charts/firmness.svg?group_by=status": (400, "group_by"),
        "/charts/firmness.svg?mission__host_country=ZZ": (400, "ZZ"),
        "/charts/firmness.svg?as_of=never": (400, "as_of"),
        "/charts/sectors.svg?level=deep": (400, "section"),
        "/charts/firmness.svg?level=group": (400, "chart sectors"),
        "/charts?lang=de": (400, "en, ru, kk"),
        "/charts?status=signed": (400, "status"),
    }
    wrong = []
    for address, (status, said) in cases.items():
        answer = await client.get(address)
        if answer.status_code != status or said not in answer.text:
            wrong.append((address, answer.status_code, answer.text))
    assert not wrong


async def test_a_chart_that_is_known_is_not_sent_again(client: httpx.AsyncClient) -> None:
    first = await client.get("/charts/firmness.svg")
    again = await client.get(
        "/charts/firmness.svg", headers={"If-None-Match": first.headers["etag"]}
    )
    other = await client.get(
        "/charts/firmness.json", headers={"If-None-Match": first.headers["etag"]}
    )
    assert (again.status_code, other.status_code) == (304, 200)
    assert again.headers["etag"] == first.headers["etag"]


async def test_a_picture_without_records_says_so(client: httpx.AsyncClient) -> None:
    for name in NAMES:
        kind = "title=nothing is called so"
        root = await picture(client, f"/charts/{name}.svg?{kind}")
        texts = " ".join("".join(each.itertext()) for each in root.iter(f"{SVG}text"))
        assert "Source:" in texts
        assert not figures(root), name


async def test_a_specification_has_its_figures_and_colours_in_it(
    client: httpx.AsyncClient,
) -> None:
    spec = json.loads((await client.get("/charts/instruments.json")).content)
    assert spec["$schema"].endswith("/v5.json")
    assert {"group", "class", "value", "detail"} <= spec["data"]["values"][0].keys()
    scale = spec["encoding"]["color"]["scale"]
    assert {row["class"] for row in spec["data"]["values"]} == set(scale["domain"])
    assert len(scale["range"]) == len(scale["domain"])
