"""What is tried again and what is given up: deliveries whose receivers refuse or misbehave."""

import asyncio
import time
from datetime import timedelta
from email.utils import format_datetime

import httpx
import pytest

from app.core.databases.types import now
from app.core.errors import (
    BadRequest,
    InsufficientStorage,
    InternalError,
    Invalid,
    NotFound,
    Problem,
    TooManyRequests,
    Unavailable,
    UnsupportedByEngine,
)
from app.engine.query.filter_reader import ParsedFilter
from app.engine.resource import Resource
from app.webhooks import scheduling
from app.webhooks.tables import Rules
from tests.webhooks.hooks import create, deliveries, hooked, settled, shown
from tests.webhooks.receiver import Message, Reply, failing, receiving
from tests.webhooks.servers import add_person, eventually

# What is tried again


@pytest.mark.parametrize("status", [400, 404, 429, 500, 503])
async def test_what_is_refused_is_sent_again_under_its_id(
    hooks: httpx.AsyncClient, status: int
) -> None:
    async with receiving() as receiver:
        receiver.answer = failing(3, Reply(status, body="Not now, \0 жай".encode()))
        webhook = await create(hooks, receiver.url)
        await add_person(hooks, "Somebody")
        messages = await receiver.until(4)
        assert len({message.id for message in messages}) == 1
        assert len({message.body for message in messages}) == 1
        assert all(message.verified(webhook["secret"]) for message in messages)
        (delivery,) = await settled(hooks, webhook, 1)
        assert (delivery["state"], delivery["attempts"]) == ("delivered", 4)


async def test_a_failure_is_told(fresh_url: str) -> None:
    rules = {"schedule": [3600]}
    async with hooked(fresh_url, **rules) as client, receiving() as receiver:
        receiver.answer = failing(1, Reply(500, body="\0 Жай ".encode() + b"x" * 5000))
        webhook = await create(client, receiver.url)
        await add_person(client, "Somebody")
        await receiver.until(1)
        (delivery,) = await eventually(
            lambda: deliveries(client, webhook), lambda found: found[0]["attempts"] > 0
        )
        assert (delivery["state"], delivery["response_status"]) == ("pending", 500)
        assert delivery["error"] == "The receiver answered 500."
        assert delivery["response_text"] == "\ufffd Жай " + "x" * 994
        assert delivery["duration_ms"] >= 0
        assert delivery["next_attempt_at"] > delivery["attempted_at"]
        now_ = await shown(client, webhook)
        assert now_["failing_since"] is not None


async def test_after_the_last_attempt_a_delivery_is_dead_and_can_be_sent_again(
    hooks: httpx.AsyncClient,
) -> None:
    async with receiving() as receiver:
        receiver.answer = failing(12, Reply(500))
        webhook = await create(hooks, receiver.url)
        for name in ("One", "Two"):
            await add_person(hooks, name)
        found = await settled(hooks, webhook, 2)
        assert [(one["state"], one["attempts"]) for one in found] == [("dead", 6)] * 2
        assert found == await deliveries(hooks, webhook, state="dead")
        path = f"/webhooks/{webhook['id']}"
        again = await hooks.post(f"{path}/deliveries/{found[0]['id']}/redeliver")
        assert (again.status_code, again.json()["state"]) == (202, "pending")
        await settled(hooks, webhook, 2)
        assert len(await deliveries(hooks, webhook, state="dead")) == 1
        answer = await hooks.post(f"{path}/redeliver", params={"state": "dead"})
        assert (answer.status_code, answer.json()) == (202, {"count": 1})
        found = await settled(hooks, webhook, 2)
        assert {one["state"] for one in found} == {"delivered"}
        # Under the same ids, so that a receiver can tell.
        assert {m.id for m in receiver.messages} == {one["id"] for one in found}


async def test_no_one_else_waits_for_a_delivery_that_is_tried_again(fresh_url: str) -> None:
    async with hooked(fresh_url, schedule=[1.0]) as client, receiving() as receiver:
        receiver.answer = failing(1, Reply(500))
        webhook = await create(client, receiver.url)
        for name in ("Refused at first", "Second", "Third"):
            await add_person(client, name)
        messages = await receiver.until(4)
        names = [m.verified(webhook["secret"])["data"]["record"]["full_name"] for m in messages]
        assert names == ["Refused at first", "Second", "Third", "Refused at first"]


@pytest.mark.parametrize("form", ["seconds", "date"])
async def test_a_receiver_that_wants_to_be_left_alone_is(
    hooks: httpx.AsyncClient, form: str
) -> None:
    async def answer(message: Message) -> Reply:
        if len(receiver.messages):
            return Reply()
        until = format_datetime(now() + timedelta(seconds=3), usegmt=True)
        return Reply(429, (f"Retry-After: {'2' if form == 'seconds' else until}",))

    async with receiving() as receiver:
        receiver.answer = answer
        webhook = await create(hooks, receiver.url)
        await add_person(hooks, "Somebody")
        await receiver.until(1)
        began = time.monotonic()
        await add_person(hooks, "Not before that, either")
        await settled(hooks, webhook, 2)
        assert time.monotonic() - began > 1.5
        assert len(receiver.messages) == 3


async def test_nobody_is_left_alone_for_ever(fresh_url: str) -> None:
    async with hooked(fresh_url, longest_rest=0.5) as client, receiving() as receiver:
        receiver.answer = failing(1, Reply(503, ("Retry-After: 999999999",)))
        webhook = await create(client, receiver.url)
        await add_person(client, "Somebody")
        (delivery,) = await settled(client, webhook, 1)
        assert delivery["state"] == "delivered"


async def test_410_gone_disables_a_webhook(hooks: httpx.AsyncClient) -> None:
    async with receiving() as receiver:
        receiver.answer = failing(1, Reply(410))
        webhook = await create(hooks, receiver.url)
        await add_person(hooks, "Somebody")
        (delivery,) = await settled(hooks, webhook, 1)
        assert (delivery["state"], delivery["attempts"]) == ("dead", 1)
        now_ = await shown(hooks, webhook)
        assert now_["enabled"] is False
        assert "410 Gone" in now_["disabled_reason"]
        again = await hooks.patch(f"/webhooks/{webhook['id']}", json={"enabled": True})
        assert again.json()["disabled_reason"] is None
        await add_person(hooks, "Somebody else")
        await receiver.until(2)


async def test_a_webhook_that_fails_for_days_is_disabled(fresh_url: str) -> None:
    async with (
        hooked(fresh_url, give_up=0.2, schedule=[0.1] * 50) as client,
        receiving() as receiver,
    ):
        receiver.answer = failing(1000, Reply(500))
        webhook = await create(client, receiver.url)
        await add_person(client, "Somebody")
        off = await eventually(lambda: shown(client, webhook), lambda it: not it["enabled"])
        assert "The receiver answered 500." in off["disabled_reason"]
        (delivery,) = await deliveries(client, webhook)
        assert delivery["state"] == "pending"


async def test_only_a_filter_that_waiting_does_not_mend_disables_a_webhook(
    hooks: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    lasting: list[type[Problem]] = [BadRequest, Invalid, NotFound]
    passing: list[type[Problem]] = [InternalError, TooManyRequests, UnsupportedByEngine]
    passing += [InsufficientStorage, Unavailable]
    filters = {f"full_name ne '{kind.__name__}'": kind for kind in lasting + passing}
    left, read_filter = dict(filters), scheduling.read_filter

    def judged_at_the_second_try(resource: Resource, text: str) -> ParsedFilter:
        if text in left:
            raise left.pop(text)("Not now.")
        return read_filter(resource, text)

    monkeypatch.setattr(scheduling, "read_filter", judged_at_the_second_try)
    async with receiving() as receiver:
        made = [
            await create(hooks, receiver.url, kinds=["person"], filter=text) for text in filters
        ]
        await add_person(hooks, "Somebody")
        await receiver.until(len(passing))
        for webhook in made[len(lasting) :]:
            await settled(hooks, webhook, 1)
        found = [await shown(hooks, webhook) for webhook in made]
    enabled = [filters[webhook["filter"]] for webhook in found if webhook["enabled"]]
    assert (enabled, left) == (passing, {})
    reasons = {webhook["disabled_reason"] for webhook in found[: len(lasting)]}
    assert reasons == {"The filter does not hold any more. Not now."}


def test_the_usual_attempts_are_made_within_three_days() -> None:
    assert len(Rules().schedule) == 10
    assert (
        timedelta(days=3) <= timedelta(seconds=sum(Rules().schedule)) < timedelta(days=3, hours=1)
    )
    assert Rules().give_up > sum(Rules().schedule)
    assert Rules().lease > Rules().timeout


# Receivers that misbehave


@pytest.mark.parametrize(
    ("reply", "told"),
    [
        (Reply(302, ("Location: http://127.0.0.1:1/other",)), "redirect to http://127.0.0.1:1"),
        (Reply(308), "redirect"),
        (Reply(hangs=True), "No answer within 0.5 seconds."),
        (Reply(500, endless=True), "The receiver answered 500."),
    ],
    ids=["redirect", "redirect to nowhere", "hangs", "endless"],
)
async def test_a_receiver_that_misbehaves_is_told(fresh_url: str, reply: Reply, told: str) -> None:
    async with hooked(fresh_url, timeout=0.5, schedule=[]) as client, receiving() as receiver:
        receiver.answer = failing(1, reply)
        webhook = await create(client, receiver.url)
        await add_person(client, "Somebody")
        (delivery,) = await settled(client, webhook, 1)
        assert delivery["state"] == "dead"
        assert told in delivery["error"]
        assert len(delivery["response_text"] or "") <= 1000
        assert len(receiver.messages) == 1


async def test_an_answer_without_an_end_is_an_answer(hooks: httpx.AsyncClient) -> None:
    async with receiving() as receiver:
        receiver.answer = failing(1, Reply(200, endless=True))
        webhook = await create(hooks, receiver.url)
        await add_person(hooks, "Somebody")
        (delivery,) = await settled(hooks, webhook, 1)
        assert (delivery["state"], delivery["attempts"]) == ("delivered", 1)
        assert delivery["response_text"] == "x" * 1000


async def test_nobody_there_is_told(fresh_url: str) -> None:
    async with hooked(fresh_url, schedule=[]) as client:
        async with receiving() as receiver:
            url = receiver.url
        webhook = await create(client, url)
        await add_person(client, "Somebody")
        (delivery,) = await settled(client, webhook, 1)
        assert delivery["state"] == "dead"
        assert "Connect" in delivery["error"]
        assert delivery["response_status"] is None


async def test_a_slow_receiver_does_not_hold_up_the_others(hooks: httpx.AsyncClient) -> None:
    async with receiving() as slow, receiving() as quick:
        go_on = asyncio.Event()

        async def wait(message: Message) -> Reply:
            await go_on.wait()
            return Reply()

        slow.answer = wait
        held = await create(hooks, slow.url)
        await create(hooks, quick.url)
        for number in range(5):
            await add_person(hooks, f"Person {number}")
        await quick.until(5)
        assert slow.messages == []
        go_on.set()
        await slow.until(5)
        assert slow.most_under_way == 1
        await settled(hooks, held, 5)


async def test_a_webhook_that_is_switched_off_stops_at_once(hooks: httpx.AsyncClient) -> None:
    async with receiving() as receiver:
        answered = asyncio.Semaphore(0)

        async def one_by_one(message: Message) -> Reply:
            await answered.acquire()
            return Reply()

        receiver.answer = one_by_one
        webhook = await create(hooks, receiver.url)
        for number in range(10):
            await add_person(hooks, f"Person {number}")
        answered.release()
        await receiver.until(1)
        await receiver.until_under_way()
        off = await hooks.patch(f"/webhooks/{webhook['id']}", json={"enabled": False})
        assert off.json()["enabled"] is False, off.text
        for _ in range(10):
            answered.release()
        # The one that was under way comes to its end.
        await receiver.until(2)
        await asyncio.sleep(0.5)
        assert len(receiver.messages) == 2
        await hooks.patch(f"/webhooks/{webhook['id']}", json={"enabled": True})
        await settled(hooks, webhook, 2)
