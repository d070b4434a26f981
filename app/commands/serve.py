"""Starts the server, after preparing the database when asked to."""

import asyncio
import gc
import os
import socket
from functools import partial

import typer
from sqlalchemy.exc import DBAPIError

from app.commands.readiness import lacking, unready
from app.commands.safety import has_admin_key, may_start, warn_of_plain
from app.commands.snapshot import snapshot_run
from app.core.databases.addresses import is_sqlite
from app.core.databases.diagnosis import DatabaseUnusable
from app.core.observability.logs import LogFormat, configure_logs
from app.core.observability.worker_metrics import shared_metrics
from app.core.server.process import Server
from app.core.server.protocol import HttpConfig
from app.core.server.protocol_limits import MAX_UNSENT_BYTES, Limits
from app.core.server.workers import FORKS, Workers, sockets_of
from app.settings import Settings, encryption_of, variable
from app.webhooks.encrypted_secrets import secret_faults

#: How often preparing is tried while another process prepares the same database.
TRIES = 5
#: The exit status of settings that cannot be worked with.
INVALID = 2
#: How many connections wait to be accepted, as uvicorn has it.
BACKLOG = 2048


def serve(settings: Settings, *, prepare: bool) -> int:
    """Serve until told to stop; returns the exit status: 1 when requests under way took longer than
    the stop may, 2 when the settings are wrong, which is found out before anything is made or
    changed. RuntimeError, in a sentence, where the database is not ready."""
    configure_logs(LogFormat(settings.log_format))
    if not may_start(settings):
        return INVALID
    if settings.telemetry_endpoint:
        # Said before anything is served, where the packages that it takes are missing.
        import app.core.observability.tracing  # noqa: F401
    with _bound(settings.host, settings.port) as shared:
        warn_of_plain(settings)
        if prepare:
            asyncio.run(_prepare(settings.database_url))
        reason = asyncio.run(unready(settings.database_url))
        reason = reason or asyncio.run(lacking(settings.database_url))
        reason = reason or asyncio.run(_pooled_replica(settings.database_read_url))
        reason = reason or asyncio.run(_undecryptable(settings))
        if reason is not None:
            raise RuntimeError(reason)
        _warn_of_locale(settings.database_url)
        if not has_admin_key(settings):
            return INVALID
        sockets = sockets_of(shared, settings.workers)
        for each in sockets:
            _listen(each)
        return _run(settings, sockets)


def _run(settings: Settings, sockets: list[socket.socket]) -> int:
    """Serve at the address that listens; returns the exit status."""
    host, port = settings.host, sockets[0].getsockname()[1]
    # Worker processes read the settings anew; they find the ones that were given here.
    os.environ.update(TRADE_MISSIONS_HOST=host, TRADE_MISSIONS_PORT=str(port))
    _allow_connections(settings.max_connections)
    shown = "127.0.0.1" if host in ("0.0.0.0", "::") else host  # noqa: S104 (only shown)
    scheme = "https" if settings.tls_certificate else "http"
    typer.echo(f"Documentation: {scheme}://{_bracketed(shown)}:{port}/docs")
    make = partial(_configure, settings)
    if settings.workers > 1:
        if FORKS:
            # Once for all: the worker processes are copies of this one.
            import app.main  # noqa: F401
            from app.api import routes

            routes()
            # A collection in one of them would write to what all of them share.
            gc.freeze()
        with shared_metrics(settings.workers):
            return Workers(make, sockets).run(settings.stop_seconds)
    Server(make()).run(sockets)
    return 0


def _bound(host: str, port: int) -> socket.socket:
    """The address, taken before anything else is done for it; RuntimeError when it is taken."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        bound = socket.socket(family, kind, protocol)
    except OSError as error:
        raise RuntimeError(_unbound(host, port, error.strerror or str(error))) from None
    except UnicodeError:
        raise RuntimeError(_unbound(host, port, "no host has such a name")) from None
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if host == "::" and hasattr(socket, "IPV6_V6ONLY"):
            bound.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        bound.bind(address)
    except OSError as error:
        bound.close()
        raise RuntimeError(_unbound(host, port, error.strerror or str(error))) from None
    return bound


def _unbound(host: str, port: int, reason: str) -> str:
    return f"Cannot listen on {_bracketed(host)}:{port}: {reason}."


def _listen(bound: socket.socket) -> None:
    """Take connections; RuntimeError where another process was quicker, which had bound it too."""
    # The connections that are taken have it from here. Windows does not know it.
    if hasattr(socket, "TCP_NOTSENT_LOWAT"):
        bound.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, MAX_UNSENT_BYTES)
    try:
        bound.listen(BACKLOG)
    except OSError as error:
        reason = error.strerror or str(error)
        host, port = bound.getsockname()[:2]
        raise RuntimeError(_unbound(host, port, reason)) from None


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _configure(settings: Settings) -> HttpConfig:
    """What uvicorn is told, made anew in each process."""
    return HttpConfig(
        "app.main:create_app",
        Limits(
            connections=settings.max_connections,
            proxies=settings.trusted_proxies,
            head_seconds=settings.head_seconds,
            body_seconds=settings.body_seconds,
            answer_seconds=settings.answer_seconds,
            stop_seconds=settings.stop_seconds,
        ),
        factory=True,
        access_log=False,
        # How lines are written is said for the whole process, by configure_logs.
        log_config=None,
        log_level="warning",
        server_header=False,
        root_path=settings.root_path,
        proxy_headers=bool(settings.trusted_proxies),
        forwarded_allow_ips=settings.trusted_proxies,
        # Longer than most clients and proxies keep theirs: who closes first risks that the other
        # is sending just then.
        timeout_keep_alive=75,
        timeout_graceful_shutdown=settings.stop_seconds,
        ssl_certfile=settings.tls_certificate,
        ssl_keyfile=settings.tls_key,
    )


def _allow_connections(count: int) -> None:
    """Raise the number of files that a process may open, where it would be too low."""
    try:
        import resource
    except ImportError:  # Windows, which has no such number.
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = count + 400
    if soft < wanted:
        highest = wanted if hard == resource.RLIM_INFINITY else min(hard, wanted)
        resource.setrlimit(resource.RLIMIT_NOFILE, (highest, hard))


async def _pooled_replica(url: str | None) -> str | None:
    """Why the replica cannot be read from through its pooler; one that is away may come later."""
    if url is None:
        return None
    from app.core.databases.pooler import pooled
    from app.core.databases.postgresql_errors import GONE

    try:
        reason = await pooled(url)
    except (*GONE, DatabaseUnusable):
        return None
    return reason and f"{variable('database_read_url')}: {reason}"


async def _undecryptable(settings: Settings) -> str | None:
    """Which keys are missing to read the secrets that are stored, and what to do; None without."""
    encryption = encryption_of(settings)
    faults = await snapshot_run(settings.database_url, lambda on: secret_faults(on, encryption))
    return faults[0] if faults else None


def _warn_of_locale(url: str) -> None:
    if not is_sqlite(url):
        from app.commands.locales import locale_faults

        for fault in asyncio.run(snapshot_run(url, locale_faults)):
            typer.echo(f"Warning: {fault}", err=True)


async def _prepare(url: str) -> None:
    """Migrate and seed. Another process may do the same just now: PostgreSQL then refuses one of
    the two what the other has done, and looking again finds it done."""
    # Not for a server that only serves: both take a while to load.
    from app.commands.migrate import migrate
    from app.commands.seed import run as seed

    for left in reversed(range(TRIES)):
        try:
            if await migrate(url):
                typer.echo("The database was migrated.")
            typer.echo(await seed(url))
            return
        except DBAPIError:
            if not left:
                raise
            await asyncio.sleep(1)
