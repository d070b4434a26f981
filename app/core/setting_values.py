"""What values of settings have to be like: each returns the value, or says what is needed."""

import re
from ipaddress import ip_address, ip_network
from urllib.parse import urlsplit

from pydantic import SecretStr

from app.core.encryption import read_keys

PROXIES = "addresses or networks (10.0.0.0/8), separated by commas, or * alone,"
ROOT_PATH = "a path such as /trade, of letters, digits and -._~,"
ORIGIN = "an origin like https://example.org, without a path, or * for all"


def database_address(text: str) -> str:
    """The address of a database; ValueError, in a sentence, where there can be none at it."""
    from app.core.databases.addresses import PostgresAddress, is_sqlite, sqlite_path

    if is_sqlite(text):
        sqlite_path(text)
    else:
        PostgresAddress.read(text)
    return text


def secret_keys(text: SecretStr) -> SecretStr:
    """Keys to encrypt with."""
    read_keys(text.get_secret_value())
    return text


def web_address(text: str) -> str:
    """An address of HTTP."""
    if not _is_web(text):
        raise ValueError("an address that begins with https:// or http://")
    return text


def origin(text: str) -> str:
    """An origin as browsers send it (RFC 6454, 7), or `*`."""
    parts = text.split("://")
    if text != "*" and not (_is_web(text) and len(parts) == 2 and parts[1].isascii()):
        raise ValueError(ORIGIN)
    if text != "*" and any(mark in parts[1] for mark in "/?#@"):
        raise ValueError(ORIGIN)
    return text


def _is_web(text: str) -> bool:
    try:
        address = urlsplit(text)
        # Reading the port judges it.
        return address.scheme in ("http", "https") and bool(address.hostname) and address.port != 0
    except ValueError:
        return False


def proxies(text: str) -> str:
    """Addresses and networks, as uvicorn reads them: others it would take for names of nobody."""
    if text.strip() == "*":
        return "*"
    items = [item.strip() for item in text.split(",") if item.strip()]
    for item in items:
        try:
            ip_network(item) if "/" in item else ip_address(item)
        except ValueError:
            raise ValueError(PROXIES) from None
    return ",".join(items)


def root_path(text: str) -> str:
    """A path without its last slash, or nothing."""
    path = text.rstrip("/")
    if path and not re.fullmatch(r"(/(?!\.{1,2}(/|$))[A-Za-z0-9._~-]+)+", path):
        raise ValueError(ROOT_PATH)
    return path
