"""The page of an organization and of a person: where they were, what they agreed on and said."""

from dataclasses import dataclass, replace

from app.core.loose_types import Value
from app.pages.context import PageContext
from app.pages.deals import deal_files, deal_table
from app.pages.duplicates import names_of, possible_duplicates
from app.pages.figures import ASKED, read_figures
from app.pages.filters import check_parameters, chips, filters_in
from app.pages.firmness import class_parts, strip_of
from app.pages.money_rows import money_of
from app.pages.parts_of_deals import part_notes
from app.pages.passages import passages_of
from app.pages.places import place
from app.pages.statements import statements_of

_MANY = ("limit", "500")


@dataclass(slots=True)
class Presence:
    """A mission that somebody was in, and as what."""

    title: str
    address: str
    dates: str
    roles: list[str]


async def organization_page(context: PageContext, key: str) -> dict[str, Value]:
    """What the template of an organization takes."""
    check_parameters(context.pairs)
    record = await context.read("/organizations/{key}", (("expand", "parent"),), key=key)
    here = f"/pages/organizations/{key}"
    parent = record.get("parent")
    return {
        "record": record,
        "kind_of_record": "organization",
        "heading": context.title(record, "name"),
        "names": names_of("organization", record),
        "duplicates": await possible_duplicates(context, "organization", record),
        "kind": context.name("organization-kinds", record["kind"]),
        "place": place(context, record),
        "parent": parent
        and (context.title(parent, "name"), context.record("organization", parent)),
        "identifiers": [
            (context.name("identifier-schemes", each["scheme"]), each["value"])
            for each in record["identifiers"] or ()
        ],
        **(of := await _figures(context, here, ("parties__organization_id", record["id"]))),
        "deals": await deal_table(context, "/organizations/{key}/agreements", here=here, key=key),
        "presence": await organization_presence(context, key),
        "statements": await statements_of(context, "/organizations/{key}/statements", key=key),
        "passages": await passages_of(context, "/organizations/{key}/citations", key=key),
        **await context.citing(
            of["figures_at"],
            (
                *deal_files(context, f"/organizations/{key}/agreements"),
                (context.say("organization"), context.api(f"/organizations/{key}")),
            ),
        ),
    }


async def person_page(context: PageContext, key: str) -> dict[str, Value]:
    """What the template of a person takes."""
    check_parameters(context.pairs)
    record = await context.read("/people/{key}", key=key)
    here = f"/pages/people/{key}"
    signed = await deal_table(context, "/people/{key}/agreements", here=here, key=key)
    return {
        **await _figures(context, here, ("parties__signed_by_id", record["id"])),
        "record": record,
        "kind_of_record": "person",
        "heading": context.title(record, "full_name"),
        "names": names_of("person", record),
        "duplicates": await possible_duplicates(context, "person", record),
        "deals": signed,
        "presence": await person_presence(context, key),
        "statements": await statements_of(context, "/people/{key}/statements", key=key),
        "passages": await passages_of(context, "/people/{key}/citations", key=key),
        **await context.citing(
            (record_at := context.api(f"/people/{key}")),
            (
                *deal_files(context, f"/people/{key}/agreements"),
                (context.say("person"), record_at),
            ),
        ),
    }


async def _figures(context: PageContext, here: str, of: tuple[str, str]) -> dict[str, Value]:
    """The figures of the agreements that a filter leaves, and what the table is limited to."""
    # Of what is withheld the number in all is told, which is of others, too.
    figures = replace(await read_figures(context, (of,)), withheld=0)
    return {
        "figures": figures,
        "figures_at": context.api("/agreements/aggregate", (*ASKED, of)),
        "strip": strip_of(context, figures, here),
        "legend": class_parts(context, figures, here),
        "money": money_of(context, figures, here),
        "part_notes": await part_notes(context, figures, (of,), here=here),
        "chips": await chips(context, filters_in(context.pairs), here),
    }


async def organization_presence(context: PageContext, key: str) -> list[Presence]:
    """The missions that an organization was in, by itself, by who went for it or by its deals."""
    took_part = await context.rows(
        "/organizations/{key}/participations", (("expand", "mission"), _MANY), key=key
    )
    sent = await context.rows(
        "/organizations/{key}/delegates", (("expand", "mission,person"), _MANY), key=key
    )
    found: dict[str, Presence] = {}
    for row in took_part:
        _add(context, found, row, context.name("participation-roles", row["role"]))
    for row in sent:
        person = row.get("person")
        who = context.title(person, "full_name") if person else row.get("description")
        position = context.title(row, "position") if row.get("position") else ""
        _add(context, found, row, " – ".join(each for each in (who, position) if each))
    asked = (("fields", "id,title,title_en,dates,withheld"), ("sort", "-dates_earliest"), _MANY)
    for mission in await context.rows("/organizations/{key}/missions", asked, key=key):
        # It was in them by itself, by who went for it, or by its deals.
        if mission["id"] not in found:
            _add(context, found, {"mission": mission}, context.say("as_party"))
    return list(found.values())


async def person_presence(context: PageContext, key: str) -> list[Presence]:
    """The missions that a person was in."""
    rows = await context.rows(
        "/people/{key}/delegates", (("expand", "mission,organization"), _MANY), key=key
    )
    found: dict[str, Presence] = {}
    for row in rows:
        organization = row.get("organization")
        told = [context.name("capacities", row["capacity"])]
        told += [context.title(row, "position")] if row.get("position") else []
        told += [context.title(organization, "name")] if organization else []
        if row.get("certainty") not in (None, "certain"):
            told.append(context.name("certainties", row["certainty"]))
        _add(context, found, row, " · ".join(told))
    return list(found.values())


def _add(context: PageContext, found: dict[str, Presence], row: Value, role: str) -> None:
    mission = row.get("mission")
    if mission is None:
        return
    address = context.record("mission", mission) or ""
    dates = context.date(mission["dates"]) or context.missing("mission", mission, "dates")
    presence = Presence(context.title(mission), address, dates, [])
    found.setdefault(mission["id"], presence).roles.append(role)
