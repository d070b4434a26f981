"""Tokens of OpenID Connect: made by an outside issuer, checked here by its published keys."""

from collections.abc import Mapping
from copy import copy
from dataclasses import dataclass, field
from hashlib import sha256

from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet
from joserfc.jws import JWSRegistry

from app.core.auth.jwks import IssuerKeys
from app.core.auth.principals import OIDC_PREFIX, Principal, Scope
from app.core.errors import Unauthorized
from app.core.loose_types import Json, JsonValue, Values

#: By how many seconds the clocks of issuer and service may differ.
LEEWAY = 60
LONGEST, LONGEST_NAME = 16_384, 100


class _Signatures(JWSRegistry):
    """How tokens are signed. Parts of a header that nobody knows are passed over, as RFC 7515 (4)
    asks; headers may be longer than the library expects, as some hold certificates."""

    max_header_length = LONGEST
    # Issuers go on calling it so; the newer name (RFC 9864) means the same.
    algorithms = JWSRegistry.algorithms | {"EdDSA": copy(JWSRegistry.algorithms["EdDSA"])}
    algorithms["EdDSA"].security_warning = None


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
    keys: IssuerKeys = field(init=False)
    signatures: JWSRegistry = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "keys", IssuerKeys(self.url, self.jwks_url))
        allowed = _Signatures(algorithms=self.algorithms, strict_check_header=False)
        object.__setattr__(self, "signatures", allowed)

    async def principal_of(self, token: str) -> Principal:
        """Whom the token names; Unauthorized (401) when it is not good, and Unavailable (503) when
        the issuer's keys cannot be had."""
        if len(token) > LONGEST:
            raise Unauthorized(f"The token is longer than {LONGEST} characters.")
        keys = await self.keys.get()
        try:
            claims = self._claims(token, keys)
        except InvalidKeyIdError:
            # The issuer may have a new key since we asked.
            claims = await self._claims_anew(token)
        except Exception as error:
            raise _refused(error) from None
        return Principal(_name(claims["sub"]), self._scope(claims))

    async def _claims_anew(self, token: str) -> Json:
        keys = await self.keys.get(anew=True)
        try:
            return self._claims(token, keys)
        except Exception as error:
            raise _refused(error) from None

    def _claims(self, token: str, keys: KeySet) -> Json:
        claims = jwt.decode(token, keys, self.algorithms, self.signatures).claims
        jwt.JWTClaimsRegistry(
            leeway=LEEWAY,
            iss={"essential": True, "value": self.url},
            aud={"essential": True, "value": self.audience},
            exp={"essential": True},
            sub={"essential": True},
        ).validate(claims)
        # History shows it: a database and a log must be able to hold it on one line.
        if not claims["sub"].isprintable() or claims["sub"] != claims["sub"].strip():
            raise ValueError("its subject is not plain text")
        return claims

    def _scope(self, claims: Values) -> Scope | None:
        """The widest scope that one of the token's roles stands for."""
        found: JsonValue = claims
        for name in self.roles_claim.split("."):
            found = found.get(name) if isinstance(found, Mapping) else None
        values = found.split() if isinstance(found, str) else found
        names = (
            [name for name in values if isinstance(name, str)] if isinstance(values, list) else []
        )
        scopes = {self.roles[name] for name in names if name in self.roles}
        return max(scopes, key=list(Scope).index, default=None)


def _name(subject: str) -> str:
    """What history calls the bearer; a subject that is too long goes by its digest."""
    short = subject if len(subject) <= LONGEST_NAME else sha256(subject.encode()).hexdigest()
    return OIDC_PREFIX + short


def _refused(error: Exception) -> Unauthorized:
    """The 401 of a token in which this was found, whatever that is: it comes from outside."""
    reason = str(error) or type(error).__name__
    if isinstance(error, JoseError):
        reason = error.description.rstrip(".") or error.error.replace("_", " ")
    # It may quote the token, which can hold what no answer can.
    reason = reason[:1].lower() + reason[1:200].encode("ascii", "backslashreplace").decode()
    return Unauthorized(f"The token is not accepted: {reason}.")
