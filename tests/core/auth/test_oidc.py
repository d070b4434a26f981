"""Tokens of an OpenID Connect issuer: which are taken, and what those are told that are not."""

import hmac
import json
import time
from base64 import urlsafe_b64encode
from typing import Any

import pytest
from fastapi import FastAPI
from joserfc.jwk import RSAKey

from app.core.auth.principals import Scope
from tests.core.auth.asking import ask, bearer
from tests.core.auth.issuer import Issuer, signed, signing_keys
from tests.core.auth.opened import key_of, opened

NOW = int(time.time())


def encoded(content: bytes | dict[str, Any]) -> str:
    if isinstance(content, dict):
        content = json.dumps(content).encode()
    return urlsafe_b64encode(content).rstrip(b"=").decode()


async def refusal(app: FastAPI, token: str) -> str:
    """What a token is refused with, which is a 401."""
    answer = await ask(app, "/missions", headers=bearer(token))
    assert answer.status == 401, answer.body
    assert "Bearer" in str(answer.header("www-authenticate"))
    return answer.detail


# Taken


@pytest.mark.parametrize(
    ("alg", "kid"),
    [
        ("RS256", "rsa"),
        ("PS256", "rsa"),
        ("ES256", "ec"),
        ("EdDSA", "ed"),
        ("Ed25519", "ed"),
    ],
)
async def test_a_token_is_taken_with_each_kind_of_signature(
    private_app: FastAPI, issuer: Issuer, alg: str, kid: str
) -> None:
    sent = bearer(issuer.token(alg, kid))
    assert (await ask(private_app, "/missions", headers=sent)).status == 200


async def test_history_names_the_bearer_by_the_subject(public_app: FastAPI, issuer: Issuer) -> None:
    sent = bearer(issuer.token(sub="Айгерим|42", roles=["write"]))
    body = {"full_name": "X", "ref": "named-by-token"}
    made = await ask(public_app, "/people", method="POST", headers=sent, body=body)
    assert made.status == 201
    (change,) = (await ask(public_app, "/people/named-by-token/history")).json()["data"]
    assert change["actor"] == "oidc:Айгерим|42"


async def test_a_subject_cannot_pass_for_a_key(public_app: FastAPI, issuer: Issuer) -> None:
    await key_of(public_app, "alice", Scope.ADMIN)
    for subject in ("alice", "admin", "anonymous"):
        sent = bearer(issuer.token(sub=subject, roles=["write"]))
        answer = await ask(public_app, "/api-keys", headers=sent)
        assert answer.status == 403
        assert f"'oidc:{subject}' has 'write'" in answer.detail


async def test_a_very_long_subject_goes_by_its_digest(public_app: FastAPI, issuer: Issuer) -> None:
    sent = bearer(issuer.token(sub="x" * 5000, roles=["write"]))
    body = {"full_name": "X", "ref": "long-subject"}
    sent["idempotency-key"] = "long subject"
    assert (await ask(public_app, "/people", method="POST", headers=sent, body=body)).status == 201
    (change,) = (await ask(public_app, "/people/long-subject/history")).json()["data"]
    assert len(change["actor"]) == len("oidc:") + 64


async def test_one_audience_among_several_will_do(private_app: FastAPI, issuer: Issuer) -> None:
    sent = bearer(issuer.token(aud=["other", "trade-missions"]))
    assert (await ask(private_app, "/missions", headers=sent)).status == 200


async def test_clocks_may_differ_by_a_minute(private_app: FastAPI, issuer: Issuer) -> None:
    now = int(time.time())
    for times in ({"exp": now - 5}, {"nbf": now + 30}, {"iat": now + 30}, {"exp": now + 60.5}):
        sent = bearer(issuer.token(**times))
        assert (await ask(private_app, "/missions", headers=sent)).status == 200


async def test_what_nobody_knows_in_a_header_is_passed_over(
    private_app: FastAPI, issuer: Issuer
) -> None:
    """RFC 7515, 4; some issuers send certificates along, or words of their own."""
    for more in ({"pi.atm": "1"}, {"nonce": "x"}, {"x5c": ["A" * 2000]}, {"typ": "at+jwt"}):
        header = {"alg": "RS256", "kid": "rsa", **more}
        sent = bearer(signed(issuer.claims(), header, signing_keys()["rsa"]))
        assert (await ask(private_app, "/missions", headers=sent)).status == 200


# Refused


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "https://example.org"},
        {"iss": None},
        {"iss": ["x"]},
        {"aud": "other"},
        {"aud": None},
        {"aud": []},
        {"aud": ["other"]},
        {"aud": {"trade-missions": 1}},
        {"aud": [["trade-missions"]]},
        {"aud": "trade-missions-2"},
        {"exp": NOW - 120},
        {"exp": None},
        {"exp": 0},
        {"exp": "9999999999"},
        {"exp": True},
        {"exp": [NOW + 60]},
        {"exp": float("inf")},
        {"exp": float("nan")},
        {"nbf": NOW + 3600},
        {"nbf": "now"},
        {"iat": NOW + 3600},
        {"sub": None},
        {"sub": ""},
        {"sub": "  "},
        {"sub": 42},
        {"sub": ["alice"]},
        {"sub": "a\nb"},
        {"sub": "a\0b"},
        {"sub": "\ud800"},
        {"sub": "\ud800" * 200},
        {"sub": "alice\u202e"},
    ],
)
async def test_a_token_with_a_wrong_claim_is_refused(
    private_app: FastAPI, issuer: Issuer, claims: dict[str, Any]
) -> None:
    told = await refusal(private_app, issuer.token(**claims))
    assert told.startswith("The token is not accepted: ")


@pytest.mark.parametrize(
    "payload",
    [b"", b"null", b"[]", b'"x"', b"\xff", b"{", b'{"x":' + b"[" * 3000 + b"]" * 3000 + b"}"],
)
async def test_a_token_that_holds_no_claims_is_refused(
    private_app: FastAPI, payload: bytes
) -> None:
    header = {"alg": "RS256", "kid": "rsa"}
    await refusal(private_app, signed(payload, header, signing_keys()["rsa"]))


@pytest.mark.parametrize(
    "header",
    [
        {"alg": "none"},
        {"alg": "None", "kid": "rsa"},
        {"alg": "NONE", "kid": "rsa"},
        {"kid": "rsa"},
        {"alg": ["RS256"], "kid": "rsa"},
        {"alg": "RS256", "kid": ["rsa"]},
        {"alg": "RS256", "kid": {}},
        {"alg": "RS256", "kid": 5},
        {"alg": "RS256", "kid": None},
        {"alg": "RS256"},
        {"alg": "RS256", "kid": "\ud800"},
        {"alg": "RS256", "kid": "nobody's"},
        {"alg": "RS256", "kid": "rsa", "crit": 5},
        {"alg": "RS256", "kid": "rsa", "crit": ["b64"], "b64": False},
        {"alg": "RS256", "kid": "rsa", "jwk": 5},
        {"alg": "RS256", "kid": "ec"},
        {"alg": "ES256", "kid": "rsa"},
        {"alg": "ES256", "kid": "ed"},
        {"alg": "EdDSA", "kid": "rsa"},
        {"alg": "RS512", "kid": "rsa"},
        {"alg": "HS256", "kid": "rsa"},
        {"alg": "RSA-OAEP", "enc": "A256GCM", "kid": "rsa"},
        b"null",
        b"[]",
        b'"x"',
        b"\xff\xfe",
        b'{"alg":"RS256","kid":"rsa","x":' + b"[" * 5000 + b"]" * 5000 + b"}",
    ],
)
async def test_a_token_with_a_hostile_header_is_refused(
    private_app: FastAPI, issuer: Issuer, header: dict[str, Any] | bytes
) -> None:
    for signature in ("", "AAAA", "A" * 342, "!", "A" * 86):
        token = f"{encoded(header)}.{encoded(issuer.claims(roles=['admin']))}.{signature}"
        await refusal(private_app, token)


async def test_a_public_key_is_no_password(private_app: FastAPI, issuer: Issuer) -> None:
    """The confusion of RS256 with HS256: everybody knows the public key."""
    public = signing_keys()["rsa"]
    assert isinstance(public, RSAKey)
    for known in (public.as_pem(private=False), public.as_der(private=False)):
        told = (
            f"{encoded({'alg': 'HS256', 'kid': 'rsa'})}.{encoded(issuer.claims(roles=['admin']))}"
        )
        for secret in (known, known.strip()):
            signature = hmac.digest(secret, told.encode(), "sha256")
            assert "not allowed" in await refusal(private_app, f"{told}.{encoded(signature)}")


async def test_a_key_that_the_token_brings_along_is_not_believed(
    private_app: FastAPI, issuer: Issuer
) -> None:
    other = signing_keys()["rsa-2"]
    for kid in ("rsa", "rsa-2"):
        header = {"alg": "RS256", "kid": kid, "jwk": issuer.published("rsa-2")}
        await refusal(private_app, signed(issuer.claims(roles=["admin"]), header, other))


async def test_a_token_that_was_changed_is_refused(private_app: FastAPI, issuer: Issuer) -> None:
    header, claims, signature = issuer.token().split(".")
    stronger = encoded(issuer.claims(roles=["admin"]))
    turned = ("B" if signature[20] == "A" else "A").join((signature[:20], signature[21:]))
    for token in (
        f"{header}.{stronger}.{signature}",
        f"{header}.{claims}.{turned}",
        f"{header}.{claims}.{signature[:-4]}",
        f"{header}.{claims}.",
        f"{header}.{claims[:-2]}.{signature}",
        f"{encoded({'alg': 'PS256', 'kid': 'rsa'})}.{claims}.{signature}",
    ):
        await refusal(private_app, token)


async def test_a_signature_of_another_kind_than_is_allowed_is_refused(
    access_url: str, issuer: Issuer
) -> None:
    async with opened(access_url, **issuer.settings, oidc_algorithms="ES256") as app:
        sent = bearer(issuer.token("ES256", "ec"))
        assert (await ask(app, "/missions", headers=sent)).status == 200
        for alg, kid in (("RS256", "rsa"), ("PS256", "rsa"), ("EdDSA", "ed")):
            assert "not allowed" in await refusal(app, issuer.token(alg, kid))


async def test_a_token_that_is_too_long_is_refused(private_app: FastAPI, issuer: Issuer) -> None:
    assert "longer than" in await refusal(private_app, issuer.token(more="x" * 20_000))


async def test_without_an_issuer_no_token_is_taken(access_url: str, issuer: Issuer) -> None:
    async with opened(access_url) as app:
        assert await refusal(app, issuer.token()) == "That is no key of this service."
