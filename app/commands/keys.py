"""Makes, lists and revokes API keys; makes the first one when there is none."""

from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import Connection, inspect, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from app import api
from app.admin.api_key import ApiKeyFields
from app.admin.bound_address import check_bound_address
from app.commands.connection import engine_run
from app.commands.readiness import find_revision, refuse_unready
from app.commands.snapshot import snapshot_run
from app.core.auth.api_keys import (
    ApiKey,
    NewKey,
    create_key,
    find_key,
    has_admin,
    is_key,
    new_secret,
    revoke_key,
)
from app.core.auth.key_names import looks_of
from app.core.auth.principals import Scope
from app.core.databases.interface import SESSION_OPTIONS
from app.core.databases.types import now
from app.core.errors import Conflict
from app.core.validation import validate
from app.settings import Settings

#: Who makes keys by these commands, as the list of keys names them.
HERE = "command line"
FIRST = "admin"


async def create(
    url: str, name: str, scope: Scope, path: str | None = None, days: int | None = None
) -> str:
    """Store a new key and return it; this is the only time that it can be seen. Invalid (422) for
    what the API would not take either."""
    await refuse_unready(url)
    secret = new_secret()
    given = {"name": name, "scope": scope, "path": path, "expires_at": _in_days(days)}
    fields = validate(ApiKeyFields, given)
    assert isinstance(fields, ApiKeyFields)
    wanted = NewKey(fields.name, fields.scope, fields.path, fields.expires_at)

    def work(connection: Connection) -> None:
        with Session(connection, **SESSION_OPTIONS) as session:
            if wanted.path is not None:
                check_bound_address(session, api.routes(), wanted.path)
            create_key(session, wanted, HERE, secret)

    await engine_run(url, work)
    return secret


def _in_days(days: int | None) -> datetime | None:
    try:
        return None if days is None else now() + timedelta(days=days)
    except OverflowError:
        raise ValueError(f"In {days} days there is no calendar any more; leave them out.") from None


async def listed(url: str) -> list[ApiKey]:
    """All keys, the oldest first."""
    await refuse_unready(url)

    def work(connection: Connection) -> list[ApiKey]:
        with Session(connection, **SESSION_OPTIONS) as session:
            found = list(session.scalars(select(ApiKey).order_by(ApiKey.id)))
            session.expunge_all()
            return found

    return await engine_run(url, work)


async def revoke(url: str, key: str) -> str:
    """Revoke the key with this id, prefix or name; returns its name."""
    await refuse_unready(url)

    def work(connection: Connection) -> str:
        with Session(connection, **SESSION_OPTIONS) as session:
            found = find_key(session, key)
            revoke_key(session, found, HERE)
            return found.name

    return await engine_run(url, work)


async def make_first(settings: Settings) -> str | None:
    """See to it that there is an admin key: the one of the settings, or a new one, which is
    returned to be shown once. None when there was one, or when it is the settings'."""
    given = given_key(settings)
    secret = given or new_secret()

    def work(connection: Connection) -> bool:
        with Session(connection, **SESSION_OPTIONS) as session:
            # The name is read first: of two processes that find no admin, the second takes a name
            # that the first has taken, and is refused it.
            name = _free(session)
            if has_admin(session):
                return False
            create_key(session, NewKey(name, Scope.ADMIN), HERE, secret)
            return True

    try:
        made = await engine_run(settings.database_url, work)
    except Conflict:
        # Another process was quicker; or the settings' key is one that admits nobody any more.
        made = False
        if await is_first(settings.database_url):
            text = "The admin key of the settings was revoked, has expired or is no admin's: give"
            raise ValueError(f"{text} another. Run: trade-missions keys generate") from None
    return secret if made and given is None else None


async def is_first(url: str) -> bool:
    """Whether no admin key is there yet."""

    def work(connection: Connection) -> bool:
        with Session(connection, **SESSION_OPTIONS) as session:
            return not has_admin(session)

    return await engine_run(url, work)


async def lacks_admin(url: str) -> bool:
    """Whether a database, which need not be there or migrated, is known to have no admin key."""
    try:
        if await find_revision(url) is None:
            return True
        return await snapshot_run(url, _lacks_admin)
    except (RuntimeError, DBAPIError):
        # Of what is out of reach, or of another version, it is known later or never.
        return False


def _lacks_admin(connection: Connection) -> bool:
    if not inspect(connection).has_table(ApiKey.__tablename__):
        return True
    with Session(connection, **SESSION_OPTIONS) as session:
        return not has_admin(session)


def given_key(settings: Settings) -> str | None:
    """The admin key that the settings or their file give; ValueError when it is none."""
    if settings.admin_key is not None:
        key, where = settings.admin_key.get_secret_value(), "TRADE_MISSIONS_ADMIN_KEY"
    elif settings.admin_key_file is not None:
        key, where = (
            _content(settings.admin_key_file),
            f"TRADE_MISSIONS_ADMIN_KEY_FILE: {settings.admin_key_file}",
        )
    else:
        return None
    key = key.strip()
    if not is_key(key):
        raise ValueError(f"{where} holds no key. Run: trade-missions keys generate")
    return key


def _content(file: Path) -> str:
    try:
        return file.read_text()
    except OSError as error:
        reason = error.strerror or str(error)
        raise ValueError(f"TRADE_MISSIONS_ADMIN_KEY_FILE: {file}: {reason}.") from None
    except UnicodeDecodeError:
        return ""


def _free(session: Session) -> str:
    """A name that no key was given before: `admin`, or `admin 2` after all admins were revoked."""
    names = {looks_of(name) for name in session.scalars(select(ApiKey.name))}
    return next(
        name
        for name in (FIRST, *(f"{FIRST} {n}" for n in range(2, len(names) + 3)))
        if looks_of(name) not in names
    )


def table_of(found: list[ApiKey]) -> str:
    """The keys as text, a line each."""
    rows = [("prefix", "name", "scope", "path", "last used", "state")]
    for key in found:
        used = key.last_used_at.strftime("%Y-%m-%d %H:%M") if key.last_used_at else "never"
        rows.append((key.prefix, key.name, key.scope, key.path or "", used, _state(key)))
    widths = [max(len(row[at]) for row in rows) for at in range(len(rows[0]))]
    lines = (
        "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    )
    return "\n".join(lines)


def _state(key: ApiKey) -> str:
    if key.revoked_at is not None:
        return f"revoked {key.revoked_at:%Y-%m-%d}"
    if key.expires_at is None:
        return "in use"
    word = "expired" if key.expires_at <= now() else "expires"
    return f"{word} {key.expires_at:%Y-%m-%d}"
