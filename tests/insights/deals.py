"""Agreements of a journey as plain Python knows them, and what their figures come to.

Written from what the guide says of figures, and not from the program's SQL. `sets` draws any few
agreements; `entered` writes them by the API.
"""

from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from fractions import Fraction
from itertools import product
from typing import Any
from uuid import uuid4

import httpx
from hypothesis import strategies as st

from tests.missions.ways import send_good

Key = Callable[["Deal"], Sequence[Hashable]]
Figures = dict[str, Any]

STATUSES = (
    *("signed", "announced", "negotiated", "in_force", "completed"),
    *("cancelled", "expired", "superseded"),
)
BINDINGNESS = ("binding", "non_binding", "announcement", "accomplished", "unknown")
SIGNED = ("signed", "in_force", "completed")
OF_STATUS = {
    **dict.fromkeys(("cancelled", "expired"), "fallen_through"),
    **dict.fromkeys(("announced", "negotiated"), "announced"),
    "superseded": "replaced",
}
OF_BINDINGNESS = {
    "binding": "signed_binding",
    "accomplished": "accomplished",
    "announcement": "announced",
}
#: Dates of signing, the year that each belongs to, and whether it has a first day.
DATES = {
    None: (None, False),
    "2019": ("2019", True),
    "2020-05": ("2020", True),
    "2019-12-30/2020-01-05": ("2019", True),
    "XXXX-04-11": (None, False),
    "2021-03/..": ("2021", True),
}
#: Of levels: a division, a class of it, and a section.
SECTORS = ((), ("C10",), ("C1061",), ("C10", "C1061"), ("F", "C1061"))


@dataclass(frozen=True)
class Leg:
    """A mission; `above` is the one that it is a part of."""

    ref: str
    above: str | None
    is_gone: bool = False
    is_confidential: bool = False


@dataclass(frozen=True)
class Paid:
    """What an outcome says was paid."""

    deal: str
    amount: Decimal | None
    currency: str
    scope: str | None
    date: str | None


@dataclass(frozen=True)
class Deal:
    """An agreement; `related` names others and what this one is to them."""

    ref: str
    mission: str | None = None
    status: str = "signed"
    bindingness: str = "binding"
    stands_for: int = 1
    currency: str | None = None
    amount: Decimal | None = None
    amount_max: Decimal | None = None
    bound: str | None = "exact"
    period: str | None = None
    signed: str | None = None
    sectors: tuple[str, ...] = ()
    is_gone: bool = False
    is_confidential: bool = False
    withheld: tuple[str, ...] = ()
    related: tuple[tuple[str, str], ...] = ()
    was_signed: bool = False
    is_replaced: bool = False

    @property
    def own_firmness(self) -> str:
        of_bindingness = OF_BINDINGNESS.get(self.bindingness, "signed_not_binding")
        return OF_STATUS.get(self.status, of_bindingness)

    @property
    def firmness(self) -> str:
        return "replaced" if self.is_replaced else self.own_firmness

    @property
    def stands(self) -> bool:
        return self.own_firmness not in ("fallen_through", "announced")

    @property
    def is_per_year(self) -> bool:
        return self.period == "per_year"

    @property
    def year(self) -> str | None:
        return DATES[self.signed][0]

    @property
    def at_least(self) -> Decimal | None:
        return None if self.bound in ("at_most", "approximately") else self.amount

    @property
    def at_most(self) -> Decimal | None:
        end = self.amount if self.amount_max is None else self.amount_max
        return end if self.bound in (None, "exact", "at_most") else None

    @property
    def is_exact(self) -> bool:
        return self.bound == "exact" and self.amount_max in (None, self.amount)

    def body(self) -> dict[str, Any]:
        found: dict[str, Any] = {"ref": self.ref, "title": self.ref, "instrument": "other"}
        found |= {"mission": {"ref": self.mission}} if self.mission else {}
        found |= {"status": self.status, "bindingness": self.bindingness, "signed": self.signed}
        found |= {"stands_for": self.stands_for, "sectors": self.sectors}
        found |= {"confidential": self.is_confidential, "withheld": self.withheld}
        found["parties"] = [{"description": "A firm", "role": "signatory"}]
        found["related"] = [
            {"agreement": {"ref": other}, "relation": relation} for other, relation in self.related
        ]
        if self.amount is not None:
            found |= {"amount": str(self.amount), "currency": self.currency}
            found |= {"amount_bound": self.bound, "amount_period": self.period}
            found |= {"amount_max": None if self.amount_max is None else str(self.amount_max)}
            found |= {"amount_years": 3} if self.period == "over_years" else {}
        return found


@dataclass(frozen=True)
class Deals:
    """All that is on record of some missions, as somebody sees it."""

    name: str
    legs: tuple[Leg, ...]
    deals: tuple[Deal, ...]
    paid: tuple[Paid, ...] = ()
    #: The records of agreements that are not shown, by the mission that they belong to.
    withheld: tuple[Deal, ...] = field(default=())
    every_leg: tuple[Leg, ...] = field(default=())

    def journey(self, ref: str, legs: Iterable[Leg] | None = None) -> set[str]:
        """The mission with those that are part of it."""
        there = [leg for leg in (self.legs if legs is None else legs) if not leg.is_gone]
        found = {ref}
        for _ in there:
            found |= {leg.ref for leg in there if leg.above in found}
        return found

    def lies_under(self, leg: Leg, is_so: Callable[[Leg], bool]) -> bool:
        """Whether something is so of the mission or of one that it is a part of."""
        by_ref = {each.ref: each for each in self.legs}
        while not is_so(leg) and leg.above is not None:
            leg = by_ref[leg.above]
        return is_so(leg)

    def settled(self) -> "Deals":
        """With what goes to the trash with missions, what was ever signed and what is replaced."""
        legs = [
            replace(leg, is_gone=self.lies_under(leg, lambda each: each.is_gone))
            for leg in self.legs
        ]
        gone = {leg.ref for leg in legs if leg.is_gone}
        deals = [
            replace(
                deal, is_gone=deal.is_gone or deal.mission in gone, was_signed=_was_signed(deal)
            )
            for deal in self.deals
        ]
        return replace(self, legs=tuple(legs), deals=_with_replaced(deals))

    def for_public(self) -> "Deals":
        """What whoever has no key sees of it."""
        hidden = {
            leg.ref for leg in self.legs if self.lies_under(leg, lambda each: each.is_confidential)
        }
        secret = [d for d in self.deals if d.is_confidential or d.mission in hidden]
        names = {deal.ref for deal in secret}
        shown = [_shown(deal, names) for deal in self.deals if deal.ref not in names]
        of_shown = {deal.ref: deal for deal in shown}
        return replace(
            self,
            legs=tuple(leg for leg in self.legs if leg.ref not in hidden),
            every_leg=self.legs,
            deals=_with_replaced(shown),
            withheld=tuple(deal for deal in secret if not deal.is_gone),
            paid=tuple(
                replace(each, amount=None) if "amount" in of_shown[each.deal].withheld else each
                for each in self.paid
                if each.deal in of_shown
            ),
        )


def _was_signed(deal: Deal) -> bool:
    if deal.bindingness in ("announcement", "accomplished"):
        return False
    fell = deal.status in ("cancelled", "expired", "superseded")
    return deal.status in SIGNED or (fell and deal.signed is not None)


def _with_replaced(deals: Iterable[Deal]) -> tuple[Deal, ...]:
    """The deals, knowing which of them others that stand replace."""
    deals = list(deals)
    by = {name for deal in deals if deal.stands and not deal.is_gone for name in deal.related}
    return tuple(replace(deal, is_replaced=(deal.ref, "replaces") in by) for deal in deals)


def _shown(deal: Deal, secret: set[str]) -> Deal:
    """The deal without what is withheld of it."""
    found = replace(deal, related=tuple(each for each in deal.related if each[0] not in secret))
    if "amount" in deal.withheld:
        found = replace(
            found, amount=None, amount_max=None, currency=None, bound="exact", period=None
        )
    if "signed" in deal.withheld:
        found = replace(found, signed=None)
    return replace(found, related=()) if "related" in deal.withheld else found


# Drawing them

_AMOUNTS = st.sampled_from([Decimal(n) for n in (1, 10, 25, 0)]) | st.decimals(0, 10**13, places=2)
_RELATIONS = st.sampled_from(("part_of", "part_of", "replaces", "follows"))
_NOT = st.sampled_from((*(False,) * 9, True))


def _legs() -> st.SearchStrategy[tuple[Leg, ...]]:
    """Up to four missions, each with those before it above it or none."""
    above = st.tuples(st.integers(-1, 2), _NOT, _NOT)

    def made(several: list[tuple[int, bool, bool]]) -> tuple[Leg, ...]:
        found = [Leg("set-0", None)]
        for at, *is_hidden in several:
            found.append(
                Leg(
                    f"set-{len(found)}",
                    f"set-{min(at, len(found) - 1)}" if at >= 0 else None,
                    *is_hidden,
                )
            )
        return tuple(found)

    return st.lists(above, max_size=3).map(made)


def _sorts(legs: Sequence[Leg]) -> st.SearchStrategy[Figures]:
    """What agreements have in common that are added up; of few sorts, so that several are."""
    return st.fixed_dictionaries(
        {
            "mission": st.sampled_from([*(leg.ref for leg in legs), None]),
            "status": st.sampled_from(("signed", *STATUSES)),
            "bindingness": st.sampled_from(BINDINGNESS),
            "currency": st.sampled_from(("USD", "EUR")),
        }
    )


_BOUNDS = ("exact", "exact", "at_least", "more_than", "at_most", "approximately")


@st.composite
def _money(draw: st.DrawFn) -> Figures:
    amount = draw(_AMOUNTS)
    end = draw(st.sampled_from((None, None, amount, amount + 5)))
    bound = draw(st.sampled_from(_BOUNDS))
    return {
        "amount": amount,
        "amount_max": end,
        # A range is neither.
        "bound": None if end not in (None, amount) and bound in ("exact", "more_than") else bound,
        "period": draw(st.sampled_from((None, None, "per_year", "one_off", "over_years"))),
    }


_DETAILS = st.fixed_dictionaries(
    {
        "stands_for": st.sampled_from((1, 1, 12)),
        "signed": st.sampled_from(tuple(DATES)),
        "sectors": st.sampled_from(SECTORS),
        "is_gone": _NOT,
        "is_confidential": _NOT,
        "withheld": st.sampled_from((*((),) * 9, ("amount",), ("signed",), ("related",))),
    }
)
#: How far before an agreement others were entered, and what it is to them.
_BACK = st.lists(st.tuples(st.integers(1, 4), _RELATIONS), max_size=2, unique=True)
_PAID = st.lists(
    st.tuples(
        st.integers(0, 3),
        st.none() | _AMOUNTS,
        st.sampled_from(("USD", "EUR")),
        st.sampled_from(("to_date", "period", None)),
        st.sampled_from((None, "2020", "2020-06", "2021-01-05")),
    ),
    max_size=4,
)


@st.composite
def sets(draw: st.DrawFn, most: int = 10) -> Deals:
    """Any few agreements of up to four missions; no chain of relations is longer than three."""
    legs = draw(_legs())
    sorts = draw(st.lists(_sorts(legs), min_size=1, max_size=3))
    deals: list[Deal] = []
    depths: list[int] = []
    for at in range(draw(st.integers(1, most))):
        related = [
            (at - back, relation)
            for back, relation in draw(_BACK)
            if back <= at and depths[at - back] < 3
        ]
        depths.append(1 + max((depths[n] for n, _ in related), default=0))
        own: Figures = draw(st.sampled_from(sorts)) | draw(_DETAILS)
        own |= {"currency": None} if draw(_NOT) else draw(_money())
        own |= {"signed": None} if own["status"] in ("announced", "negotiated") else {}
        told = tuple((f"set-{n}", relation) for n, relation in related)
        deals.append(Deal(f"set-{at}", related=told, **own))
    paid = [
        Paid(f"set-{min(at, len(deals) - 1)}", amount, currency, scope, day)
        for at, amount, currency, scope, day in draw(_PAID)
    ]
    return Deals("set", legs, tuple(deals), tuple(paid))


def renamed(found: Deals) -> Deals:
    """The same under refs of their own, so that one database can hold any number of them."""
    name = f"set{uuid4().hex[:12]}"

    def ref(old: str) -> str:
        return old.replace(found.name, name)

    def ref_or_none(old: str | None) -> str | None:
        return None if old is None else ref(old)

    legs = (replace(leg, ref=ref(leg.ref), above=ref_or_none(leg.above)) for leg in found.legs)
    deals = (
        replace(
            deal,
            ref=ref(deal.ref),
            mission=ref_or_none(deal.mission),
            related=tuple((ref(other), relation) for other, relation in deal.related),
        )
        for deal in found.deals
    )
    paid = (replace(each, deal=ref(each.deal)) for each in found.paid)
    return Deals(name, tuple(legs), tuple(deals), tuple(paid))


def _body_of_leg(leg: Leg) -> Figures:
    body: Figures = {"ref": leg.ref, "title": leg.ref, "kind": "forum"}
    body |= {"parent": {"ref": leg.above}} if leg.above else {}
    return body | {"confidential": leg.is_confidential}


def _body_of_outcome(paid: Paid) -> Figures:
    body: Figures = {"agreement": {"ref": paid.deal}, "date": paid.date}
    if paid.amount is not None:
        body |= {"actual_amount": str(paid.amount), "currency": paid.currency}
        body |= {"amount_scope": paid.scope}
    return body


async def entered(client: httpx.AsyncClient, drawn: Deals) -> Deals:
    """The same on record, and as whoever may write sees it."""
    found = renamed(drawn)

    async def bulk(path: str, operations: list[Figures]) -> None:
        if operations:
            await send_good(client, f"/{path}/bulk", json={"operations": operations})

    for path, bodies in (
        ("missions", map(_body_of_leg, found.legs)),
        ("agreements", (deal.body() for deal in found.deals)),
        ("outcomes", map(_body_of_outcome, found.paid)),
    ):
        await bulk(path, [{"op": "create", "body": body} for body in bodies])
    gone = [deal.ref for deal in found.deals if deal.is_gone]
    await bulk("agreements", [{"op": "delete", "key": ref} for ref in gone])
    # With a mission go those that are part of it.
    there = {leg.ref for leg in found.settled().legs if not leg.is_gone}
    gone = [
        leg.ref for leg in found.legs if leg.is_gone and (leg.above is None or leg.above in there)
    ]
    await bulk("missions", [{"op": "delete", "key": ref} for ref in gone])
    return found.settled()


# What their figures come to


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
    "sector(sectors,division)": lambda deal: (
        # A wider code lies under none of the level.
        list({code[:3] if len(code) >= 3 else None for code in deal.sectors}) or [None]
    ),
}
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
        return list(product(*(KEYS[name](deal) for name in self.keys)))


@st.composite
def questions(draw: st.DrawFn) -> Asked:
    keys = draw(st.lists(st.sampled_from(list(KEYS)), max_size=2, unique=True))
    metrics = draw(
        st.lists(st.sampled_from((*METRICS, *SUMS, "avg(amount)")), min_size=1, unique=True)
    )
    is_of_money = "currency" not in keys and set(metrics) & set(OF_MONEY)
    return Asked(
        keys=tuple(keys),
        metrics=tuple(metrics),
        chosen=draw(st.sampled_from(list(FILTERS))),
        currency="USD" if is_of_money else None,
        with_trash=draw(_NOT),
    )


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
