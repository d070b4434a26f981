"""The figures of the agreements that a page is of: how many of each class, and their amounts."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from app.charts.marks import CLASS_MARKS
from app.core.loose_types import Json
from app.pages.context import PageContext
from app.pages.reading import Pairs
from app.resources.firmness import Firmness
from app.resources.money import AmountPeriod

METRICS = "count,sum(amount),at_least(amount),at_most(amount),not_exact(amount)"
_READ, _PERIOD = "/agreements/aggregate", "amount_period"
#: What is asked of `/agreements/aggregate` besides the filters.
ASKED = (("group_by", "currency,firmness"), ("metrics", METRICS), ("limit", "10000"))
#: The same by time. Sums of one time and another are not added up here: a part and its whole can
#: be of two.
_BY_PERIOD = (("group_by", f"currency,firmness,{_PERIOD}"), *ASKED[1:])
#: From firm to loose, and then what stands no more.
CLASSES: Sequence[str] = tuple(CLASS_MARKS)

Amount = int | Decimal


@dataclass(frozen=True, slots=True)
class Sum:
    """The amounts of one class in one currency."""

    currency: str
    firmness: str
    #: How many agreements state them: one that stands for several is so many.
    agreements: int
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
        counts = {code: sum(each.agreements for each in sums) for code, sums in found.items()}
        return {code: found[code] for code in sorted(found, key=lambda c: (-counts[c], c))}


async def read_figures(context: PageContext, filters: Pairs) -> Figures:
    """The figures of the agreements that the filters leave."""
    answer = await context.read(_READ, (*ASKED, *filters))
    yearly: list[Json] = []
    # By a filter that leaves one time, what comes each year is among the sums.
    if answer["left_out"]["per_year"] or any(_PERIOD in "".join(pair) for pair in filters):
        by_period = (await context.read(_READ, (*_BY_PERIOD, *filters)))["data"]
        yearly = [group for group in by_period if group[_PERIOD] == AmountPeriod.per_year]
    return figures_of(answer, yearly)


def figures_of(answer: Json, yearly: Sequence[Json] = ()) -> Figures:
    """The figures of an answer to what is `ASKED`; `yearly` are the groups of what comes each
    year, which its sums leave out."""
    groups = answer["data"]
    classes = {(group["currency"], group["firmness"]): group for group in yearly}
    once = [_without(g, classes.get((g["currency"], g["firmness"]))) for g in groups]
    sums = [_sum_of(group, is_yearly=False) for group in once]
    sums += [_sum_of(group, is_yearly=True) for group in yearly]
    counts = dict.fromkeys(CLASSES, 0)
    for group in groups:
        if group["firmness"] in counts:
            counts[group["firmness"]] += group["count"]
    # None states an amount without its currency.
    without = sum(group["count"] for group in groups if group["currency"] is None)
    withheld = answer["withheld_values"]["amount"]
    known = [each for each in sums if each.currency is not None and each.value is not None]
    known.sort(key=lambda each: (CLASSES.index(each.firmness), each.is_yearly))
    return Figures(
        counts,
        known,
        max(0, without - withheld),
        withheld,
        answer["withheld"],
        answer["records"],
        answer["left_out"],
    )


def figures_of_summary(summary: Json) -> Figures:
    """The figures of a summary, as those of aggregates are."""
    sums = [
        Sum(
            each["currency"],
            each["firmness"],
            each["agreements"],
            each["amount"],
            each["at_least"],
            each["at_most"],
            each["not_exact"],
            each["per"] == "year",
        )
        for each in summary["totals"]
        if each["amount"] is not None
    ]
    sums.sort(key=lambda each: (CLASSES.index(each.firmness), each.is_yearly))
    counts = {key: summary["by_firmness"][key] for key in CLASSES}
    return Figures(
        counts,
        sums,
        summary["without_amount"],
        summary["withheld_amounts"],
        summary["withheld"],
        summary["records"],
        summary["left_out"],
    )


def _without(group: Json, yearly: Json | None) -> Json:
    """The group without what comes each year, which is in its counts and in no sum of it, unless
    there is nothing else."""
    if yearly is None:
        return group
    left = group["count"] - yearly["count"]
    return group | {"count": left} | ({} if left else {"sum_amount": None})


def _sum_of(group: Json, *, is_yearly: bool) -> Sum:
    return Sum(
        group["currency"],
        group["firmness"],
        group["count"],
        group["sum_amount"],
        group["at_least_amount"],
        group["at_most_amount"],
        group["not_exact_amount"],
        is_yearly,
    )
