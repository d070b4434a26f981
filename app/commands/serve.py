"""Starts the server, after preparing the database when asked to."""

import asyncio
import os
import signal
import sys

import typer
import uvicorn

from app.commands.check import unready
from app.commands.migrate import migrate
from app.commands.seed import run as seed
from app.settings import Settings


def serve(
    settings: Settings,
    *,
    host: str | None,
    port: int | None,
    workers: int | None,
    prepare: bool,
) -> int:
    """Serve until told to stop; returns the exit status, 1 when the database is not ready."""
    host, port = host or settings.host, settings.port if port is None else port
    if prepare:
        asyncio.run(_prepare(settings.database_url))
    reason = asyncio.run(unready(settings.database_url))
    if reason is not None:
        typer.echo(reason, err=True)
        return 1
    shown = "127.0.0.1" if host in ("0.0.0.0", "::") else host  # noqa: S104 (only shown)
    typer.echo(f"Documentation: http://{shown}:{port}/docs")
    # Worker processes read the settings anew; they find the ones that were given here.
    os.environ.update(TRADE_MISSIONS_HOST=host, TRADE_MISSIONS_PORT=str(port))
    # Uvicorn stops well and then sends itself the signal again; that is no failure.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    uvicorn.run(
        "app.main:create_app",
        factory=True,
        host=host,
        port=port,
        workers=workers or settings.workers,
        access_log=False,
        log_level="warning",
        server_header=False,
        timeout_graceful_shutdown=30,
    )
    return 0


async def _prepare(url: str) -> None:
    if await migrate(url):
        typer.echo("The database was migrated.")
    typer.echo(await seed(url))
