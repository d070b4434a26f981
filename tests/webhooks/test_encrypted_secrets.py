"""Secrets of webhooks are encrypted in the database with keys that it does not hold."""

import asyncio
import base64
import os
from functools import partial
from typing import Any

import pytest
from sqlalchemy import Connection, select

from app.commands import check
from app.commands.backup import backup
from app.commands.connection import engine_run
from app.commands.encrypt import run as encrypt
from app.commands.migrate import downgrade, migrate
from app.commands.serve import serve
from app.core.encryption import Encryption, Undecryptable, read_keys
from app.settings import Settings, settings
from app.webhooks.tables import Webhook
from tests.webhooks.hooks import create, deliveries, hooked, shown
from tests.webhooks.receiver import receiving
from tests.webhooks.servers import add_person

SETTING = "TRADE_MISSIONS_SECRET_KEYS"
OLD, NEW = (base64.b64encode(os.urandom(32)).decode() for _ in range(2))


def by(*keys: str) -> Encryption:
    return Encryption(read_keys(",".join(keys)))


async def stored(url: str) -> list[Any]:
    """The columns of secrets, oldest webhook first."""

    def work(connection: Connection) -> list[Any]:
        columns = (Webhook.name, Webhook.secret, Webhook.previous_secret)
        return list(connection.execute(select(*columns).order_by(Webhook.id)))

    return await engine_run(url, work)


def test_keys_are_32_bytes_in_either_alphabet_of_base64() -> None:
    raw = b"\xfb\xff" * 16
    first, second = base64.b64encode(raw).decode(), base64.urlsafe_b64encode(raw).decode()
    assert read_keys(f" {first} ,{second},") == (second, second)
    assert read_keys(" ") == ()
    for wrong in ("geheim", first[:-4], f"{first},geheim", "é" * 44, "=" * 44):
        with pytest.raises(ValueError, match="32 random bytes in base64") as error:
            read_keys(wrong)
        assert "geheim" not in str(error.value)
    assert OLD not in repr(Settings(secret_keys=OLD)) + repr(by(OLD))


def test_the_first_key_writes_and_each_reads() -> None:
    text = by(OLD).encrypt("whsec_x")
    assert "whsec_x" not in text
    assert by(NEW, OLD).decrypt(text) == "whsec_x"
    assert by(OLD).decrypt(by(OLD, NEW).encrypt("whsec_x")) == "whsec_x"
    assert (by().encrypt("whsec_x"), by(OLD).decrypt("whsec_x")) == ("whsec_x", "whsec_x")
    for keys in ((), (NEW,)):
        with pytest.raises(Undecryptable):
            by(*keys).decrypt(text)
    currents = [by(OLD, NEW), by(OLD), by(NEW, OLD), by()]
    assert [keys.is_current(text) for keys in currents] == [True, True, False, False]


async def test_messages_are_signed_by_secrets_of_before_and_after_encryption(
    fresh_url: str,
) -> None:
    async with receiving() as receiver, hooked(fresh_url) as client:
        plain = await create(client, receiver.url)
        assert (await stored(fresh_url))[0].secret == plain["secret"]
    async with receiving() as receiver, hooked(fresh_url, encryption=by(OLD)) as client:
        await client.patch(f"/webhooks/{plain['id']}", json={"url": receiver.url})
        made = await create(client, receiver.url)
        turned = (await client.post(f"/webhooks/{made['id']}/secret")).json()["secret"]
        assert turned.startswith("whsec_")
        await add_person(client, "Somebody")
        await receiver.until(2)
        signatures = {
            len(message.headers["webhook-signature"].split()) for message in receiver.messages
        }
        assert signatures == {1, 2}
        for message in receiver.messages:
            both = len(message.headers["webhook-signature"].split()) == 2
            for secret in (made["secret"], turned) if both else (plain["secret"],):
                assert message.verified(secret)
    columns = [text for row in await stored(fresh_url) for text in row[1:] if text]
    assert [text[:7] for text in columns] == ["whsec_" + columns[0][6], "fernet:", "fernet:"]
    # The key is changed: the new one first, then the old one is taken away.
    told = await asyncio.to_thread(encrypt, fresh_url, by(NEW, OLD), lost=False)
    assert told == "Webhooks whose secrets were changed: 2."
    told = await asyncio.to_thread(encrypt, fresh_url, by(NEW, OLD), lost=False)
    assert told == "There was nothing to change."
    columns = [by(NEW).decrypt(text) for row in await stored(fresh_url) for text in row[1:] if text]
    assert columns == [plain["secret"], turned, made["secret"]]


async def test_a_missing_key_is_told_in_a_sentence_wherever_it_is_needed(
    fresh_url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    monkeypatch.setattr("app.commands.serve.configure_logs", lambda form: None)
    async with receiving() as receiver, hooked(fresh_url, encryption=by(OLD)) as client:
        await create(client, receiver.url)
    if fresh_url.startswith("sqlite"):
        told = str(await backup(fresh_url, tmp_path / "backup"))
        assert told.endswith(f"encrypted: keep {SETTING} too, elsewhere.")
    monkeypatch.setenv(SETTING, "")
    settings.cache_clear()
    (fault,) = await check.run(fresh_url)
    settings.cache_clear()
    sentence = f"The secret of 1 webhook is encrypted, and {SETTING}"
    assert fault.startswith(f"{sentence} is not set: set it to what")
    found = Settings(database_url=fresh_url, secret_keys=NEW, port=0)
    for work in (
        partial(serve, found, prepare=False),
        partial(encrypt, fresh_url, by(NEW), lost=False),
    ):
        with pytest.raises(RuntimeError, match=f"{sentence} holds other keys: set it to what"):
            await asyncio.to_thread(work)
    with pytest.raises(RuntimeError, match=f"{SETTING} is not set: there is nothing to encrypt"):
        await asyncio.to_thread(encrypt, fresh_url, by(), lost=False)


async def test_webhooks_are_kept_by_the_migration_and_not_taken_back_encrypted(
    fresh_url: str,
) -> None:
    async with hooked(fresh_url) as client:
        made = await create(client, "https://register.invalid/hook")
        await client.post(f"/webhooks/{made['id']}/secret")
    before = await stored(fresh_url)
    await downgrade(fresh_url, "20261129_epoch")
    assert await stored(fresh_url) == before
    assert await migrate(fresh_url) is True
    assert await stored(fresh_url) == before
    await asyncio.to_thread(encrypt, fresh_url, by(OLD), lost=False)
    with pytest.raises(RuntimeError, match="are encrypted, which the older version cannot read"):
        await downgrade(fresh_url, "20261129_epoch")
    assert [by(OLD).decrypt(text) for text in (await stored(fresh_url))[0][1:]] == [*before[0][1:]]


async def test_a_process_without_the_key_sends_nothing_and_disables_nothing(
    fresh_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with receiving() as receiver, hooked(fresh_url) as client:
        webhook = await create(client, receiver.url)
        await asyncio.to_thread(encrypt, fresh_url, by(OLD), lost=False)
        await add_person(client, "Somebody")
        for _ in range(100):
            if "waits for its secret" in caplog.text:
                break
            await asyncio.sleep(0.02)
        assert "waits for its secret: It is encrypted, and no key is set." in caplog.text
        assert (await shown(client, webhook))["enabled"] is True
        assert {each["attempts"] for each in await deliveries(client, webhook)} == {0}
        assert receiver.messages == []
        # Where the key is lost for good, the webhook is given another secret by hand.
        told = await asyncio.to_thread(encrypt, fresh_url, by(), lost=True)
        assert told == "Webhooks whose secrets were changed: 1."
        found = await shown(client, webhook)
        assert (found["enabled"], "key that is lost" in found["disabled_reason"]) == (False, True)
