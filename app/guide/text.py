"""The guide's text: sections of Markdown, with their examples, tables and boxes, read from files.

A file of `sections/` begins with `# Title`. An example is two fenced blocks, the command and its
answer as the test prints it. Behind `show` stand the headers and the parts of the body to look at,
behind `keep` a name for a value of the answer that later commands send:

    ```sh
    curl 'http://127.0.0.1:8000/people?limit=1'
    ```

    ```http show ETag: data.full_name keep NEXT page.next_cursor
    HTTP 200
    …
    ```

A fence with `table` and a name stands for a table that is made of the program, and one without any
word for lines that are shown as they are.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from itertools import groupby
from typing import TYPE_CHECKING

from app.guide import markdown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from markdown_it.token import Token

#: The page's parts with their sections, in order; each section is a file.
PARTS: dict[str, tuple[str, ...]] = {
    "Begin": ("first-steps", "keys"),
    "Choose records": (
        "filters",
        "missing-and-undated",
        "relations",
        "expressions",
        "search",
    ),
    "Shape the answer": ("sorting", "pages", "counting", "fields-and-expand", "formats"),
    "Figures": (
        "figures",
        "aggregates",
        "across-missions",
        "conversion",
        "reconciliation",
        "charts",
        "odata",
    ),
    "Keep in step": ("polling", "past", "receipts", "questions", "subscribing", "changes"),
    "Write": (
        "writing-safely",
        "merge-patch",
        "nested-create",
        "evidence",
        "bulk",
        "many-at-once",
        "import",
        "duplicates",
        "merging",
        "press-release",
        "confidential",
        "trash",
    ),
    "Money": ("exchange-rates",),
    "When it is refused": ("errors", "limits"),
}


@dataclass(frozen=True, slots=True)
class Prose:
    """Paragraphs or a list, as HTML."""

    html: str


@dataclass(frozen=True, slots=True)
class Box:
    """Lines that are shown as they are."""

    text: str


@dataclass(frozen=True, slots=True)
class Table:
    """A table that is made of the program itself."""

    name: str


@dataclass(frozen=True, slots=True)
class Example:
    """A command, what to look at in its answer, what later commands need of it, and the answer."""

    command: str
    show: tuple[str, ...] = ()
    keep: dict[str, str] = field(default_factory=dict)
    answer: str = ""


Block = Prose | Box | Table | Example


@dataclass(frozen=True, slots=True)
class Section:
    slug: str
    title: str
    blocks: tuple[Block, ...]

    @property
    def examples(self) -> list[Example]:
        """The examples, in the order in which they are run."""
        return [block for block in self.blocks if isinstance(block, Example)]


@cache
def sections() -> dict[str, Section]:
    """Every section by its slug, in the order of the page."""
    folder = files("app.guide") / "sections"
    slugs = [slug for part in PARTS.values() for slug in part]
    return {slug: read_section(slug, (folder / f"{slug}.md").read_text("utf-8")) for slug in slugs}


def read_section(slug: str, text: str) -> Section:
    """The section that a file tells; ValueError when it is not written as said above."""
    tokens = markdown.parse(text)
    if [token.type for token in tokens[:3]] != ["heading_open", "inline", "heading_close"]:
        raise ValueError(f"{slug}: A section begins with its title.")
    try:
        return Section(slug, tokens[1].content, tuple(_blocks(tokens[3:])))
    except ValueError as error:
        raise ValueError(f"{slug}: {error}") from None


def _blocks(tokens: list[Token]) -> Iterator[Block]:
    for fenced, found in groupby(tokens, lambda token: token.type == "fence"):
        if fenced:
            yield from _fences(found)
        else:
            yield Prose(markdown.render(list(found)))


def _fences(fences: Iterator[Token]) -> Iterator[Block]:
    for fence in fences:
        kind, _, words = fence.info.partition(" ")
        if kind == "sh":
            yield _example(_lines(fence), next(fences, None))
        elif kind == "table":
            yield Table(words)
        elif not kind:
            yield Box(_lines(fence))
        else:
            raise ValueError(f"What is {fence.info!r} before {_lines(fence)!r}?")


def _example(command: str, answer: Token | None) -> Example:
    if answer is None or not answer.info.startswith("http show "):
        raise ValueError(f"There is no answer behind {command!r}.")
    show, *kept = answer.info.removeprefix("http show ").split(" keep ")
    keep = dict(each.split() for each in kept)
    return Example(command, tuple(show.split()), keep, _lines(answer))


def _lines(fence: Token) -> str:
    return fence.content.removesuffix("\n")
