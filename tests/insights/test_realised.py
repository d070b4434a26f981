"""What outcomes say was really paid, whatever few there are, against plain Python, on both
databases: an amount to date has the earlier ones of its agreement in it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
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
DEALS = ("a", "b")
#: The first and the last day of what a date can mean.
DAYS = {
    "2016-04-12": ("2016-04-12", "2016-04-12"),
    "2016-04": ("2016-04-01", "2016-04-30"),
    "2016": ("2016-01-01", "2016-12-31"),
    "2017-02-01": ("2017-02-01", "2017-02-01"),
    "XXXX-04-12": (None, None),
    None: (None, None),
}


@dataclass(frozen=True)
class Payment:
    """An outcome; `at` is its place among those of its mission, later ones having later ids."""

    amount: Decimal | None
    scope: str | None = None
    date: str | None = None
    deal: str = "a"
    currency: str = "USD"
    is_gone: bool = False
    at: int = 0

    @property
    def states_all(self) -> bool:
        return self.scope == "to_date"

    @property
    def since(self) -> str | None:
        return DAYS[self.date][0]

    @property
    def until(self) -> str | None:
        return DAYS[self.date][1]


@st.composite
def payments(draw: st.DrawFn) -> list[Payment]:
    found: list[Payment] = []
    for at in range(draw(st.integers(1, 7))):
        amount = draw(st.sampled_from((None, *map(Decimal, (1, 2, 4, 8, 16)))))
        scopes = (None, "period", "to_date", "to_date")
        found.append(
            Payment(
                amount,
                None if amount is None else draw(st.sampled_from(scopes)),
                draw(st.sampled_from(list(DAYS))),
                draw(st.sampled_from(DEALS)),
                draw(st.sampled_from(("USD", "USD", "EUR"))),
                draw(st.sampled_from((False, False, False, True))),
                at,
            )
        )
    return found


async def entered(client: httpx.AsyncClient, drawn: Sequence[Payment]) -> str:
    """The name that refs begin with."""
    name = f"paid{uuid4().hex[:12]}"
    await send_good(client, "/missions", json={"ref": name, "title": "Payments", "kind": "forum"})
    parties = [{"description": "A firm", "role": "signatory"}]
    deals = [
        {"ref": f"{name}-{deal}", "title": deal, "mission": {"ref": name}, "parties": parties}
        | {"instrument": "supply_contract"}
        for deal in DEALS
    ]
    outcomes = [
        {"ref": f"{name}-{each.at}", "agreement": {"ref": f"{name}-{each.deal}"}}
        | {"date": each.date, "amount_scope": each.scope, "note": "Told at a meeting"}
        | ({} if each.amount is None else {"actual_amount": str(each.amount)})
        | ({} if each.amount is None else {"currency": each.currency})
        for each in drawn
    ]
    for path, bodies in (("agreements", deals), ("outcomes", outcomes)):
        operations: list[Figures] = [{"op": "create", "body": each} for each in bodies]
        await send_good(client, f"/{path}/bulk", json={"operations": operations})
    gone = [{"op": "delete", "key": f"{name}-{each.at}"} for each in drawn if each.is_gone]
    if gone:
        await send_good(client, "/outcomes/bulk", json={"operations": gone})
    return name


def added(group: Iterable[Payment]) -> list[Payment]:
    """Of each agreement its newest amount to date, and what is later than that for certain; all
    where there is none."""
    there = [each for each in group if each.amount is not None]
    found: list[Payment] = []
    for deal in DEALS:
        own = [each for each in there if each.deal == deal]
        newest = max(
            (each for each in own if each.states_all),
            key=lambda each: (each.until is not None, each.until, each.at),
            default=None,
        )
        found += [each for each in own if newest is None or _is_beside(each, newest)]
    return found


def _is_beside(each: Payment, newest: Payment) -> bool:
    if each.states_all:
        return each is newest
    return bool(each.since and newest.until and each.since > newest.until)


KEYS = {
    "currency": lambda each: each.currency,
    "amount_scope": lambda each: each.scope,
    "date": lambda each: each.date,
    "agreement.ref": lambda each: each.deal,
}
FILTERS = {
    "": lambda each: True,
    "amount_scope=to_date": lambda each: each.states_all,
    "actual_amount__lt=5": lambda each: each.amount is not None and each.amount < 5,
}
METRICS = "count,sum(actual_amount),avg(actual_amount),max(actual_amount)"


@drawing(12)
@example([Payment(Decimal(10), "to_date", "2016"), Payment(Decimal(25), "to_date", "2016", at=1)])
@example([Payment(Decimal(25), "to_date", "2016-04"), Payment(Decimal(15), "period", "2016", at=1)])
@example([Payment(Decimal(5), None, "2017-02-01"), Payment(Decimal(9), "to_date", "2016", at=1)])
@given(every=payments())
async def test_an_amount_to_date_has_the_earlier_ones_of_its_agreement_in_it(
    client: httpx.AsyncClient, every: list[Payment]
) -> None:
    name = await entered(client, every)
    there = [each for each in every if not each.is_gone]
    for keys in (("currency",), ("currency", "amount_scope"), ("currency", "agreement.ref")):
        for written, is_so in FILTERS.items():
            address = f"/outcomes/aggregate?ref__startswith={name}-&{written}&metrics={METRICS}"
            answer = await read(client, f"{address}&group_by={','.join(keys)}")
            groups: dict[Any, list[Payment]] = {}
            for each in filter(is_so, there):
                at = tuple(KEYS[key](each) for key in keys)
                if each.amount is None:
                    at = (None, *at[1:])
                groups.setdefault(at, []).append(each)
            expected = {
                at: {
                    "count": len(group),
                    "sum_actual_amount": added_up(each.amount for each in added(group)),
                    "avg_actual_amount": averaged(each.amount for each in added(group)),
                    "max_actual_amount": max((e.amount for e in group if e.amount), default=None),
                }
                for at, group in groups.items()
            }
            found = by_keys(answer["data"], *(key.replace(".", "_") for key in keys))
            if "agreement.ref" in keys:
                found = {(at[0], at[1].removeprefix(f"{name}-")): row for at, row in found.items()}
            assert found == expected
            with_amount = sum(each.amount is not None for each in filter(is_so, there))
            left = with_amount - sum(len(added(group)) for group in groups.values())
            assert answer["left_out"] == {"earlier_outcomes": left}
    by_scope = await read(
        client,
        f"/outcomes/aggregate?ref__startswith={name}-&actual_amount__isnull=false"
        "&group_by=currency,amount_scope&metrics=sum(actual_amount)",
    )
    summary = await read(client, f"/missions/{name}/summary")
    by_scope_of = by_keys(by_scope["data"], "currency", "amount_scope")
    realised = by_keys(summary["realised"], "currency", "amount_scope")
    assert {at: row["amount"] for at, row in realised.items()} == {
        at: row["sum_actual_amount"] for at, row in by_scope_of.items()
    }
    assert summary["left_out"]["earlier_outcomes"] == by_scope["left_out"]["earlier_outcomes"]
