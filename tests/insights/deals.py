"""Agreements of a journey as plain Python knows them."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

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
SECTORS = ((), ("C10",), ("C1061",), ("C10", "C1061"), ("F", "C1061"), ("F",))


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
