"""A receiver of webhooks: a small HTTP server that answers as it is told."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from standardwebhooks.webhooks import Webhook


@dataclass(frozen=True)
class Message:
    """One request, as it came."""

    line: str
    headers: dict[str, str]
    body: bytes

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    def verified(self, secret: str) -> Any:
        """The payload, when it is signed with the secret."""
        return Webhook(secret).verify(self.body, self.headers)


@dataclass(frozen=True)
class Reply:
    """What is answered: `endless` never comes to its end, and one that `hangs` is none at all."""

    status: int = 204
    headers: tuple[str, ...] = ()
    body: bytes = b""
    endless: bool = False
    hangs: bool = False


Answering = Callable[[Message], Awaitable[Reply]]


def failing(times: int, reply: Reply) -> Answering:
    """Answers so for so many times, then that all is well."""
    left = times

    async def answer(message: Message) -> Reply:
        nonlocal left
        left -= 1
        return reply if left >= 0 else Reply()

    return answer


@dataclass
class Receiver:
    """What came, and what is answered to the next."""

    messages: list[Message] = field(default_factory=list)
    answer: Answering | None = None
    under_way: int = 0
    most_under_way: int = 0
    connections: int = 0
    url: str = ""
    _came: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def until(self, count: int) -> list[Message]:
        """All messages, once there are so many."""
        async with asyncio.timeout(60), self._came:
            await self._came.wait_for(lambda: len(self.messages) >= count)
        return list(self.messages)

    async def until_under_way(self) -> None:
        """Return once a message is there that is not answered yet."""
        async with asyncio.timeout(60), self._came:
            await self._came.wait_for(lambda: self.under_way > 0)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                await self._serve_one(reader, writer)
        writer.close()

    async def _serve_one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        line, *lines = head.strip().split("\r\n")
        headers = {name.lower(): text for name, _, text in (at.partition(": ") for at in lines)}
        body = await reader.readexactly(int(headers.get("content-length", 0)))
        message = Message(line, headers, body)
        self.under_way += 1
        self.most_under_way = max(self.under_way, self.most_under_way)
        async with self._came:
            self._came.notify_all()
        try:
            reply = await self.answer(message) if self.answer else Reply()
        finally:
            self.under_way -= 1
        async with self._came:
            self.messages.append(message)
            self._came.notify_all()
        await _reply(reader, writer, reply)


async def _reply(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, reply: Reply) -> None:
    if reply.hangs:
        await reader.read()
        raise ConnectionError
    lines = [f"HTTP/1.1 {reply.status} Told", *reply.headers]
    if reply.endless:
        writer.write("\r\n".join([*lines, "", ""]).encode())
        while True:
            writer.write(b"x" * 65536)
            await writer.drain()
    if reply.status != 204:
        lines.append(f"Content-Length: {len(reply.body)}")
    writer.write("\r\n".join([*lines, "", ""]).encode() + reply.body)
    await writer.drain()


@asynccontextmanager
async def receiving(trusted: ssl.SSLContext | None = None) -> AsyncIterator[Receiver]:
    """A receiver that listens."""
    receiver, tasks = Receiver(), set[asyncio.Task[None]]()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        with suppress(asyncio.CancelledError):
            await receiver.serve(reader, writer)
        tasks.discard(task)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=trusted)
    scheme = "http" if trusted is None else "https"
    receiver.url = f"{scheme}://127.0.0.1:{server.sockets[0].getsockname()[1]}/hook"
    try:
        yield receiver
    finally:
        server.close()
        for task in list(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
