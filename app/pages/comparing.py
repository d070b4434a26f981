"""Two organizations or two persons side by side: whether they are one."""

from collections.abc import Sequence
from dataclasses import dataclass

from app.core.loose_types import Value
from app.pages.context import PageContext, path_of
from app.pages.duplicates import names_of
from app.pages.figures import ASKED, figures_of
from app.pages.party import organization_presence, person_presence
from app.pages.places import place


@dataclass(frozen=True, slots=True)
class Compared:
    """A field of both: what is stated of each."""

    told: str
    values: tuple[Sequence[str], Sequence[str]]
    #: What is said where there is nothing.
    missing: str

    @property
    def differs(self) -> bool:
        """Whether both state something, and not the same."""
        one, other = self.values
        return bool(one and other) and [*one] != [*other]


Fields = dict[str, Sequence[str]]


async def organizations_compared(context: PageContext, key: str, other: str) -> dict[str, Value]:
    """What the template takes for two organizations."""
    found = []
    for each in (key, other):
        record = await context.read("/organizations/{key}", (("expand", "parent"),), key=each)
        found.append((record, await _organization(context, record)))
    return _page(context, "organization", found)


async def people_compared(context: PageContext, key: str, other: str) -> dict[str, Value]:
    """What the template takes for two persons."""
    found = []
    for each in (key, other):
        record = await context.read("/people/{key}", key=each)
        found.append((record, await _person(context, record)))
    return _page(context, "person", found)


async def _organization(context: PageContext, record: Value) -> Fields:
    say, parent = context.say, record.get("parent")
    of = ("parties__organization_id", record["id"])
    presence = await organization_presence(context, record["id"])
    return {
        say("compare_names"): names_of("organization", record),
        say("compare_kind"): _listed(record.get("kind") and _kind(context, record)),
        say("legal_form"): _listed(
            record.get("legal_form") and context.name("legal-forms", record["legal_form"])
        ),
        say("place"): _listed(place(context, record)),
        say("sectors"): [context.name("sectors", code) for code in record.get("sectors") or ()],
        say("identifiers"): sorted(
            f"{context.name('identifier-schemes', each['scheme'])}: {each['value']}"
            for each in record.get("identifiers") or ()
        ),
        say("part_of"): _listed(parent and context.title(parent, "name")),
        say("all_missions"): [each.title for each in presence],
        say("deals_title"): await _deals(context, of),
        say("note"): _listed(record.get("note")),
    }


async def _person(context: PageContext, record: Value) -> Fields:
    presence = await person_presence(context, record["id"])
    return {
        context.say("compare_names"): names_of("person", record),
        context.say("presence_title"): [
            f"{each.title}: {', '.join(each.roles)}" for each in presence
        ],
        context.say("deals_signed"): await _deals(context, ("parties__signed_by_id", record["id"])),
        context.say("note"): _listed(record.get("note")),
    }


def _kind(context: PageContext, record: Value) -> str:
    return context.name("organization-kinds", record["kind"])


def _listed(value: str | None) -> Sequence[str]:
    return [value] if value else []


async def _deals(context: PageContext, of: tuple[str, str]) -> Sequence[str]:
    figures = figures_of(await context.read("/agreements/aggregate", (*ASKED, of)))
    return [
        f"{context.name('firmness', key)}: {context.number(count)}"
        for key, count in figures.counts.items()
        if count
    ]


def _page(
    context: PageContext, kind: str, found: Sequence[tuple[Value, Fields]]
) -> dict[str, Value]:
    (one, of_one), (other, of_other) = found
    name = "name" if kind == "organization" else "full_name"
    counted = {context.say(name) for name in ("all_missions", "deals_title", "deals_signed")}
    missing = {told: context.say("not_answered_short") for told in counted}
    rows = [
        Compared(told, (of_one[told], of_other[told]), missing.get(told, context.say("not_stated")))
        for told in of_one
    ]
    return {
        "names": [context.title(each, name) for each in (one, other)],
        "addresses": [context.record(kind, each) for each in (one, other)],
        "ids": [each["id"] for each in (one, other)],
        "rows": [row for row in rows if any(row.values)],
        "api": [context.api(f"/{path_of(kind)}/{each['id']}") for each in (one, other)],
    }
