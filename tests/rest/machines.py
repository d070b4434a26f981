"""Plain models of records, which a machine holds beside the application and compares it with."""

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import Any, TypeVar

import httpx

from app.core import json_codec
from tests.examples import Body
from tests.rest.calls import send

T = TypeVar("T")


@dataclass
class Modelled:
    """What a record should be: its state in each version, and what made it so."""

    id: str
    states: list[Body] = field(default_factory=list)
    actions: list[str] = field(default_factory=list)

    @property
    def now(self) -> Body:
        return self.states[-1]

    @property
    def in_trash(self) -> bool:
        return bool(self.now["in_trash"])

    def become(self, action: str, **values: Any) -> None:
        """Another version, when anything is new."""
        after = {**self.now, **values} if self.states else values
        if not self.states or after != self.now:
            self.states.append(after)
            self.actions.append(action)


@dataclass
class Talk:
    """Requests to an application whose loop runs only while one is answered."""

    runner: asyncio.Runner
    client: httpx.AsyncClient

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(work)

    def ask(
        self, method: str, address: str, body: Any = None, status: int = 200, **headers: str
    ) -> Any:
        answer = self.run(send(self.client, method, address, body, **headers))
        assert answer.status_code == status, answer.text
        return json_codec.loads(answer.content) if answer.content else None

    def list(self, address: str, **parameters: Any) -> list[Any]:
        answer = self.run(self.client.get(address, params=parameters))
        assert answer.status_code == 200, answer.text
        found: list[Any] = json_codec.loads(answer.content)["data"]
        return found

    def check(self, path: str, record: Modelled) -> None:
        """The record now and in each of its versions, its history, and the list, as they should
        be."""
        address = f"/{path}/{record.id}"
        told = self.ask("GET", f"{address}?deleted=include")
        assert told["version"] == len(record.states)
        assert state_of(told, record) == record.now
        listed = self.list(f"/{path}", id=record.id)
        assert listed == ([] if record.in_trash else [told])
        assert self.list(f"/{path}", id=record.id, deleted="include") == [told]
        history = self.list(f"{address}/history", limit=1000)[::-1]
        assert [entry["action"] for entry in history] == record.actions
        assert [entry["version"] for entry in history] == list(range(1, len(history) + 1))
        for entry, state in zip(history, record.states, strict=True):
            then = self.ask("GET", f"{address}?deleted=include&as_of={entry['at']}")
            assert then["version"] == entry["version"]
            assert state_of(then, record) == state


def state_of(told: Body, record: Modelled) -> Body:
    """What the model keeps of a record as it is read."""
    kept = {name: told[name] for name in record.now if name != "in_trash"}
    return {**kept, "in_trash": told["deleted_at"] is not None}
