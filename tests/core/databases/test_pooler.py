"""PostgreSQL behind a pooler: in session mode it works, in transaction mode it is refused."""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from app.core.databases.addresses import PostgresAddress
from app.core.databases.pooler import pooled

PROGRAM = shutil.which("pgbouncer", path=f"{os.environ['PATH']}:/usr/sbin")
SECONDS = 10


@contextmanager
def pooler(url: str, mode: str, folder: Path) -> Iterator[str]:
    """PgBouncer before a database, which answers at the address that is given."""
    address = PostgresAddress.read(url)
    ((host, server),) = address.hosts
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
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
    process = subprocess.Popen([PROGRAM, "-q", *user, settings])
    try:
        deadline = time.monotonic() + SECONDS
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                assert time.monotonic() < deadline
                assert process.poll() is None
                time.sleep(0.02)
        yield f"postgresql://{address.user}@127.0.0.1:{port}/{address.database}"
    finally:
        process.terminate()
        process.wait(SECONDS)


@pytest.mark.skipif(PROGRAM is None and "CI" not in os.environ, reason="PgBouncer is missing")
async def test_a_pooler_must_keep_the_connection(fresh_url: str, tmp_path: Path) -> None:
    assert await pooled(fresh_url) is None
    if fresh_url.startswith("sqlite"):
        return
    with pooler(fresh_url, "session", tmp_path) as url:
        assert await pooled(url) is None
    with pooler(fresh_url, "transaction", tmp_path) as url:
        assert "pool_mode = session" in str(await pooled(url))
