"""Any few agreements, and questions about them; `entered` writes them by the API."""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from uuid import uuid4

import httpx
from hypothesis import strategies as st

from tests.insights.deals import (
    BINDINGNESS,
    DATES,
    SECTORS,
    STATUSES,
    Deal,
    Deals,
    Figures,
    Leg,
    Paid,
)
from tests.insights.figures_of_deals import FILTERS, KEYS, METRICS, OF_MONEY, SUMS, Asked
from tests.missions.ways import send_good

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


def is_possible(holders: list[set[int]], one: int, other: int, relation: str) -> bool:
    """Whether the one can be this to the other, and hold it or be held by it: nothing is held by
    itself. What holds each is noted in `holders`."""
    if relation not in ("part_of", "replaces"):
        return True
    held, holder = (one, other) if relation == "part_of" else (other, one)
    above, found = {holder}, set[int]()
    while above:
        found |= above
        above = {each for n in above for each in holders[n]} - found
    if held not in found:
        holders[held].add(holder)
    return held not in found


@st.composite
def sets(draw: st.DrawFn, most: int = 10) -> Deals:
    """Any few agreements of up to four missions; no chain of relations is longer than three."""
    legs = draw(_legs())
    sorts = draw(st.lists(_sorts(legs), min_size=1, max_size=3))
    deals: list[Deal] = []
    depths: list[int] = []
    holders: list[set[int]] = []
    for at in range(draw(st.integers(1, most))):
        related = [
            (at - back, relation)
            for back, relation in draw(_BACK)
            if back <= at and depths[at - back] < 3
        ]
        holders.append(set())
        related = [each for each in related if is_possible(holders, at, *each)]
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
    body: Figures = {"agreement": {"ref": paid.deal}, "date": paid.date, "note": "Told"}
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
