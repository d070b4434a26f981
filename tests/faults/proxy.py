"""A way to a PostgreSQL server that loses the answer to a COMMIT, or the COMMIT itself."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from enum import Enum, auto


class Loss(Enum):
    """What of a COMMIT is lost; the connection is cut then."""

    NOTHING = auto()
    QUESTION = auto()
    ANSWER = auto()


class Proxy:
    """Hands on what comes, until it sees a COMMIT that it is to lose; it loses one."""

    def __init__(self, port: int) -> None:
        self.to, self.port = port, 0
        self.loses = Loss.NOTHING

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection."""
        there, back = await asyncio.open_connection("127.0.0.1", self.to)
        ways = asyncio.gather(self._ask(reader, there, back, writer), _pour(there, writer))
        with suppress(ConnectionError, asyncio.CancelledError):
            await ways
        for end in (writer, back):
            end.transport.abort()

    async def _ask(
        self,
        reader: asyncio.StreamReader,
        there: asyncio.StreamReader,
        back: asyncio.StreamWriter,
        writer: asyncio.StreamWriter,
    ) -> None:
        while data := await reader.read(65536):
            if b"COMMIT" in data and self.loses is not Loss.NOTHING:
                lost, self.loses = self.loses, Loss.NOTHING
                writer.transport.abort()
                if lost is Loss.ANSWER:
                    back.write(data)
                    await back.drain()
                    # The server ends the connection when it finds it half closed, having done
                    # what it was asked.
                    back.write_eof()
                    await asyncio.sleep(0.2)
                raise ConnectionError
            back.write(data)
            await back.drain()
        raise ConnectionError


async def _pour(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    while data := await source.read(65536):
        target.write(data)
        await target.drain()
    raise ConnectionError


@asynccontextmanager
async def proxy_to(port: int) -> AsyncIterator[Proxy]:
    """A proxy to a port of this machine, on a port of its own."""
    proxy = Proxy(port)
    server = await asyncio.start_server(proxy.serve, "127.0.0.1", 0)
    proxy.port = server.sockets[0].getsockname()[1]
    try:
        yield proxy
    finally:
        server.close()
