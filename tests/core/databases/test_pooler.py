"""PostgreSQL behind a pooler: in session mode it works, in transaction mode it is refused."""

import asyncio
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest

from app.commands import check
from app.commands.backup import run as backup
from app.commands.import_ import Said
from app.commands.import_ import run as imported
from app.commands.migrate import migrate
from app.commands.readiness import unready
from app.commands.reindex import run as reindex
from app.commands.restore import run as restore
from app.commands.seed import run as seed
from app.commands.serve import _pooled_replica
from app.core.databases.addresses import PostgresAddress
from app.core.databases.pooler import pooled
from tests.listening import free_port, installed, listening

PROGRAM = installed("pgbouncer")


@contextmanager
def pooler(url: str, mode: str, folder: Path) -> Iterator[str]:
    """PgBouncer before a database, which answers at the address that is given."""
    address = PostgresAddress.read(url)
    ((host, server),) = address.hosts
    port = free_port()
    login = f"user={address.user}" + (f" password={address.password}" if address.password else "")
    settings = folder / f"{mode}.ini"
    settings.write_text(
        f"[databases]\n{address.database} = host={host} port={server} {login}\n"
        f"[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\n"
        f"auth_type = any\npool_mode = {mode}\n"
    )
    assert PROGRAM is not None
    # It does not run as root; its settings are read before it changes to another user.
    user = ["-u", "nobody"] if os.getuid() == 0 else []
    with listening([PROGRAM, "-q", *user, settings], port):
        yield f"postgresql://{address.user}@127.0.0.1:{port}/{address.database}"


@pytest.mark.skipif(PROGRAM is None and "CI" not in os.environ, reason="PgBouncer is missing")
async def test_a_pooler_must_keep_the_connection(fresh_url: str, tmp_path: Path) -> None:
    assert await pooled(fresh_url) is None
    if fresh_url.startswith("sqlite"):
        return
    with pooler(fresh_url, "session", tmp_path) as url:
        assert await pooled(url) is None
        assert await check.run(url) == []
        assert await migrate(url) is False
    with pooler(fresh_url, "transaction", tmp_path) as url:
        assert "pool_mode = session" in str(await pooled(url))
        assert "DATABASE_READ_URL: What answers at 127.0.0.1" in str(await _pooled_replica(url))
        await refuse_all(url, tmp_path)
    # A replica that is away may come later.
    assert await _pooled_replica(url) is None


async def refuse_all(url: str, folder: Path) -> None:
    """Each command says in a sentence what is wrong, whichever way it goes to the database."""
    (folder / "old.dump").write_bytes(b"PGDMP")
    faults = []
    commands: dict[str, Callable[[], object]] = {
        "backup": partial(backup, url, folder / "new.dump", force=False, portable=False),
        "check": partial(asyncio.run, check.run(url)),
        "import": partial(
            imported, url, people(folder), Said("people"), dry_run=True, lenient=False
        ),
        "migrate": partial(asyncio.run, migrate(url)),
        "reindex": partial(reindex, url),
        "restore": partial(restore, url, folder / "old.dump", force=True),
        "seed": partial(asyncio.run, seed(url)),
        "serve": partial(asyncio.run, unready(url)),
    }
    for name, work in commands.items():
        try:
            told = str(await asyncio.to_thread(work))
        except RuntimeError as error:
            told = str(error)
        if "pool_mode = session" not in told:
            faults.append((name, told))
    assert faults == []


def people(folder: Path) -> Path:
    file = folder / "people.csv"
    file.write_text("full_name\nSomebody\n")
    return file
