"""What the figures of agreements come to, by plain Python.

Written from what the guide says of figures, and not from the program's SQL.
"""

from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from itertools import product
from typing import Any

from tests.insights.deals import DATES, Deal, Deals, Figures, Paid

Key = Callable[[Deal], Sequence[Hashable]]


def _pairs(deals: Iterable[Deal], relation: str) -> set[tuple[str, str]]:
    """What is held, and what holds it, also by way of others."""
    found: set[tuple[str, str]] = set()
    for deal in deals:
        for other, how in deal.related:
            if how == relation == "part_of":
                found.add((deal.ref, other))
            elif how == relation and deal.stands:
                found.add((other, deal.ref))
    while more := {(a, d) for a, b in found for c, d in found if b == c} - found:
        found |= more
    return found


def why_left_out(
    every: Iterable[Deal], counted: Sequence[Deal], key: Key, is_lifted: bool = False
) -> dict[tuple[str, Hashable], str]:
    """The deals that are not added in a group, by their refs and the group's key."""
    every = list(every)
    parts, replaced = _pairs(every, "part_of"), _pairs(every, "replaces")
    with_amount = [deal for deal in counted if deal.amount is not None]
    there = {deal.ref: deal for deal in with_amount if is_lifted or not deal.is_per_year}
    found: dict[tuple[str, Hashable], str] = {}
    for deal in with_amount:
        for at in key(deal):
            if deal.is_per_year and not is_lifted:
                found[deal.ref, at] = "per_year"
            elif any((deal.ref, holder) in replaced for holder in there):
                found[deal.ref, at] = "replaced"
            elif any((deal.ref, ref) in parts and at in key(there[ref]) for ref in there):
                found[deal.ref, at] = "parts"
    return found


def added_up(values: Iterable[Decimal | None]) -> Decimal | None:
    known = [value for value in values if value is not None]
    return sum(known, Decimal()) if known else None


def half_up(total: Fraction, scale: int) -> Decimal:
    """Rounded half away from zero; amounts are never below it."""
    scaled = total * 10**scale
    return Decimal((2 * scaled.numerator + scaled.denominator) // (2 * scaled.denominator)).scaleb(
        -scale
    )


def averaged(values: Iterable[Decimal | None]) -> Decimal | None:
    known = [value for value in values if value is not None]
    return half_up(sum(map(Fraction, known), Fraction()) / len(known), 8) if known else None


def sums(deals: Sequence[Deal]) -> Figures:
    """The sums of deals that are added, all of which have an amount."""
    ends = [deal.at_most for deal in deals]
    return {
        "amount": added_up(deal.amount for deal in deals),
        "at_least": added_up(deal.at_least for deal in deals),
        "at_most": None if None in ends else added_up(ends),
        "not_exact": weigh(deal for deal in deals if not deal.is_exact),
    }


def weigh(deals: Iterable[Deal]) -> int:
    return sum(deal.stands_for for deal in deals)


def groups(key: Key, deals: Iterable[Deal]) -> dict[Any, list[Deal]]:
    found: dict[Any, list[Deal]] = {}
    for deal in deals:
        for at in key(deal):
            found.setdefault(at, []).append(deal)
    return found


def weighed(key: Callable[[Deal], str], deals: Iterable[Deal]) -> Figures:
    return {at: weigh(group) for at, group in groups(lambda d: [key(d)], deals).items()}


def total_key(deal: Deal) -> list[Hashable]:
    return [(deal.currency, deal.firmness, "year" if deal.is_per_year else None)]


def totals(view: Deals, counted: Sequence[Deal]) -> tuple[dict[Any, Figures], list[str]]:
    """The totals of a summary by currency, class and time, and why others are left out."""
    left = why_left_out(view.deals, counted, total_key, is_lifted=True)
    found: dict[Any, Figures] = {}
    for at, group in groups(total_key, [d for d in counted if d.amount is not None]).items():
        added = [deal for deal in group if (deal.ref, at) not in left]
        found[at] = sums(added) | {"agreements": weigh(added), "left_out": len(group) - len(added)}
    return found, list(left.values())


def realised(paid: Iterable[Paid]) -> tuple[dict[Any, Figures], int]:
    """What was paid by currency and scope, and how many amounts to date are in later ones."""
    known = [each for each in paid if each.amount is not None]
    latest = {None: "", "2020": "2020-12-31", "2020-06": "2020-06-30", "2021-01-05": "2021-01-05"}
    newest: dict[Any, Paid] = {}
    for each in sorted(known, key=lambda each: latest[each.date]):
        if each.scope == "to_date":
            newest[each.deal, each.currency] = each
    added = [each for each in known if each.scope != "to_date"] + list(newest.values())
    found: dict[Any, Figures] = {}
    for each in added:
        entry = found.setdefault((each.currency, each.scope), {"all": []})
        entry["all"].append(each)
    told = {
        at: {
            "amount": added_up(each.amount for each in entry["all"]),
            "outcomes": len(entry["all"]),
            "agreements": len({each.deal for each in entry["all"]}),
        }
        for at, entry in found.items()
    }
    return told, len(known) - len(added)


def summed(view: Deals, mission: str, with_parts: bool) -> Figures:
    """What the summary of a mission tells of its agreements."""
    missions = view.journey(mission) if with_parts else {mission}
    below = view.journey(mission, view.every_leg or None) if with_parts else {mission}
    counted = [deal for deal in view.deals if deal.mission in missions and not deal.is_gone]
    there = {deal.ref for deal in counted}
    withheld = sum(deal.mission in below for deal in view.withheld)
    signed = [deal for deal in counted if deal.was_signed]
    money, reasons = totals(view, counted)
    paid, earlier = realised(each for each in view.paid if each.deal in there)
    hides = {
        name: [d for d in counted if view.every_leg and name in d.withheld]
        for name in ("amount", "signed")
    }
    return {
        "missions": len(missions),
        "records": len(counted) + withheld,
        "agreements": weigh(counted) + withheld,
        "withheld": withheld,
        "signed_instruments": weigh(signed),
        "by_firmness": weighed(lambda deal: deal.firmness, counted),
        "signed_by_firmness": weighed(lambda deal: deal.firmness, signed),
        "by_status": weighed(lambda deal: deal.status, counted),
        "by_bindingness": weighed(lambda deal: deal.bindingness, counted),
        "without_amount": weigh(
            d for d in counted if d.amount is None and d not in hides["amount"]
        ),
        "withheld_amounts": weigh(hides["amount"]),
        "undated": weigh(d for d in counted if not DATES[d.signed][1] and d not in hides["signed"]),
        "withheld_dates": weigh(hides["signed"]),
        "totals": money,
        "outcomes": sum(each.deal in there for each in view.paid),
        "realised": paid,
        "parts": reasons.count("parts"),
        "replaced": reasons.count("replaced"),
        "earlier_outcomes": earlier,
    }


# Aggregates

KEYS: dict[str, Key] = {
    "currency": lambda deal: [deal.currency],
    "firmness": lambda deal: [deal.firmness],
    "status": lambda deal: [deal.status],
    "amount_period": lambda deal: [deal.period],
    "stands_for": lambda deal: [deal.stands_for],
    "mission.ref": lambda deal: [deal.mission],
    "year(signed)": lambda deal: [deal.year or "undated"],
    "sectors": lambda deal: sorted(set(deal.sectors)) or [None],
    # A wider code lies under none of the level, and tells nothing beside one that does.
    "sector(sectors,division)": lambda deal: (
        sorted(set(filter(None, map(division, deal.sectors)))) or [None]
    ),
}


def division(code: str | None) -> str | None:
    return code[:3] if code is not None and len(code) >= 3 else None


def sector_pairs(deal: Deal) -> list[dict[str, Hashable]]:
    """What groups by sectors and by their divisions are of, together: each sector with its own."""
    codes: list[str | None] = [*sorted(set(deal.sectors))] or [None]
    return [{"sectors": code, "sector(sectors,division)": division(code)} for code in codes]


SUMS = {
    "sum(amount)": "amount",
    "at_least(amount)": "at_least",
    "at_most(amount)": "at_most",
    "not_exact(amount)": "not_exact",
}
METRICS: dict[str, Callable[[list[Deal]], Any]] = {
    "count": weigh,
    "count(amount)": lambda deals: sum(deal.amount is not None for deal in deals),
    "count_distinct(mission_id)": lambda deals: len({d.mission for d in deals} - {None}),
    "min(amount)": lambda deals: min(
        (d.amount for d in deals if d.amount is not None), default=None
    ),
    "max(amount)": lambda deals: max(
        (d.amount for d in deals if d.amount is not None), default=None
    ),
}
OF_MONEY = (*SUMS, "avg(amount)", "min(amount)", "max(amount)")
FILTERS: dict[str, Callable[[Deal], bool]] = {
    "": lambda deal: True,
    "firmness=signed_binding": lambda deal: deal.firmness == "signed_binding",
    "firmness__ne=replaced": lambda deal: deal.firmness != "replaced",
    "status__in=signed,superseded": lambda deal: deal.status in ("signed", "superseded"),
    "amount__gte=10": lambda deal: deal.amount is not None and deal.amount >= 10,
    "amount_period=per_year": lambda deal: deal.is_per_year,
    "amount_period__ne=per_year": lambda deal: not deal.is_per_year,
    "signed__gte=2020": lambda deal: deal.signed in ("2020-05", "2021-03/.."),
    "sectors__under=C10": lambda deal: any(code.startswith("C10") for code in deal.sectors),
    "filter=stands_for gt 1 or not status eq 'signed'": lambda deal: (
        deal.stands_for > 1 or deal.status != "signed"
    ),
}


@dataclass(frozen=True)
class Asked:
    """A question to the aggregates of agreements."""

    keys: tuple[str, ...]
    metrics: tuple[str, ...]
    chosen: str
    currency: str | None
    with_trash: bool

    def address(self, name: str) -> str:
        parts = [f"ref__startswith={name}-", f"metrics={','.join(self.metrics)}", self.chosen]
        parts += [f"group_by={','.join(self.keys)}"] if self.keys else []
        parts += [f"currency={self.currency}"] if self.currency else []
        parts += ["deleted=include"] if self.with_trash else []
        return f"/agreements/aggregate?{'&'.join(filter(None, parts))}&limit=1000"

    def holds(self, deal: Deal) -> bool:
        is_there = self.with_trash or not deal.is_gone
        return is_there and FILTERS[self.chosen](deal) and self.currency in (None, deal.currency)

    def key(self, deal: Deal) -> list[Hashable]:
        pairs = sector_pairs(deal)
        if {*self.keys} == {*pairs[0]}:
            return [tuple(pair[name] for name in self.keys) for pair in pairs]
        return list(product(*(KEYS[name](deal) for name in self.keys)))


def name_of(output: str) -> str:
    """What a key or a metric is called in the answer."""
    if output.startswith("sector("):
        return "sectors_division"
    return output.replace("(", "_").replace(")", "").replace(".", "_")


def answered(view: Deals, asked: Asked) -> Figures:
    """What the aggregate comes to: its groups by their keys, and what is told of all of them."""
    counted = [deal for deal in view.deals if asked.holds(deal)]
    is_lifted = "amount_period" in asked.keys or asked.chosen == "amount_period=per_year"
    left = why_left_out(view.deals, counted, asked.key, is_lifted)
    found = groups(asked.key, counted)
    if not asked.keys:
        found = {(): counted}
    data: dict[Any, Figures] = {}
    for at, group in found.items():
        added = [d for d in group if d.amount is not None and (d.ref, at) not in left]
        of_sums = sums(added)
        made: Figures = {}
        for metric in asked.metrics:
            if metric in SUMS:
                made[name_of(metric)] = of_sums[SUMS[metric]]
            elif metric == "avg(amount)":
                made[name_of(metric)] = averaged(deal.amount for deal in added)
            else:
                made[name_of(metric)] = METRICS[metric](group)
        data[at] = made
    is_added = any(metric in SUMS or metric == "avg(amount)" for metric in asked.metrics)
    reasons = {
        name: len({ref for (ref, _), reason in left.items() if reason == name})
        for name in ("per_year", "replaced", "parts")
    }
    return {
        "data": data,
        "records": len(counted),
        "groups": len(found),
        "left_out": reasons if is_added else {},
    }
