"""Lists, files and figures as they would have been answered then."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from hypothesis import example, given
from hypothesis import strategies as st
from sqlalchemy import text

from app.core import json_codec
from app.core.databases.interface import plain_query
from app.core.databases.places import reader
from app.core.databases.types import now
from app.engine.history import past, undo
from app.rest.past import PastDatabase, read_as_of
from tests.conftest import client_of
from tests.drawing import drawing
from tests.examples import Body

ADDRESSES = (
    "/agreements?mission_id={mission}&limit=20",
    "/agreements?mission_id={mission}&status__in=signed,in_force&sort=-amount,title",
    "/agreements?mission_id={mission}&expand=mission,parties.organization&deleted=include",
    "/agreements/aggregate?mission_id={mission}&group_by=status,parties.role&metrics=count",
    "/agreements/aggregate?mission_id={mission}&group_by=month(signed)&empty_groups=true",
    "/organizations?name__startswith=Zhuldyz&sort=name&fields=name,version,updated_at",
    "/missions/{mission}/agreements?count=exact",
    "/missions/{mission}/summary",
    "/missions/{mission}/reconciliation",
    "/agreements/aggregate?mission_id={mission}&group_by=currency,firmness&metrics=count,sum(amount)",
    "/reported-totals/aggregate?mission_id={mission}&group_by=measure,currency&metrics=sum(value)",
    "/insights/missions?id={mission}&currency=USD",
    "/agreements.csv?mission_id={mission}&sort=id",
    "/agreements/parties.csv?mission_id={mission}&sort=id",
)
#: What leads on and back is of the moment of the answer.
CURSORS = re.compile(r'"(next|prev)_cursor":"[^"]*"')
FIELDS: dict[str, st.SearchStrategy[Any]] = {
    "title": st.sampled_from(["Zhuldyz", "Ёлка", "'\"\\{}"]),
    "amount": st.sampled_from([None, 1, 2.5]),
    "signed": st.sampled_from([None, "2016-04", "2016-04-12/..", "XXXX-04-12"]),
    "status": st.sampled_from(["negotiated", "signed"]),
    "sectors": st.sampled_from([[], ["C"]]),
    "parties": st.sampled_from(["none", "one", "two"]),
}
STEPS = st.lists(
    st.tuples(
        st.sampled_from(
            ["create", "patch", "trash", "purge", "relate", "claim", "rename", "retitle"]
        ),
        st.integers(0, 3),
        st.fixed_dictionaries({}, optional=FIELDS),
    ),
    min_size=3,
    max_size=5,
)


class Deals:
    """A mission with agreements, written by steps."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self.client, self.agreements, self.purged = client, list[str](), set[str]()
        self.mission = self.organization = ""

    async def send(self, method: str, address: str, body: Any = None) -> Any:
        content = None if body is None else json_codec.dumps(body)
        headers = {"Content-Type": "application/json"}
        answer = await self.client.request(method, address, content=content, headers=headers)
        assert answer.status_code < 300, answer.text
        return answer.json() if answer.content else None

    async def begin(self) -> None:
        mission = {"title": "Zhuldyz", "kind": "forum", "status": "planned"}
        self.mission = (await self.send("POST", "/missions", mission))["id"]
        organization = {"name": "Zhuldyz", "country": "KZ", "kind": "company"}
        self.organization = (await self.send("POST", "/organizations", organization))["id"]

    def body(self, values: Body, status: str) -> Body:
        """The values as a body, with the money block that goes with an amount; what is negotiated
        has no day of signing, what is signed has a party."""
        count = {"none": 0, "one": 1, "two": 2}
        found = dict(values)
        if found.get("status", status) == "negotiated":
            found.pop("signed", None)
        elif found.get("parties", "none" if "status" in found else "one") == "none":
            found["parties"] = "one"
        if "parties" in found:
            roles = ("supplier", "buyer")[: count[found["parties"]]]
            party = {"organization_id": self.organization}
            found["parties"] = [{**party, "role": role} for role in roles]
        if "amount" in found:
            found["currency"] = None if found["amount"] is None else "USD"
        return found

    async def step(self, action: str, which: int, values: Body) -> None:
        if action == "rename":
            address = f"/organizations/{self.organization}"
            await self.send("PATCH", address, {"name": f"Zhuldyz {which}"})
        elif action == "retitle":
            await self.send("PATCH", f"/missions/{self.mission}", {"title": f"Zhuldyz {which}"})
        elif action == "claim":
            claim = {"mission_id": self.mission, "measure": "amount", "currency": "USD"}
            await self.send("POST", "/reported-totals", claim | {"value": 5 + which})
        elif action == "create" or not self.agreements:
            body = {"title": "Zhuldyz", "instrument": "letter_of_intent", "status": "negotiated"}
            body |= {"mission_id": self.mission, **self.body(values, "negotiated")}
            self.agreements.append((await self.send("POST", "/agreements", body))["id"])
        else:
            key = self.agreements[which % len(self.agreements)]
            address = f"/agreements/{key}"
            if action == "purge":
                # What another names stays, and what has moved has outcomes, which stay too.
                if (await self.client.delete(f"{address}?purge=true")).is_success:
                    self.agreements.remove(key)
                    self.purged.add(key)
                return
            found = await self.send("GET", f"{address}?deleted=include")
            if found["deleted_at"] is not None:
                await self.send("POST", f"{address}/restore")
            elif action == "trash":
                await self.send("DELETE", address)
            elif action == "relate":
                earlier = self.agreements[: self.agreements.index(key)]
                relation = "replaces" if which % 2 else "part_of"
                related = [{"agreement_id": each, "relation": relation} for each in earlier[-1:]]
                await self.send("PATCH", address, {"related": related})
            else:
                if found["status"] == "signed":
                    values.pop("status", None)
                await self.send("PATCH", address, self.body(values, found["status"]))

    async def answers(self, as_of: str | None = None) -> dict[str, str]:
        found = {}
        for address in ADDRESSES:
            address = address.format(mission=self.mission)
            asked = address if as_of is None else f"{address}{_joint(address)}as_of={as_of}"
            answer = await self.client.get(asked)
            assert answer.status_code == 200, (asked, answer.text)
            found[address] = CURSORS.sub("", answer.text)
        return found

    async def newest(self) -> tuple[str, str]:
        """The position and the time of the newest change."""
        tag = (await self.client.get("/missions?limit=1")).headers["etag"]
        position = tag.removeprefix("W/").strip('"')
        since = int(position.partition("-")[0]) - 1
        (change,) = (await self.send("GET", f"/changes?since={since}"))["data"]
        return position, change["at"]


def _joint(address: str) -> str:
    return "&" if "?" in address else "?"


PRICED: Body = {"amount": 2.5, "status": "signed", "parties": "two"}


@drawing(2)
@example(
    [
        ("create", 0, PRICED),
        ("create", 0, {"amount": 1}),
        ("relate", 1, {}),
        ("claim", 0, {}),
        ("trash", 1, {}),
        ("purge", 1, {}),
        ("claim", 2, {}),
    ]
)
@given(steps=STEPS)
async def test_what_was_answered_at_each_point_of_a_history_is_answered_for_it_later(
    writes_app: FastAPI, steps: list[tuple[str, int, Body]]
) -> None:
    async with client_of(writes_app) as client:
        deals = Deals(client)
        await deals.begin()
        told = [(await deals.newest(), await deals.answers(), set[str]())]
        for action, which, values in steps:
            await deals.step(action, which, dict(values))
            there = {*deals.agreements}
            told.append((await deals.newest(), await deals.answers(), there))
        for at, (moments, answers, there) in enumerate(told):
            # By its position, and by its time.
            moment = moments[at % 2]
            if there & deals.purged:
                address = f"/agreements?mission_id={deals.mission}&as_of={moment}"
                assert (await client.get(address)).status_code == 410
            else:
                assert await deals.answers(moment) == answers
        assert await deals.answers("now") == told[-1][1]


async def test_a_moment_that_cannot_be_answered_for_is_refused_and_told_why(
    writes_app: FastAPI, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong: list[Any] = []
    async with client_of(writes_app) as client:
        deals = Deals(client)
        await deals.begin()
        before, at = await deals.newest()
        body = {"title": "Zhuldyz", "instrument": "letter_of_intent", "status": "negotiated"}
        kept = (await deals.send("POST", "/agreements", body))["id"]
        there, _ = await deals.newest()
        await deals.send("PATCH", f"/agreements/{kept}", {"note": "Zhuldyz"})
        seq = int(there.partition("-")[0])
        table = (
            ("/agreements", "q=cable&as_of=2016-04-12", 400, "leave q or as_of out"),
            ("/agreements", f"as_of={at}&as_of={at}", 400, "given more than once"),
            ("/agreements", "as_of=lately", 400, "such as 2016-04-12T09:30:00Z"),
            ("/agreements", f"as_of={seq}", 400, "with its epoch"),
            ("/agreements", "as_of=", 400, "Must be a time"),
            ("/agreements", f"as_of={seq}-000000", 410, "restored from a backup"),
            ("/agreements", f"as_of={seq + 9}{there[-7:]}", 410, "there is no"),
            ("/agreements/aggregate", "as_of=10000-01-01", 400, "years 0001 to 9999"),
            (f"/missions/{deals.mission}/summary", "as_of=2016-04-12", 404, "no mission"),
            ("/search", "q=cable&as_of=2016-04-12", 400, "as_of"),
            ("/agreements.csv", "as_of=x", 400, "Must be a time"),
            (f"/agreements/{kept}", "as_of=lately", 400, "such as 2016-04-12T09:30:00Z"),
            (f"/agreements/{kept}", f"as_of={seq}-000000", 410, "restored from a backup"),
            (f"/agreements/{kept}", f"as_of={before}", 404, "was entered after"),
        )
        for address, query, status, says in table:
            answer = await client.get(f"{address}?{query}")
            if answer.status_code != status or says not in answer.json()["detail"]:
                wrong.append((address, query, answer.text))
        present = await client.get("/agreements")
        assert (await client.get("/agreements?as_of=now")).json() == present.json()
        assert (await client.get("/agreements?as_of=-7d")).json()["data"] == []
        gone = await client.get(f"/agreements/{kept}?as_of=yesterday")
        assert (gone.status_code, "was entered after" in gone.text) == (404, True)
        then = (await client.get(f"/agreements/{kept}?as_of={there}")).json()
        assert (then["version"], then["note"]) == (1, None)
        monkeypatch.setattr(past, "MAX_LATER_CHANGES", 1)
        answer = await client.get(f"/agreements?as_of={before}")
        if answer.status_code != 400 or "ask for a time after 20" not in answer.text:
            wrong.append(("too many changes", before, answer.text))
        # What was made since needs no undoing.
        monkeypatch.undo()
        monkeypatch.setattr(undo, "MAX_UNDONE_RECORDS", 0)
        assert (await client.get(f"/agreements?as_of={before}")).status_code == 200
        answer = await client.get(f"/agreements?as_of={there}")
        if answer.status_code != 400 or "1 agreements have been changed" not in answer.text:
            wrong.append(("too many records", there, answer.text))
        monkeypatch.undo()
        await deals.send("DELETE", f"/agreements/{kept}?purge=true")
        assert (await client.get(f"/agreements?as_of={before}")).status_code == 200
        assert (await client.get(f"/people?as_of={there}")).status_code == 200
        for address in ("/agreements", "/agreements.csv", "/agreements/aggregate"):
            answer = await client.get(f"{address}?as_of={there}")
            if answer.status_code != 410 or "purged" not in answer.json()["detail"]:
                wrong.append((address, "purged", answer.text))
    assert wrong == []


async def test_an_answer_of_a_day_counted_from_now_is_another_one_a_day_later(
    writes_app: FastAPI, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Though nothing was written meanwhile: whoever has the first is sent the second."""
    wrong: list[Any] = []
    async with client_of(writes_app) as client:
        deals = Deals(client)
        await deals.begin()
        addresses = (
            "/missions",
            "/missions.csv",
            "/missions/aggregate",
            "/insights/missions",
            "/datasets/missions",
            "/datasets/missions.csv",
        )
        first = {a: await client.get(f"{a}?as_of=today") for a in addresses}
        there = now() + timedelta(days=1)
        monkeypatch.setattr("app.engine.query.values.now", lambda: there)
        for address in addresses:
            known = {"If-None-Match": first[address].headers["etag"]}
            then = await client.get(f"{address}?as_of=today", headers=known)
            if then.status_code != 200 or then.content == first[address].content:
                wrong.append((address, then.status_code))
            known = {"If-None-Match": then.headers.get("etag", "")}
            again = await client.get(f"{address}?as_of=today", headers=known)
            if again.status_code != 304:
                wrong.append((address, again.status_code, "though it is known"))
    assert wrong == []


async def test_a_filter_that_counts_from_now_is_answered_anew_though_nothing_was_written(
    client: httpx.AsyncClient,
) -> None:
    addresses = (
        "/missions",
        "/missions.csv",
        "/missions/aggregate",
        "/insights/missions",
        "/insights/missions.csv",
        "/charts/firmness.svg",
        "/charts/firmness.json",
        "/",
    )
    asked = {
        **{f"{address}?created_at__gte=now-1min": False for address in addresses},
        **{f"{address}?created_at__gte=-7d": True for address in addresses},
    }
    for name in ("missions", "flat_missions"):
        asked[f"/odata/{name}?$filter=created_at ge now()"] = False
        asked[f"/odata/{name}?$filter=created_at ge 2020-01-01T00:00:00Z"] = True
    wrong: list[Any] = []
    for address, is_known in asked.items():
        page = {"Accept": "text/html"} if address.startswith("/?") else {}
        first = await client.get(address, headers=page)
        known = page | {"If-None-Match": first.headers.get("etag", "")}
        then = await client.get(address, headers=known)
        if (first.status_code, then.status_code == 304) != (200, is_known):
            wrong.append((address, first.status_code, then.status_code))
    assert wrong == []


async def test_views_of_the_database_show_what_was_then(
    fresh_app: FastAPI, fresh: httpx.AsyncClient
) -> None:
    """What is made to read through a view is answered for the past as well."""
    reader.set("")
    database = fresh_app.state.database
    made = text("CREATE VIEW shown_person AS SELECT id, full_name FROM person")
    await database.write(lambda session: session.execute(made).close())
    tag = (await fresh.get("/people?limit=1")).headers["etag"]
    person = (await fresh.get("/people/nikolai-dychko")).json()
    await fresh.patch("/people/nikolai-dychko", json={"full_name": "Zhuldyz"})
    statement = plain_query("SELECT count(*) FROM shown_person WHERE full_name = 'Zhuldyz'")
    then = PastDatabase(database, read_as_of(tag.removeprefix("W/").strip('"')))
    try:
        assert [tuple(row) for row in await database.read(statement, {})] == [(1,)]
        assert [tuple(row) for row in await then.read(statement, {})] == [(0,)]
    finally:
        await then.stop()
    assert person["full_name"] != "Zhuldyz"


async def test_a_file_of_rates_is_undone_as_the_one_change_that_it_is(
    fresh: httpx.AsyncClient,
) -> None:
    own = {"base": "USD", "quote": "KZT", "rate": "495.12", "date": "2022-03-01", "provider": "NBK"}
    assert (await fresh.post("/exchange-rates", json=own)).status_code == 201
    headers = {"Content-Type": "text/csv"}
    files = (
        b"currency,date,rate\nUSD,2022-03-01,495.5\nEUR,2022-03-01,550\n",
        b"currency,date,rate\nEUR,2022-03-01,551\nRUB,2022-03-01,5\n",
    )
    address = "/exchange-rates?sort=quote,base&deleted=include"
    told = [await fresh.get(address)]
    for file in files:
        answer = await fresh.post(
            "/exchange-rates/import?provider=NBK&quote=KZT", content=file, headers=headers
        )
        assert answer.status_code == 200, answer.text
        told.append(await fresh.get(address))
    (euro,) = (await fresh.get("/exchange-rates?base=EUR")).json()["data"]
    await fresh.patch(f"/exchange-rates/{euro['id']}", json={"note": "Checked"})
    counts = []
    for then in told:
        position = then.headers["etag"].removeprefix("W/").strip('"')
        again = await fresh.get(f"{address}&as_of={position}")
        assert again.json() == then.json()
        counts.append(len(then.json()["data"]))
    assert counts == [1, 3, 5]


async def test_dates_of_a_question_are_counted_from_the_moment_that_it_asks_about(
    client: httpx.AsyncClient,
) -> None:
    """At the moment at which it was entered a record was not older than that, and now it is."""
    deal = {"title": "D", "instrument": "letter_of_intent", "status": "negotiated"}
    mission: Body = {"ref": "counted-then", "title": "M", "kind": "forum"}
    mission["agreements"] = [deal | {"ref": "counted-then"}]
    made = await client.post("/missions", json=mission)
    assert made.status_code == 201, made.text
    there = (await client.get("/missions?limit=1")).headers["etag"].removeprefix("W/").strip('"')
    older = "ref=counted-then&created_at__lt=now"
    asked: dict[str, Callable[[Any], int]] = {
        f"/missions?{older}": lambda body: len(body["data"]),
        "/missions?filter=ref eq 'counted-then' and created_at lt now": lambda b: len(b["data"]),
        f"/missions.ndjson?{older}": lambda body: 1,
        f"/missions/aggregate?{older}": lambda body: body["records"],
        f"/missions/aggregate?{older}&metrics=sum(cost_amount)&convert_to=USD": lambda b: b[
            "records"
        ],
        f"/insights/missions?{older}": lambda body: len(body["data"]),
        f"/charts/instruments.json?{older}": lambda body: len(body["data"]["values"]),
        f"/insights/conversion?{older}": lambda body: sum(c["undated"] for c in body["total"]),
    }
    found = {}
    for address, count in asked.items():
        answers = [await client.get(address + end) for end in ("", f"&as_of={there}")]
        assert {answer.status_code for answer in answers} == {200}, [a.text for a in answers]
        found[address] = [count(a.json()) if a.content else 0 for a in answers]
    assert found == {address: [1, 0] for address in asked}
