"""The public keys of an OpenID Connect issuer (RFC 7517), asked for when they are needed."""

import asyncio
import logging
import time
from contextlib import suppress

import httpx
import orjson
from joserfc.jwk import JWKRegistry, Key, KeySet

from app.core.errors import Unavailable
from app.core.loose_types import JsonValue

log = logging.getLogger("trade_missions.access")

#: For how many seconds keys are used before they are asked for again; how many lie between two
#: questions while some are known, as each token with an unknown key makes us ask; and how many
#: while none are.
KEYS_TTL_SECONDS, REFETCH_SECONDS, RETRY_SECONDS = 600.0, 10.0, 1.0
#: How many seconds the issuer has for its answers, and how many bytes one of them may have.
FETCH_TIMEOUT_SECONDS, MAX_KEYS_BYTES = 5.0, 1024 * 1024

_NEVER = float("-inf")


class IssuerKeys:
    """The keys of an issuer: at its `jwks_url`, or where its configuration says that they are
    (OpenID Connect Discovery 1.0)."""

    def __init__(self, issuer: str, jwks_url: str | None) -> None:
        self._issuer, self._url = issuer.rstrip("/"), jwks_url
        self._keys: KeySet | None = None
        self._read_at = self._asked_at = _NEVER
        self._asking = asyncio.Lock()

    async def get(self, anew: bool = False) -> KeySet:
        """The keys, with `anew` those of this moment; Unavailable (503) while none are known.

        Known keys go on being good while the issuer is away.
        """
        if (
            not anew
            and self._keys is not None
            and time.monotonic() - self._read_at < KEYS_TTL_SECONDS
        ):
            return self._keys
        async with self._asking:
            now = time.monotonic()
            is_due = anew or self._keys is None or now - self._read_at >= KEYS_TTL_SECONDS
            if is_due and now - self._asked_at >= (
                RETRY_SECONDS if self._keys is None else REFETCH_SECONDS
            ):
                await self._ask()
        if self._keys is None:
            text = "The issuer of tokens cannot be asked for its keys. Try again shortly."
            raise Unavailable(text, headers={"Retry-After": "10"})
        return self._keys

    async def _ask(self) -> None:
        try:
            async with asyncio.timeout(FETCH_TIMEOUT_SECONDS):
                self._keys = await self._found()
            self._read_at = time.monotonic()
        except Exception as error:
            # Whatever an issuer answers, nobody here can mend it but the operator.
            log.warning("the keys of the issuer %s cannot be had: %r", self._issuer, error)
        self._asked_at = time.monotonic()

    async def _found(self) -> KeySet:
        async with httpx.AsyncClient(
            timeout=FETCH_TIMEOUT_SECONDS, follow_redirects=False
        ) as client:
            url = self._url or await self._address(client)
            return _key_set(await _json(client, url))

    async def _address(self, client: httpx.AsyncClient) -> str:
        about = await _json(client, f"{self._issuer}/.well-known/openid-configuration")
        url: str = about["jwks_uri"]
        if self._issuer.startswith("https://") and not url.startswith("https://"):
            raise ValueError("its jwks_uri is not https://: its keys could be replaced")
        return url


async def _json(client: httpx.AsyncClient, url: str) -> JsonValue:
    # Not compressed, as a few bytes could become many.
    asked = {"Accept": "application/json", "Accept-Encoding": "identity"}
    async with client.stream("GET", url, headers=asked) as answer:
        answer.raise_for_status()
        content = bytearray()
        async for chunk in answer.aiter_raw():
            content += chunk
            if len(content) > MAX_KEYS_BYTES:
                raise ValueError(f"the answer is longer than {MAX_KEYS_BYTES} bytes")
    return orjson.loads(content)


def _key_set(document: JsonValue) -> KeySet:
    """The keys that can be used; those that nobody here understands are passed over."""
    found: list[Key] = []
    for entry in document["keys"]:
        # A symmetric key among them would let whoever knows it make tokens.
        if isinstance(entry, dict) and entry.get("kty") != "oct":
            with suppress(Exception):
                key = JWKRegistry.import_key(entry)
                key.ensure_kid()
                found.append(key)
    if not found:
        raise ValueError("there is no key among them that can be used")
    return KeySet(found)
