"""Statements that are made once, beside the loop."""

import asyncio
import multiprocessing
import threading
from urllib.parse import quote

import httpx
import pytest

from app.core.databases.interface import CompiledQuery, plain_query
from app.core.databases.made_once import MadeOnce, made_once
from app.core.databases.places import reader
from app.core.errors import TooManyRequests

#: Reads of every sort, of a shape that nobody asks for otherwise.
NEW_SHAPES = (
    "/agreements?limit=1&expand=parties.organization&fields=title,due,parties.role&count=exact"
    "&sort=mission.title,due&deleted=include",
    "/agreements?limit=150&expand=mission&fields=note,due,mission.note&count=estimated",
    "/missions/novosibirsk-april?fields=note,dates&expand=agreements",
    "/agreements.csv?fields=note,title,due",
    "/agreements.ndjson?fields=note,title,due&expand=mission",
    "/agreements/parties.ndjson?fields=parties.role",
    "/agreements/aggregate?group_by=place_city,year(due)&metrics=count(note)&empty_groups=true",
    "/agreements/aggregate?group_by=place_city,due&metrics=sum(amount)&convert_to=USD",
    "/insights/organizations?min_missions=1&country=KZ&name__icontains=a",
    "/insights/missions.csv?note__isnull=true",
    "/insights/conversion?place_city__isnull=true",
    "/charts/partners.svg?place_city__isnull=true",
    "/odata/flat_agreements?$filter=" + quote("title ne 'x'") + "&$count=true",
)


async def test_a_statement_is_made_once_in_a_thread_and_the_oldest_are_forgotten() -> None:
    made: list[tuple[str, str]] = []

    @made_once(2)
    def statement(text: str, *, more: str = "") -> CompiledQuery:
        made.append((text + more, threading.current_thread().name))
        return plain_query(text + more)

    assert [(await statement.beside_loop(text)).sql for text in "aabac"] == list("aabac")
    assert (await statement.beside_loop("a", more="b")).sql == statement("a", more="b").sql == "ab"
    assert [text for text, _ in made] == ["a", "b", "c", "ab"]
    assert all(thread.startswith("statements") for _, thread in made)
    assert statement("b").sql == "b"
    assert made[-1] == ("b", threading.current_thread().name)
    assert len(statement.made) == 2


def test_a_copy_of_the_process_makes_statements_too() -> None:
    @made_once(2)
    def statement(text: str) -> CompiledQuery:
        return plain_query(text)

    def make(text: str) -> None:
        assert asyncio.run(statement.beside_loop(text)).sql == text

    make("a")
    copied = multiprocessing.get_context("fork").Process(target=make, args=("b",))
    copied.start()
    copied.join(timeout=30)
    ended = copied.exitcode
    copied.kill()
    copied.join()
    assert ended == 0


async def test_who_asks_for_many_new_shapes_keeps_nobody_from_theirs_and_is_told() -> None:
    order: list[str] = []

    @made_once(100)
    def statement(text: str) -> CompiledQuery:
        order.append(text)
        return plain_query(text)

    async def ask(who: str, number: int) -> None:
        reader.set(who)
        await statement.beside_loop(f"{who}{number}")

    asked = [asyncio.create_task(ask("many", number)) for number in range(60)]
    asked.append(asyncio.create_task(ask("one", 0)))
    answers = await asyncio.gather(*asked, return_exceptions=True)
    assert order.index("one0") <= 2
    refused = [each for each in answers if each is not None]
    assert refused
    assert all(isinstance(each, TooManyRequests) for each in refused)
    assert answers[-1] is None


async def test_no_read_makes_a_statement_of_a_new_shape_in_the_loop(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    makers: list[tuple[str, str]] = []
    make = MadeOnce._new

    def noted(self: MadeOnce[...], *args: object, **kwargs: object) -> CompiledQuery:
        makers.append((self._make.__name__, threading.current_thread().name))
        return make(self, *args, **kwargs)

    monkeypatch.setattr(MadeOnce, "_new", noted)
    answers = {address: await client.get(address) for address in NEW_SHAPES}
    assert [each.text for each in answers.values() if each.status_code != 200] == []
    assert len(makers) >= len(NEW_SHAPES)
    in_loop = {name for name, thread in makers if not thread.startswith("statements")}
    assert not in_loop
