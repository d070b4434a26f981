"""A server of the application whose streams and webhooks keep other times than usual.

`python -m tests.webhooks.server URL '{"streams": {…}, "webhooks": {…}}'` prints its address once
it listens, and serves until it is told to stop.
"""

import json
import socket
import sys
from dataclasses import replace
from functools import partial
from typing import Any

from fastapi import FastAPI

from app.core.server.process import Server
from app.core.server.protocol import HttpConfig
from app.core.server.protocol_limits import Limits
from app.main import create_app
from app.settings import Settings


def make(url: str, rules: dict[str, Any]) -> FastAPI:
    """The application with these rules in place of its own."""
    app = create_app(Settings(database_url=url))
    webhooks = {n: tuple(v) if isinstance(v, list) else v for n, v in rules["webhooks"].items()}
    streams = {n: tuple(v) if isinstance(v, list) else v for n, v in rules["streams"].items()}
    app.state.stream_rules = replace(app.state.stream_rules, **streams)
    app.state.webhook_rules = replace(app.state.webhook_rules, **webhooks)
    return app


def main() -> None:
    url, rules = sys.argv[1], json.loads(sys.argv[2])
    with socket.socket() as shared:
        shared.bind(("127.0.0.1", 0))
        shared.listen(100)
        port = shared.getsockname()[1]
        # As the command says it, for whoever started this one.
        print(f"Documentation: http://127.0.0.1:{port}/docs", flush=True)  # noqa: T201
        # Uvicorn takes the factory itself in place of its name.
        factory: Any = partial(make, url, rules)
        config = HttpConfig(factory, Limits(), factory=True, access_log=False, log_config=None)
        Server(config).run([shared])


if __name__ == "__main__":
    main()
