"""Applications with settings of a test's own, and keys made for them."""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

from fastapi import FastAPI
from sqlalchemy import update

from app.core.auth.api_keys import ApiKey, NewKey, create_key, new_secret
from app.core.auth.principals import Scope
from app.core.databases.types import now
from app.main import create_app
from app.settings import Settings


@asynccontextmanager
async def opened(url: str, **settings: Any) -> AsyncIterator[FastAPI]:
    """The application on a database, with these settings."""
    app = create_app(Settings(database_url=url, **settings))
    async with app.router.lifespan_context(app):
        yield app


async def key_of(
    app: FastAPI, name: str, scope: Scope = Scope.READ, path: str | None = None
) -> str:
    """A new key."""
    (secret,) = await keys_of(app, [NewKey(name, scope, path)])
    return secret


async def keys_of(app: FastAPI, wanted: Iterable[NewKey]) -> list[str]:
    """New keys, in one transaction."""
    made = [(key, new_secret()) for key in wanted]

    def work(session: Any) -> None:
        for key, secret in made:
            create_key(session, key, "a test", secret)

    await app.state.database.write(work)
    return [secret for _, secret in made]


async def expire(app: FastAPI, name: str) -> None:
    """Let a key have ended a second ago."""
    past = now() - timedelta(seconds=1)
    await app.state.database.write(
        lambda session: session.execute(
            update(ApiKey).where(ApiKey.name == name).values(expires_at=past)
        )
    )
