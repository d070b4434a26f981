"""Webhooks and servers that go away: nothing is lost, and two servers do not both send."""

import asyncio
from collections import Counter

from tests.webhooks.hooks import QUICK, create, hooked, settled
from tests.webhooks.receiver import Message, Reply, receiving
from tests.webhooks.servers import add_person, newest, running

COUNT = 40
#: Of a server that was killed, its webhooks are taken over soon.
RULES = {**QUICK, "lease": 2.0, "timeout": 1.5}


async def test_of_a_server_that_is_killed_in_the_midst_nothing_is_lost(fresh_url: str) -> None:
    async with receiving() as receiver:

        async def slowly(message: Message) -> Reply:
            await asyncio.sleep(0.01)
            return Reply()

        receiver.answer = slowly
        async with running(fresh_url, webhooks=RULES) as server:
            begin = await newest(server.client)
            webhook = await create(server.client, receiver.url)
            await asyncio.gather(*(add_person(server.client, f"P {n}") for n in range(COUNT)))
            await receiver.until(5)
            server.server.kill()
        assert len(receiver.messages) < COUNT
        async with running(fresh_url, webhooks=RULES) as server:
            found = await settled(server.client, webhook, COUNT)
        assert {one["state"] for one in found} == {"delivered"}
        payloads = [m.verified(webhook["secret"]) for m in receiver.messages]
        seqs = [payload["data"]["change"]["seq"] for payload in payloads]
        assert set(seqs) == set(range(begin + 1, begin + 1 + COUNT))
        # The one that was under way is sent again, in its place and under its id.
        assert seqs == sorted(seqs)
        assert max(Counter(m.id for m in receiver.messages).values()) <= 2


async def test_of_two_servers_one_at_a_time_sends(fresh_url: str) -> None:
    async with (
        receiving() as receiver,
        running(fresh_url, webhooks=RULES) as one,
        running(fresh_url, webhooks=RULES) as other,
    ):
        webhook = await create(one.client, receiver.url)
        writes = (add_person((one, other)[n % 2].client, f"P {n}") for n in range(COUNT))
        await asyncio.gather(*writes)
        found = await settled(other.client, webhook, COUNT)
        assert {one["attempts"] for one in found} == {1}
        seqs = [m.verified(webhook["secret"])["data"]["change"]["seq"] for m in receiver.messages]
        assert seqs == list(range(seqs[0], seqs[0] + COUNT))
        assert receiver.most_under_way == 1


async def test_a_server_takes_over_from_one_that_was_killed(fresh_url: str) -> None:
    async with receiving() as receiver, running(fresh_url, webhooks=RULES) as left:
        async with running(fresh_url, webhooks=RULES) as killed:
            webhook = await create(killed.client, receiver.url)
            await asyncio.gather(*(add_person(killed.client, f"P {n}") for n in range(COUNT)))
            killed.server.kill()
        found = await settled(left.client, webhook, COUNT)
        assert {one["state"] for one in found} == {"delivered"}
        assert len({m.id for m in receiver.messages}) == COUNT


async def test_a_server_that_stops_leaves_its_webhooks_to_others_at_once(fresh_url: str) -> None:
    async with receiving() as receiver:
        async with hooked(fresh_url, lease=600.0) as client:
            webhook = await create(client, receiver.url)
            for number in range(5):
                await add_person(client, f"P {number}")
            await receiver.until(1)
        async with hooked(fresh_url, lease=600.0) as client:
            found = await settled(client, webhook, 5)
        assert {one["state"] for one in found} == {"delivered"}
        assert len(receiver.messages) == 5
