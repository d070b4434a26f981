"""Makes the tables and loads files: `python -m fastcrud_site URL organization=FILE …`."""

import asyncio
import json
import sys
from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import insert

from .database import SCHEMA, engine_of
from .models import Base

LOADED = 2_000


async def fill(url: str, files: dict[str, str]) -> None:
    """Make the tables and load the files, which hold JSON by line."""
    engine = engine_of(url)
    async with engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            await connection.exec_driver_sql(f"CREATE SCHEMA {SCHEMA}")
        await connection.run_sync(Base.metadata.create_all)
        for name, file in files.items():
            table = Base.metadata.tables[name]
            for batch in batches_of(table, file):
                await connection.execute(insert(table), batch)
        await connection.exec_driver_sql("ANALYZE")
    await engine.dispose()


def batches_of(table: Any, file: str) -> Iterator[list[dict[str, Any]]]:
    """The rows of a file, some thousands at a time."""
    with Path(file).open() as lines:
        while batch := [typed(table, json.loads(line)) for line in islice(lines, LOADED)]:
            yield batch


def typed(table: Any, row: dict[str, Any]) -> dict[str, Any]:
    """A row of JSON with the types of its columns."""
    readers: dict[Any, Any] = {
        UUID: UUID,
        datetime: datetime.fromisoformat,
        date: date.fromisoformat,
        Decimal: Decimal,
    }
    found = {}
    for column in table.c:
        value = row.get(column.name)
        read = readers.get(column.type.python_type)
        found[column.name] = value if value is None or read is None else read(value)
    return found


if __name__ == "__main__":
    asyncio.run(fill(sys.argv[1], dict(one.split("=", 1) for one in sys.argv[2:])))
