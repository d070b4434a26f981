"""What a request says of who sends it: a key or a token, in a header or in the address."""

import re
from base64 import b64decode
from dataclasses import dataclass
from urllib.parse import unquote_plus, unquote_to_bytes

from starlette.types import Scope as ASGIScope

from app.core.errors import BadRequest, Fault, Unauthorized
from app.core.subscribers import subscriber_of

#: What a 401 asks for (RFC 9110, 11.6.1). Basic is for Excel and Power BI, and for a browser that
#: opens an address; of a script in a page it is not asked, as the browser would open a dialog.
BEARER = 'Bearer realm="trade-missions"'
BASIC = 'Basic realm="trade-missions", charset="UTF-8"'
PARAMETER = "api_key"


@dataclass(frozen=True, slots=True)
class Credential:
    """A key or a token, and whether it stood in the address."""

    secret: str
    in_address: bool = False


def unauthorized(scope: ASGIScope, detail: str) -> Unauthorized:
    """The 401 that tells what can be sent; and that what was sent is not good (RFC 6750, 3.1)."""
    sent = dict(scope["headers"])
    by_script = sent.get(b"sec-fetch-mode", b"navigate") != b"navigate"
    bearer = f'{BEARER}, error="invalid_token"' if b"authorization" in sent else BEARER
    # On one line Chromium takes both for a challenge of Bearer, and asks nobody for a password.
    challenges = (bearer,) if by_script else (bearer, BASIC)
    return Unauthorized(detail, headers={"WWW-Authenticate": challenges})


def credential_of(scope: ASGIScope) -> Credential | None:
    """What the request was sent with; the address loses it, so that nothing shows it later.

    Unauthorized (401) for what cannot be read, BadRequest (400) for two at a time.
    """
    sent: bytes | None = None
    for name, value in scope["headers"]:
        if name == b"authorization":
            if sent is not None:
                raise BadRequest("There is more than one Authorization header.")
            sent = value
    query = scope["query_string"]
    may_hold_it = query and (PARAMETER.encode() in query or b"%" in query)
    in_address = _taken_from_address(scope) if may_hold_it else None
    if sent is None:
        return None if in_address is None else Credential(in_address, in_address=True)
    if in_address is not None:
        raise BadRequest(f"Send the key in the Authorization header or as {PARAMETER}, not both.")
    return Credential(_secret_in(scope, sent))


def _secret_in(scope: ASGIScope, sent: bytes) -> str:
    """The key or token of an Authorization header (RFC 6750, RFC 7617)."""
    scheme, _, rest = sent.decode("latin-1").strip().partition(" ")
    rest = rest.strip()
    if scheme.lower() == "bearer" and rest:
        return rest
    if scheme.lower() == "basic":
        try:
            _, _, password = b64decode(rest, validate=True).decode().partition(":")
        except ValueError:
            raise unauthorized(scope, "The Basic credentials are not Base64 of UTF-8.") from None
        if password:
            return password
        # The user is not told back: it may be the key, in the wrong place.
        raise unauthorized(scope, "The key is the password of Basic, and there is no password.")
    raise unauthorized(scope, f"{_not_understood(scheme, rest)} {_RIGHT}")


_RIGHT = "Send Authorization: Bearer KEY, or HTTP Basic with the key as the password."


def _not_understood(scheme: str, rest: str) -> str:
    """What is wrong with an Authorization header. What may be a key is not told back."""
    if not rest and scheme.lower() == "bearer":
        return "Authorization says Bearer, and no key follows."
    if not rest:
        return "Authorization holds one word: the key is to follow the word Bearer."
    if re.fullmatch(r"[A-Za-z][A-Za-z-]{0,15}", scheme):
        return f"Authorization says {scheme}, which is not understood here."
    return "Authorization does not begin with the word Bearer or Basic."


#: Where other services take keys, and clients send them by habit.
_HEADERS = (b"x-api-key", b"api-key", b"apikey", b"x-auth-token", b"x-access-token")
_PARAMETERS = (b"apikey", b"key", b"token", b"access_token", b"auth", b"x-api-key")


def misplaced(scope: ASGIScope) -> str:
    """A sentence on a key that stands where none is looked for; empty without one."""
    for name, _ in scope["headers"]:
        if name in _HEADERS:
            return f" The header {name.decode().title()} is not looked at."
    for pair in scope["query_string"].split(b"&"):
        name = unquote_to_bytes(pair.partition(b"=")[0]).lower()
        if name in _PARAMETERS:
            return f" The parameter {name.decode()} is not looked at."
    if any(name == b"cookie" for name, _ in scope["headers"]):
        return " Cookies are not looked at."
    return ""


def _taken_from_address(scope: ASGIScope) -> str | None:
    pairs = scope["query_string"].split(b"&")
    found = [pair for pair in pairs if _is_key(pair)]
    if not found:
        return None
    scope["query_string"] = b"&".join(pair for pair in pairs if not _is_key(pair))
    if len(found) > 1:
        text = f"{PARAMETER!r} is given more than once."
        raise BadRequest(text, [Fault("repeated", text, parameter=PARAMETER)])
    return unquote_plus(found[0].partition(b"=")[2].decode("latin-1"))


def _is_key(pair: bytes) -> bool:
    return unquote_to_bytes(pair.partition(b"=")[0]) == PARAMETER.encode()


def address_of(scope: ASGIScope) -> str:
    """The address of the client; of IPv6 the first 64 bits, which are one subscriber's."""
    client: tuple[str, int] | None = scope.get("client")
    return subscriber_of(client[0] if client else "unknown")
