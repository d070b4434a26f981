"""Ends itself as `kill -9` would, after a table in the middle of a migration was made.

`tests.killed_migration URL TABLE`, for `tests.processes`.
"""

import asyncio
import os
import signal
import sys
from typing import Any

from sqlalchemy import Engine, event

from app.commands.migrate import migrate


def main() -> None:
    _, url, table = sys.argv

    def executed(connection: Any, cursor: Any, statement: str, *_: Any) -> None:
        if statement.lstrip().startswith(f"CREATE TABLE {table} "):
            os.kill(os.getpid(), signal.SIGKILL)

    event.listen(Engine, "after_cursor_execute", executed)
    asyncio.run(migrate(url))
