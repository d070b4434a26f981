"""The guide's text: sections of paragraphs, lists, boxes, tables and examples, read from files.

A file of `sections/` begins with `# Title`; blocks are separated by empty lines, and the first
characters of a block say what it is:

    - an item of a list               | a line of a box               @ the name of a table
    curl …                            an example, told below

In texts `code`, **strong** and [words](address) are marked so. An example is a command, then lines
that begin with `~ `, then the answer as the test prints it:

    curl 'http://127.0.0.1:8000/people?limit=1'
    ~ show ETag: data.full_name page.next_cursor
    ~ keep NEXT page.next_cursor
    HTTP 200
    …
"""

from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files

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
    "Figures": ("aggregates",),
    "Keep in step": ("polling", "past", "changes"),
    "Write": (
        "writing-safely",
        "merge-patch",
        "nested-create",
        "bulk",
        "many-at-once",
        "import",
        "trash",
    ),
    "When it is refused": ("errors", "limits"),
}


@dataclass(frozen=True, slots=True)
class Paragraph:
    text: str


@dataclass(frozen=True, slots=True)
class Items:
    texts: tuple[str, ...]


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


Block = Paragraph | Items | Box | Table | Example


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
    return {slug: read_section(slug, (folder / f"{slug}.txt").read_text("utf-8")) for slug in slugs}


def read_section(slug: str, text: str) -> Section:
    """The section that a file tells."""
    title, *blocks = text.strip().split("\n\n")
    return Section(slug, title.removeprefix("# "), tuple(_block(block.strip()) for block in blocks))


def _block(text: str) -> Block:
    lines = text.split("\n")
    if text.startswith("curl "):
        return _example(lines)
    if text.startswith("@ "):
        return Table(text.removeprefix("@ "))
    if text.startswith("|"):
        return Box("\n".join(line[2:] for line in lines))
    if text.startswith("- "):
        joined = " ".join(line.strip() for line in lines)
        return Items(tuple(joined.removeprefix("- ").split(" - ")))
    return Paragraph(" ".join(lines))


def _example(lines: list[str]) -> Example:
    marks = [at for at, line in enumerate(lines) if line.startswith("~ ")]
    show: list[str] = []
    keep: dict[str, str] = {}
    for at in marks:
        verb, *words = lines[at].removeprefix("~ ").split()
        if verb == "keep":
            keep[words[0]] = words[1]
        else:
            show += words
    command = "\n".join(lines[: marks[0]])
    return Example(command, tuple(show), keep, "\n".join(lines[marks[-1] + 1 :]))
