"""An agreement's page: how firm it is, who agreed on what, what became of it, and the passages."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from app.core.loose_types import Value
from app.core.public_path import public_path
from app.engine.labels import label
from app.pages import formats
from app.pages.context import PageContext
from app.pages.parts_of_deals import parts_of, whole_notes
from app.pages.passages import passages_of
from app.pages.places import place
from app.resources.agreement import agreement
from app.resources.status import AgreementStatus

#: How far an agreement can come, and how it can end before.
_COURSE: Final = (
    AgreementStatus.announced,
    AgreementStatus.negotiated,
    AgreementStatus.signed,
    AgreementStatus.in_force,
    AgreementStatus.completed,
)
_SHOWN = (
    (
        "expand",
        "mission,event,parties.organization,parties.signed_by,related.agreement",
    ),
)
_OUTCOMES = (("expand", "confirmed_by"), ("sort", "date_earliest,created_at"), ("limit", "200"))
#: What every change has and says nothing.
_UNTOLD = {"updated_at", "version"}
#: The ends of a date follow from it.
_DERIVED: Final = ("_earliest", "_latest")
_HISTORY = (("limit", "50"),)
#: So many characters of a value that was changed are shown.
_MAX_CHANGED: Final = 80
#: The fields whose values have labels, with the lists of these; and those that are dates.
_CODES: Final = {
    "status": "statuses",
    "instrument": "instruments",
    "bindingness": "bindingness",
    "certainty": "certainties",
    "amount_kind": "amount-kinds",
}
_DATES: Final = ("signed", "due")


@dataclass(frozen=True, slots=True)
class Step:
    """How far an agreement has come, or may come."""

    told: str
    #: When, or why that is not said.
    date: str | None
    missing: str
    is_done: bool
    is_now: bool


async def agreement_page(context: PageContext, key: str) -> dict[str, Value]:
    """What the template of an agreement takes."""
    record = await context.read("/agreements/{key}", _SHOWN, key=key)
    outcomes = await context.rows("/agreements/{key}/outcomes", _OUTCOMES, key=key)
    mission, event = record.get("mission"), record.get("event")
    return {
        "record": record,
        "kind_of_record": "agreement",
        "heading": context.title(record),
        "class_name": context.name("firmness", record["firmness"]),
        "amount": formats.amount(record, context.words),
        "steps": _steps(context, record, outcomes),
        "mission": mission and (context.title(mission), context.record("mission", mission)),
        "event": event and context.title(event),
        "place": place(context, record, "place_"),
        "subject": context.title(record, "subject") if record.get("subject") else None,
        "parties": [_party(context, each) for each in record["parties"] or ()],
        "parties_note": _parties_note(context, record),
        "targets": _targets(context, record, outcomes),
        "outcomes": [_outcome(context, each) for each in outcomes],
        "whole_notes": whole_notes(context, record),
        "its_parts": await parts_of(context, record),
        "related": [_related(context, each) for each in record["related"] or ()],
        "history": await _history(context, key),
        "passages": await passages_of(context, "/agreements/{key}/citations", key=key),
        "statuses": [(each.value, context.name("statuses", each)) for each in AgreementStatus],
        "api": {"record": (record_at := context.api(f"/agreements/{key}"))},
        **await context.citing(
            record_at,
            (
                ("JSON", record_at),
                (context.say("outcomes_title"), context.api(f"/agreements/{key}/outcomes")),
                (context.say("history"), public_path(f"/agreements/{key}/history")),
            ),
        ),
    }


def _steps(context: PageContext, record: Value, outcomes: Sequence[Value]) -> list[Step]:
    """The line from announced to completed; and how it ended, where it did otherwise."""
    now = record["status"]
    dates = {each["status"]: each.get("date") for each in outcomes if each["status"]}
    if record.get("signed"):
        dates["signed"] = record["signed"]
    hidden = {
        each["status"] for each in outcomes if context.is_withheld("outcome", each, "date")
    } | ({"signed"} if context.is_withheld("agreement", record, "signed") else set())
    passed = {*dates, *(("signed",) if record.get("was_signed") else ())}
    course = [each.value for each in _COURSE]
    reached = course.index(now) if now in course else len(course)
    # Of what came before only what somebody says: a contract need not have been announced.
    before = [each for each in course[:reached] if each in passed]
    return [
        Step(
            context.name("statuses", each),
            context.date(dates.get(each)),
            context.say("withheld" if each in hidden else "date_not_stated"),
            is_done=each in before or each == now,
            is_now=each == now,
        )
        for each in (*before, now, *course[reached + 1 :])
    ]


def _parties_note(context: PageContext, record: Value) -> str | None:
    """That not all parties are here, and why; where none is, that is said in their place."""
    if record["parties_complete"] is not False:
        return None
    if not context.is_withheld("agreement", record, "parties"):
        return context.say("parties_incomplete")
    return context.say("parties_withheld") if record["parties"] else None


def _party(context: PageContext, party: Value) -> dict[str, Value]:
    organization, signer = party.get("organization"), party.get("signed_by")
    described = context.described(party.get("description"))
    return {
        "name": context.title(organization, "name") if organization else described,
        "is_named": organization is not None,
        "address": context.record("organization", organization),
        "role": context.name("party-roles", party["role"]),
        "share": party.get("share_percent"),
        "signer": signer and context.title(signer, "full_name"),
        "signer_address": context.record("person", signer),
        "signed_as": party.get("signed_as"),
    }


def _targets(
    context: PageContext, record: Value, outcomes: Sequence[Value]
) -> list[dict[str, Value]]:
    """What was aimed at, beside what has come of it so far."""
    return [_target(context, each, outcomes) for each in record["targets"] or ()]


def _target(context: PageContext, target: Value, outcomes: Sequence[Value]) -> dict[str, Value]:
    unit = context.name("units", target["unit"]) if target.get("unit") else ""
    row = {
        "amount": target["quantity"],
        "amount_max": target.get("quantity_max"),
        "amount_bound": target.get("bound"),
    }
    achieved = [
        (context.date(outcome.get("date")), f"{context.number(each['quantity'])} {unit}".strip())
        for outcome in outcomes
        for each in outcome.get("achieved") or ()
        if all(each[name] == target[name] for name in ("measure", "unit", "per"))
    ]
    return {
        "measure": context.name("target-measures", target["measure"]),
        "aim": f"{formats.amount(row, context.words) or context.say('not_stated')} {unit}".strip(),
        "due": context.date(target.get("due")),
        "achieved": achieved,
    }


def _outcome(context: PageContext, row: Value) -> dict[str, Value]:
    confirmed = row.get("confirmed_by")
    amount = row.get("actual_amount")
    return {
        "date": context.date(row.get("date"))
        or context.missing("outcome", row, "date", words="date_not_stated"),
        "withheld": context.fields("outcome", row.get("withheld") or ()),
        "status": context.name("statuses", row["status"]) if row.get("status") else None,
        "amount": None if amount is None else f"{context.number(amount)} {row['currency']}",
        "jobs": row.get("jobs"),
        "confirmed": confirmed and context.title(confirmed, "name"),
        "confirmed_address": context.record("organization", confirmed),
        "note": row.get("note"),
        "address": context.api(f"/outcomes/{row['id']}"),
    }


def _related(context: PageContext, row: Value) -> dict[str, Value]:
    other = row.get("agreement")
    return {
        "relation": context.name("agreement-relationships", row["relation"]),
        "title": context.title(other) if other else context.say("withheld"),
        "address": context.record("agreement", other),
    }


async def _history(context: PageContext, key: str) -> list[dict[str, Value]]:
    if context.as_of is not None:
        return []
    rows = await context.rows("/agreements/{key}/history", _HISTORY, key=key)
    return [
        {
            "at": formats.moment(row["at"], context.language),
            "actor": row["actor"],
            "action": context.say(f"action_{row['action']}"),
            "fields": [
                _change(context, name, *was_and_is)
                for name, was_and_is in (row["changes"] or {}).items()
                if name not in _UNTOLD
                and name in agreement.read_fields
                and not name.endswith(_DERIVED)
            ]
            if row["action"] == "update"
            else [],
        }
        for row in rows
    ]


def _change(context: PageContext, name: str, was: Value, now: Value) -> str:
    """A field with its old and new value, where these are short."""
    told = label(agreement, (name,), context.language).lower()
    if any(isinstance(each, list | dict) for each in (was, now)):
        return told
    return f"{told}: {_value(context, name, was)} → {_value(context, name, now)}"


def _value(context: PageContext, name: str, value: Value) -> str:
    if value is None:
        return context.say("not_stated")
    if name in _CODES:
        return context.name(_CODES[name], value)
    if name in _DATES:
        return context.date(value) or value
    if isinstance(value, str):
        return f"{value[:_MAX_CHANGED]}…" if len(value) > _MAX_CHANGED else value
    return str(value) if isinstance(value, bool) else context.number(value)
