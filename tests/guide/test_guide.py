"""The query guide: every example is run, on both databases, and answers what the page shows."""

import os
import re
from html import unescape
from pathlib import Path

import httpx
import pytest
from pydantic import BaseModel

from app.engine.aggregates.query import AggregateQuery
from app.engine.paths import FieldType
from app.engine.query.expression import parse_expression
from app.engine.query.operators import OPERATORS
from app.engine.query.parameters import ListQuery
from app.guide.command import read_command
from app.guide.page import page
from app.guide.tables import KINDS
from app.guide.text import Box, Example, Section, read_section, sections
from app.insights.conversion import ConversionQuery
from app.insights.duplicates import DuplicatesQuery
from app.insights.mission_figures import MissionFiguresQuery
from app.insights.organization_figures import OrganizationFiguresQuery
from app.insights.search import SearchQuery
from app.rest.by_filter_routes import AffectedQuery
from app.rest.changes import ChangesQuery
from app.rest.exports import ExportQuery
from app.rest.import_uploads import ImportQuery
from app.rest.read_routes import PastQuery
from app.rest.write_routes import RestoreQuery
from tests.guide.guide_answers import send, shown
from tests.keys import ADMIN_KEY

FOLDER = Path(__file__).parents[2] / "app" / "guide" / "sections"
#: Set to write the answers into the guide where they differ; read them before they are kept.
REWRITE = "REWRITE_GUIDE" in os.environ
EXAMPLES = [example for section in sections().values() for example in section.examples]
QUERIES = (
    ListQuery,
    ExportQuery,
    PastQuery,
    SearchQuery,
    AggregateQuery,
    ChangesQuery,
    AffectedQuery,
    RestoreQuery,
    ImportQuery,
    ConversionQuery,
    DuplicatesQuery,
    MissionFiguresQuery,
    OrganizationFiguresQuery,
)


async def test_every_example_answers_what_the_page_shows(fresh: httpx.AsyncClient) -> None:
    # The commands say themselves who sends them.
    del fresh.headers["Authorization"]
    kept = {"KEY": ADMIN_KEY}
    wrong = []
    for section in sections().values():
        for example in section.examples:
            answer = shown(await send(fresh, example, kept), example.show)
            if answer != example.answer:
                wrong.append(f"{section.slug}: {example.command}\n{answer}\n")
                if REWRITE:
                    rewrite(section, example, answer)
    assert not wrong, "These answers differ from the page:\n\n" + "\n".join(wrong)


def rewrite(section: Section, example: Example, answer: str) -> None:
    path = FOLDER / f"{section.slug}.md"
    before, command, after = path.read_text("utf-8").partition(f"```sh\n{example.command}\n```\n")
    after = after.replace(f"\n{example.answer}\n```\n", f"\n{answer}\n```\n", 1)
    path.write_text(before + command + after, "utf-8")


def html() -> str:
    return page()[0].decode()


def words() -> set[str]:
    """Every word that the page shows as code."""
    code = re.findall(r"<(?:code|pre tabindex=0)>(.*?)</", html(), re.DOTALL)
    return set(re.findall(r"\w+", unescape(" ".join(code))))


async def test_the_page_is_made_once_and_known_again(fresh: httpx.AsyncClient) -> None:
    answer = await fresh.get("/guide")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.content == page()[0]
    again = await fresh.get("/guide", headers={"If-None-Match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


async def test_every_link_leads_somewhere(fresh: httpx.AsyncClient) -> None:
    shown = {read_command(example.command).path.removeprefix("/") for example in EXAMPLES}
    ids = set(re.findall(r' id="([^"]+)"', html()))
    for link in {unescape(found) for found in re.findall(r'href="([^"]+)"', html())} - shown:
        if link.startswith("#"):
            assert link.removeprefix("#") in ids
        else:
            assert (await fresh.get(f"/{link}")).status_code == 200, link


async def test_the_documentation_leads_to_the_guide(fresh: httpx.AsyncClient) -> None:
    document = (await fresh.get("/openapi.json")).json()
    assert "](guide)" in document["info"]["description"]


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.command[:60])
def test_curl_sends_each_address_as_it_stands(example: Example) -> None:
    address = re.findall(r"http://\S+", example.command)[0]
    # curl neither encodes letters of other scripts nor leaves these signs alone.
    assert address.isascii()
    assert not set(address) & set("[]{}")


@pytest.mark.parametrize("query", QUERIES, ids=lambda query: query.__name__)
def test_every_parameter_is_told(query: type[BaseModel]) -> None:
    assert set(query.model_fields) <= words()


def test_every_operator_and_every_kind_of_field_is_told() -> None:
    assert {f"field__{name}" for name in OPERATORS if name != "eq"} <= words()
    assert set(KINDS) == set(FieldType)


def test_every_condition_in_the_box_of_the_grammar_is_one() -> None:
    (box,) = [block for block in sections()["expressions"].blocks if isinstance(block, Box)]
    forms = re.split(r" {3,}|\n", box.text.partition("\nfield ")[0].removeprefix("condition "))
    conditions = [
        form.strip() for form in forms if re.match(r"\W*(field|rel|con|not|start|end)", form)
    ]
    assert len(conditions) >= 10
    for condition in conditions:
        inner = "x/field eq 1" if "x:" in condition else "field eq 1"
        parse_expression(re.sub(r"\bcondition\b", inner, condition).replace("value", "5"))


def test_each_section_says_what_it_is_for_and_has_something_to_try() -> None:
    for section in sections().values():
        assert section.slug == "limits" or section.examples, section.slug


WRITTEN_WRONGLY = {
    "Text without a title.": "title",
    "# Title\n\n```sh\ncurl x\n```\n\nText.": "no answer behind 'curl x'",
    "# Title\n\n```sh\ncurl x\n```": "no answer behind 'curl x'",
    "# Title\n\n```http show *\nHTTP 200\n```": "http show",
    "# Title\n\n```python\nprint()\n```": "python",
}


def test_a_section_that_is_not_written_as_sections_are_is_refused() -> None:
    for text, reason in WRITTEN_WRONGLY.items():
        with pytest.raises(ValueError, match=f"^section: .*{re.escape(reason)}"):
            read_section("section", text)
