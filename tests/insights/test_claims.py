"""What reported totals come to, whatever few there are, against plain Python, on both databases."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any
from uuid import uuid4

import httpx
from hypothesis import example, given
from hypothesis import strategies as st

from tests.drawing import drawing
from tests.insights.figures_of_deals import added_up, averaged
from tests.insights.test_figures import by_keys, read
from tests.missions.ways import send_good

Figures = dict[str, Any]
MISSIONS = ("a", "b")
MONEY = ("amount", "projected_sales_12m")
#: One scope, as several people write it.
SCOPES = ("İç pazar ΤΟΥΣ", "i̇Ç  PAZAR\u00a0τους")


@dataclass(frozen=True)
class Claim:
    """A reported total; `part_of` is the place of the one that it is a part of."""

    value: Decimal
    mission: str = "a"
    measure: str = "amount"
    currency: str | None = "USD"
    scope: str | None = None
    rank: str = "normal"
    value_max: Decimal | None = None
    bound: str = "exact"
    period: str | None = None
    of_value: Decimal | None = None
    part_of: int | None = None
    is_gone: bool = False

    @property
    def per(self) -> str | None:
        return "year" if self.period == "per_year" else None

    @property
    def about(self) -> tuple[Any, ...]:
        scope = self.scope and SCOPES[0]
        return self.mission, self.measure, self.currency, scope, self.per, self.part_of

    @property
    def end(self) -> Decimal:
        return self.value if self.value_max is None else self.value_max

    @property
    def at_least(self) -> Decimal | None:
        return None if self.bound in ("at_most", "approximately") else self.value

    @property
    def at_most(self) -> Decimal | None:
        return self.end if self.bound in ("exact", "at_most") else None


@st.composite
def _abouts(draw: st.DrawFn) -> Figures:
    """What a claim can be about; few, so that several claims are about one figure."""
    measure = draw(st.sampled_from(("amount", "amount", "companies", "projected_sales_12m")))
    is_money = measure in MONEY
    return {
        "mission": draw(st.sampled_from(MISSIONS)),
        "measure": measure,
        "currency": draw(st.sampled_from(("USD", "EUR"))) if is_money else None,
        "scope": draw(st.sampled_from((None, SCOPES[0]))),
    }


@st.composite
def claims(draw: st.DrawFn) -> list[Claim]:
    abouts = draw(st.lists(_abouts(), min_size=1, max_size=3))
    found: list[Claim] = []
    for at in range(draw(st.integers(1, 8))):
        about = draw(st.sampled_from(abouts))
        periods = (None, "one_off", "over_years", "per_year") if about["currency"] else (None,)
        value = Decimal(draw(st.sampled_from((5, 5, 7))))
        found.append(
            Claim(
                value,
                rank=draw(st.sampled_from(("normal", "preferred", "deprecated"))),
                value_max=draw(st.sampled_from((None, None, value, value + 2))),
                bound=draw(st.sampled_from(("exact", "exact", "at_least", "approximately"))),
                period=draw(st.sampled_from(periods)),
                of_value=draw(st.sampled_from((None, value + 10))),
                part_of=draw(st.sampled_from([None, None, *range(at)])),
                is_gone=draw(st.sampled_from((False, False, False, True))),
                **about | {"scope": about["scope"] and draw(st.sampled_from(SCOPES))},
            )
        )
    return found


def body(claim: Claim, at: int, name: str) -> Figures:
    numbers = {n: getattr(claim, n) for n in ("value", "value_max", "of_value")}
    whole = claim.part_of
    return {
        "ref": f"{name}-{at}",
        "mission": {"ref": f"{name}-{claim.mission}"},
        **{n: getattr(claim, n) for n in ("measure", "currency", "scope", "rank", "bound")},
        **{n: None if value is None else str(value) for n, value in numbers.items()},
        "amount_period": claim.period,
        "amount_years": 3 if claim.period == "over_years" else None,
        **({} if whole is None else {"part_of": {"ref": f"{name}-{whole}"}}),
    }


async def entered(client: httpx.AsyncClient, drawn: Sequence[Claim]) -> tuple[str, Figures]:
    """The name that refs begin with, and the refs of missions and totals by their ids."""
    name = f"claims{uuid4().hex[:12]}"
    missions = [
        {"ref": f"{name}-{each}", "title": each, "kind": "forum"}
        | ({"parent": {"ref": f"{name}-a"}} if each == "b" else {})
        for each in MISSIONS
    ]
    bodies = [body(claim, at, name) for at, claim in enumerate(drawn)]
    places: Figures = {}
    for path, several in (("missions", missions), ("reported-totals", bodies)):
        operations: list[Figures] = [{"op": "create", "body": each} for each in several]
        answer = await send_good(client, f"/{path}/bulk", json={"operations": operations})
        for each, result in zip(several, answer["results"], strict=True):
            places[result["id"]] = each["ref"].rpartition("-")[2]
    gone = [at for at, claim in enumerate(drawn) if claim.is_gone]
    if gone:
        operations = [{"op": "delete", "key": f"{name}-{at}"} for at in gone]
        await send_good(client, "/reported-totals/bulk", json={"operations": operations})
    return name, places


# The model

RANKS = ("preferred", "normal", "deprecated")


def taken(of_figure: Iterable[Claim]) -> Claim | None:
    """The preferred claim, else what all say, else none; never one that is deprecated."""
    of_figure = list(of_figure)
    for rank in ("preferred", "normal"):
        if of_rank := [claim for claim in of_figure if claim.rank == rank]:
            said = {(claim.value, claim.end, claim.bound) for claim in of_rank}
            return of_rank[0] if len(said) == 1 else None
    return None


def says(claim: Claim) -> tuple[Any, ...]:
    return claim.value, claim.end, claim.bound


def figures_of(counted: Iterable[Claim]) -> dict[Any, list[Claim]]:
    found: dict[Any, list[Claim]] = {}
    for claim in counted:
        found.setdefault(claim.about, []).append(claim)
    return found


def reported(counted: Sequence[Claim]) -> tuple[dict[Any, Figures], dict[str, int]]:
    """What a summary tells of the figures that are claimed, and how many claims are not taken."""
    found: dict[Any, Figures] = {}
    left = {"repeated_claims": 0, "rival_claims": 0}
    for about, of_figure in figures_of(counted).items():
        chosen = taken(of_figure)
        found[about] = {
            "scope": min(of_figure, key=lambda claim: RANKS.index(claim.rank)).scope,
            "value": chosen and chosen.value,
            "at_least": chosen and chosen.at_least,
            "at_most": chosen and chosen.at_most,
            "claims": len(of_figure),
            "rival_claims": 0 if chosen else len(of_figure),
            "lowest": min(claim.value for claim in of_figure),
            "highest": max(claim.end for claim in of_figure),
        }
        same = [claim for claim in of_figure if chosen and says(claim) == says(chosen)]
        left["repeated_claims"] += max(len(same) - 1, 0)
        left["rival_claims"] += len(of_figure) - len(same)
    return found, left


def wholes(claim: Claim, every: Sequence[Claim]) -> Iterable[Claim]:
    while claim.part_of is not None:
        claim = every[claim.part_of]
        yield claim


def added(group: Sequence[Claim], every: Sequence[Claim], is_lifted: bool) -> list[Claim]:
    """The claims of a group that are in its sums: what is a part of one of these is not."""
    there = [claim for claim in group if is_lifted or claim.per is None]
    figures = {about: taken(of) for about, of in figures_of(there).items()}
    present = {id(claim) for claim in there}

    def is_in_whole(claim: Claim) -> bool:
        return any(
            id(whole) in present and figures[whole.about] is not None
            for whole in wholes(claim, every)
        )

    return [claim for claim in figures.values() if claim and not is_in_whole(claim)]


KEYS: dict[str, Callable[[Claim], Any]] = {
    "currency": lambda claim: claim.currency,
    "measure": lambda claim: claim.measure,
    "mission.ref": lambda claim: claim.mission,
    "scope": lambda claim: claim.scope,
    "rank": lambda claim: claim.rank,
    "amount_period": lambda claim: claim.period,
}
FILTERS: dict[str, Callable[[Claim], bool]] = {
    "": lambda claim: True,
    "rank__ne=deprecated": lambda claim: claim.rank != "deprecated",
    "value__lt=7": lambda claim: claim.value < 7,
    "amount_period=per_year": lambda claim: claim.per is not None,
    "part_of_id__isnull=true": lambda claim: claim.part_of is None,
}


@st.composite
def questions(draw: st.DrawFn) -> tuple[tuple[str, ...], str]:
    more = draw(st.lists(st.sampled_from(list(KEYS)[2:]), max_size=1))
    return ("measure", "currency", *more), draw(st.sampled_from(list(FILTERS)))


METRICS = "count,sum(value),avg(value),at_least(value),at_most(value),not_exact(value)"


def answered(every: Sequence[Claim], keys: tuple[str, ...], chosen: str) -> Figures:
    found: dict[Any, list[Claim]] = {}
    for claim in every:
        if FILTERS[chosen](claim) and not claim.is_gone:
            found.setdefault(tuple(KEYS[name](claim) for name in keys), []).append(claim)
    is_lifted = "amount_period" in keys or chosen == "amount_period=per_year"
    data: dict[Any, Figures] = {}
    for at, group in found.items():
        there = added(group, every, is_lifted)
        ends = [claim.at_most for claim in there]
        data[at] = {
            "count": len(group),
            "sum_value": added_up(claim.value for claim in there),
            "avg_value": averaged(claim.value for claim in there),
            "at_least_value": added_up(claim.at_least for claim in there),
            "at_most_value": None if None in ends else added_up(ends),
            "not_exact_value": sum(c.bound != "exact" or c.end != c.value for c in there),
        }
    left = sum(map(len, found.values())) - sum(
        len(added(group, every, is_lifted)) for group in found.values()
    )
    return {"data": data, "left_out": left}


FIVE = Claim(Decimal(5))
BY_MEASURE = [(("measure", "currency"), "")]


@drawing(15)
@example([FIVE, replace(FIVE, period="one_off")], BY_MEASURE)
@example([replace(FIVE, scope=scope) for scope in SCOPES], BY_MEASURE)
@example([replace(FIVE, rank="deprecated"), replace(FIVE, part_of=0)], BY_MEASURE)
@example([FIVE, replace(FIVE, value_max=Decimal(5))], BY_MEASURE)
@given(every=claims(), asked=st.lists(questions(), min_size=2, max_size=4))
async def test_of_claims_about_one_figure_one_is_taken_or_none(
    client: httpx.AsyncClient,
    every: list[Claim],
    asked: list[tuple[tuple[str, ...], str]],
) -> None:
    name, places = await entered(client, every)

    def about(row: Figures) -> tuple[Any, ...]:
        whole = row.pop("part_of_id")
        names = ("measure", "currency")
        found = [places[row.pop("mission_id")], *(row.pop(each) for each in names)]
        found += [row["scope"] and SCOPES[0], row.pop("per")]
        return *found, None if whole is None else int(places[whole])

    there = [claim for claim in every if not claim.is_gone]
    for mission, counted in (("a", there), ("b", [c for c in there if c.mission == "b"])):
        expected, left = reported(counted)
        summary = await read(client, f"/missions/{name}-{mission}/summary")
        assert {about(row): row for row in summary["reported"]} == expected
        assert {each: summary["left_out"][each] for each in left} == left
        reconciled = await read(client, f"/missions/{name}-{mission}/reconciliation")
        figures = {about(row): row for row in reconciled["figures"]}
        assert {
            at: (row["scope"], row["taken"], sorted(c["value"] for c in row["claims"]))
            for at, row in figures.items()
        } == {
            at: (
                expected[at]["scope"],
                expected[at]["value"],
                sorted(claim.value for claim in of_figure),
            )
            for at, of_figure in figures_of(counted).items()
        }
    for keys, chosen in asked:
        address = f"/reported-totals/aggregate?ref__startswith={name}-&{chosen}"
        answer = await read(client, f"{address}&group_by={','.join(keys)}&metrics={METRICS}")
        expected = answered(every, keys, chosen)
        rows = by_keys(answer["data"], *(key.replace(".", "_") for key in keys))
        if "mission.ref" in keys:
            rows = {
                tuple(
                    str(k).removeprefix(f"{name}-") if k and n == 2 else k for n, k in enumerate(at)
                ): row
                for at, row in rows.items()
            }
        assert rows == expected["data"]
        assert sum(answer["left_out"].values()) == expected["left_out"]
