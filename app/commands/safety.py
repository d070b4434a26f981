"""What is told or refused before the service is left alone with the world."""

import asyncio
import ipaddress
import re
import sys
from collections.abc import Iterator

import typer

from app.commands.certificate import certificate_faults
from app.commands.keys import given_key, lacks_admin, make_first
from app.core.databases.addresses import PostgresAddress, is_sqlite
from app.settings import Settings

#: Passwords that the examples of databases come with, and that are tried first.
_KNOWN_PASSWORDS = {"admin", "changeme", "example", "password", "postgres", "secret"}
_NO_ADMIN = (
    "There is no admin key, and one that is printed would stay in the log. Run:"
    " trade-missions keys generate, and give it as TRADE_MISSIONS_ADMIN_KEY or in the"
    " file that TRADE_MISSIONS_ADMIN_KEY_FILE names."
)


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
    elif not is_sqlite(settings.database_url) and _is_guessed(settings.database_url):
        yield "The database's password is one that everybody tries first: choose another."
    if is_plain(settings, host):
        yield (
            f"{host} is reached from outside, without TLS. Set TRADE_MISSIONS_TLS_CERTIFICATE and"
            " TRADE_MISSIONS_TLS_KEY; or, with a proxy in front that does TLS,"
            " TRADE_MISSIONS_BEHIND_TLS=true."
        )
    for name in ("oidc_issuer", "oidc_jwks_url"):
        address = getattr(settings, name)
        if address and not address.startswith("https://"):
            yield f"TRADE_MISSIONS_{name.upper()} is not https://: its keys could be replaced."
    if everybody := _believed_from_everywhere(settings.trusted_proxies):
        yield (
            f"TRADE_MISSIONS_TRUSTED_PROXIES={everybody} believes anybody who says to be somebody"
            " else: name the addresses or networks of your proxies."
        )
    if not settings.rate_limit:
        yield "TRADE_MISSIONS_RATE_LIMIT is empty: anybody could take all of the service."


def _believed_from_everywhere(proxies: str) -> str | None:
    """The first of the trusted proxies that means any address there is, or half of them."""
    for item in proxies.split(","):
        proxy = item.strip()
        if proxy == "*" or (proxy and ipaddress.ip_network(proxy, strict=False).prefixlen < 2):
            return proxy
    return None


def _is_guessed(url: str) -> bool:
    """Whether an address of PostgreSQL has a password, perhaps an empty one, that is no secret."""
    address = PostgresAddress.read(url)
    if address.password is None:
        return re.search("://[^/?@]*:@", url) is not None
    return address.password.lower() in _KNOWN_PASSWORDS | {(address.user or "").lower()}


def may_start(settings: Settings) -> bool:
    """Say what is wrong or unsafe before anything is made or changed; False when that is so."""
    unusable = list(_unusable(settings))
    refused = list(_refused(settings)) if settings.mode == "production" else []
    for fault in unusable:
        typer.echo(fault, err=True)
    if refused:
        typer.echo("Production mode does not start like this:", err=True)
        typer.echo("\n".join(f"  * {fault}" for fault in refused), err=True)
    return not unusable and not refused


def warn_of_plain(settings: Settings) -> None:
    """Say so where keys and records cross a network as they are."""
    if is_plain(settings, settings.host):
        typer.echo(
            f"Warning: {settings.host} can be reached from outside, and without TLS keys cross the"
            " network as they are. Put a proxy with TLS in front.",
            err=True,
        )


def _unusable(settings: Settings) -> Iterator[str]:
    """What is wrong with the files that the settings name."""
    yield from certificate_faults(settings.tls_certificate, settings.tls_key)
    try:
        given_key(settings)
    except ValueError as error:
        yield str(error)


def _refused(settings: Settings) -> Iterator[str]:
    yield from unsafe(settings, settings.host)
    if _would_print(settings):
        yield _NO_ADMIN


def has_admin_key(settings: Settings) -> bool:
    """See to it that a migrated database has an admin key; False where a new one would have to be
    printed and production mode refuses it."""
    if settings.mode == "production" and _would_print(settings):
        typer.echo(_NO_ADMIN, err=True)
        return False
    made = asyncio.run(make_first(settings))
    if made is not None:
        typer.echo(f"Admin key, shown this once: {made}")
    return True


def _would_print(settings: Settings) -> bool:
    """Whether a new admin key would be printed where nobody sits who reads it."""
    if settings.admin_key or settings.admin_key_file or sys.stdout.isatty():
        return False
    return asyncio.run(lacks_admin(settings.database_url))
