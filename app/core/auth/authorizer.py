"""Authorization: finds the principal of a request, counts it, and checks what it may do."""

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from urllib.parse import parse_qsl
from uuid import UUID

from starlette.types import Scope as ASGIScope

from app.core.auth import api_keys
from app.core.auth.credentials import Credential, address_of, credential_of, misplaced, unauthorized
from app.core.auth.principals import ANONYMOUS, Permission, Principal, Scope
from app.core.auth.rate_limits import RateLimits
from app.core.databases.interface import Database
from app.core.databases.places import reader
from app.core.databases.types import now
from app.core.errors import Forbidden, Problem, Unauthorized, Unavailable

#: For how many seconds a caller who was found is not looked up again: so long can a key be used
#: after it was revoked through another process.
PRINCIPAL_CACHE_SECONDS = 5.0
MAX_CACHED_PRINCIPALS = 10_000
#: How many seconds lie between two notes of when keys were used.
LAST_USE_SECONDS = 60.0

_READING = ("GET", "HEAD")


class TokenIssuer(Protocol):
    """Who tells whom a token names."""

    async def principal_of(self, token: str) -> Principal: ...


@dataclass(frozen=True, slots=True)
class _CachedPrincipal:
    caller: Principal
    until: float


class Authorizer:
    """Decides for each request of an operation, before anything else of it is looked at.

    Raises Unauthorized (401) where a key would help, Forbidden (403) where another key would, and
    TooManyRequests (429).
    """

    def __init__(
        self,
        database: Database,
        limits: RateLimits,
        *,
        public_reading: bool,
        issuer: TokenIssuer | None = None,
    ) -> None:
        self.database, self.limits, self.issuer = database, limits, issuer
        self.public_reading = public_reading
        self._known: dict[bytes, _CachedPrincipal] = {}
        #: How often all callers were forgotten.
        self._forgotten = 0
        #: Called when all callers were forgotten, for answers that go on for long.
        self.on_forget: set[Callable[[], None]] = set()
        self._used: dict[UUID, datetime] = {}

    async def authorize(
        self, scope: ASGIScope, need: Permission, is_file: bool
    ) -> list[tuple[bytes, bytes]]:
        """Let the request in, with `scope["caller"]` set; the headers that its answer gets."""
        if need is Permission.PUBLIC:
            return []
        if "principal" in scope:
            # A request that the service makes of itself for one who was let in already.
            scope["caller"] = scope["principal"]
            self._check(scope, scope["caller"], need)
            return []
        address = address_of(scope)
        try:
            caller = await self._authenticate(scope, is_file)
        except Unavailable:
            raise
        except Problem:
            self.limits.count(ANONYMOUS, address)
            raise
        scope["caller"] = caller
        reader.set(address if caller is ANONYMOUS else f"key {caller.name}")
        headers = self.limits.count(caller, address)
        try:
            self._check(scope, caller, need)
        except Problem as problem:
            problem.headers |= {name.decode(): value.decode() for name, value in headers}
            raise
        return headers

    async def is_still_authorized(self, scope: ASGIScope, need: Permission) -> bool:
        """Whether whoever was let in would be let in now: for answers that go on for long."""
        try:
            self._check(scope, await self._authenticate(scope, is_file=False), need)
        except Unavailable:
            return True
        except Problem:
            return False
        return True

    def _check(self, scope: ASGIScope, caller: Principal, need: Permission) -> None:
        if caller.path is not None:
            if scope["path"] != caller.path or scope["method"] not in _READING:
                raise Forbidden(f"This key opens {caller.path} alone, for reading.")
            sent = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
            if any(name == "deleted" and value != "exclude" for name, value in sent):
                raise Forbidden("This key does not read the trash: leave out `deleted`.")
            if any(name == "as_of" for name, _ in sent):
                raise Forbidden("This key reads what is there now: leave out `as_of`.")
        elif need is Permission.READ_OR_PUBLIC and self.public_reading:
            return
        if caller is ANONYMOUS:
            asked = "Reading" if need in (Permission.READ_OR_PUBLIC, Permission.READ) else "This"
            raise unauthorized(
                scope,
                f"{asked} needs a key: send Authorization: Bearer KEY with the request."
                f"{misplaced(scope)}",
            )
        caller.check(need)

    async def _authenticate(self, scope: ASGIScope, is_file: bool) -> Principal:
        credential = credential_of(scope)
        if credential is None:
            return ANONYMOUS
        caller = await self._principal_of(scope, credential.secret)
        if credential.in_address:
            _check_address(credential, caller, is_file)
        return caller

    async def _principal_of(self, scope: ASGIScope, secret: str) -> Principal:
        digest = api_keys.digest_of(secret)
        known = self._known.get(digest)
        if known is None or known.until < time.monotonic():
            forgotten = self._forgotten
            known = await self._look_up(scope, secret)
            # A key that was revoked while we looked is not kept.
            if forgotten == self._forgotten:
                if len(self._known) >= MAX_CACHED_PRINCIPALS:
                    self._known.clear()
                self._known[digest] = known
        return known.caller

    async def _look_up(self, scope: ASGIScope, secret: str) -> _CachedPrincipal:
        if api_keys.is_key(secret):
            return await self._key(scope, secret)
        if self.issuer is not None and secret.count(".") == 2:
            caller = await self._bearer(scope, secret, self.issuer)
            return _CachedPrincipal(caller, time.monotonic() + PRINCIPAL_CACHE_SECONDS)
        raise unauthorized(scope, "That is no key of this service.")

    async def _key(self, scope: ASGIScope, secret: str) -> _CachedPrincipal:
        values, at = {"prefix": api_keys.prefix_of(secret)}, now()
        rows = await self.database.read(
            api_keys.look_up(self.database.dialect), values, point_lookup=True
        )
        if not rows or not api_keys.is_same(bytes(rows[0][2]), secret):
            raise unauthorized(scope, "There is no such key.")
        id_, name, _, allowed, path, revoked, ends = rows[0]
        if isinstance(ends, str):
            ends = datetime.fromisoformat(ends)
        left = PRINCIPAL_CACHE_SECONDS if ends is None else (ends - at).total_seconds()
        if revoked or left <= 0:
            reason = "was revoked" if revoked else "has expired"
            raise unauthorized(scope, f"The key {api_keys.prefix_of(secret)}… {reason}.")
        self._used[UUID(str(id_))] = at
        return _CachedPrincipal(
            Principal(name, Scope(allowed), path),
            time.monotonic() + min(PRINCIPAL_CACHE_SECONDS, left),
        )

    async def _bearer(self, scope: ASGIScope, token: str, issuer: TokenIssuer) -> Principal:
        try:
            return await issuer.principal_of(token)
        except Unauthorized as problem:
            raise unauthorized(scope, problem.detail) from None

    def forget(self) -> None:
        """Look everybody up anew: a key was revoked."""
        self._known.clear()
        self._forgotten += 1
        for call in tuple(self.on_forget):
            call()

    async def store_last_use(self) -> None:
        """Store when keys were last used; nothing is lost with it but that."""
        if used := self._used:
            self._used = {}
            with suppress(Problem):
                await self.database.write(lambda session: api_keys.note_use(session, used))

    async def store_last_use_forever(self) -> None:
        """Store it every minute, until cancelled."""
        while True:
            await asyncio.sleep(LAST_USE_SECONDS)
            await self.store_last_use()


def _check_address(credential: Credential, caller: Principal, is_file: bool) -> None:
    """A key in an address is seen by whoever sees the address: it must not be worth much."""
    if not api_keys.is_key(credential.secret):
        raise Forbidden("A token does not belong in an address: send Authorization: Bearer TOKEN.")
    if not is_file:
        raise Forbidden(
            "api_key in the address is taken for files alone (.csv, .xlsx, …): for everything else"
            " send Authorization: Bearer KEY."
        )
    if caller.scope is not Scope.READ:
        raise Forbidden(
            "A key in an address may be able to read and no more. This one can do more and has now"
            " been in an address: revoke it, and make one with the scope read."
        )
