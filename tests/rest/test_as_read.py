"""A record as it was read can be sent back, and a body that was sent can be sent again."""

from typing import Any
from uuid import uuid4

from fastapi import FastAPI

from app.api import RESOURCES
from app.engine.writes.as_read import kept_by_server
from tests.contract.api import Api, at, listed, pointers, problem
from tests.examples import Body
from tests.rest.calls import bulk, contents, send

UNKNOWN = "0190b1de-0000-7000-8000-000000000000"


async def sent(api: Api, method: str, address: str, body: Any, **headers: str) -> Any:
    answer = await send(api.client, method, address, body, **headers)
    assert answer.is_success, (method, address, answer.text)
    return answer.json()


async def test_every_kind_can_be_sent_back_as_it_was_read(api: Api) -> None:
    wrong = []
    for resource in RESOURCES:
        record = await api.new(resource)
        address, path = at(resource, record), resource.path
        one = {"operations": [{"op": "update", "key": record["id"], "body": record}]}
        same = {"operations": [{"op": "upsert", "body": record}]}
        for method, where, body in (
            ("PATCH", address, record),
            ("PUT", address, record),
            ("POST", f"/{path}/bulk", one),
            ("POST", f"/{path}/bulk", same),
        ):
            answer = await send(api.client, method, where, body)
            if not answer.is_success or await api.get(address) != record:
                wrong.append((path, method, answer.text))
        whole = await api.get(address, expand=",".join(resource.to_one)) if resource.to_one else {}
        answer = await send(api.client, "PUT", address, {**record, **whole, "note": "new"})
        if not answer.is_success or answer.json()["version"] != record["version"] + 1:
            wrong.append((path, "expanded", answer.text))
    assert not wrong, "\n".join(map(str, wrong))


async def test_a_member_that_the_server_keeps_must_say_what_is_stored(
    api: Api, writes_app: FastAPI
) -> None:
    values = {"id": UNKNOWN, "version": 9, "created_at": "2016-04-12T09:30:00Z", "deleted_at": "x"}
    records = [(resource, await api.new(resource)) for resource in RESOURCES]
    before = await contents(writes_app)
    wrong = []
    for resource, record in records:
        address = at(resource, record)
        for name in sorted(kept_by_server(resource)):
            body = {"note": "new", name: values.get(name, "otherwise")}
            answer = await send(api.client, "PATCH", address, body)
            says = "leave it out, or read the record again" in answer.text
            if answer.status_code != 422 or pointers(answer) != [f"/{name}"] or not says:
                wrong.append((resource.path, name, answer.text))
        body = {**record, "note": "new", "version": 9}
        operation = {"op": "update", "key": record["id"], "body": body}
        for answer, pointer in (
            (await send(api.client, "PUT", address, body), ""),
            (await bulk(api, resource.path, [operation]), "/operations/0/body"),
        ):
            if pointers(answer) != [f"{pointer}/version"]:
                wrong.append((resource.path, pointer, answer.text))
    assert not wrong, "\n".join(map(str, wrong))
    assert await contents(writes_app) == before


async def test_what_follows_from_a_field_may_be_as_it_was_or_as_it_becomes(api: Api) -> None:
    made = await sent(
        api, "POST", "/missions", {"title": "A", "kind": "trade_fair", "dates": "2016"}
    )
    first = {"dates": "2017", "dates_earliest": "2016-01-01", "dates_latest": "2017-12-31"}
    assert (await sent(api, "PATCH", f"/missions/{made['id']}", first))["dates"] == "2017"
    answer = await send(
        api.client, "PATCH", f"/missions/{made['id']}", {"dates_earliest": "2018-01-01"}
    )
    assert pointers(answer) == ["/dates_earliest"]


async def test_a_new_record_gets_what_the_server_keeps(api: Api) -> None:
    body = {"full_name": "Dana", "deleted_at": None, "version": 1}
    made = await sent(api, "POST", "/people", body)
    answer = await send(api.client, "POST", "/people", {"full_name": "Dana", "id": made["id"]})
    assert pointers(answer) == ["/id"]
    assert "If-None-Match: *" in answer.text
    new = {"full_name": "Dana", "id": UNKNOWN[:-1] + "7"}
    there = await sent(api, "PUT", f"/people/{new['id']}", new, if_none_match="*")
    assert there["id"] == new["id"]


async def test_a_byte_order_mark_may_stand_before_a_body(api: Api) -> None:
    content = b'\xef\xbb\xbf{"full_name": "Dana"}'
    answer = await api.client.post(
        "/people", content=content, headers={"content-type": "application/json"}
    )
    assert answer.status_code == 201


# Records that stand for ids


async def test_a_change_names_others_by_ref_or_tells_new_ones(api: Api) -> None:
    mark = uuid4().hex
    deal = await sent(api, "POST", "/agreements", api.examples.minimal("agreements"))
    address, ref = f"/agreements/{deal['id']}", {"ref": "referred-missions-0"}
    mission = api.examples.ids["missions"][0]
    people = await sent(api, "POST", "/agreements", api.examples.minimal("agreements"))
    for method, where, body in (
        ("PATCH", address, {"mission": ref}),
        ("PATCH", address, {"mission": {"id": mission, "ref": "referred-missions-0"}}),
        ("PATCH", address, {"mission": ref, "mission_id": mission}),
        ("PUT", address, api.examples.minimal("agreements", mission=ref)),
        ("PATCH", f"/agreements?id={deal['id']}&max_affected=1", {"mission": ref}),
        (
            "POST",
            "/agreements/bulk",
            {"operations": [{"op": "update", "key": deal["id"], "body": {"mission": ref}}]},
        ),
    ):
        await sent(api, "PATCH", address, {"mission": None})
        assert (await api.get(address))["mission_id"] is None
        await sent(api, method, where, body)
        assert (await api.get(address))["mission_id"] == mission, (method, body)
    new = {"title": "New", "kind": "trade_fair", "ref": f"new-{mark}"}
    for _ in range(2):
        await sent(api, "PATCH", address, {"mission": new})
        await sent(api, "PATCH", f"/agreements/{people['id']}", {"mission": new})
    assert len(await listed(api, "/missions", ref=new["ref"])) == 1
    parties = [{"organization": {"ref": "referred-companies-0"}, "role": "supplier"}]
    changed = await sent(api, "PATCH", address, {"parties": parties})
    assert changed["parties"][0]["organization_id"] == api.examples.ids["companies"][0]
    for body, pointer in (
        ({"mission": {"ref": "nobody-there"}}, "/mission/ref"),
        ({"mission": "referred-missions-0"}, "/mission"),
        ({"mission": {**new, "title": "Other"}}, "/mission"),
        ({"mission": ref, "mission_id": UNKNOWN}, "/mission"),
        ({"mission": {"id": mission, "ref": new["ref"]}}, "/mission"),
        ({"mission": ref, "mission_id": None}, "/mission"),
        (
            {"parties": [{"organization": {"ref": "x"}, "role": "supplier"}]},
            "/parties/0/organization/ref",
        ),
        ({"outcomes": {}}, "/outcomes"),
        ({"citations": [5]}, "/citations/0"),
    ):
        assert pointers(await send(api.client, "PATCH", address, body)) == [pointer], body
    answer = await send(
        api.client, "PATCH", f"/missions?ref={new['ref']}&max_affected=1", {"events": []}
    )
    assert pointers(answer) == ["/events"]


# Nested lists


def tree(mark: str) -> Body:
    """A mission with what can lie under it, of which little has a ref."""
    return {
        "ref": f"tree-{mark}",
        "title": "Tree",
        "kind": "trade_fair",
        "parent": {"title": "Above", "kind": "trade_fair"},
        "delegates": [{"person": {"full_name": "Dana"}, "side": "host", "capacity": "speaker"}],
        "events": [{"kind": "meeting", "title": " Talks ", "ref": f"talks-{mark}"}],
        "participations": [{"organization": {"ref": "referred-companies-0"}, "role": "host"}],
        "agreements": [
            {
                "title": "Deal",
                "instrument": "supply_contract",
                "amount": "5.50",
                "currency": "USD",
                "event": {"ref": f"talks-{mark}"},
                "parties": [
                    {"organization": {"kind": "company", "name": "Seller"}, "role": "supplier"},
                    {"description": "somebody", "role": "buyer"},
                ],
            }
        ]
        * 2,
        "reported_totals": [{"measure": "companies", "value": 35}],
    }


async def test_a_body_with_nested_lists_can_be_sent_again(api: Api, writes_app: FastAPI) -> None:
    body = tree(uuid4().hex)
    first = await bulk(api, "missions", [{"op": "upsert", "body": body}])
    assert first.json()["results"][0]["status"] == 201, first.text
    stored = await contents(writes_app)
    address = f"/missions/{body['ref']}"
    assert (await bulk(api, "missions", [{"op": "upsert", "body": body}])).status_code == 200
    await sent(api, "PUT", address, body)
    await sent(api, "PATCH", address, body)
    assert await contents(writes_app) == stored
    lists = "delegates,events,participations,agreements,reported_totals,companies"
    for expand in (lists, "agreements.parties.organization,delegates.person"):
        await sent(api, "PUT", address, await api.get(address, expand=expand))
        assert await contents(writes_app) == stored


async def test_nested_lists_change_what_is_there_and_add_what_is_not(api: Api) -> None:
    body = tree(uuid4().hex)
    made = await sent(api, "POST", "/missions", body)
    other = await sent(api, "POST", "/missions", tree(uuid4().hex))
    address, talks = f"/missions/{made['id']}", body["events"][0]["ref"]
    (delegate,) = await listed(api, f"{address}/delegates")
    events = [{"ref": talks, "title": "Long talks"}, {"kind": "meeting", "title": "More"}]
    delegates = [{"id": delegate["id"], "mission_id": made["id"], "position": "Chair"}]
    await sent(api, "PATCH", address, {"events": events, "delegates": delegates})
    found = await listed(api, f"{address}/events", sort="title")
    assert [(each["title"], each["version"]) for each in found] == [("Long talks", 2), ("More", 1)]
    (delegate,) = await listed(api, f"{address}/delegates")
    assert (delegate["position"], delegate["version"]) == ("Chair", 2)
    assert len(await listed(api, f"{address}/agreements")) == 2
    strange = (await listed(api, f"/missions/{other['id']}/events"))[0]
    await api.trash(f"/events/{found[1]['id']}")
    for item, pointer in (
        ({"id": UNKNOWN}, "/id"),
        ({"id": "x"}, "/id"),
        ({"ref": strange["ref"]}, "/ref"),
        ({"id": strange["id"]}, "/id"),
        ({"id": found[1]["id"]}, "/id"),
        ({"ref": talks, "mission_id": other["id"]}, "/mission_id"),
        ({"ref": talks, "version": 1}, "/version"),
        ({"ref": talks, "mission": {"id": made["id"]}}, "/mission"),
        ({"ref": talks, "title": None}, "/title"),
        ({"title": "No kind"}, "/kind"),
        ("x", ""),
    ):
        answer = await send(api.client, "PATCH", address, {"note": "x", "events": [item]})
        assert pointers(answer) == [f"/events/0{pointer}"], item
    assert (await api.get(address))["version"] == made["version"]
    problem(await send(api.client, "PATCH", address, {"events": [{}] * 1001}), 422)
