"""The guides of dashboards name addresses, views and columns that there are."""

import re
from pathlib import Path

import httpx

from app.datasets.columns import ALL_DATASETS
from app.datasets.views import view_name

DOCS = Path(__file__).parent.parent.parent / "docs"
GUIDES = {path.stem: path.read_text() for path in sorted((DOCS / "dashboards").glob("*.md"))}


async def test_every_address_and_view_of_the_guides_is_there(client: httpx.AsyncClient) -> None:
    views = set(map(view_name, ALL_DATASETS))
    wrong: list[tuple[str, str]] = []
    addresses: set[str] = set()
    for name, text in GUIDES.items():
        site = text.replace("{site}/", "/datasets/")
        addresses.update(re.findall(r"/datasets/\w+\.\w+", site))
        wrong += [(name, view) for view in set(re.findall(r"\bbi_\w+", text)) - views]
    for address in sorted(addresses):
        answer = await client.get(address)
        if answer.status_code != 200:
            wrong.append((address, answer.text))
    assert not wrong
    assert len(addresses) > 3


def test_every_guide_is_listed_and_says_how_it_was_made() -> None:
    index = (DOCS / "dashboards.md").read_text()
    listed = set(re.findall(r"\(dashboards/([\w-]+)\.md\)", index))
    assert listed == {*GUIDES}
    said = re.compile("^(Followed with|Written from|The queries are run)", re.MULTILINE)
    assert [name for name, text in GUIDES.items() if not said.search(text)] == []
