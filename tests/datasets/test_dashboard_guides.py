"""The guides of dashboards name addresses, views and columns that there are."""

import asyncio
import re
from collections import defaultdict
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path

import httpx
import pyarrow
import pytest
from fastapi import FastAPI

from app.core import json_codec
from app.datasets.columns import ALL_DATASETS
from app.datasets.views import view_name
from tests.clients import tools
from tests.serving import served

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
    said = re.compile("^(Followed with|Written from|The tests check)", re.MULTILINE)
    assert [name for name, text in GUIDES.items() if not said.search(text)] == []


@pytest.fixture
async def site(shared_app: FastAPI) -> AsyncIterator[str]:
    async with served(shared_app) as address:
        yield address


async def test_the_cell_of_the_notebook_has_the_sums_of_the_service(
    site: str, client: httpx.AsyncClient, tmp_path: Path, long: bool
) -> None:
    if not long:
        pytest.skip("pandas is large: --long installs it")
    (cell,) = re.findall(r"```python\n(.*?)```", GUIDES["jupyter"], re.DOTALL)
    *lines, last = cell.strip().splitlines()
    shown = f"for key, value in {last}.items(): print(*key, value, sep='|')"
    text = "\n".join([*lines, shown]).replace("https://missions.example", site)
    # Its packages come with none of these.
    (tmp_path / "pyarrow").symlink_to(Path(pyarrow.__file__).parent)
    python = await asyncio.to_thread(tools.python, Path(__file__).parent / "notebook")
    lent = {"PYTHONPATH": str(tmp_path)}
    said = await asyncio.to_thread(tools.run, python, "-c", text, folder=tmp_path, env=lent)
    sums: dict[str, Decimal] = defaultdict(Decimal)
    for line in (await client.get("/datasets/totals.ndjson")).text.splitlines():
        row = json_codec.loads(line.encode())
        if row["per"] is None and row["amount"] is not None:
            sums[f"{row['currency']}|{row['firmness_label']}"] += Decimal(row["amount"])
    told = (line.rpartition("|") for line in said.splitlines())
    assert {key: Decimal(value) for key, _, value in told} == sums
    assert "USD|Signed, binding" in sums
