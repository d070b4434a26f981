"""One attempt of a delivery: a signed POST (Standard Webhooks 1.0) and what came of it."""

import asyncio
import ssl
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import httpcore
import httpx
from standardwebhooks.webhooks import Webhook as Signer

from app.core.ssrf import GuardedNetwork, Resolve, resolve

#: How much of an answer is read, in bytes, and how much of that is kept, in characters.
MAX_RESPONSE_BYTES, MAX_STORED_CHARACTERS = 64 * 1024, 1000
AGENT = "trade-missions-webhooks/1"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of an attempt: `error` is None when it was accepted."""

    error: str | None
    status: int | None = None
    text: str | None = None
    duration_ms: int = 0
    #: For how many seconds the receiver wants to be left alone.
    rest: float | None = None

    @property
    def is_gone(self) -> bool:
        """Whether the receiver says that it wants nothing any more."""
        return self.status == 410


class Sender:
    """Sends to receivers, each attempt within the time limit (seconds) and a bounded answer."""

    def __init__(
        self,
        permits: Callable[[str], bool],
        timeout: float,
        resolve: Resolve = resolve,
        trusted: ssl.SSLContext | None = None,
    ) -> None:
        self._timeout = timeout
        # No proxies, no redirects, no cookies: nothing but what is said here.
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=trusted or _trusted(),
            max_keepalive_connections=20,
            keepalive_expiry=30.0,
            network_backend=GuardedNetwork(permits, resolve),
        )

    async def close(self) -> None:
        """Close what connections there are."""
        await self._pool.aclose()

    async def send(self, url: str, name: str, body: bytes, secrets: Sequence[str]) -> Outcome:
        """Send the body under the message's name, signed with each of the secrets."""
        began = time.monotonic()
        status, headers, text = 0, [], bytearray()
        problem = None
        try:
            async with asyncio.timeout(self._timeout):
                request = httpx.Request(
                    "POST", url, content=body, headers=_signed(name, body, secrets)
                )
                async with self._pool.stream(
                    "POST", str(request.url), headers=request.headers.raw, content=body
                ) as answer:
                    status, headers = answer.status, answer.headers
                    with suppress(httpcore.ReadError, httpcore.RemoteProtocolError):
                        async for piece in answer.aiter_stream():
                            text += piece[: MAX_RESPONSE_BYTES - len(text)]
                            if len(text) >= MAX_RESPONSE_BYTES:
                                break
        except TimeoutError:
            problem = f"No answer within {self._timeout:g} seconds."
        except (httpcore.NetworkError, httpcore.ProtocolError, OSError) as error:
            problem = f"{_words(error)}"
        except (httpcore.UnsupportedProtocol, httpx.InvalidURL, ValueError) as error:
            problem = f"The address is wrong: {_words(error)}"
        took = round((time.monotonic() - began) * 1000)
        if not status:
            return Outcome(problem, duration_ms=took)
        received = {name.lower(): value.decode("latin-1") for name, value in headers}
        shown = (
            bytes(text).decode("utf-8", "replace").replace("\0", "\ufffd")[:MAX_STORED_CHARACTERS]
        )
        refusal = _refusal(status, received.get(b"location"))
        rest = _rest(received.get(b"retry-after"))
        return Outcome(refusal, status, shown or None, took, rest)


def _trusted() -> ssl.SSLContext:
    context = httpx.create_ssl_context(trust_env=False)
    # Authorities that this machine trusts besides, such as an agency's own.
    context.load_default_certs()
    return context


def _signed(name: str, body: bytes, secrets: Sequence[str]) -> dict[str, str]:
    """The headers of a message; several signatures stand for one secret after another."""
    moment = datetime.now(UTC)
    text = body.decode()
    return {
        "Content-Type": "application/json",
        "Accept-Encoding": "identity",
        "User-Agent": AGENT,
        "webhook-id": name,
        "webhook-timestamp": str(int(moment.timestamp())),
        "webhook-signature": " ".join(Signer(s).sign(name, moment, text) for s in secrets),
    }


def _words(error: Exception) -> str:
    text = str(error).replace("\0", "\ufffd")[:300]
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _refusal(status: int, location: str | None) -> str | None:
    if 200 <= status < 300:
        return None
    if 300 <= status < 400:
        where = f" to {location[:300]}" if location else ""
        return f"The answer is a redirect{where} ({status}), which is not followed: set the url."
    if status == 410:
        return "The receiver wants nothing any more (410 Gone)."
    return f"The receiver answered {status}."


def _rest(retry_after: str | None) -> float | None:
    """The seconds that a Retry-After header asks for (RFC 9110, 10.2.3)."""
    if retry_after is None:
        return None
    if retry_after.strip().isdecimal():
        return float(retry_after.strip()[:9])
    try:
        moment = parsedate_to_datetime(retry_after)
    except ValueError:
        return None
    moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
    return max((moment - datetime.now(UTC)).total_seconds(), 0.0)
