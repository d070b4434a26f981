"""The table of deals: a page of the agreements that the filters leave, sorted by the address."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from app.core.loose_types import Value
from app.pages import formats
from app.pages.context import PageContext
from app.pages.filters import as_asked, filters_in, replaced
from app.pages.parts_of_deals import wholes_of
from app.pages.reading import Pairs

DEALS_A_PAGE = 25
#: The newest first, and what has no date by its amount.
DEFAULT_SORT = "-signed_earliest,-amount"
_FIELDS = (
    "id,ref,title,title_en,firmness,status,amount,amount_max,amount_bound,amount_period,currency,"
    "signed,withheld,stands_for,parties.description,parties.role,parties.organization.id,"
    "parties.organization.name,parties.organization.name_en,related.relation,related.agreement.id,"
    "related.agreement.title,related.agreement.title_en"
)
_SHOWN = (("fields", _FIELDS), ("expand", "parties.organization,related.agreement"))
#: The columns with the words for each, and what it is sorted by.
COLUMNS: Final = (
    ("title", "column_title", "title"),
    ("parties", "column_parties", None),
    ("firmness", "column_class", "firmness"),
    ("amount", "column_amount", "amount"),
    ("signed", "column_signed", "signed_earliest"),
    ("status", "column_status", "status"),
    ("evidence", "column_evidence", None),
)


@dataclass(frozen=True, slots=True)
class Heading:
    """The head of a column: where its table is sorted by it, and how it is now."""

    name: str
    told: str
    address: str | None
    direction: str | None


@dataclass(frozen=True, slots=True)
class Deal:
    """A row of the table."""

    id: str
    title: str
    address: str
    parties: Sequence[tuple[str, str | None]]
    firmness: str | None
    class_name: str
    amount: str | None
    currency: str | None
    signed: str | None
    status: str
    evidence: int
    evidence_address: str
    stands_for: int
    wholes: Sequence[tuple[str, str | None]]
    record: Value


@dataclass(frozen=True, slots=True)
class DealTable:
    """The table with the ways to its other pages."""

    rows: Sequence[Deal]
    headings: Sequence[Heading]
    before: str | None
    after: str | None


async def deal_table(
    context: PageContext, path: str = "/agreements", *, here: str = "/", **steps: str
) -> DealTable:
    """The page of deals that the address asks for."""
    sent = dict(context.pairs)
    asked = [*as_asked(filters_in(context.pairs)), *_SHOWN]
    asked += [("sort", sent.get("sort", DEFAULT_SORT)), ("limit", str(DEALS_A_PAGE))]
    asked += [("cursor", sent["cursor"])] if "cursor" in sent else []
    answer = await context.read(path, tuple(asked), **steps)
    counts = await _evidence(context, answer["data"])
    rows = [deal_of(context, row, counts.get(row["id"], 0)) for row in answer["data"]]
    ways = {name: answer["page"][f"{name}_cursor"] for name in ("prev", "next")}
    addresses = {
        name: context.page(here, replaced(context.pairs, "cursor", cursor), "#deals")
        for name, cursor in ways.items()
        if cursor
    }
    headings = [_heading(context, here, *column) for column in COLUMNS]
    return DealTable(rows, headings, addresses.get("prev"), addresses.get("next"))


def deal_files(context: PageContext, path: str, asked: Pairs | None = None) -> Pairs:
    """The files of exactly the deals of the table, by what they are called."""
    chosen = as_asked(filters_in(context.pairs)) if asked is None else asked
    pairs = (*dict.fromkeys(chosen), *(pair for pair in context.pairs if pair[0] == "sort"))
    forms = (("CSV", ".csv"), ("Excel (XLSX)", ".xlsx"), ("JSON", ""))
    return tuple((told, context.api(f"{path}{form}", pairs)) for told, form in forms)


async def _evidence(context: PageContext, rows: Sequence[Value]) -> dict[str, int]:
    """How many passages each agreement rests on."""
    if not rows:
        return {}
    ids = ",".join(row["id"] for row in rows)
    asked: Pairs = (
        ("group_by", "record_id"),
        ("record_kind", "agreement"),
        ("record_id__in", ids),
    )
    answer = await context.read("/citations/aggregate", asked)
    return {row["record_id"]: row["count"] for row in answer["data"]}


def _heading(context: PageContext, here: str, name: str, words: str, sort: str | None) -> Heading:
    told = context.say(words)
    if sort is None:
        return Heading(name, told, None, None)
    now = dict(context.pairs).get("sort", DEFAULT_SORT).split(",")[0]
    direction = {sort: "ascending", f"-{sort}": "descending"}.get(now)
    # What is greatest or newest is looked for first; names from the beginning.
    first = f"-{sort}" if name in ("amount", "signed") else sort
    other = sort if first.startswith("-") else f"-{sort}"
    wanted = other if now == first else first
    address = context.page(here, replaced(context.pairs, "sort", wanted), "#deals")
    return Heading(name, told, address, direction)


def deal_of(context: PageContext, row: Value, evidence: int) -> Deal:
    """An agreement as a row."""
    page = f"/pages/agreements/{row['ref'] or row['id']}"
    return Deal(
        id=row["id"],
        title=context.title(row),
        address=context.page(page),
        parties=[party_of(context, each) for each in row.get("parties") or ()],
        firmness=row.get("firmness"),
        class_name=context.name("firmness", row.get("firmness")),
        amount=formats.amount(row, context.words),
        currency=row.get("currency"),
        signed=context.date(row.get("signed")),
        status=context.name("statuses", row.get("status")),
        evidence=evidence,
        evidence_address=context.page(page, anchor="#passages"),
        stands_for=row.get("stands_for") or 1,
        wholes=[
            (context.title(each), context.record("agreement", each)) for each in wholes_of(row)
        ],
        record=row,
    )


def party_of(context: PageContext, party: Value) -> tuple[str, str | None]:
    """What a party is called, and its page where it has one."""
    organization = party.get("organization")
    if organization is None:
        return context.described(party.get("description")), None
    return context.title(organization, "name"), context.record("organization", organization)
