"""Tokens of OpenID Connect: made by an outside issuer, checked here by its published keys."""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

import httpx
from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet

from app.core.access.callers import BEARERS, Caller, Scope
from app.core.errors import Unauthorized, Unavailable

#: For how many seconds the issuer's keys are used before they are asked for again, and how many
#: must lie between two questions: a token with an unknown key makes us ask at once.
KEPT, BETWEEN = 600.0, 10.0
#: By how many seconds the clocks of issuer and service may differ.
LEEWAY = 60
LONGEST, LONGEST_NAME = 16_384, 100


@dataclass(frozen=True, slots=True)
class Issuer:
    """Whose tokens are taken, and what in them says what the bearer may do.

    `roles_claim` is the path of the claim that lists roles, with dots: `realm_access.roles`;
    `roles` says which scope each role stands for. Algorithms are those of public keys alone.
    """

    url: str
    audience: str
    algorithms: tuple[str, ...]
    roles_claim: str
    roles: Mapping[str, Scope]
    jwks_url: str | None = None
    keys: "_Keys" = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "keys", _Keys(self.url, self.jwks_url))

    async def caller_of(self, token: str) -> Caller:
        """Whom the token names; Unauthorized (401) when it is not good, and Unavailable (503) when
        the issuer's keys cannot be had."""
        if len(token) > LONGEST:
            raise Unauthorized(f"The token is longer than {LONGEST} characters.")
        try:
            claims = await self._claims(token)
        except (JoseError, ValueError) as error:
            raise Unauthorized(f"The token is not accepted: {_told(error)}.") from None
        return Caller(_name(claims["sub"]), self._scope(claims))

    async def _claims(self, token: str) -> dict[str, Any]:
        try:
            decoded = jwt.decode(token, await self.keys.get(), list(self.algorithms))
        except InvalidKeyIdError:
            # The issuer may have a new key since we asked.
            decoded = jwt.decode(token, await self.keys.get(anew=True), list(self.algorithms))
        jwt.JWTClaimsRegistry(
            leeway=LEEWAY,
            iss={"essential": True, "value": self.url},
            aud={"essential": True, "value": self.audience},
            exp={"essential": True},
            sub={"essential": True},
        ).validate(decoded.claims)
        if not isinstance(decoded.claims["sub"], str):
            raise ValueError("its subject is not a text")
        return decoded.claims

    def _scope(self, claims: Mapping[str, Any]) -> Scope | None:
        """The widest scope that one of the token's roles stands for."""
        found: Any = claims
        for name in self.roles_claim.split("."):
            found = found.get(name) if isinstance(found, Mapping) else None
        told = found.split() if isinstance(found, str) else found
        names = [name for name in told if isinstance(name, str)] if isinstance(told, list) else []
        scopes = {self.roles[name] for name in names if name in self.roles}
        return max(scopes, key=list(Scope).index, default=None)


class _Keys:
    """The issuer's public keys (RFC 7517), asked for when they are needed."""

    def __init__(self, issuer: str, jwks_url: str | None) -> None:
        self._issuer, self._url = issuer, jwks_url
        self._keys: KeySet | None = None
        self._read_at = float("-inf")
        self._reading = asyncio.Lock()

    async def get(self, anew: bool = False) -> KeySet:
        async with self._reading:
            age = time.monotonic() - self._read_at
            if self._keys is None or age > (BETWEEN if anew else KEPT):
                await self._read()
        assert self._keys is not None
        return self._keys

    async def _read(self) -> None:
        try:
            async with httpx.AsyncClient(timeout=5, follow_redirects=False) as client:
                if self._url is None:
                    about = f"{self._issuer.rstrip('/')}/.well-known/openid-configuration"
                    self._url = str((await _json(client, about))["jwks_uri"])
                told = await _json(client, self._url)
            # A symmetric key among them would let whoever knows it make tokens.
            keys = [key for key in told["keys"] if key.get("kty") != "oct"]
            self._keys = KeySet.import_key_set({"keys": keys})
            self._read_at = time.monotonic()
        except (httpx.HTTPError, ValueError, KeyError, TypeError, JoseError) as error:
            if self._keys is None:
                text = "The issuer of tokens cannot be asked for its keys. Try again shortly."
                raise Unavailable(text, headers={"Retry-After": "10"}) from error
            # Known keys go on being good while the issuer is away.
            self._read_at = time.monotonic() - KEPT + BETWEEN


async def _json(client: httpx.AsyncClient, url: str) -> Any:
    answer = await client.get(url)
    answer.raise_for_status()
    return answer.json()


def _name(subject: str) -> str:
    """What history calls the bearer; a subject that is too long goes by its digest."""
    short = subject if len(subject) <= LONGEST_NAME else sha256(subject.encode()).hexdigest()
    return BEARERS + short


def _told(error: Exception) -> str:
    told = str(error).rstrip(".")
    return told[:1].lower() + told[1:]
