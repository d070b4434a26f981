"""Fills the search index anew: after a change of the analyser, or when it was damaged."""

import asyncio
from collections.abc import Callable, Iterator

from sqlalchemy import Connection, Text, cast, func, select

from app.core import json_codec
from app.core.databases.expressions import AnyTable
from app.core.loose_types import Fields
from app.engine.query.render import record_json
from app.engine.resource import Resource
from app.engine.search import index

BATCH = 1_000

OnProgress = Callable[[int], None]


def kinds() -> list[Resource]:
    """The kinds of records, each once: companies are organizations."""
    from app.api import RESOURCES

    return [resource for resource in RESOURCES if resource.row_filter is None]


def reindex(connection: Connection, on_progress: OnProgress = lambda count: None) -> None:
    """Index all records in the connection's transaction; `on_progress` is told how many."""
    index.clear(connection)
    for resource in kinds():
        for batch, hidden in _batches(connection, resource):
            index.index_many(connection, resource, batch, hidden)
            on_progress(len(batch))


def _batches(
    connection: Connection, resource: Resource
) -> Iterator[tuple[list[Fields], list[str | None]]]:
    table: AnyTable = resource.table
    last = None
    while True:
        body = cast(record_json(resource), Text)
        statement = select(table.id, body, table.hidden).order_by(table.id)
        after = statement if last is None else statement.where(table.id > last)
        rows = connection.execute(after.limit(BATCH)).all()
        if not rows:
            return
        last = rows[-1][0]
        yield [json_codec.loads_stored(body) for _, body, _ in rows], [row[2] for row in rows]


def count(connection: Connection) -> int:
    """How many records there are, of all kinds."""
    return sum(
        connection.scalar(select(func.count()).select_from(resource.table)) or 0
        for resource in kinds()
    )


def run(url: str) -> str:
    """Index all records with a progress bar; returns what was done, in words."""
    from rich.progress import Progress

    from app.commands.connection import engine_run
    from app.commands.readiness import refuse_unready

    def work(connection: Connection) -> int:
        total = count(connection)
        with Progress() as progress:
            task = progress.add_task("Indexing", total=total)
            reindex(connection, lambda done: progress.advance(task, done))
        return total

    async def all_of_it() -> int:
        await refuse_unready(url)
        return await engine_run(url, work)

    return f"Indexed {asyncio.run(all_of_it())} records."
