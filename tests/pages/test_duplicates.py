"""Records that may be of the same, shown to whoever may write, and two of them side by side."""

from typing import Any

import httpx

from tests.pages.reader import HTML, Page, PageReader
from tests.pages.test_record_pages import section

HEADING = "Possible duplicates"
#: A name, what it may be a duplicate of, and what it is none of.
ORGANIZATIONS = (
    (
        "Zhetisu Kabel",
        ("ТОО «Жетісу Кабель»", "Кабель Жетiсу", "Жетісу Кабель Сервис", "АО «Кабель»"),
        ("Кабель Сервис",),
    ),
    ("!!!", (), ("???",)),
)
PEOPLE = (("Болат Сарыбаев", ("Sarybaev Bolat", "Б. Сарыбаев"), ("Сарыбаева Болганай", "Б.")),)


async def _seen(client: httpx.AsyncClient, path: str) -> Page:
    """The page, for whoever may write."""
    answer = await client.get(path, headers=HTML)
    assert answer.status_code == 200, answer.text
    return Page(answer)


async def test_names_with_the_same_words_are_found_in_every_script(
    client: httpx.AsyncClient,
) -> None:
    faults: list[Any] = []
    for path, name_field, cases in (
        ("organizations", "name", ORGANIZATIONS),
        ("people", "full_name", PEOPLE),
    ):
        for name, alike, others in cases:
            for each in (*alike, *others):
                body = {name_field: each} | ({"kind": "company"} if name_field == "name" else {})
                made = await client.post(f"/{path}", json=body)
                assert made.status_code == 201, made.text
            body = {name_field: name} | ({"kind": "company"} if name_field == "name" else {})
            key = (await client.post(f"/{path}", json=body)).json()["id"]
            page = await _seen(client, f"/pages/{path}/{key}")
            shown = section(page, HEADING)
            (found,) = page.root.find(tag="section", id="duplicates")
            names = {each.text for li in found.find(tag="li") for each in li.find(tag="bdi")}
            if names != {*alike}:
                faults.append((name, shown))
    assert not faults


async def test_whoever_may_only_read_is_not_shown_them(reader: PageReader) -> None:
    page = await reader.open("/pages/organizations/kaznex-invest")
    assert not page.root.find(tag="section", id="duplicates")
    assert page.root.find(tag="template", id="write-duplicates")


async def test_two_are_compared_field_by_field(
    client: httpx.AsyncClient, reader: PageReader
) -> None:
    first = {"name": "Тобол Сталь", "kind": "company", "country": "KZ", "city": "Костанай"}
    other = {"name": "Tobol Stal", "kind": "company", "country": "KZ", "note": "<b>A note</b>"}
    keys = [
        (await client.post("/organizations", json=each)).json()["id"] for each in (first, other)
    ]
    page = await reader.open(f"/pages/organizations/{keys[0]}/compare/{keys[1]}")
    rows = {row["Field"]: [*row.values()][1:] for row in page.rows("compared")}
    assert rows == {
        "Names": ["Тобол Сталь", "Tobol Stal"],
        "Kind": ["Company", "Company"],
        "Place": ["Костанай, Kazakhstan", "Kazakhstan"],
        "Note": ["not stated", "<b>A note</b>"],
    }
    differing = [each.text for each in page.root.find(tag="tr", cls="differs")]
    assert [text.split()[0] for text in differing] == ["Names", "Place"]
    for path in ("organizations/none/compare/kaznex-invest", "people/none/compare/none"):
        await reader.open(f"/pages/{path}", 404)
