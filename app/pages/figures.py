"""The figures of the agreements that a page is of: how many of each class, and their amounts."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from app.charts.marks import CLASS_MARKS
from app.core.loose_types import Json
from app.resources.firmness import Firmness
from app.resources.money import AmountPeriod

METRICS = "count,count(amount),sum(amount),at_least(amount),at_most(amount),not_exact(amount)"
#: What is asked of `/agreements/aggregate` besides the filters.
ASKED = (
    ("group_by", "currency,firmness,amount_period"),
    ("metrics", METRICS),
    ("limit", "10000"),
)
#: From firm to loose, and then what stands no more.
CLASSES: Sequence[str] = tuple(CLASS_MARKS)

Amount = int | Decimal


@dataclass(frozen=True, slots=True)
class Sum:
    """The amounts of one class in one currency."""

    currency: str
    firmness: str
    #: How many agreements there are, and how many of them state an amount.
    agreements: int
    stated: int
    value: Amount | None
    at_least: Amount | None
    at_most: Amount | None
    not_exact: int
    #: Whether it is for each year: beside the others, and never added to them.
    is_yearly: bool = False

    @property
    def is_firm(self) -> bool:
        """Whether it is of what binds, or is done."""
        return self.firmness in (Firmness.signed_binding, Firmness.accomplished)


@dataclass(frozen=True, slots=True)
class Figures:
    """Counts by class and sums by currency and class: neither are ever added across them."""

    counts: dict[str, int]
    sums: list[Sum]
    #: How many state no amount, and of how many it is withheld.
    without_amount: int
    withheld_amounts: int
    #: How many agreements nobody is shown who may not write.
    withheld: int
    records: int
    left_out: dict[str, int]

    @property
    def total(self) -> int:
        """All agreements."""
        return sum(self.counts.values())

    @property
    def currencies(self) -> dict[str, list[Sum]]:
        """The sums by currency: that which most agreements are in comes first, as amounts in them
        cannot be compared."""
        found: dict[str, list[Sum]] = {}
        for each in self.sums:
            found.setdefault(each.currency, []).append(each)
        counts = {code: sum(each.stated for each in sums) for code, sums in found.items()}
        return {code: found[code] for code in sorted(found, key=lambda c: (-counts[c], c))}


def figures_of(answer: Json) -> Figures:
    """The figures that an aggregate with `ASKED` answers."""
    counts = dict.fromkeys(CLASSES, 0)
    sums: dict[tuple[str, str, bool], Sum] = {}
    without = 0
    for group in answer["data"]:
        if group["firmness"] in counts:
            counts[group["firmness"]] += group["count"]
        without += group["count"] - group["count_amount"]
        if group["currency"] is not None and group["sum_amount"] is not None:
            found = _sum_of(group)
            key = (found.currency, found.firmness, found.is_yearly)
            sums[key] = _together(sums[key], found) if key in sums else found
    withheld = answer["withheld_values"]["amount"]
    ordered = sorted(sums.values(), key=lambda each: (CLASSES.index(each.firmness), each.is_yearly))
    return Figures(
        counts,
        ordered,
        max(0, without - withheld),
        withheld,
        answer["withheld"],
        answer["records"],
        answer["left_out"],
    )


def _sum_of(group: Json) -> Sum:
    return Sum(
        group["currency"],
        group["firmness"],
        group["count"],
        group["count_amount"],
        group["sum_amount"],
        group["at_least_amount"],
        group["at_most_amount"],
        group["not_exact_amount"],
        group["amount_period"] == AmountPeriod.per_year,
    )


def _together(one: Sum, other: Sum) -> Sum:
    """The sum of both, which are of one class, currency and time."""
    return replace(
        one,
        agreements=one.agreements + other.agreements,
        stated=one.stated + other.stated,
        value=_added(one.value, other.value),
        at_least=_added(one.at_least, other.at_least),
        at_most=_added(one.at_most, other.at_most),
        not_exact=one.not_exact + other.not_exact,
    )


def _added(one: Amount | None, other: Amount | None) -> Amount | None:
    """None where one of them has no limit."""
    return None if one is None or other is None else one + other
