"""The rules of the domain through the API: what is right is stored, what is wrong is refused."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from itertools import product
from json import dumps, loads
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import update

from app.admin.code_list import LISTS
from app.core.databases.opening import open_database
from app.core.databases.places import reader
from app.resources.agreement import Agreement
from app.resources.code import Term
from tests.conftest import client_of, serving

Body = Mapping[str, Any]

NEW = {"If-None-Match": "*"}
NOBODY = "01890a5d-ac96-774b-bcce-b302099a8057"
SIGNATORY = {"description": "a company that is not named", "role": "signatory"}
CONTRACT = {"title": "A contract", "instrument": "supply_contract", "parties": [SIGNATORY]}
PLAN = {"title": "A plan", "instrument": "announced_plan", "status": "announced"}
MISSION = {"title": "A mission", "kind": "trade_fair"}
COMPANY = {"kind": "company", "name": "A company"}
FOUNDER = {"description": "a founder that is not named", "role": "founder"}

ARTICLE_SECTORS = [
    *("F", "C10", "C1050", "C20", "C2022", "C21", "C2395", "C2420"),
    *("C2710", "C2732", "C2910", "C2930", "G4649"),
]

# What each status may become: forward, or out; an end is an end.
EXITS = {"cancelled", "expired", "superseded"}
MOVES = {
    "announced": {"negotiated", "signed", "in_force", "completed"} | EXITS,
    "negotiated": {"signed", "in_force", "completed"} | EXITS,
    "signed": {"in_force", "completed"} | EXITS,
    "in_force": {"completed"} | EXITS,
    "completed": set[str](),
    "cancelled": set[str](),
    "expired": set[str](),
    "superseded": set[str](),
}
ALLOWED = [(old, new) for old, news in MOVES.items() for new in sorted(news)]
REFUSED = [(old, new) for old, new in product(MOVES, MOVES) if new not in {old} | MOVES[old]]


def tables(*tables: Mapping[str, tuple[Any, ...]]) -> list[Any]:
    """Each row as the parameters of one test that is called by its key."""
    return [pytest.param(*row, id=name) for table in tables for name, row in table.items()]


async def create(client: httpx.AsyncClient, path: str, body: Body) -> dict[str, Any]:
    answer = await client.post(path, json=dict(body))
    assert answer.status_code == 201, answer.text
    record: dict[str, Any] = answer.json()
    return record


async def read(client: httpx.AsyncClient, path: str) -> Any:
    answer = await client.get(path)
    assert answer.status_code == 200, answer.text
    return answer.json()


def faults(answer: httpx.Response, status: int, pointer: str) -> str:
    """What a problem tells about the field, after the checks that every problem passes."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem["status"] == status
    assert pointer in {fault["pointer"] for fault in problem["errors"]}, problem
    return " ".join(f["detail"] for f in problem["errors"] if f["pointer"] == pointer)


async def assert_refused(
    client: httpx.AsyncClient, path: str, body: Body, status: int, pointer: str, *words: str
) -> None:
    """The body is refused in these words, and nothing of it is stored."""
    ref = f"refused-{uuid4().hex}"
    told = faults(await client.post(path, json={**body, "ref": ref}), status, pointer)
    for word in words:
        assert word in told
    assert (await client.get(f"{path}/{ref}?deleted=include")).status_code == 404


# What is accepted: the path, the body, and what the record then has besides

STORED = {
    "an amount of nothing": ("/agreements", CONTRACT | {"amount": 0, "currency": "USD"}, {}),
    "no amount at all": ("/agreements", CONTRACT, {"amount": None, "currency": None}),
    "whole yen": ("/agreements", CONTRACT | {"amount": 5, "currency": "JPY"}, {}),
    "cents": ("/agreements", CONTRACT | {"amount": 5.25, "currency": "USD"}, {}),
    "thousandths of a dinar": ("/agreements", CONTRACT | {"amount": 5.125, "currency": "KWD"}, {}),
    "ten-thousandths": ("/agreements", CONTRACT | {"amount": 5.0625, "currency": "CLF"}, {}),
    "an amount as printed only": ("/agreements", CONTRACT | {"amount_text": "about a million"}, {}),
    "an amount over some years": (
        "/agreements",
        CONTRACT
        | {"amount": 5, "currency": "USD", "amount_period": "over_years", "amount_years": 3},
        {},
    ),
    "the cost of a mission": (
        "/missions",
        MISSION | {"cost_amount": 5, "cost_currency": "KZT"},
        {},
    ),
    "a region of its country": (
        "/missions",
        MISSION | {"host_country": "RU", "host_region": "RU-NVS"},
        {},
    ),
    "the macro-region of Siberia": (
        "/missions",
        MISSION | {"host_country": "RU", "host_region": "RU-X-SIBERIAN"},
        {},
    ),
    "a plan that is due": ("/agreements", PLAN | {"due": "XXXX-06"}, {"signed": None}),
    "a plan that is cancelled": ("/agreements", PLAN | {"status": "cancelled"}, {}),
    "talks without a party": (
        "/agreements",
        CONTRACT | {"status": "negotiated", "parties": []},
        {},
    ),
    "one founder that is described": (
        "/agreements",
        {"title": "A venture", "instrument": "founding_agreement", "parties": [FOUNDER]},
        {"bindingness": "binding"},
    ),
    "another bindingness than usual": ("/agreements", CONTRACT | {"bindingness": "unknown"}, {}),
    "the sectors of the article": (
        "/organizations",
        COMPANY
        | {
            "sectors": [
                "F",
                "C10",
                "C1050",
                "C20",
                "C2022",
                "C21",
                "C2732",
                "C2395",
                "C2710",
                "C2910",
                "C2930",
                "C2420",
                "G4649",
            ]
        },
        {},
    ),
}


@pytest.mark.parametrize(("path", "body", "besides"), tables(STORED))
async def test_what_keeps_the_rules_is_stored_as_it_is(
    client: httpx.AsyncClient, path: str, body: Body, besides: Body
) -> None:
    record = await create(client, path, body)
    stored = await read(client, f"{path}/{record['id']}")
    expected = {**body, **besides}
    assert {name: stored[name] for name in expected if name != "parties"} == {
        name: value for name, value in expected.items() if name != "parties"
    }


# What is refused: the path, the body, and then the pointer and words of the answer

MONEY = {
    "an amount without currency": (
        "/agreements",
        CONTRACT | {"amount": 5},
        "/currency",
        "currency is missing",
    ),
    "a currency without amount": (
        "/agreements",
        CONTRACT | {"currency": "USD"},
        "/amount",
        "amount is missing",
    ),
    "a negative amount": (
        "/agreements",
        CONTRACT | {"amount": -1, "currency": "USD"},
        "/amount",
        "Must be 0 or more",
    ),
    "half a yen": (
        "/agreements",
        CONTRACT | {"amount": 0.5, "currency": "JPY"},
        "/amount",
        "JPY has at most 0 decimals",
    ),
    "half a cent": (
        "/agreements",
        CONTRACT | {"amount": 0.005, "currency": "USD"},
        "/amount",
        "USD has at most 2 decimals",
    ),
    "half a fils": (
        "/agreements",
        CONTRACT | {"amount": 0.0005, "currency": "KWD"},
        "/amount",
        "KWD has at most 3 decimals",
    ),
    "more decimals than any currency has": (
        "/agreements",
        CONTRACT | {"amount": 0.00005, "currency": "CLF"},
        "/amount",
        "4 decimal",
    ),
    "an unknown currency": (
        "/agreements",
        CONTRACT | {"amount": 1, "currency": "USX"},
        "/currency",
        "'USX' is not a currency",
    ),
    "an amount that is text and no number": (
        "/agreements",
        CONTRACT | {"amount": "5 million", "currency": "USD"},
        "/amount",
        "number",
    ),
    "a bound of no amount": (
        "/agreements",
        CONTRACT | {"amount_bound": "at_least"},
        "/amount",
        "amount is missing",
    ),
    "a period of years without their number": (
        "/agreements",
        CONTRACT | {"amount": 1, "currency": "USD", "amount_period": "over_years"},
        "/amount_years",
        "amount_years",
    ),
    "years of an amount that is paid once": (
        "/agreements",
        CONTRACT | {"amount": 1, "currency": "USD", "amount_period": "one_off", "amount_years": 3},
        "/amount_period",
        "over_years or per_year",
    ),
    "a mission's cost without currency": (
        "/missions",
        MISSION | {"cost_amount": 5},
        "/cost_currency",
        "cost_currency is missing",
    ),
    "a mission's cost of half a yen": (
        "/missions",
        MISSION | {"cost_amount": 0.5, "cost_currency": "JPY"},
        "/cost_amount",
        "JPY has at most 0 decimals",
    ),
}

CODES = {
    "a region of another country": (
        "/missions",
        MISSION | {"host_country": "RU", "host_region": "KZ-55"},
        "/host_region",
        "'KZ-55' is not a region of RU",
    ),
    "a place in a region of another country": (
        "/agreements",
        CONTRACT | {"place_country": "KZ", "place_region": "RU-NVS"},
        "/place_region",
        "'RU-NVS' is not a region of KZ",
    ),
    "an old region code of another country": (
        "/organizations",
        COMPANY | {"country": "RU", "region": "KZ-PAV"},
        "/region",
        "is not a region of RU",
    ),
    "a region without its country": (
        "/missions",
        MISSION | {"host_region": "RU-NVS"},
        "/host_country",
        "host_country is missing",
    ),
    "an unknown country": (
        "/missions",
        MISSION | {"sending_country": "QQ"},
        "/sending_country",
        "'QQ' is not a country",
    ),
    "an unknown sector": (
        "/missions",
        MISSION | {"sectors": ["F", "C1051"]},
        "/sectors/1",
        "'C1051' is not a sector",
    ),
    "a legal form in small letters": (
        "/organizations",
        COMPANY | {"legal_form": "17r7"},
        "/legal_form",
        "Did you mean '17R7'",
    ),
    "an unknown language": (
        "/sources",
        {"publisher": "A paper", "title": "A report", "language": "qq"},
        "/language",
        "'qq'",
    ),
    "a retired language": (
        "/sources",
        {"publisher": "A paper", "title": "A report", "language": "sh"},
        "/language",
        "'sh'",
    ),
    "an unknown instrument": (
        "/agreements",
        CONTRACT | {"instrument": "suply_contract"},
        "/instrument",
        "'supply_contract'",
    ),
}

PARTIES = {
    "a plan that is signed": (
        "/agreements",
        PLAN | {"status": "signed", "parties": [SIGNATORY]},
        "/status",
        "announced or cancelled",
    ),
    "a plan with a date of signing": (
        "/agreements",
        PLAN | {"signed": "2016-04-12"},
        "/status",
        "no signed date",
    ),
    "a party of nobody": (
        "/agreements",
        CONTRACT | {"parties": [{"role": "buyer"}]},
        "/parties/0",
        "organization_id",
    ),
    "a party that does not exist": (
        "/agreements",
        CONTRACT | {"parties": [SIGNATORY, {"role": "buyer", "organization_id": NOBODY}]},
        "/parties/1/organization_id",
        "no organization",
    ),
    "an unknown role": (
        "/agreements",
        CONTRACT | {"parties": [SIGNATORY | {"role": "byer"}]},
        "/parties/0/role",
        "'buyer'",
    ),
    "a negative share": (
        "/agreements",
        CONTRACT | {"parties": [FOUNDER | {"share_percent": -1}]},
        "/parties/0/share_percent",
        "Must be 0 or more",
    ),
    "more than all": (
        "/agreements",
        CONTRACT | {"parties": [FOUNDER | {"share_percent": 100.5}]},
        "/parties/0/share_percent",
        "Must be 100 or less",
    ),
    "shares of more than all": (
        "/agreements",
        CONTRACT
        | {"parties": [FOUNDER | {"share_percent": 60}, FOUNDER | {"share_percent": 40.01}]},
        "/parties",
        "add up to more than 100",
    ),
    "a founding agreement of nobody": (
        "/agreements",
        {"title": "A venture", "instrument": "founding_agreement", "status": "announced"},
        "/parties",
        "two founders",
    ),
    "an unknown mission": (
        "/agreements",
        CONTRACT | {"mission_id": NOBODY},
        "/mission_id",
        "no mission",
    ),
    "a company that is a ministry": (
        "/companies",
        {"name": "A ministry", "kind": "ministry"},
        "/kind",
        "Must be company.",
    ),
}


@pytest.mark.parametrize(("path", "body", "pointer", "words"), tables(MONEY, CODES, PARTIES))
async def test_what_breaks_a_rule_is_refused_and_not_stored(
    client: httpx.AsyncClient, path: str, body: Body, pointer: str, words: str
) -> None:
    await assert_refused(client, path, body, 422, pointer, words)


async def test_a_refusal_does_not_show_what_the_program_is_made_of(
    client: httpx.AsyncClient,
) -> None:
    answer = await client.post("/companies", json={"name": "A ministry", "kind": "ministry"})
    assert "OrganizationKind" not in faults(answer, 422, "/kind")


# Parties


@pytest.fixture
async def named(client: httpx.AsyncClient) -> list[dict[str, Any]]:
    """Two founders that are named."""
    return [
        {"role": "founder", "organization_id": (await create(client, "/companies", COMPANY))["id"]}
        for _ in range(2)
    ]


async def test_two_named_founders_may_hold_all_shares(
    client: httpx.AsyncClient, named: list[dict[str, Any]]
) -> None:
    named[0]["share_percent"] = 66.6667
    named[1]["share_percent"] = 33.3333
    body = {"title": "A venture", "instrument": "founding_agreement", "parties": named}
    record = await create(client, "/agreements", body)
    assert [party["share_percent"] for party in record["parties"]] == [66.6667, 33.3333]


@pytest.mark.parametrize("other", [[], ["investor"]])
async def test_one_named_founder_is_too_few(
    client: httpx.AsyncClient, named: list[dict[str, Any]], other: list[str]
) -> None:
    parties = [named[0], *(named[1] | {"role": role} for role in other)]
    body = {"title": "A venture", "instrument": "founding_agreement", "parties": parties}
    await assert_refused(client, "/agreements", body, 422, "/parties", "two founders", "described")


async def test_a_founding_agreement_does_not_lose_its_founder(
    client: httpx.AsyncClient, named: list[dict[str, Any]]
) -> None:
    body = {"title": "A venture", "instrument": "founding_agreement", "parties": named}
    agreement = await create(client, "/agreements", body)
    path = f"/agreements/{agreement['id']}"
    answer = await client.patch(path, json={"parties": named[:1]})
    assert "two founders" in faults(answer, 422, "/parties")
    assert await read(client, path) == agreement


async def test_parties_keep_their_order(client: httpx.AsyncClient) -> None:
    parties = [SIGNATORY | {"description": name} for name in ("third", "first", "second")]
    agreement = await create(client, "/agreements", CONTRACT | {"parties": parties})
    stored = await read(client, f"/agreements/{agreement['id']}")
    assert [party["description"] for party in stored["parties"]] == ["third", "first", "second"]


# Bindingness


@pytest.mark.parametrize(
    ("instrument", "bindingness"),
    [
        ("supply_contract", "binding"),
        ("sale_contract", "binding"),
        ("distribution_agreement", "binding"),
        ("service_contract", "binding"),
        ("investment_agreement", "binding"),
        ("loan_agreement", "binding"),
        ("licence_agreement", "binding"),
        ("founding_agreement", "binding"),
        ("memorandum_of_understanding", "non_binding"),
        ("letter_of_intent", "non_binding"),
        ("announced_plan", "announcement"),
        ("office_opening", "accomplished"),
        ("other", "unknown"),
    ],
)
async def test_bindingness_follows_from_the_instrument(
    client: httpx.AsyncClient, instrument: str, bindingness: str
) -> None:
    body = CONTRACT | {"instrument": instrument, "status": "announced"}
    assert (await create(client, "/agreements", body))["bindingness"] == bindingness


# Status


@pytest.mark.parametrize("status", ["signed", "in_force", "completed"])
async def test_what_is_signed_has_a_party(client: httpx.AsyncClient, status: str) -> None:
    body = CONTRACT | {"status": status, "parties": []}
    await assert_refused(client, "/agreements", body, 422, "/parties", status, "party")


@pytest.mark.parametrize(("old", "new"), ALLOWED)
async def test_a_status_moves_forward_or_out_and_the_move_is_kept(
    client: httpx.AsyncClient, old: str, new: str
) -> None:
    agreement = await create(client, "/agreements", CONTRACT | {"status": old})
    path = f"/agreements/{agreement['id']}"
    answer = await client.patch(path, json={"status": new})
    assert (answer.status_code, answer.json()["status"]) == (200, new)
    outcomes = (await read(client, f"{path}/outcomes"))["data"]
    assert [outcome["status"] for outcome in outcomes] == [new]


@pytest.mark.parametrize(("old", "new"), REFUSED)
async def test_another_move_is_refused_and_the_possible_ones_are_named(
    client: httpx.AsyncClient, old: str, new: str
) -> None:
    agreement = await create(client, "/agreements", CONTRACT | {"status": old})
    path = f"/agreements/{agreement['id']}"
    told = faults(await client.patch(path, json={"status": new}), 409, "/status")
    possible = told.partition("Possible")[2]
    assert {status for status in MOVES if status in possible} == MOVES[old]
    assert await read(client, path) == agreement
    assert (await read(client, f"{path}/outcomes"))["data"] == []


@pytest.mark.parametrize("status", MOVES)
async def test_to_stay_is_no_move(client: httpx.AsyncClient, status: str) -> None:
    agreement = await create(client, "/agreements", CONTRACT | {"status": status})
    path = f"/agreements/{agreement['id']}"
    assert (await client.patch(path, json={"status": status})).json() == agreement
    assert (await read(client, f"{path}/outcomes"))["data"] == []


async def test_a_plan_can_only_be_cancelled(client: httpx.AsyncClient) -> None:
    plan = await create(client, "/agreements", PLAN | {"parties": [SIGNATORY]})
    path = f"/agreements/{plan['id']}"
    told = faults(await client.patch(path, json={"status": "signed"}), 422, "/status")
    assert "announced or cancelled" in told
    assert await read(client, path) == plan
    assert (await client.patch(path, json={"status": "cancelled"})).status_code == 200


async def test_nothing_is_signed_before_it_has_a_party(client: httpx.AsyncClient) -> None:
    body = CONTRACT | {"status": "announced", "parties": []}
    agreement = await create(client, "/agreements", body)
    path = f"/agreements/{agreement['id']}"
    assert "party" in faults(await client.patch(path, json={"status": "signed"}), 422, "/parties")
    answer = await client.patch(path, json={"status": "signed", "parties": [SIGNATORY]})
    assert answer.status_code == 200


async def test_replacing_an_agreement_moves_it_too(client: httpx.AsyncClient) -> None:
    agreement = await create(client, "/agreements", CONTRACT | {"status": "signed"})
    path = f"/agreements/{agreement['id']}"
    assert (await client.put(path, json=CONTRACT | {"status": "in_force"})).status_code == 200
    assert [o["status"] for o in (await read(client, f"{path}/outcomes"))["data"]] == ["in_force"]
    faults(await client.put(path, json=CONTRACT | {"status": "signed"}), 409, "/status")


# What tells of a signature


async def test_what_is_not_signed_yet_has_no_signature(client: httpx.AsyncClient) -> None:
    """However it is entered and changed."""
    told = {"signed": "2016", "signed_text": "in April", "was_signed": True}
    wrong = []
    for status, (name, value) in product(("announced", "negotiated"), told.items()):
        body = CONTRACT | {"status": status}
        agreement = await create(client, "/agreements", body)
        path, both = f"/agreements/{agreement['id']}", {**body, name: value}
        file = f"title,instrument,status,{name}\nD,other,{status},{value}\n"
        answers = {
            "POST": await client.post("/agreements", json=both),
            "PUT": await client.put(path, json=both),
            "PATCH": await client.patch(path, json={name: value}),
            "upsert": await client.put(f"/agreements/{uuid4()}", json=both, headers=NEW),
            "bulk": await client.post(
                "/agreements/bulk", json={"operations": [{"op": "create", "body": both}]}
            ),
            "import": await client.post(
                "/agreements/import", content=file, headers={"Content-Type": "text/csv"}
            ),
        }
        for way, answer in answers.items():
            (fault,) = answer.json()["errors"]
            place = fault["pointer"] or f"/{fault['column']}"
            says = f"is {status} and not signed yet: leave {name} out"
            if (
                answer.status_code != 422
                or not place.endswith(f"/{name}")
                or (says not in fault["detail"])
            ):
                wrong.append((way, status, name, answer.text))
        signed = await client.patch(path, json={"status": "signed", name: value})
        if signed.status_code != 200:
            wrong.append(("signed", status, name, signed.text))
    assert not wrong


async def test_an_old_agreement_that_says_two_things_can_be_changed_otherwise(
    fresh_app: FastAPI, fresh: httpx.AsyncClient
) -> None:
    reader.set("")
    agreement = await create(fresh, "/agreements", CONTRACT | {"status": "announced"})
    path = f"/agreements/{agreement['id']}"
    old = {
        "signed": "2016",
        "signed_earliest": date(2016, 1, 1),
        "signed_latest": date(2016, 12, 31),
    }
    stored = update(Agreement).where(Agreement.id == UUID(agreement["id"])).values(**old)
    await fresh_app.state.database.write(lambda session: session.execute(stored).close())
    for change in ({"note": "Old"}, {"status": "negotiated"}, {"signed": "2016", "note": None}):
        answer = await fresh.patch(path, json=change)
        assert (answer.status_code, answer.json()["signed"]) == (200, "2016"), answer.text
    whole = CONTRACT | {"status": "negotiated", "signed": "2016", "title": "Another"}
    assert (await fresh.put(path, json=whole)).status_code == 200
    faults(await fresh.patch(path, json={"signed": "2017"}), 422, "/signed")
    assert (await fresh.patch(path, json={"signed": None})).status_code == 200
    faults(await fresh.patch(path, json={"signed": "2016"}), 422, "/signed")


#: When it was signed, what came of it, when, and whether that can be.
FOLLOWED = (
    ("2016-04-12", "in_force", "2016-04-11", False),
    ("2016-04-12", "in_force", "2016-04-12", True),
    ("2016-04-12", "completed", "2015", False),
    ("2016-04-12", "completed", "2016", True),
    ("2016-04-12", "cancelled", "2016-03", False),
    ("2016-04-12", "expired", "2016-03/2016-05", True),
    ("2016-04-12", "completed", "2015~", True),
    ("2016-04-12?", "completed", "2015", True),
    ("2016", "completed", "2015-12-31", False),
    ("2016/..", "completed", "2015", False),
    ("../2016", "completed", "2015", True),
    ("2016-04-12", "in_force", "XXXX-04-01", True),
    ("XXXX-04-12", "in_force", "2015", True),
    ("2016-04-12", "in_force", None, True),
    (None, "in_force", "2015", True),
    # A delivery, or an advance, can come before the paper is signed.
    ("2016-04-12", None, "2015", True),
)


async def test_nothing_comes_of_an_agreement_certainly_before_it_was_signed(
    client: httpx.AsyncClient,
) -> None:
    wrong = []
    for signed, status, day, is_right in FOLLOWED:
        agreement = await create(client, "/agreements", CONTRACT | {"signed": signed})
        path, later = f"/agreements/{agreement['id']}", {"signed": "2010"}
        body = {"agreement_id": agreement["id"], "status": status, "date": day}
        answers = [await client.post("/outcomes", json=body)]
        if not is_right:
            # Entered without its day, or before the day of signing was known, it is no other.
            outcome = await create(client, "/outcomes", {**body, "date": None})
            answers += [await client.patch(f"/outcomes/{outcome['id']}", json={"date": day})]
            assert (await client.patch(path, json=later)).status_code == 200
            changed = await client.patch(f"/outcomes/{outcome['id']}", json={"date": day})
            assert changed.status_code == 200, changed.text
            answers += [await client.patch(path, json={"signed": signed})]
        for answer, pointer in zip(answers, ("/date", "/date", "/signed"), strict=False):
            if is_right and answer.status_code == 201:
                continue
            told = answer.json().get("errors") or [{}]
            says = str(told[0].get("detail"))
            if (
                is_right
                or told[0].get("pointer") != pointer
                or (f"signed on {signed} was not {status} on {day}" not in says)
            ):
                wrong.append((signed, status, day, pointer, answer.text))
    assert not wrong


async def test_moves_of_an_agreement_follow_each_other(client: httpx.AsyncClient) -> None:
    agreement = await create(client, "/agreements", CONTRACT | {"status": "negotiated"})
    under, made = {"agreement_id": agreement["id"]}, []
    for status, day in (("signed", "2016-05"), ("in_force", "2016-06"), ("completed", "2018")):
        made.append(await create(client, "/outcomes", {**under, "status": status, "date": day}))
    signed, in_force, completed = (f"/outcomes/{each['id']}" for each in made)
    wrong = (
        (in_force, {"date": "2016-04"}, "signed on 2016-05 was not in_force on 2016-04"),
        (in_force, {"date": "2019"}, "in_force on 2019 was not completed on 2018"),
        (completed, {"date": "2016-05-31"}, "in_force on 2016-06 was not completed"),
        (signed, {"date": "2016-07"}, "signed on 2016-07 was not in_force on 2016-06"),
    )
    for path, change, says in wrong:
        assert says in faults(await client.patch(path, json=change), 422, "/date")
    right: tuple[tuple[str, Body], ...] = (
        (in_force, {"date": None}),
        (signed, {"date": "2016-07"}),
    )
    for path, another in right:
        assert (await client.patch(path, json=dict(another))).status_code == 200
    after = {"status": "in_force", "signed": "2016-06"}
    body = CONTRACT | after | {"outcomes": [{"status": "completed", "date": "2016-05"}]}
    faults(await client.post("/agreements", json=body), 422, "/outcomes/0/date")


# Outcomes


async def test_an_outcome_with_a_status_moves_its_agreement(client: httpx.AsyncClient) -> None:
    agreement = await create(client, "/agreements", CONTRACT | {"status": "signed"})
    outcome = {"agreement_id": agreement["id"], "date": "2017-05", "status": "in_force"}
    await create(client, "/outcomes", outcome)
    moved = await read(client, f"/agreements/{agreement['id']}")
    assert (moved["status"], moved["version"]) == ("in_force", 2)


async def test_an_outcome_without_a_status_moves_nothing(client: httpx.AsyncClient) -> None:
    agreement = await create(client, "/agreements", CONTRACT)
    body = {"agreement_id": agreement["id"], "actual_amount": 5, "currency": "JPY", "jobs": 20}
    await create(client, "/outcomes", body)
    assert await read(client, f"/agreements/{agreement['id']}") == agreement


@pytest.mark.parametrize(
    ("outcome", "status", "pointer", "words"),
    tables(
        {
            "a move back": ({"status": "announced"}, 409, "/status", "Possible"),
            "an amount without currency": (
                {"status": "completed", "actual_amount": 5},
                422,
                "/currency",
                "currency is missing",
            ),
            "half a yen": (
                {"status": "completed", "actual_amount": 0.5, "currency": "JPY"},
                422,
                "/actual_amount",
                "JPY has at most 0 decimals",
            ),
            "fewer jobs than none": (
                {"status": "completed", "jobs": -1},
                422,
                "/jobs",
                "Must be 0 or more",
            ),
            "a confirmation by nobody": (
                {"status": "completed", "confirmed_by_id": NOBODY},
                422,
                "/confirmed_by_id",
                "no organization",
            ),
        }
    ),
)
async def test_a_refused_outcome_leaves_nothing(
    client: httpx.AsyncClient, outcome: Body, status: int, pointer: str, words: str
) -> None:
    agreement = await create(client, "/agreements", CONTRACT | {"status": "in_force"})
    path = f"/agreements/{agreement['id']}"
    body = {**outcome, "agreement_id": agreement["id"]}
    await assert_refused(client, "/outcomes", body, status, pointer, words)
    assert await read(client, path) == agreement
    assert (await read(client, f"{path}/outcomes"))["data"] == []


async def test_an_outcome_does_not_sign_a_plan(client: httpx.AsyncClient) -> None:
    plan = await create(client, "/agreements", PLAN | {"parties": [SIGNATORY]})
    body = {"agreement_id": plan["id"], "status": "signed"}
    await assert_refused(client, "/outcomes", body, 422, "/status", "announced or cancelled")
    assert await read(client, f"/agreements/{plan['id']}") == plan


# Changes


MONEY_IN_DOLLARS = {"amount": 5.25, "currency": "USD"}


@pytest.mark.parametrize(
    ("patch", "pointer", "words"),
    tables(
        {
            "the currency is cleared": ({"currency": None}, "/currency", "is missing"),
            "the new currency has no cents": (
                {"currency": "JPY"},
                "/amount",
                "JPY has at most 0 decimals",
            ),
            "the country changes below its region": (
                {"place_country": "RU"},
                "/place_region",
                "'KZ-55' is not a region of RU",
            ),
            "the last party leaves": ({"parties": []}, "/parties", "party"),
            "it becomes a plan": (
                {"instrument": "announced_plan"},
                "/status",
                "announced or cancelled",
            ),
        }
    ),
)
async def test_a_change_that_breaks_a_rule_is_refused_and_leaves_the_record(
    client: httpx.AsyncClient, patch: Body, pointer: str, words: str
) -> None:
    body = CONTRACT | MONEY_IN_DOLLARS | {"place_country": "KZ", "place_region": "KZ-55"}
    agreement = await create(client, "/agreements", body)
    path = f"/agreements/{agreement['id']}"
    assert words in faults(await client.patch(path, json=dict(patch)), 422, pointer)
    assert await read(client, path) == agreement


# More digits than a binary fraction holds.
MANY = Decimal("99999999999998.99")


async def test_the_digits_of_an_amount_are_exact(client: httpx.AsyncClient) -> None:
    written = (
        '{"title": "A contract", "instrument": "other", "status": "announced",'
        f' "currency": "USD", "amount": {MANY}}}'
    )
    headers = {"Content-Type": "application/json"}
    answer = await client.post("/agreements", content=written, headers=headers)
    assert answer.status_code == 201, answer.text
    stored = await client.get(answer.headers["Location"])
    assert [loads(a.text, parse_float=Decimal)["amount"] for a in (answer, stored)] == [MANY, MANY]


@pytest.mark.parametrize(
    ("amounts", "total"),
    [
        (["0.1", "0.2"], "0.3"),
        ([str(MANY), "0.01"], "99999999999999"),
        (["99999999999999"] * 12, "1199999999999988"),
    ],
)
async def test_a_sum_is_exact(client: httpx.AsyncClient, amounts: list[str], total: str) -> None:
    mission = await create(client, "/missions", MISSION)
    for amount in amounts:
        body = CONTRACT | {"mission_id": mission["id"], "currency": "USD", "amount": "?"}
        answer = await client.post(
            "/agreements",
            content=dumps(body).replace('"?"', amount),
            headers={"Content-Type": "application/json"},
        )
        assert answer.status_code == 201, answer.text
    answer = await client.get(f"/missions/{mission['id']}/summary")
    assert answer.status_code == 200, answer.text
    totals = loads(answer.text, parse_float=Decimal)["totals"]
    assert [Decimal(t["amount"]) for t in totals] == [Decimal(total)]


# Regions


@pytest.mark.parametrize(
    ("old", "code"),
    [
        ("KZ-PAV", "KZ-55"),
        ("KZ-AKM", "KZ-11"),
        ("KZ-VOS", "KZ-63"),
        ("KZ-AST", "KZ-71"),
        ("KZ-ALA", "KZ-75"),
    ],
)
async def test_an_old_region_code_is_accepted_for_the_new(
    client: httpx.AsyncClient, old: str, code: str
) -> None:
    body = COMPANY | {"country": "KZ", "region": old}
    company = await create(client, "/organizations", body)
    assert company["region"] == code
    assert (await read(client, f"/organizations/{company['id']}"))["region"] == code


# Dates

BOUNDS = {
    "2016-04-12": ("2016-04-12", "2016-04-12"),
    "2016-04": ("2016-04-01", "2016-04-30"),
    "2016-02": ("2016-02-01", "2016-02-29"),
    "2016": ("2016-01-01", "2016-12-31"),
    "XXXX-04-11": (None, None),
    "XXXX-06": (None, None),
    "2016?": ("2016-01-01", "2016-12-31"),
    "2016~": ("2016-01-01", "2016-12-31"),
    "2016-04-12?": ("2016-04-12", "2016-04-12"),
    "2016-04-11/2016-04-13": ("2016-04-11", "2016-04-13"),
    "XXXX-04-11/XXXX-04-13": (None, None),
    "2016/2017-03": ("2016-01-01", "2017-03-31"),
    "2016-21": ("2016-03-01", "2016-05-31"),
    "2016-04-XX": ("2016-04-01", "2016-04-30"),
    "201X": ("2010-01-01", "2019-12-31"),
    "2019-06/..": ("2019-06-01", None),
    "../2019-08": (None, "2019-08-31"),
}

NO_DATES = {
    "a range that ends before it begins": ("2016-04-13/2016-04-11", "ends before it begins"),
    "years that end before they begin": ("2016/2015", "ends before it begins"),
    "days without a year that end too early": (
        "XXXX-04-13/XXXX-04-11",
        "ends before it begins",
    ),
    "a year at one end only": ("2016-04-11/XXXX-04-13", "year at one end"),
    "an end that is empty": ("2016-04-11/", "write .. where it is open"),
    "two open ends": ("../..", "open at one end"),
    "nothing": ("", "empty"),
    "the thirtieth of February": ("2016-02-30", "not in the calendar"),
    "a leap day in another year": ("2015-02-29", "not in the calendar"),
    "a thirteenth month": ("2016-13", "no month 13"),
    "a date in the Russian manner": ("12.04.2016", "2016-04-12"),
    "words": ("in April", "2016-04-12"),
    "a month of a decade": ("201X-04", "not stated in full"),
}


@pytest.mark.parametrize("stated", BOUNDS)
async def test_a_stated_date_has_its_first_and_last_day(
    client: httpx.AsyncClient, stated: str
) -> None:
    mission = await create(client, "/missions", MISSION | {"dates": stated})
    assert mission["dates"] == stated
    assert (mission["dates_earliest"], mission["dates_latest"]) == BOUNDS[stated]


@pytest.mark.parametrize(("stated", "words"), tables(NO_DATES))
async def test_what_is_no_date_is_refused_and_told_why(
    client: httpx.AsyncClient, stated: str, words: str
) -> None:
    await assert_refused(client, "/missions", MISSION | {"dates": stated}, 422, "/dates", words)


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("/agreements", CONTRACT, "signed"),
        ("/agreements", CONTRACT, "due"),
        ("/sources", {"publisher": "A paper", "title": "A report"}, "published"),
    ],
)
async def test_every_stated_date_has_bounds(
    client: httpx.AsyncClient, path: str, body: Body, field: str
) -> None:
    record = await create(client, path, {**body, field: "2016-04"})
    bounds = record[f"{field}_earliest"], record[f"{field}_latest"]
    assert bounds == ("2016-04-01", "2016-04-30")
    await assert_refused(client, path, {**body, field: "April"}, 422, f"/{field}", "2016-04-12")


async def test_bounds_follow_a_changed_date(client: httpx.AsyncClient) -> None:
    mission = await create(client, "/missions", MISSION | {"dates": "2016"})
    path = f"/missions/{mission['id']}"
    changed = (await client.patch(path, json={"dates": "2017-04"})).json()
    assert (changed["dates_earliest"], changed["dates_latest"]) == ("2017-04-01", "2017-04-30")
    cleared = (await client.patch(path, json={"dates": None})).json()
    assert (cleared["dates_earliest"], cleared["dates_latest"]) == (None, None)


async def test_bounds_are_not_written_by_hand(client: httpx.AsyncClient) -> None:
    body = MISSION | {"dates_earliest": "2016-04-11"}
    await assert_refused(client, "/missions", body, 422, "/dates_earliest", "dates_earliest")


# Identifiers

IDENTIFIERS = {
    "kz_bin": ("941240000193", "941240000194"),
    "ru_inn": ("7707083893", "7707083894"),
    "ru_ogrn": ("1027700132195", "1027700132196"),
    "ru_ogrnip": ("304500116000157", "304500116000158"),
    "lei": ("253400V1H6ART1UQ0N98", "253400V1H6ART1UQ0N89"),
}


def identified(scheme: str = "kz_bin", value: str = "941240000193") -> dict[str, Any]:
    return COMPANY | {"identifiers": [{"scheme": scheme, "value": value}]}


@pytest.mark.parametrize("scheme", IDENTIFIERS)
async def test_a_number_with_its_check_digit_is_accepted(
    fresh: httpx.AsyncClient, scheme: str
) -> None:
    number = IDENTIFIERS[scheme][0]
    company = await create(fresh, "/organizations", identified(scheme, number))
    assert company["identifiers"] == [{"scheme": scheme, "value": number}]


@pytest.mark.parametrize("scheme", IDENTIFIERS)
async def test_a_number_with_a_wrong_check_digit_is_refused_by_its_scheme(
    client: httpx.AsyncClient, scheme: str
) -> None:
    body = identified(scheme, IDENTIFIERS[scheme][1])
    await assert_refused(client, "/organizations", body, 422, "/identifiers/0", scheme, "check")


async def test_a_number_is_of_one_organization_however_it_is_written(
    fresh: httpx.AsyncClient,
) -> None:
    await create(fresh, "/organizations", identified())
    again = identified(value="941 240-000 193")
    await assert_refused(fresh, "/organizations", again, 409, "/identifiers", "identifier")


async def test_a_number_is_not_taken_over_by_a_change(fresh: httpx.AsyncClient) -> None:
    await create(fresh, "/organizations", identified())
    other = await create(fresh, "/organizations", COMPANY)
    path = f"/organizations/{other['id']}"
    answer = await fresh.patch(path, json={"identifiers": identified()["identifiers"]})
    assert "another organization" in faults(answer, 409, "/identifiers")
    assert await read(fresh, path) == other


async def test_a_number_given_twice_is_not_blamed_on_another_organization(
    fresh: httpx.AsyncClient,
) -> None:
    body = identified() | {"identifiers": identified()["identifiers"] * 2}
    answer = await fresh.post("/organizations", json=body)
    assert answer.status_code in {409, 422}
    assert "another organization" not in answer.text


async def test_a_number_in_the_trash_is_free(fresh: httpx.AsyncClient) -> None:
    old = await create(fresh, "/organizations", identified())
    assert (await fresh.delete(f"/organizations/{old['id']}")).status_code == 204
    await create(fresh, "/organizations", identified())


async def test_an_organization_stays_in_the_trash_while_its_number_is_anothers(
    fresh: httpx.AsyncClient,
) -> None:
    old = await create(fresh, "/organizations", identified())
    path = f"/organizations/{old['id']}"
    await fresh.delete(path)
    new = await create(fresh, "/organizations", identified())
    assert "another organization" in faults(
        await fresh.post(f"{path}/restore"), 409, "/identifiers"
    )
    assert (await fresh.get(path)).status_code == 404
    await fresh.delete(f"/organizations/{new['id']}")
    restored = await fresh.post(f"{path}/restore")
    assert restored.json()["identifiers"] == old["identifiers"]


# References and the trash


async def test_an_organization_that_is_a_party_can_be_trashed_and_is_kept_as_one(
    client: httpx.AsyncClient,
) -> None:
    company = await create(client, "/organizations", COMPANY)
    party = {"organization_id": company["id"], "role": "buyer"}
    agreement = await create(client, "/agreements", CONTRACT | {"parties": [party]})
    assert (await client.delete(f"/organizations/{company['id']}")).status_code == 204
    assert await read(client, f"/agreements/{agreement['id']}") == agreement
    kept = await read(client, f"/organizations/{company['id']}?deleted=include")
    assert kept["deleted_at"] is not None


async def test_nothing_new_refers_to_the_trash(client: httpx.AsyncClient) -> None:
    company = await create(client, "/organizations", COMPANY)
    await client.delete(f"/organizations/{company['id']}")
    party = {"organization_id": company["id"], "role": "buyer"}
    await assert_refused(
        client,
        "/agreements",
        CONTRACT | {"parties": [party]},
        422,
        "/parties/0/organization_id",
        "trash",
    )


# Retired codes


async def retire(url: str, name: str, code: str) -> None:
    """Retire a code as an operator would, in the database: codes are read-only in the API."""
    table: Any = LISTS.get(name, Term)
    row = [table.code == code] + ([table.list == name] if table is Term else [])
    database = open_database(url)
    await database.start()
    await database.write(lambda s: s.execute(update(table).where(*row).values(retired=True)))
    await database.stop()


@pytest.mark.parametrize(
    ("name", "code", "body", "pointer"),
    [
        ("currencies", "KZT", CONTRACT | {"amount": 5, "currency": "KZT"}, "/currency"),
        ("regions", "KZ-55", CONTRACT | {"place_country": "KZ", "place_region": "KZ-55"}, None),
        ("regions", "KZ-55", CONTRACT | {"place_country": "KZ", "place_region": "KZ-PAV"}, None),
        ("sectors", "C21", CONTRACT | {"sectors": ["C21"]}, "/sectors/0"),
    ],
)
async def test_a_retired_code_is_for_no_new_record(
    fresh_url: str, name: str, code: str, body: Body, pointer: str | None
) -> None:
    await retire(fresh_url, name, code)
    async with serving(fresh_url) as app, client_of(app) as client:
        place = pointer or "/place_region"
        await assert_refused(client, "/agreements", body, 422, place, f"'{code}'", "in use")


async def test_a_record_keeps_a_code_that_was_retired_since(fresh_url: str) -> None:
    await retire(fresh_url, "currencies", "USD")
    async with serving(fresh_url) as app, client_of(app) as client:
        answer = await client.patch("/agreements/nobel-katren-supply", json={"note": "checked"})
        assert (answer.status_code, answer.json()["currency"]) == (200, "USD")


async def test_a_retired_code_is_still_told(fresh_url: str) -> None:
    await retire(fresh_url, "currencies", "KZT")
    async with serving(fresh_url) as app, client_of(app) as client:
        assert (await read(client, "/codes/currencies/KZT"))["retired"] is True


async def test_an_outcome_says_something(client: httpx.AsyncClient) -> None:
    agreement = await create(client, "/agreements", CONTRACT)
    under = {"agreement_id": agreement["id"]}
    empty = {**under, "date": None, "achieved": [], "ref": "says-nothing"}
    for body in (under, empty):
        told = faults(await client.post("/outcomes", json=body), 422, "/note")
        assert "give one at least of date, date_text, status" in told
    made = await create(client, "/outcomes", {**under, "jobs": 0})
    path = f"/outcomes/{made['id']}"
    faults(await client.patch(path, json={"jobs": None}), 422, "/note")
    assert (await client.patch(path, json={"jobs": None, "note": "None."})).status_code == 200
    nested = {**CONTRACT, "outcomes": [{}]}
    faults(await client.post("/agreements", json=nested), 422, "/outcomes/0/note")
