"""What is told or refused before the service is left alone with the world."""

import asyncio
import ipaddress
import sys
from collections.abc import Iterator

import typer
from sqlalchemy import make_url

from app.commands.keys import given_key, is_first, make_first
from app.core.database import is_sqlite
from app.settings import Settings

#: Passwords that the examples of databases come with, and that are tried first.
_KNOWN_PASSWORDS = {"", "admin", "changeme", "example", "password", "postgres", "secret"}


def is_loopback(host: str) -> bool:
    """Whether an address to listen on is reached from this machine alone."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def is_plain(settings: Settings, host: str) -> bool:
    """Whether keys and records would cross a network as they are, for all to read on the way."""
    return not (is_loopback(host) or settings.tls_certificate or settings.behind_tls)


def unsafe(settings: Settings, host: str) -> Iterator[str]:
    """What production mode refuses to start with, each with what would be right."""
    if "database_url" not in settings.model_fields_set:
        yield "TRADE_MISSIONS_DATABASE_URL is not set: say where the records are to be kept."
    elif not is_sqlite(settings.database_url):
        address = make_url(settings.database_url)
        known = _KNOWN_PASSWORDS | {(address.username or "").lower()}
        if address.password is not None and str(address.password).lower() in known:
            yield "The database's password is one that everybody tries first: choose another."
    if is_plain(settings, host):
        yield (
            f"{host} is reached from outside, without TLS. Set TRADE_MISSIONS_TLS_CERTIFICATE and"
            " TRADE_MISSIONS_TLS_KEY; or, with a proxy in front that does TLS,"
            " TRADE_MISSIONS_BEHIND_TLS=true."
        )
    for name in ("oidc_issuer", "oidc_jwks_url"):
        told = getattr(settings, name)
        if told and not told.startswith("https://"):
            yield f"TRADE_MISSIONS_{name.upper()} is not https://: its keys could be replaced."
    if not settings.rate_limit:
        yield "TRADE_MISSIONS_RATE_LIMIT is empty: anybody could take all of the service."


def may_start(settings: Settings, host: str) -> bool:
    """Say what is unsafe, and make the first admin key; False when production mode refuses."""
    is_production = settings.mode == "production"
    faults = list(unsafe(settings, host)) if is_production else []
    if is_production and _would_print(settings):
        faults.append(
            "There is no admin key, and one that is printed would stay in the log. Run:"
            " trade-missions keys generate, and give it as TRADE_MISSIONS_ADMIN_KEY or in the"
            " file that TRADE_MISSIONS_ADMIN_KEY_FILE names."
        )
    if faults:
        typer.echo("Production mode does not start like this:", err=True)
        typer.echo("\n".join(f"  * {fault}" for fault in faults), err=True)
        return False
    if is_plain(settings, host):
        typer.echo(
            f"Warning: {host} can be reached from outside, and without TLS keys cross the network"
            " as they are. Put a proxy with TLS in front.",
            err=True,
        )
    made = asyncio.run(make_first(settings))
    if made is not None:
        typer.echo(f"Admin key, shown this once: {made}")
    return True


def _would_print(settings: Settings) -> bool:
    """Whether a new admin key would be printed where nobody sits who reads it."""
    if given_key(settings) is not None or sys.stdout.isatty():
        return False
    return asyncio.run(is_first(settings.database_url))
