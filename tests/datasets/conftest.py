"""The role by which dashboards read the views."""

from pathlib import Path
from typing import Any

import asyncpg
import pytest

ROLE = Path(__file__).parent.parent.parent / "dashboards" / "role.sql"


@pytest.fixture
async def role(fresh_url: str) -> Any:
    """A connection of the role that docs/operations.md has made for dashboards."""
    if fresh_url.startswith("sqlite"):
        pytest.skip("SQLite has no roles")
    name = f"dashboards_{fresh_url.rpartition('_')[2]}"
    sql = ROLE.read_text().replace(":'password'", "'a password'").replace("dashboards", name)
    url = fresh_url.replace("+asyncpg", "")
    owner = await asyncpg.connect(url)
    try:
        # Twice: so it is also run after an upgrade or a restore.
        await owner.execute(sql)
        await owner.execute(sql)
        await owner.execute("CREATE TABLE of_tomorrow (id INTEGER)")
        reading = await asyncpg.connect(url, user=name, password="a password")
        try:
            yield reading, owner, name
        finally:
            await reading.close()
    finally:
        await owner.execute(f"DROP OWNED BY {name}; DROP ROLE {name}")
        await owner.close()
