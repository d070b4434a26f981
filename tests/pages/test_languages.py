"""In Russian and Kazakh nothing is English but names, codes, and what is marked as English."""

import re

import pytest
from fastapi import FastAPI

from app.pages.words import written_language
from tests.pages.reader import Element, Page, PageReader

MISSION = "/pages/missions/novosibirsk-april"
BESIDE = (
    "/?mission=novosibirsk-april",
    "/pages/search",
    "/pages/search?q=Novosibirsk",
    "/pages/organizations/elsib/compare/kaznex-invest",
    "/pages/missions/nowhere",
)
#: What is the same in every language: names of forms and programs, and who wrote the seeds.
SAME = {"API", "CSV", "Excel, Power BI", "JSON", "UTC", "XLSX", "seed"}
#: Where names stand.
NAMED = (
    ("/organizations", ("name", "name_en", "other_names")),
    ("/people", ("full_name", "full_name_en", "other_names")),
    # Their names in English stand on no other page.
    ("/missions", ("title",)),
    ("/sources", ("publisher", "title")),
    # Titles of elements have no language of their own.
    ("/delegates", ("note",)),
)
TOLD = ("title", "aria-label", "placeholder", "alt")
#: Words with what stands between those of a name; addresses and what is asked in them are none.
ADDRESS = re.compile(r"\S*[/=_&:{}]\S*|\b[0-9a-f]{6,}\b|\b[A-Z]{2,4}\b")
RUN = re.compile(r"[A-Za-z]{2,}(?:[ .,'()-]+[A-Za-z]+)*")


async def _names(reader: PageReader) -> str:
    """The names of all that is on record, on a line each."""
    found = set(SAME)
    for path, fields in NAMED:
        for row in (await reader.json(f"{path}?limit=1000"))["data"]:
            for value in (row[name] for name in fields if row[name]):
                found |= set(value) if isinstance(value, list) else {value}
    return "\n".join(found)


def _told(element: Element, language: str) -> list[str]:
    """What a reader is told in the page's language, or by elements that say no other."""
    if element.name in ("style", "script", "template", "pre"):
        return []
    if element.attributes.get("lang", language) != language:
        return []
    found = [element.attributes[name] for name in TOLD if name in element.attributes]
    inner = "".join(each for each in element.inner if isinstance(each, str))
    found += [inner] if inner.strip() else []
    for each in element.inner:
        found += _told(each, language) if isinstance(each, Element) else []
    return found


def _english(page: Page, language: str, names: str) -> set[str]:
    runs = (
        run for text in _told(page.root, language) for run in RUN.findall(ADDRESS.sub("|", text))
    )
    return {run for run in runs if run not in names}


@pytest.mark.parametrize("language", ["ru", "kk"])
async def test_all_that_is_english_on_a_page_is_a_name_or_marked(
    fresh_app: FastAPI, language: str, long: bool
) -> None:
    # The seeds alone: what others have entered has names of every sort.
    reader = PageReader(fresh_app)
    names = await _names(reader)
    mission = await reader.open(MISSION, language=language)
    pages = (re.sub("[?#].*", "", link) for link in mission.links)
    records = {
        page for page in pages if re.match("/pages/(agreements|organizations|people)/", page)
    }
    assert len(records) > 20
    faults = {MISSION: _english(mission, language, names)}
    # One page of a kind is made as all are.
    chosen = sorted(records) if long else [*sorted(records)[:8], *sorted(records)[-2:]]
    for path in (*chosen, *BESIDE):
        page = await reader.open(path, 404 if "nowhere" in path else 200, language)
        faults[path] = _english(page, language, names)
    assert {path: found for path, found in faults.items() if found} == {}


def test_the_language_of_a_note_is_told_by_its_letters() -> None:
    texts = {
        "The year is stated nowhere.": "en",
        "Год нигде не указан": "ru",
        "Жылы ешқайда көрсетілмеген": "kk",
        "Офис Kaznex Invest в городе Новосибирске": "ru",
        "Kaznex Invest": None,
        "35": None,
    }
    assert {text: written_language(text) for text in texts} == texts
