"""The service as clients of OData reach it: by an address."""

import asyncio
import socket
from collections.abc import AsyncIterator

import pytest
import uvicorn
from fastapi import FastAPI


@pytest.fixture
async def root(shared_app: FastAPI) -> AsyncIterator[str]:
    """The address of OData, served by this process."""
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    config = uvicorn.Config(shared_app, lifespan="off", log_level="error")
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve(sockets=[listening]))
    yield f"http://127.0.0.1:{listening.getsockname()[1]}/odata/"
    server.should_exit = True
    await serving
    listening.close()
