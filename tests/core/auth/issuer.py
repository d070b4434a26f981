"""An issuer of OpenID Connect tokens: a real server with a discovery document and keys."""

import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from warnings import catch_warnings, simplefilter

from joserfc import jws
from joserfc.errors import SecurityWarning
from joserfc.jwk import ECKey, Key, OctKey, OKPKey, RSAKey

AUDIENCE = "trade-missions"
CONFIGURATION, JWKS = "/.well-known/openid-configuration", "/jwks"


@cache
def signing_keys() -> dict[str, Key]:
    """A key of each kind, by its `kid`; they take a moment to make."""
    return {
        "rsa": RSAKey.generate_key(2048, {"kid": "rsa"}),
        "rsa-2": RSAKey.generate_key(2048, {"kid": "rsa-2"}),
        "ec": ECKey.generate_key("P-256", {"kid": "ec"}),
        "ed": OKPKey.generate_key("Ed25519", {"kid": "ed"}),
        "oct": OctKey.import_key("x" * 43, {"kid": "oct"}),
    }


@dataclass
class Issuer:
    """What the server tells, which a test may change, and how often it was asked."""

    port: int = 0
    #: Which keys are published.
    kids: tuple[str, ...] = ("rsa", "ec", "ed")
    #: Answers that take the place of the usual ones, by path: status, headers, body.
    instead: dict[str, tuple[int, dict[str, str], bytes]] = field(default_factory=dict)
    asked: Counter[str] = field(default_factory=Counter)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def settings(self) -> dict[str, Any]:
        """The settings of a service that takes this issuer's tokens."""
        return {"oidc_issuer": self.url, "oidc_audience": AUDIENCE}

    def answer(self, path: str) -> tuple[int, dict[str, str], bytes]:
        self.asked[path] += 1
        if path in self.instead:
            return self.instead[path]
        if path == CONFIGURATION:
            told: Any = {"issuer": self.url, "jwks_uri": f"{self.url}{JWKS}"}
        elif path == JWKS:
            told = {"keys": [self.published(kid) for kid in self.kids]}
        else:
            return 404, {}, b""
        return 200, {"Content-Type": "application/json"}, json.dumps(told).encode()

    def published(self, kid: str) -> dict[str, Any]:
        key = signing_keys()[kid]
        return {**key.as_dict(private=kid == "oct"), "kid": kid}

    def claims(self, **changes: Any) -> dict[str, Any]:
        """Claims of a good token; a change to None takes the claim away."""
        usual = {
            "iss": self.url,
            "aud": AUDIENCE,
            "sub": "alice",
            "exp": int(time.time()) + 600,
            "roles": ["read"],
        }
        return {name: value for name, value in {**usual, **changes}.items() if value is not None}

    def token(self, alg: str = "RS256", kid: str = "rsa", **changes: Any) -> str:
        """A token that this issuer signed."""
        return signed(self.claims(**changes), {"alg": alg, "kid": kid}, signing_keys()[kid])


def signed(claims: Any, header: dict[str, Any], key: Key) -> str:
    """A token with this header and these claims, whatever they are."""
    content = claims if isinstance(claims, bytes) else json.dumps(claims).encode()
    registry = jws.JWSRegistry(algorithms=[header["alg"]], strict_check_header=False)
    registry.max_header_length = 100_000
    with catch_warnings():
        simplefilter("ignore", SecurityWarning)
        return jws.serialize_compact(header, content, key, registry=registry)


@contextmanager
def issuing(make: Callable[[], Issuer] = Issuer) -> Iterator[Issuer]:
    """An issuer that answers until the context ends."""
    issuer = make()

    class Answering(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, headers, body = issuer.answer(self.path)
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *arguments: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", issuer.port), Answering) as server:
        issuer.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield issuer
        finally:
            server.shutdown()
            thread.join()
