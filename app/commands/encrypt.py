"""Encrypts the secrets of webhooks that are stored, and says what is needed to read them."""

import asyncio

from sqlalchemy import Connection

from app.commands.connection import engine_run
from app.commands.readiness import refuse_unready
from app.core.encryption import Encryption
from app.settings import encryption_of, settings
from app.webhooks.encrypted_secrets import SETTING, encrypt_secrets, secret_faults


def run(url: str, encryption: Encryption, *, lost: bool) -> str:
    """Encrypt all secrets with the first key and tell how many there were to encrypt."""
    if not (encryption.keys or lost):
        raise RuntimeError(f"{SETTING} is not set: there is nothing to encrypt with.")

    async def encrypted() -> int:
        await refuse_unready(url)
        return await engine_run(url, lambda on: encrypt_secrets(on, encryption, lost=lost))

    count = asyncio.run(encrypted())
    return (
        f"Webhooks whose secrets were changed: {count}."
        if count
        else "There was nothing to change."
    )


def unreadable(connection: Connection) -> list[str]:
    """What keeps this process from reading the secrets, by its settings."""
    return secret_faults(connection, encryption_of(settings()))
