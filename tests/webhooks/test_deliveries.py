"""What receivers of webhooks get: signed, at least once, in order, and never for ever."""

import asyncio
import json

import httpx

from tests.webhooks.hooks import create, deliveries, hooked, settled, shown
from tests.webhooks.receiver import Reply, failing, receiving
from tests.webhooks.servers import add_mission, add_person, eventually

# What is sent


async def test_a_change_is_sent_signed_with_its_record(hooks: httpx.AsyncClient) -> None:
    async with receiving() as receiver:
        webhook = await create(hooks, receiver.url)
        person = await add_person(hooks, "Абай Кунанбаев")
        (message,) = await receiver.until(1)
        payload = message.verified(webhook["secret"])
        change = (await hooks.get("/changes", params={"record_id": person["id"]})).json()["data"]
        assert payload == {
            "type": "person.created",
            "timestamp": change[0]["at"],
            "data": {"change": change[0], "record": person},
        }
        assert message.line == "POST /hook HTTP/1.1"
        assert message.headers["content-type"] == "application/json"
        (delivery,) = await settled(hooks, webhook, 1)
        assert message.id == delivery["id"]
        assert (delivery["seq"], delivery["type"]) == (change[0]["seq"], "person.created")
        assert (delivery["state"], delivery["attempts"]) == ("delivered", 1)
        assert delivery["response_status"] == 204
        assert delivery["error"] is None
        assert delivery["finished_at"] is not None


async def test_every_sort_of_change_has_its_type(hooks: httpx.AsyncClient) -> None:
    async with receiving() as receiver:
        webhook = await create(hooks, receiver.url, kinds=["person"])
        path = f"/people/{(await add_person(hooks, 'Somebody'))['id']}"
        await hooks.patch(path, json={"note": "changed"})
        await hooks.put(path, json={"full_name": "Somebody else"})
        await hooks.delete(path)
        await hooks.post(f"{path}/restore")
        payloads = [m.verified(webhook["secret"]) for m in await receiver.until(5)]
        words = ("created", "updated", "replaced", "deleted", "restored")
        assert [payload["type"] for payload in payloads] == [f"person.{word}" for word in words]


async def test_messages_follow_each_other_in_the_order_of_the_changes(
    hooks: httpx.AsyncClient,
) -> None:
    async with receiving() as receiver:
        webhook = await create(hooks, receiver.url)
        await asyncio.gather(*(add_person(hooks, f"Person {n}") for n in range(60)))
        messages = await receiver.until(60)
        seqs = [m.verified(webhook["secret"])["data"]["change"]["seq"] for m in messages]
        assert seqs == list(range(seqs[0], seqs[0] + 60))
        assert receiver.most_under_way == 1


async def test_changes_from_before_the_webhook_are_not_sent(hooks: httpx.AsyncClient) -> None:
    async with receiving() as receiver:
        await add_person(hooks, "Before")
        webhook = await create(hooks, receiver.url)
        after = await add_person(hooks, "After")
        (delivery,) = await settled(hooks, webhook, 1)
        assert delivery["record_id"] == after["id"]


async def test_kinds_and_actions_choose(hooks: httpx.AsyncClient) -> None:
    async with receiving() as receiver:
        chosen = {"kinds": ["organization", "person"], "actions": ["update", "delete"]}
        webhook = await create(hooks, receiver.url, **chosen)
        person = await add_person(hooks, "Somebody")
        await add_person(hooks, "Nobody is told of")
        await add_mission(hooks)
        await hooks.patch(f"/people/{person['id']}", json={"note": "changed"})
        await hooks.delete(f"/people/{person['id']}")
        found = await settled(hooks, webhook, 2)
        assert [one["type"] for one in found] == ["person.deleted", "person.updated"]


async def test_a_filter_judges_the_record_as_it_is_after_the_change(
    hooks: httpx.AsyncClient,
) -> None:
    async with receiving() as receiver:
        wanted = {"kinds": ["person"], "filter": "startswith(full_name, 'A') or note eq 'x'"}
        webhook = await create(hooks, receiver.url, **wanted)
        other = await add_person(hooks, "Berik")
        await settled(hooks, webhook, 0)
        await asyncio.sleep(0.3)
        await hooks.patch(f"/people/{other['id']}", json={"note": "x"})
        await add_person(hooks, "Abai")
        await settled(hooks, webhook, 2)
        # In the trash it is judged as before.
        await hooks.delete(f"/people/{other['id']}")
        types = [one["type"] for one in await settled(hooks, webhook, 3)]
        assert types == ["person.deleted", "person.created", "person.updated"]


async def test_a_filter_goes_into_related_records(hooks: httpx.AsyncClient) -> None:
    async with receiving() as receiver:
        mission = (await hooks.get("/missions?limit=1")).json()["data"][0]
        wanted = {"kinds": ["event"], "filter": f"mission/ref eq '{mission['ref']}'"}
        webhook = await create(hooks, receiver.url, **wanted)
        body = {"title": "A round table", "kind": "round_table"}
        answer = await hooks.post("/events", json={**body, "mission_id": mission["id"]})
        assert answer.status_code == 201, answer.text
        (delivery,) = await settled(hooks, webhook, 1)
        assert delivery["record_id"] == answer.json()["id"]


async def test_what_is_changed_while_a_webhook_is_off_is_not_sent_later(
    hooks: httpx.AsyncClient,
) -> None:
    async with receiving() as receiver:
        webhook = await create(hooks, receiver.url, enabled=False)
        path = f"/webhooks/{webhook['id']}"
        await add_person(hooks, "While it is off")
        assert (await hooks.patch(path, json={"enabled": True})).status_code == 200
        after = await add_person(hooks, "While it is on")
        (delivery,) = await settled(hooks, webhook, 1)
        assert delivery["record_id"] == after["id"]
        assert len(receiver.messages) == 1


async def test_a_test_is_sent_once_whatever_the_filter(hooks: httpx.AsyncClient) -> None:
    async with receiving() as receiver:
        webhook = await create(hooks, receiver.url, kinds=["mission"])
        receiver.answer = failing(1, Reply(500))
        path = f"/webhooks/{webhook['id']}/test"
        answer = await hooks.post(path)
        assert (answer.status_code, answer.json()["type"]) == (202, "webhook.test")
        (delivery,) = await settled(hooks, webhook, 1)
        assert (delivery["state"], delivery["attempts"]) == ("dead", 1)
        await hooks.post(path)
        messages = await receiver.until(2)
        payload = messages[1].verified(webhook["secret"])
        assert payload["type"] == "webhook.test"
        assert payload["data"] == {"change": None, "record": None}
        now_ = await shown(hooks, webhook)
        assert now_["failing_since"] is None


async def test_an_old_secret_holds_for_a_time_beside_the_new_one(fresh_url: str) -> None:
    async with hooked(fresh_url, overlap=1.0) as client, receiving() as receiver:
        old = await create(client, receiver.url)
        new = (await client.post(f"/webhooks/{old['id']}/secret")).json()
        assert new["secret"] != old["secret"]
        await add_person(client, "Signed twice")
        (message,) = await receiver.until(1)
        assert message.verified(old["secret"]) == message.verified(new["secret"])
        await asyncio.sleep(1.1)
        await add_person(client, "Signed once")
        message = (await receiver.until(2))[1]
        assert len(message.headers["webhook-signature"].split()) == 1
        assert message.verified(new["secret"])["type"] == "person.created"


async def test_finished_deliveries_are_deleted_after_their_time(fresh_url: str) -> None:
    async with receiving() as receiver:
        async with hooked(fresh_url) as client:
            webhook = await create(client, receiver.url)
            await add_person(client, "Somebody")
            await settled(client, webhook, 1)
        async with hooked(fresh_url, kept=0.0) as client:
            await eventually(lambda: deliveries(client, webhook), lambda found: not found)


async def test_a_webhook_without_work_writes_nothing(hooks: httpx.AsyncClient) -> None:
    """What is not for it is looked at, and noted only from time to time."""
    async with receiving() as receiver:
        webhook = await create(hooks, receiver.url, kinds=["mission"])
        for number in range(10):
            await add_person(hooks, f"Person {number}")
        await add_mission(hooks)
        (delivery,) = await settled(hooks, webhook, 1)
        assert delivery["type"] == "mission.created"
        now_ = await shown(hooks, webhook)
        assert now_["position"] == delivery["seq"]


async def test_a_message_is_the_json_of_the_database(hooks: httpx.AsyncClient) -> None:
    """Digits of amounts are as they were entered."""
    async with receiving() as receiver:
        await create(hooks, receiver.url, kinds=["exchange_rate"])
        rate = {"base": "USD", "quote": "RUB", "rate": 66.3466, "date": "2016-04-12"}
        answer = await hooks.post("/exchange-rates", json={**rate, "provider": "A bank"})
        assert answer.status_code == 201, answer.text
        (message,) = await receiver.until(1)
        assert json.loads(message.body)["data"]["record"] == answer.json()
        assert b"66.3466" in message.body
