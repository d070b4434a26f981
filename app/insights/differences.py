"""What is claimed beside what is on record: how they compare, and why they may differ."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum

from app.core.loose_types import Json
from app.insights.figures import STANDING
from app.resources.difference_reason import DifferenceReason as Why
from app.resources.firmness import Firmness
from app.resources.money import Bound
from app.resources.reported_total import Measure, Rank

Count = Decimal | int
NOT_STANDING = tuple(each.value for each in Firmness if each not in STANDING)
#: In what time each measure is on record; all others are of the whole mission.
_TIMES = {Measure.amount: (None, "year"), Measure.jobs: (None, "year", "month")}


class Comparison(StrEnum):
    """How a claim compares with what is on record."""

    agrees = "agrees"
    possible = "possible"
    differs = "differs"
    not_comparable = "not_comparable"


@dataclass(frozen=True, slots=True)
class Limits:
    """Between what a number lies, with both ends; None where it is open."""

    low: Count = 0
    high: Count | None = None


@dataclass(slots=True)
class Recorded:
    """What is on record of a figure."""

    value: Count | None = None
    limits: Limits = field(default_factory=Limits)
    classes: list[Json] = field(default_factory=list)
    #: How many records are not in it, by why; None where none are added.
    left_out: Json | None = None
    #: Why it is not all, or not certain, with how many.
    reasons: dict[Why, int] = field(default_factory=dict)


def recorded_of(found: Json, measure: str, currency: str | None, per: str | None) -> Recorded:
    """What is on record of a measure, by the answer of `reconciliation_statement`."""
    match measure:
        case Measure.amount:
            return _money(found, currency, per)
        case Measure.agreements:
            return _agreements(found)
        case Measure.jobs:
            return _jobs(found, per)
        case Measure.companies:
            counted = found["counted"]
            open_ended = {
                Why.unnamed: counted["unnamed_parties"],
                Why.parties_incomplete: _standing(found, "parties_incomplete"),
                Why.withheld: found["summary"]["withheld"],
            }
            return _number(counted["companies"], open_ended)
        case Measure.participants | Measure.meetings:
            return _number(found["counted"][measure], {})
    return Recorded(reasons={Why.not_measured: 0})


def recorded_amount(claim: Json) -> Recorded:
    """What is on record of the amount of the agreement that a claim is about."""
    found = claim["of_agreement"]
    if found is None:
        return Recorded(reasons={Why.without_amount: 1})
    apart = {
        Why.other_currency: int(found["currency"] != claim["currency"]),
        Why.other_period: int(found["per"] != claim["per"]),
    }
    if any(apart.values()):
        return Recorded(reasons=apart)
    limits = Limits(found["at_least"] or 0, found["at_most"])
    is_exact = found["value"] == found["at_least"] == found["at_most"]
    return Recorded(found["value"], limits, reasons={Why.not_exact: int(not is_exact)})


def _number(value: int, open_ended: dict[Why, int]) -> Recorded:
    reasons = {reason: count for reason, count in open_ended.items() if count}
    return Recorded(value, Limits(value, None if reasons else value), reasons=reasons)


def _standing(found: Json, name: str) -> int:
    """Of how many agreements that stand something is so."""
    return sum(row[name] for row in found["classes"] if row["firmness"] in STANDING)


def _money(found: Json, currency: str | None, per: str | None) -> Recorded:
    summary = found["summary"]
    rows = [t for t in summary["totals"] if (t["currency"], t["per"]) == (currency, per)]
    added = [row for row in rows if row["firmness"] in STANDING and row["amount"] is not None]
    # Over all classes, so that a part is in its whole of another class as well.
    (total,) = [t for t in summary["standing"] if (t["currency"], t["per"]) == (currency, per)] or [
        dict.fromkeys(
            (
                "amount",
                "at_least",
                "at_most",
                "parts",
                "replaced",
                "parts_agreements",
                "replaced_agreements",
            )
        )
    ]
    (apart,) = [e for e in found["amounts"] if (e["currency"], e["per"]) == (currency, per)] or [{}]
    withheld = summary["withheld"] + _standing(found, "withheld_amounts")
    without = _standing(found, "without_amount")
    of_class = {row["firmness"]: row["agreements"] for row in rows}
    others = [each for each in found["amounts"] if each["currency"] != currency]
    times = [e for e in found["amounts"] if e["currency"] == currency and e["per"] != per]
    reasons = {
        Why.without_amount: without,
        Why.withheld: withheld,
        Why.not_exact: sum(row["not_exact"] for row in added),
        Why.parts: total["parts_agreements"] or 0,
        Why.replaced: of_class.get(Firmness.replaced, 0) + (total["replaced_agreements"] or 0),
        Why.fallen_through: of_class.get(Firmness.fallen_through, 0),
        Why.only_announced: of_class.get(Firmness.announced, 0),
        Why.other_currency: sum(each["agreements"] for each in others),
        Why.other_period: sum(each["agreements"] for each in times),
    }
    names = ("firmness", "amount", "at_least", "at_most", "agreements", "left_out")
    return Recorded(
        total["amount"],
        Limits(total["at_least"] or 0, None if without or withheld else total["at_most"]),
        [{**{name: row[name] for name in names}, "is_added": row in added} for row in rows],
        {
            "parts": total["parts"] or 0,
            "replaced": (total["replaced"] or 0) + apart.get("replaced", 0),
            "fallen_through": apart.get("fallen_through", 0),
        },
        reasons,
    )


def _agreements(found: Json) -> Recorded:
    of_class: dict[str, int] = found["summary"]["by_firmness"]
    value = sum(of_class[each] for each in STANDING)
    reasons = {
        Why.replaced: of_class[Firmness.replaced],
        Why.fallen_through: of_class[Firmness.fallen_through],
        Why.only_announced: of_class[Firmness.announced],
        Why.stands_for: _standing(found, "stands_for"),
        Why.withheld: found["summary"]["withheld"],
    }
    most = None if reasons[Why.withheld] else value
    unknown = dict.fromkeys(("amount", "at_least", "at_most"))
    classes = [
        {"firmness": each, **unknown, "agreements": count, "left_out": 0}
        | {"is_added": each in STANDING}
        for each, count in of_class.items()
        if count
    ]
    records = {row["firmness"]: row["records"] for row in found["classes"]}
    # Parts are agreements of their own.
    left = {"parts": 0} | {each: records.get(each, 0) for each in NOT_STANDING}
    return Recorded(value, Limits(value, most), classes, left, reasons)


def _jobs(found: Json, per: str | None) -> Recorded:
    jobs = found["jobs"]
    rows = [row for row in jobs["targets"] if row["per"] == per]
    others = len(jobs["targets"]) - len(rows)
    if not rows:
        return Recorded(reasons={Why.other_period: others} if others else {Why.not_measured: 0})
    (apart,) = [row for row in jobs["left_out"] if row["per"] == per]
    left = {name: apart[name] for name in ("parts", *NOT_STANDING)}
    is_open = any(row["at_most"] is None for row in rows)
    return Recorded(
        sum((row["value"] for row in rows), start=0),
        Limits(
            sum((row["at_least"] or 0 for row in rows), start=0),
            None if is_open else sum((row["at_most"] for row in rows), start=0),
        ),
        left_out=left,
        reasons={
            Why.not_exact: sum(row["not_exact"] for row in rows),
            Why.parts: left["parts"],
            Why.other_period: others,
        },
    )


def compared(claim: Json, recorded: Recorded) -> Comparison:
    """How a claim compares with what is on record of the same figure."""
    if recorded.value is None:
        return Comparison.not_comparable
    value, bound, known = claim["value"], claim["bound"], recorded.limits
    if bound == Bound.approximately:
        is_same = recorded.value == value and known.high is not None
        return Comparison.agrees if is_same else Comparison.possible
    claimed = _claimed(claim)
    if (known.high is not None and known.high < claimed.low) or (
        claimed.high is not None and known.low > claimed.high
    ):
        return Comparison.differs
    if bound == Bound.more_than and known.high == value:
        return Comparison.differs
    is_above = known.low > value if bound == Bound.more_than else known.low >= claimed.low
    is_below = claimed.high is None or (known.high is not None and known.high <= claimed.high)
    return Comparison.agrees if is_above and is_below else Comparison.possible


def _claimed(claim: Json) -> Limits:
    value, end = claim["value"], claim["value_max"] or claim["value"]
    match claim["bound"]:
        case Bound.at_least | Bound.more_than:
            return Limits(value)
        case Bound.at_most:
            return Limits(0, end)
    return Limits(value, end)


def reasons_of(claim: Json, rivals: list[Json], recorded: Recorded, found: Json) -> list[Json]:
    """Why a claim may differ from what is on record of the same figure."""
    told = {reason: count for reason, count in _of_claim(claim, rivals, recorded, found) if count}
    told |= {reason: count for reason, count in recorded.reasons.items() if count}
    told |= {reason: 0 for reason, count in recorded.reasons.items() if reason is Why.not_measured}
    return [{"reason": each, "count": told[each] or None} for each in Why if each in told]


def _of_claim(
    claim: Json, rivals: list[Json], recorded: Recorded, found: Json
) -> Iterator[tuple[Why, int]]:
    says = _says(claim)
    others = [c for c in rivals if c["rank"] != Rank.deprecated and _says(c) != says]
    yield Why.rival_claims, len(others)
    yield Why.claim_not_exact, int(says[1:] != (None, Bound.exact))
    of_mission = claim["agreement_id"] is None
    if of_mission and claim["measure"] in (Measure.amount, Measure.agreements, Measure.jobs):
        yield Why.later, claim["later"]
        yield Why.undated, _standing(found, "undated") if claim["as_of"] else 0
    if recorded.value is not None:
        yield Why.not_on_record, int(claim["value"] > recorded.value)


def _says(claim: Json) -> tuple[Count, Count | None, str]:
    return claim["value"], claim["value_max"], claim["bound"]


def _is_of_agreement_alone(claim: Json) -> bool:
    """Whether it is no amount of an agreement, but something else of it."""
    return claim["agreement_id"] is not None and claim["measure"] != Measure.amount


def why_apart(claim: Json, mission_id: str) -> list[Json]:
    """Why a claim is held against nothing: it is about something else than the whole mission."""
    reasons = {
        Why.other_scope: claim["scope"] is not None or _is_of_agreement_alone(claim),
        Why.other_mission: claim["agreement_id"] is None and claim["mission_id"] != mission_id,
        Why.part_of_claim: claim["part_of_id"] is not None,
        Why.other_period: claim["per"] not in _TIMES.get(claim["measure"], (None,)),
        Why.withheld: bool(claim["is_about_withheld"]),
    }
    return [{"reason": each, "count": None} for each, so in reasons.items() if so]
