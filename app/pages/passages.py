"""The passages that a page rests on: each place of a source with what rests on it."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from app.core.json_pointer import read_pointer
from app.core.loose_types import Value
from app.pages.context import PATHS, PageContext, field_name, path_of
from app.pages.reading import Pairs
from app.pages.titles import Titles, cited_titles

#: So near to each other are passages of one sentence, where the sentences are not known: a text
#: that is not attached has positions alone.
_NEAR_CHARACTERS = 30
#: So many citations are read: of more the page says so.
MAX_CITATIONS = 1000
_FIELDS = (
    "id,start,end,quote,sentence,field,assertion,checked,record_kind,record_id,record_ref,record_title,"
    "source_id,source.id,source.publisher,source.title,source.url,source.dateline"
)


@dataclass(frozen=True, slots=True)
class Resting:
    """A record that rests on a passage, with the fields that do."""

    kind: str
    title: str
    address: str
    fields: Sequence[str]
    is_inferred: bool


@dataclass(slots=True)
class Passage:
    """A place in a source: citations that overlap are of one passage."""

    source: Value
    start: int
    end: int
    sentence: int | None
    citations: list[Value] = field(default_factory=list)
    resting: Sequence[Resting] = ()

    @property
    def quote(self) -> str | None:
        """Its words, as far as they are cited, in their order; None where they are not known."""
        found: list[Value] = []
        for each in self.citations:
            if each["quote"] and not any(_holds(other, each) for other in found):
                found = [other for other in found if not _holds(each, other)] + [each]
        return " … ".join(each["quote"] for each in found) or None

    @property
    def by_kind(self) -> dict[str, list[Resting]]:
        """What rests on it, by kind."""
        found: dict[str, list[Resting]] = {}
        for each in self.resting:
            found.setdefault(each.kind, []).append(each)
        return found

    @property
    def checked(self) -> str | None:
        """The day on which the last of its citations was compared with the source; None while one
        was not."""
        days = [each["checked"] for each in self.citations]
        return None if None in days else str(max(days))

    @property
    def ids(self) -> str:
        """The ids of its citations."""
        return ",".join(each["id"] for each in self.citations)


@dataclass(frozen=True, slots=True)
class Passages:
    """The passages of a page, by their place."""

    passages: Sequence[Passage]
    #: How many citations there are of them.
    citations: int
    is_cut: bool
    address: str


async def passages_of(context: PageContext, path: str, **steps: str) -> Passages:
    """The passages that are cited at an address, such as `/missions/{key}/evidence`."""
    asked: Pairs = (
        ("fields", _FIELDS),
        ("expand", "source"),
        ("sort", "source_id,start,end"),
        ("limit", str(MAX_CITATIONS)),
    )
    answer = await context.reader.find(context.request, path, asked, **steps)
    rows = answer["data"]
    found, titles = _grouped(rows), await cited_titles(context, rows)
    for passage in found:
        passage.resting = _resting(context, passage.citations, titles)
    address = context.api(path.format(**steps), (("expand", "source"),))
    is_cut = bool(rows) and answer["page"]["next_cursor"] is not None
    return Passages(found, len(rows), is_cut, address)


def _grouped(rows: Sequence[Value]) -> list[Passage]:
    found: list[Passage] = []
    for row in rows:
        last = found[-1] if found else None
        if last is None or not _is_of(last, row):
            source = row.get("source") or {"id": row["source_id"]}
            last = Passage(source, row["start"], row["end"], row["sentence"])
            found.append(last)
        last.end = max(last.end, row["end"])
        last.citations.append(row)
    return found


def _holds(one: Value, other: Value) -> bool:
    """Whether one citation has all the words of the other."""
    return bool(one["start"] <= other["start"] and other["end"] <= one["end"])


def _is_of(passage: Passage, row: Value) -> bool:
    """Whether a citation is of the passage: of its sentence, or near to it."""
    if passage.source["id"] != row["source_id"]:
        return False
    if row["sentence"] is not None:
        return bool(passage.sentence == row["sentence"])
    return bool(passage.end + _NEAR_CHARACTERS > row["start"])


def _resting(context: PageContext, citations: Sequence[Value], titles: Titles) -> list[Resting]:
    by_record: dict[tuple[str, str], list[Value]] = {}
    for row in citations:
        by_record.setdefault((row["record_kind"], row["record_id"]), []).append(row)
    return [
        _record(context, kind, rows, titles.get((kind, key)))
        for (kind, key), rows in by_record.items()
    ]


def _record(context: PageContext, kind: str, rows: Sequence[Value], title: str | None) -> Resting:
    first = rows[0]
    address = context.api(f"/{path_of(kind)}/{first['record_id']}")
    if kind in PATHS:
        address = context.page(f"/pages/{PATHS[kind]}/{first['record_ref'] or first['record_id']}")
    return Resting(
        kind=context.name("record-kinds", kind),
        title=title or _title(first),
        address=address,
        fields=list(
            dict.fromkeys(_field(context, kind, row["field"]) for row in rows if row["field"])
        ),
        is_inferred=all(row["assertion"] == "inferred" for row in rows),
    )


def _title(row: Value) -> str:
    # A delegate has no name of its own: it is called what its mission is.
    names = [row["record_title"], row["record_ref"], row["record_id"]]
    if row["record_kind"] == "delegate":
        names = names[1:]
    return next(str(name) for name in names if name)


def _field(context: PageContext, kind: str, pointer: str) -> str:
    return field_name(kind, str(read_pointer(pointer)[0]), context.language)
