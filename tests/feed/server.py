"""A server of the application whose streams and webhooks keep other times than usual.

`python -m tests.feed.server URL '{"streams": {…}, "webhooks": {…}}'` prints its port once it
listens, and serves until it is told to stop.
"""

import json
import socket
import sys
from dataclasses import replace
from functools import partial
from typing import Any

from fastapi import FastAPI

from app.core.server.limits import Limits
from app.core.server.process import Server
from app.core.server.protocol import HttpConfig
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


def main(url: str, rules: dict[str, Any]) -> None:
    with socket.socket() as shared:
        shared.bind(("127.0.0.1", 0))
        shared.listen(100)
        print(shared.getsockname()[1], flush=True)  # noqa: T201 (it is read by who started us)
        # Uvicorn takes the factory itself in place of its name.
        factory: Any = partial(make, url, rules)
        config = HttpConfig(factory, Limits(), factory=True, access_log=False, log_config=None)
        Server(config).run([shared])


if __name__ == "__main__":
    main(sys.argv[1], json.loads(sys.argv[2]))
