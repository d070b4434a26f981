"""The first page over the article's facts, which were counted by hand."""

import gzip
import re
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from app.pages import assets
from tests.pages.reader import HTML, Page, PageReader

OURS = "/?mission=novosibirsk-april"
FACTS = "/agreements/aggregate?group_by=currency,firmness&metrics=count,sum(amount)"
SENTENCES = {
    "en": "One mission, 35 companies (reported), six deals: two signed and binding, two signed but"
    " not binding, one accomplished, one announced or negotiated. What binds comes to USD 5"
    " million, stated by one of two. Five of six state no amount.",
    "ru": "Одна миссия, 35 компаний (по сообщениям), шесть сделок: две подписаны и обязывают, две"
    " подписаны, но не обязывают, одна уже исполнена, одна объявлена или обсуждается. По"
    " обязывающим – 5 миллионов USD: сумма указана в 1 из 2. Без суммы – 5 из 6.",
    "kk": "Бір миссия, 35 компания (хабарлама бойынша), алты келісім: қол қойылған, міндеттейтін –"
    " екі, қол қойылған, міндеттемейтін – екі, орындалған – бір, жарияланған немесе келісілуде –"
    " бір. Міндеттейтіндері – 5 миллион USD: сома 2 келісімнің 1-інде көрсетілген. 6 келісімнің"
    " 5-інде сома көрсетілмеген.",
}
LARGEST_BYTES = 80 * 1024


async def test_a_browser_gets_the_page_and_a_program_is_led_to_the_docs(
    reader: PageReader,
) -> None:
    page = await reader.open("/")
    assert "Accept" in page.answer.headers["vary"]
    for accept in ("application/json", "*/*"):
        answer = await reader.get("/", Accept=accept)
        assert (answer.status_code, answer.headers["location"]) == (307, "docs"), accept
        assert "Accept" in answer.headers["vary"]


async def test_its_sentence_says_what_came_of_it_in_three_languages(reader: PageReader) -> None:
    for language, sentence in SENTENCES.items():
        page = await reader.open(f"{OURS}&lang={language}")
        assert page.heading == sentence
        assert f'<html lang="{language}">' in page.answer.text
        # The browser's own language goes where the address names none.
        page = await reader.open(OURS, language=f"de, {language};q=0.9, en;q=0.1")
        assert page.heading == sentence


async def test_its_figures_are_those_of_the_api(reader: PageReader) -> None:
    page = await reader.open(OURS)
    answer = await reader.json(f"{FACTS}&mission=novosibirsk-april")
    counts: dict[str, int] = {}
    for group in answer["data"]:
        counts[group["firmness"]] = counts.get(group["firmness"], 0) + group["count"]
    shown = {
        each.attributes["data-live-key"].removeprefix("class-"): int(each.text)
        for each in page.root.find(cls="n")
    }
    assert {key: count for key, count in shown.items() if count} == counts
    assert shown["fallen_through"] == 0
    (money,) = [
        each
        for each in page.root.find(tag="a", cls="fig")
        if each.attributes.get("data-live-key") == "sum-USD-signed_binding"
    ]
    assert money.text == "5,000,000"
    # The parts of the strip, in the order of firmness, with counts and no shares.
    strip = page.root.find(tag="svg", cls="strip")[0]
    assert [each.text for each in strip.find(tag="text")] == ["2", "2", "1", "1"]
    api = page.root.find(cls="behind")[0].find(tag="a")[0].attributes["href"]
    assert (await reader.json(api))["records"] == 6


async def test_a_deal_without_an_amount_is_not_stated_and_never_empty(reader: PageReader) -> None:
    rows = (await reader.open(OURS)).rows()
    assert len(rows) == 6
    amounts = {row["Deal"]: row["Amount"] for row in rows}
    assert amounts.pop("Supply contract of Nobel AFF and Katren") == "5,000,000 USD"
    assert set(amounts.values()) == {"not stated"}
    assert {row["Signed"] for row in rows} == {"not stated"}
    assert not [row for row in rows if "" in row.values()]
    evidence = {row["Deal"]: row["Evidence"] for row in rows}
    assert evidence["Supply contract of Nobel AFF and Katren"] == "16"


async def test_filters_leave_what_they_say_and_are_said_in_words(reader: PageReader) -> None:
    table: list[tuple[str, set[str], list[str]]] = [
        ("firmness=accomplished", {"Office of Kaznex Invest in Novosibirsk"}, ["Accomplished"]),
        (
            "year=none&firmness=announced",
            {"Plan of Alina to open an office in Novosibirsk"},
            ["no year stated", "Announced or negotiated"],
        ),
        (
            "mission__host_country=RU&sectors__under=C21",
            {"Supply contract of Nobel AFF and Katren"},
            ["Russia", "C21"],
        ),
        ("q=катрен", {"Supply contract of Nobel AFF and Katren"}, ["катрен"]),
        ("amount__isnull=false", {"Supply contract of Nobel AFF and Katren"}, ["stated"]),
        ("year=1950", set(), ["1950"]),
    ]
    faults: list[Any] = []
    for query, deals, words in table:
        page = await reader.open(f"{OURS}&{query}")
        chips = " ".join(each.text for each in page.root.find(cls="chip", tag="a"))
        shown = {row["Deal"] for row in page.rows()}
        if shown != deals or [word for word in words[:1] if word not in chips]:
            faults.append((query, shown, chips))
        if not deals and "No deals match these filters." not in page.text:
            faults.append((query, "nothing is said of nothing"))
    assert not faults


async def test_of_one_class_alone_the_sentence_tells_its_money(
    client: httpx.AsyncClient, reader: PageReader
) -> None:
    mission = (await client.post("/missions", json={"title": "Plans", "kind": "trade_fair"})).json()
    deal = {
        "instrument": "memorandum_of_understanding",
        "status": "negotiated",
        "mission_id": mission["id"],
    }
    for amount in (1_606_401_981, None):
        body = {**deal, "title": "A plan", "amount": amount, "currency": amount and "KZT"}
        assert (await client.post("/agreements", json=body)).status_code == 201
    table = {
        "en": "They come to KZT ≈ 1.61 billion, stated by one of two. One of two states no amount.",
        "ru": "Их суммы – ≈ 1,61 миллиарда KZT: указаны в 1 из 2. Без суммы – 1 из 2.",
        "kk": "Олардың сомалары – ≈ 1,61 миллиард KZT: сома 2 келісімнің 1-інде"
        " көрсетілген. 2 келісімнің 1-інде сома көрсетілмеген.",
    }
    for language, told in table.items():
        page = await reader.open(f"/?mission={mission['id']}&lang={language}")
        assert page.heading.endswith(told), page.heading


async def test_a_language_that_there_is_not_is_refused_in_one_that_the_browser_takes(
    reader: PageReader,
) -> None:
    table = {"ru": "В адресе – то, чего нет", "de": "The address asks", "": "The address asks"}
    for accepted, told in table.items():
        page = await reader.open("/pages/missions?lang=de", 400, language=accepted)
        assert page.heading.startswith(told), accepted
        assert "Must be one of en, ru, kk. Given: 'de'." in page.text


async def test_it_says_of_which_moment_and_position_it_is(reader: PageReader) -> None:
    page = await reader.open(OURS)
    (foot,) = page.root.find(cls="cite")
    assert re.search(r"As of \d+ \w+ 20\d\d, \d\d:\d\d UTC · position \d+-[0-9a-f]+", foot.text)
    (position,) = [each for each in foot.find(tag="a") if "position" in each.text]
    assert (await reader.json(position.attributes["href"]))["data"] == []


async def test_converted_money_stands_beside_what_is_stated(
    client: httpx.AsyncClient, reader: PageReader
) -> None:
    page = await reader.open(f"{OURS}&convert_to=CHF&rate_date=1999-12-31")
    assert page.heading == SENTENCES["en"]
    assert "not converted: USD 5,000,000" in page.text
    rate = {"base": "USD", "quote": "CHF", "rate": 2, "date": "1999-12-31", "provider": "ECB"}
    made = await client.post("/exchange-rates", json=rate)
    assert made.status_code == 201, made.text
    page = await reader.open(f"{OURS}&convert_to=CHF&rate_date=1999-12-31")
    assert "Converted to CHF" in page.text
    (figure,) = [
        each
        for each in page.root.find(tag="a", cls="fig")
        if each.attributes.get("data-live-key") == "converted-signed_binding"
    ]
    answer = await reader.json(figure.attributes["href"])
    assert answer["conversion"]["rates_in_all"] == 1
    assert figure.text == "10,000,000"
    await reader.open(f"{OURS}&convert_to=XXX1", 400)
    await reader.open(f"{OURS}&rate_date=2020-01-01", 400)


async def test_what_a_form_leaves_empty_is_no_filter(reader: PageReader) -> None:
    page = await reader.open(f"{OURS}&firmness=&q=&year=&sectors__under=")
    assert page.heading == SENTENCES["en"]
    chosen = page.root.find(tag="option", selected="")
    assert [each.attributes["value"] for each in chosen if "selected" in each.attributes]


async def test_the_files_of_the_foot_hold_what_is_shown(reader: PageReader) -> None:
    page = await reader.open(f"{OURS}&firmness=signed_binding&year=none")
    links = {each.text: each.attributes["href"] for each in page.root.find(tag="a")}
    listed = await reader.json(links["JSON"])
    assert len(listed["data"]) == len(page.rows()) == 2
    lines = (await reader.get(links["CSV"], Accept="*/*")).text.splitlines()
    assert len(lines) == 1 + 2


async def test_the_table_is_sorted_and_paged_by_the_address(
    client: httpx.AsyncClient, reader: PageReader
) -> None:
    made = await client.post("/missions", json={"title": "Many deals", "kind": "trade_fair"})
    mission = made.json()["id"]
    deals = [
        {
            "title": f"Deal {n:02}",
            "instrument": "supply_contract",
            "mission_id": mission,
            "status": "negotiated",
            "amount": n,
            "currency": "EUR",
        }
        for n in range(30)
    ]
    answer = await client.post("/agreements/bulk", json={"create": deals})
    if answer.status_code >= 400:
        for deal in deals:
            assert (await client.post("/agreements", json=deal)).status_code == 201
    first = await reader.open(f"/?mission={mission}&sort=amount")
    assert [row["Deal"] for row in first.rows()][:2] == ["Deal 00", "Deal 01"]
    after = next(each.attributes["href"] for each in first.root.find(tag="a", rel="next"))
    second = await reader.open(after)
    assert [row["Deal"] for row in second.rows()] == [f"Deal {n:02}" for n in range(25, 30)]
    back = second.root.find(tag="a", rel="prev")[0].attributes["href"]
    assert (await reader.open(back)).rows() == first.rows()
    head = next(each for each in first.root.find(tag="th") if "aria-sort" in each.attributes)
    assert (head.text.strip(" ↑"), head.attributes["aria-sort"]) == ("Amount", "ascending")
    turned = await reader.open(head.find(tag="a")[0].attributes["href"])
    assert turned.rows()[0]["Deal"] == "Deal 29"


async def test_it_is_light_and_needs_nothing_from_elsewhere(reader: PageReader) -> None:
    page = await reader.open("/?mission=novosibirsk-april")
    files = [link for link in page.links if "/pages/assets/" in link]
    assert len(files) == 2
    weight = len(page.answer.content)
    for link in files:
        answer = await reader.get(link)
        assert "immutable" in answer.headers["cache-control"]
        weight += len(answer.content)
    assert weight <= LARGEST_BYTES
    assert [link for link in page.links if not link.startswith("/")] == []
    policy = page.answer.headers["content-security-policy"]
    assert "script-src 'self';" in policy
    assert "style-src 'self';" in policy
    assert "unsafe" not in policy
    assert not re.search(r"<style|\sstyle=|<script(?! src)|\son\w+=", page.answer.text)
    assert len(gzip.compress(assets.content_of("css"))) < 8 * 1024


async def test_it_is_asked_for_again_by_its_tag_alone(
    client: httpx.AsyncClient, reader: PageReader
) -> None:
    first = await reader.get(OURS)
    tag = first.headers["etag"]
    again = await reader.get(OURS, **{"If-None-Match": tag})
    assert (again.status_code, again.content) == (304, b"")
    in_russian = await reader.get(OURS, **{"If-None-Match": tag, "Accept-Language": "ru"})
    assert in_russian.status_code == 200
    with_key = await client.get(OURS, headers={**HTML, "If-None-Match": tag})
    assert with_key.status_code == 200, "who may see what is withheld was shown what is public"
    made = await client.post("/people", json={"full_name": "Somebody new"})
    assert made.status_code == 201
    assert (await reader.get(OURS, **{"If-None-Match": tag})).status_code == 200


async def test_its_address_for_citing_shows_it_as_it_was(
    client: httpx.AsyncClient, reader: PageReader
) -> None:
    mission = (await client.post("/missions", json={"title": "Cited", "kind": "trade_fair"})).json()
    deal = {"title": "A deal", "instrument": "memorandum_of_understanding", "status": "negotiated"}
    await client.post("/agreements", json={**deal, "mission_id": mission["id"]})
    page = await reader.open(f"/?mission={mission['id']}")
    cited = page.root.find(tag="input", cls="address")[0].attributes["value"]
    await client.post("/agreements", json={**deal, "mission_id": mission["id"]})
    assert (await reader.open(f"/?mission={mission['id']}")).heading.startswith("One mission, two")
    then = await reader.open(cited.removeprefix("http://test"))
    assert then.heading == page.heading
    assert then.heading.startswith("One mission, one deal")
    assert "as it was" in then.text


async def test_a_fault_in_the_address_is_a_page_that_says_what_would_be_right(
    reader: PageReader,
) -> None:
    table: list[tuple[str, int, str]] = [
        ("/?firmnes=announced", 400, "Did you mean 'firmness'"),
        ("/?year=soon", 400, "2026"),
        # What the reads behind the page take, and the page does not.
        ("/?limit=2", 400, "There is no parameter 'limit'."),
        ("/?offset=1", 400, "q, filter, mission, year, sort, cursor, convert_to"),
        ("/?group_by=status&lang=ru", 400, "Страница не принимает в адресе «group_by»."),
        ("/?deleted=only", 400, "There is no parameter 'deleted'."),
        ("/?year=2016&year=2017", 400, "year: It is given more than once."),
        ("/pages/missions/novosibirsk-april?limit=2", 400, "There is no parameter 'limit'."),
        ("/pages/organizations/elsib?limit=2", 400, "There is no parameter 'limit'."),
        ("/?firmness=hard&lang=kk", 400, "Мекенжайдағы «firmness» мәні түсініксіз."),
        ("/pages/agreements/none?lang=ru", 404, "Того, что названо в адресе, здесь не записано"),
        ("/?firmness=hard", 400, "hard"),
        ("/?mission=nowhere-at-all", 404, "nowhere-at-all"),
        ("/?cursor=xyz", 400, "cursor"),
        ("/?as_of=never", 400, "as_of"),
        ("/?q=a&as_of=2026-01-01", 400, "q"),
        ("/?lang=de", 400, "Must be one of en, ru, kk."),
        ("/pages/missions?lang=ru&lang=kk", 400, "more than once"),
        ("/?sort=-amount,nothing", 400, "nothing"),
        ("/pages/missions/none", 404, "none"),
        ("/pages/nothing/here/at-all", 404, "nothing/here"),
        ("/pages", 404, ""),
        ("/pages/agreements/%00", 404, ""),
        ("/pages/search?q=a&kinds=nothing", 400, "nothing"),
    ]
    faults: list[Any] = []
    for path, status, words in table:
        answer = await reader.get(path)
        if answer.status_code != status or words not in answer.text.replace("&#39;", "'"):
            faults.append((path, answer.status_code, answer.text[-400:]))
        if (
            path not in ("/pages", "/pages/agreements/%00")
            and "text/html" not in answer.headers["content-type"]
        ):
            faults.append((path, answer.headers["content-type"]))
    assert not faults


async def test_where_reading_takes_a_key_the_page_says_so(fresh_url: str) -> None:
    from app.main import create_app
    from app.settings import Settings

    app = create_app(Settings(database_url=fresh_url, public_reading=False))
    async with app.router.lifespan_context(app):
        page = await PageReader(app).open("/?year=2016", 401, "ru")
        assert page.heading == "Для этого нужен ключ"
        assert "Браузер спросит имя и пароль" in page.text
        assert "?year=2016" in page.links, "where the browser asks anew"
        challenges = page.answer.headers.get_list("www-authenticate")
        assert [each.partition(" ")[0] for each in challenges] == ["Bearer", "Basic"]


@pytest.mark.parametrize("language", ["en", "ru", "kk"])
async def test_an_empty_service_says_that_there_is_nothing_yet(
    fresh: httpx.AsyncClient, fresh_app: FastAPI, language: str
) -> None:
    key = "/missions/novosibirsk-april"
    for listed in ("agreements", "outcomes"):
        for row in (await fresh.get(f"/{listed}?limit=100&fields=id,version")).json()["data"]:
            await fresh.delete(f"/{listed}/{row['id']}")
    await fresh.delete(key)
    page = await PageReader(fresh_app).open(f"/?lang={language}")
    assert (
        page.heading
        == {
            "en": "No deals are recorded yet.",
            "ru": "Сделок пока не записано.",
            "kk": "Әзірге келісім жазылмаған.",
        }[language]
    )
    assert not page.rows()


async def test_behind_a_proxy_that_shows_it_below_a_path_every_address_begins_with_that(
    shared_app: FastAPI,
) -> None:
    transport = httpx.ASGITransport(shared_app, root_path="/trade")
    async with httpx.AsyncClient(
        transport=transport, base_url="http://test", headers=HTML
    ) as client:
        faults = []
        for path in ("/", "/pages/missions/novosibirsk-april", "/pages/search?q=Katren"):
            answer = await client.get(f"/trade{path}")
            assert answer.status_code == 200, answer.text
            page = Page(answer)
            faults += [(path, link) for link in page.links if not link.startswith("/trade/")]
            faults += [
                (path, form.attributes["action"])
                for form in page.root.find(tag="form")
                if not form.attributes.get("action", "/trade/").startswith("/trade/")
            ]
            for cited in page.root.find(tag="input", cls="address"):
                if not cited.attributes["value"].startswith("http://test/trade/"):
                    faults.append((path, cited.attributes["value"]))
    assert not faults


async def test_an_address_that_is_not_there_is_a_page_for_people_and_a_problem_for_programs(
    reader: PageReader,
) -> None:
    page = await reader.open("/missons?lang=ru", status=404)
    assert page.heading == "Здесь ничего нет"
    assert "Did you mean /missions" in page.text
    for path, accept in (("/missons", "application/json"), ("/missions/nowhere", "text/html")):
        answer = await reader.get(path, Accept=accept)
        assert answer.status_code == 404, path
        assert answer.headers["content-type"] == "application/problem+json", path
