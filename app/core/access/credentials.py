"""What a request says of who sends it: a key or a token, in a header or in the address."""

import binascii
from base64 import b64decode
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote_plus

from starlette.types import Scope as Request

from app.core.errors import BadRequest, Fault, Unauthorized

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


def unauthorized(scope: Request, detail: str) -> Unauthorized:
    """The 401 that tells what can be sent."""
    modes = [value for name, value in scope["headers"] if name == b"sec-fetch-mode"]
    by_script = modes and modes[0] != b"navigate"
    challenge = BEARER if by_script else f"{BEARER}, {BASIC}"
    return Unauthorized(detail, headers={"WWW-Authenticate": challenge})


def credential_of(scope: Request) -> Credential | None:
    """What the request was sent with; the address loses it, so that nothing shows it later.

    Unauthorized (401) for what cannot be read, BadRequest (400) for two at a time.
    """
    sent: bytes | None = None
    for name, value in scope["headers"]:
        if name == b"authorization":
            if sent is not None:
                raise BadRequest("There is more than one Authorization header.")
            sent = value
    in_address = _taken_from_address(scope) if PARAMETER.encode() in scope["query_string"] else None
    if sent is None:
        return None if in_address is None else Credential(in_address, in_address=True)
    if in_address is not None:
        raise BadRequest(f"Send the key in the Authorization header or as {PARAMETER}, not both.")
    return Credential(_secret_in(scope, sent))


def _secret_in(scope: Request, sent: bytes) -> str:
    """The key or token of an Authorization header (RFC 6750, RFC 7617)."""
    scheme, _, rest = sent.decode("latin-1").strip().partition(" ")
    rest = rest.strip()
    if scheme.lower() == "bearer" and rest:
        return rest
    if scheme.lower() == "basic":
        try:
            user, _, password = b64decode(rest, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            raise unauthorized(scope, "The Basic credentials are not Base64 of UTF-8.") from None
        if password:
            return password
        raise unauthorized(scope, f"The key is the password of Basic; {user[:40]!r} came without.")
    told = "Send Authorization: Bearer KEY, or HTTP Basic with the key as the password."
    raise unauthorized(scope, told)


def _taken_from_address(scope: Request) -> str | None:
    pairs = scope["query_string"].split(b"&")
    mark = PARAMETER.encode() + b"="
    found = [pair for pair in pairs if pair.startswith(mark)]
    if not found:
        return None
    scope["query_string"] = b"&".join(pair for pair in pairs if not pair.startswith(mark))
    if len(found) > 1:
        text = f"{PARAMETER!r} is given more than once."
        raise BadRequest(text, [Fault("repeated", text, parameter=PARAMETER)])
    return unquote_plus(found[0].removeprefix(mark).decode("latin-1"))


def address_of(scope: Request) -> str:
    """The address of the client; of IPv6 the first 64 bits, which are one subscriber's."""
    client: Any = scope.get("client")
    host: str = client[0] if client else "unknown"
    return ":".join(host.split(":")[:4]) + "::/64" if host.count(":") > 3 else host
