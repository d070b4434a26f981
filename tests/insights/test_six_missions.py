"""The six invented missions, across which is asked: values counted by hand."""

from typing import Any

import httpx

from tests.missions.ways import enter_nested, missions

OURS = {"ref__startswith": "across-"}
#: What each mission has: whatever is not named is 0, and of no amount null.
FIGURES: dict[str, dict[str, Any]] = {
    "tashkent": {
        "events": 1,
        "delegates": 2,
        "participations": 1,
        "organizations": 4,
        "companies": 3,
        "agreements": 14,
        "signed": 13,
        "signed_binding": 1,
        "signed_not_binding": 12,
        "announced": 1,
        "without_amount": 13,
        "undated": 13,
        "USD": {"amount_signed_binding": 10_000_000, "not_exact": 1},
    },
    "turkistan": {
        "delegates": 1,
        "participations": 2,
        "organizations": 5,
        "companies": 1,
        "agreements": 2,
        "signed": 1,
        "signed_binding": 1,
        "announced": 1,
        "without_amount": 2,
        "undated": 1,
    },
    # Grain is a part of the tractors, which replaced the protocol.
    "minsk": {
        "participations": 1,
        "organizations": 1,
        "agreements": 3,
        "signed": 3,
        "signed_binding": 2,
        "replaced": 1,
        "completed": 1,
        "without_amount": 1,
        "RUR": {"amount_signed_binding": 40_000, "left_out": 1},
    },
    # With its leg; what is paid each year is in no total.
    "finland": {
        "legs": 1,
        "events": 1,
        "organizations": 3,
        "companies": 2,
        "agreements": 3,
        "signed": 2,
        "signed_binding": 2,
        "announced": 1,
        "without_amount": 1,
        "undated": 3,
        "EUR": {"amount_signed_binding": 1_000_000, "left_out": 1},
    },
    "finland-leg": {
        "organizations": 1,
        "companies": 1,
        "agreements": 1,
        "announced": 1,
        "without_amount": 1,
        "undated": 1,
    },
    "wind": {
        "organizations": 2,
        "companies": 2,
        "agreements": 3,
        "signed": 3,
        "signed_binding": 2,
        "signed_not_binding": 1,
        "in_force": 1,
        "without_amount": 2,
        "outcomes": 1,
        "USD": {"amount_signed_binding": 50_000_000},
    },
    "spring": {
        "organizations": 1,
        "companies": 1,
        "agreements": 2,
        "signed": 1,
        "signed_binding": 1,
        "accomplished": 1,
        "completed": 1,
        "without_amount": 2,
        "undated": 2,
    },
}


async def asked(client: httpx.AsyncClient, address: str, **query: Any) -> Any:
    if (await client.get("/missions/across-wind")).status_code == 404:
        await enter_nested(client, missions("across"))
    answer = await client.get(address, params={**OURS, **query})
    assert answer.status_code == 200, answer.text
    return answer.json()


def told(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if isinstance(value, int) and value}


async def test_what_came_of_each_mission(client: httpx.AsyncClient) -> None:
    currencies = ("USD", "EUR", "RUR")
    expected = {
        f"across-{name}": {n: value for n, value in figures.items() if n not in currencies}
        for name, figures in FIGURES.items()
    }
    found = await asked(client, "/insights/missions")
    assert {row["ref"]: told(row) for row in found["data"]} == expected
    for currency in currencies:
        found = await asked(client, "/insights/missions", currency=currency)
        amounts = {
            row["ref"].removeprefix("across-"): {
                name: value for name, value in told(row).items() if name not in expected[row["ref"]]
            }
            for row in found["data"]
        }
        assert amounts == {name: each.get(currency, {}) for name, each in FIGURES.items()}


async def test_who_was_there(client: httpx.AsyncClient) -> None:
    assert (await asked(client, "/insights/organizations"))["data"] == []
    found = await asked(client, "/insights/organizations", min_missions=1, currency="EUR")
    rows = {row["ref"].removeprefix("across-"): told(row) for row in found["data"]}
    assert len(rows) == 4 + 5 + 1 + 3 + 2 + 1
    # Two legs of one journey are one mission.
    assert rows["nordlys"] == {
        "missions": 1,
        "as_party": 1,
        "agreements": 2,
        "signed": 1,
        "signed_binding": 1,
        "announced": 1,
        "without_amount": 1,
        "left_out": 1,
    }
    assert rows["kg-union"] == {"missions": 1, "as_co_organizer": 1, "as_speaker": 1}
    assert rows["akimat"] == {
        "missions": 1,
        "as_organizer": 1,
        "as_employer": 1,
        "as_party": 1,
        "agreements": 1,
        "signed": 1,
        "signed_binding": 1,
        "without_amount": 1,
    }


async def test_what_became_of_it(client: httpx.AsyncClient) -> None:
    found = await asked(client, "/insights/conversion", today="2026-01-01")
    announced, signed = found["total"]
    states = [{n: c for n, c in after.items() if c} for after in announced["after"]]
    # The mission to Tashkent has no last day.
    assert states == [{"months": n, "announced": 2, "unknown": 1} for n in (6, 12, 24)]
    assert {name: signed[name] for name in ("agreements", "not_to_the_day", "undated")} == {
        "agreements": 8,
        "not_to_the_day": 7,
        "undated": 15,
    }
    # Of the protocol of 1997 it is known after two years that it was replaced in April 1998; nobody
    # says when the tractors were delivered; the wind farm is in force since some day of 2023.
    assert [{n: c for n, c in after.items() if c} for after in signed["after"]] == [
        {"months": 6, "signed": 6, "unknown": 2},
        {"months": 12, "signed": 5, "unknown": 3},
        {"months": 24, "signed": 5, "in_force": 1, "replaced": 1, "unknown": 1},
    ]
    assert found["left_out"] == {"accomplished": 1, "perhaps": 0, "undated": 15, "withheld": 0}
