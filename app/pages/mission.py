"""A mission's page: what came of it, who went, what was claimed, and on which passages it rests."""

from collections.abc import Sequence, Set
from dataclasses import dataclass, replace
from typing import Final

from app.core.loose_types import Value
from app.pages import formats
from app.pages.context import PageContext
from app.pages.deals import deal_files, deal_table
from app.pages.figures import read_figures
from app.pages.filters import UNDER_MISSION, check_parameters, chips, filters_in
from app.pages.firmness import class_parts, strip_of
from app.pages.money_rows import limits_of, money_of
from app.pages.overview import reported_companies
from app.pages.parts_of_deals import part_notes
from app.pages.passages import passages_of
from app.pages.places import place
from app.pages.sentence import Addresses, Told, sentence
from app.pages.statements import statements_of
from app.pages.titles import Titles, titles_in_language

#: Who went, in this order.
_SIDES = ("delegation", "host", "third")
_MANY = ("limit", "500")
#: Who claims something, by the fields that say so.
_CLAIMANTS: Final = {"organization": "claimed_by", "person": "claimed_by_person"}
#: Where claims are read by their kinds, and the fields of who makes them.
_CLAIMS: Final = {
    "reported_total": ("/reported-totals", "claimed_by_id", "claimed_by_person_id"),
    "statement": ("/statements", "on_behalf_of_id", "person_id", "speaker_id"),
}
#: So many records are asked for at once.
_AT_ONCE: Final = 100
_COMPARISONS: Final = {
    "agrees": "claim_agrees",
    "possible": "claim_possible",
    "differs": "claim_differs",
    "not_comparable": "claim_not_comparable",
}


@dataclass(frozen=True, slots=True)
class Delegate:
    """Somebody who took part."""

    name: str
    address: str | None
    position: str
    organization: str | None
    organization_address: str | None
    capacity: str
    certainty: str | None
    note: str | None


@dataclass(frozen=True, slots=True)
class Claim:
    """What was claimed of a figure, beside what is on record."""

    measure: str
    claimed: Sequence["Claimed"]
    recorded: str
    #: What is on record at least and at most, where it is not exact.
    limits: str | None


@dataclass(frozen=True, slots=True)
class Claimed:
    """What somebody claims, and whether what is on record agrees, with the reasons."""

    value: str
    by: str
    sources: Sequence[str]
    comparison: str
    reasons: Sequence[str]


async def mission_page(context: PageContext, key: str) -> dict[str, Value]:
    """What the template of a mission takes."""
    check_parameters(context.pairs)
    record = await context.read("/missions/{key}", (("expand", "parent"),), key=key)
    parent = record.get("parent")
    summary = await context.read("/missions/{key}/summary", key=key)
    figures = await read_figures(context, ((UNDER_MISSION, record["id"]),))
    # Of what is withheld as a whole an aggregate tells the number in all, whatever its filters.
    figures = replace(figures, withheld=summary["withheld"])
    here = f"/pages/missions/{key}"
    companies = await reported_companies(context, key)
    to = Addresses(
        missions="#facts",
        companies="#claims",
        deals="#deals",
        money="#money",
        without_amount=context.page(here, (("amount__isnull", "true"),), "#deals"),
        of_class=lambda name: context.page(here, (("firmness", name),), "#deals"),
    )
    told = Told(None, companies, is_filtered=False)
    return {
        "record": record,
        "kind_of_record": "mission",
        "heading": context.title(record),
        "sentences": sentence(context, figures, told, to),
        "figures": figures,
        "strip": strip_of(context, figures, here),
        "legend": class_parts(context, figures, here),
        "money": money_of(context, figures, here),
        "part_notes": await part_notes(
            context, figures, (), here=here, path="/missions/{key}/agreements", key=key
        ),
        "deals": await deal_table(context, "/missions/{key}/agreements", here=here, key=key),
        "chips": await chips(context, filters_in(context.pairs), here),
        "sending": place(context, record, "sending_"),
        "stops": [_stop(context, each) for each in record["stops"] or ()],
        "parent": parent and (context.title(parent), context.record("mission", parent)),
        "legs": await _legs(context, key),
        "sides": await _sides(context, key),
        "organizations": await _organizations(context, key),
        "events": await _events(context, key),
        "claims": await _claims(context, key),
        "statements": await statements_of(context, "/missions/{key}/statements", key=key),
        "passages": await passages_of(context, "/missions/{key}/evidence", key=key),
        "figures_at": (figures_at := context.api(f"/missions/{key}/summary")),
        "api": {"claims": context.api(f"/missions/{key}/reconciliation")},
        **await context.citing(
            figures_at,
            (
                *deal_files(context, f"/missions/{key}/agreements"),
                (context.say("filter_mission"), context.api(f"/missions/{key}")),
            ),
        ),
    }


def _stop(context: PageContext, stop: Value) -> tuple[str | None, str | None]:
    return place(context, stop), context.date(stop.get("dates"))


async def _legs(context: PageContext, key: str) -> list[tuple[str, str]]:
    rows = await context.rows("/missions/{key}/missions", (_MANY,), key=key)
    return [
        (context.title(row), context.page(f"/pages/missions/{row['ref'] or row['id']}"))
        for row in rows
    ]


async def _sides(context: PageContext, key: str) -> list[tuple[str, Sequence[Delegate]]]:
    rows = await context.rows(
        "/missions/{key}/delegates", (("expand", "person,organization"), _MANY), key=key
    )
    found: list[tuple[str, Sequence[Delegate]]] = []
    for side in _SIDES:
        people = [_delegate(context, row) for row in rows if row["side"] == side]
        if people:
            found.append((context.name("sides", side), people))
    return found


def _delegate(context: PageContext, row: Value) -> Delegate:
    person, organization = row.get("person"), row.get("organization")
    name = context.title(person, "full_name") if person else row.get("description")
    return Delegate(
        name=str(name or context.missing("delegate", row, "person_id", words="not_named")),
        address=context.record("person", person),
        position=context.title(row, "position")
        if row.get("position")
        else context.missing("delegate", row, "position", words="position_not_stated"),
        organization=context.title(organization, "name") if organization else None,
        organization_address=context.record("organization", organization),
        capacity=context.name("capacities", row["capacity"]),
        certainty=_certainty(context, row),
        note=row.get("note"),
    )


def _certainty(context: PageContext, row: Value) -> str | None:
    """How certain it is, where it is not."""
    certainty = row.get("certainty")
    return None if certainty in (None, "certain") else context.name("certainties", certainty)


async def _organizations(
    context: PageContext, key: str
) -> list[tuple[str, Sequence[tuple[str, str]]]]:
    rows = await context.rows(
        "/missions/{key}/participations", (("expand", "organization"), _MANY), key=key
    )
    found: dict[str, list[tuple[str, str]]] = {}
    for row in rows:
        if organization := row.get("organization"):
            name = context.title(organization, "name")
            address = context.record("organization", organization) or ""
            found.setdefault(context.name("participation-roles", row["role"]), []).append(
                (name, address)
            )
    return list(found.items())


async def _events(context: PageContext, key: str) -> list[dict[str, Value]]:
    rows = await context.rows("/missions/{key}/events", (_MANY,), key=key)
    return [
        {
            "title": context.title(row),
            "kind": context.name("event-kinds", row["kind"]),
            "dates": context.date(row.get("dates"))
            or context.missing("event", row, "dates", words="day_not_stated"),
            "place": place(context, row, "place_"),
            "note": row.get("note"),
        }
        for row in rows
    ]


async def _claims(context: PageContext, key: str) -> list[Claim]:
    answer = await context.read("/missions/{key}/reconciliation", key=key)
    names = await _claimants(context, answer["figures"])
    hidden = await _by_withheld(context, answer["figures"])
    return [_claim(context, figure, names, hidden) for figure in answer["figures"]]


async def _by_withheld(context: PageContext, figures: Sequence[Value]) -> set[str]:
    """The ids of the claims of which it is withheld who makes them."""
    claims = [each for figure in figures for each in figure["claims"]]
    unknown = [each for each in claims if not any(each[name] for name in _CLAIMANTS.values())]
    found = set[str]()
    for kind, (path, *names) in _CLAIMS.items():
        ids = [each["id"] for each in unknown if each["kind"] == kind]
        for at in range(0, len(ids), _AT_ONCE):
            asked = (
                ("id__in", ",".join(ids[at : at + _AT_ONCE])),
                ("withheld__isnull", "false"),
                ("fields", "id,withheld"),
                ("limit", str(_AT_ONCE)),
            )
            rows = await context.rows(path, asked)
            found |= {row["id"] for row in rows if context.is_withheld(kind, row, *names)}
    return found


async def _claimants(context: PageContext, figures: Sequence[Value]) -> Titles:
    """What those who claim something are called in the page's language, where that is otherwise."""
    claims = [each for figure in figures for each in figure["claims"]]
    found: dict[tuple[str, str], str] = {}
    for kind, field in _CLAIMANTS.items():
        ids = {each[field]["id"]: None for each in claims if each[field]}
        found |= await titles_in_language(context, kind, list(ids))
    return found


def _claim(context: PageContext, figure: Value, names: Titles, hidden: Set[str]) -> Claim:
    currency = figure["currency"] or ""
    measure = context.name("measures", figure["measure"])
    scope = f" ({figure['scope']})" if figure["scope"] else ""
    of_records = figure["recorded"] or {}
    recorded = of_records.get("value")
    return Claim(
        measure=f"{measure}{scope}",
        claimed=[_claimed(context, each, currency, names, hidden) for each in figure["claims"]],
        recorded=context.say("not_on_record")
        if recorded is None
        else f"{context.number(recorded)} {currency}".strip(),
        limits=None
        if recorded is None or of_records["at_least"] == of_records["at_most"]
        else limits_of(context, of_records["at_least"], of_records["at_most"]),
    )


def _claimed(
    context: PageContext, each: Value, currency: str, names: Titles, hidden: Set[str]
) -> Claimed:
    row = {"amount": each["value"], "amount_max": each["value_max"], "amount_bound": each["bound"]}
    told = f"{formats.amount(row, context.words) or ''} {currency}".strip()
    claimants = ((kind, each[field]) for kind, field in _CLAIMANTS.items() if each[field])
    by = next((names.get((kind, of["id"]), of["name"]) for kind, of in claimants), None)
    nobody = context.say("withheld" if each["id"] in hidden else "not_stated")
    sources = dict.fromkeys(str(source["publisher"]) for source in each["sources"])
    return Claimed(
        told,
        by or nobody,
        list(sources),
        context.say(_COMPARISONS[each["comparison"]]),
        [_reason(context, reason) for reason in each["reasons"]],
    )


def _reason(context: PageContext, reason: Value) -> str:
    told = context.name("difference-reasons", reason["reason"])
    return told if reason["count"] is None else f"{told} ({context.number(reason['count'])})"
