"""The issuer's keys: how they are found, how they change, and an issuer that is away or odd."""

import asyncio
import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from app.core.auth import jwks, oidc
from app.core.auth.principals import Scope
from app.core.errors import Problem
from app.settings import Settings
from tests.core.auth.asking import ask, bearer
from tests.core.auth.issuer import AUDIENCE, CONFIGURATION, JWKS, Issuer, issuing
from tests.core.auth.opened import opened
from tests.keys import BEARER

OK = {"Content-Type": "application/json"}


@pytest.fixture
def own() -> Iterator[Issuer]:
    """An issuer of the test's own."""
    with issuing() as issuer:
        yield issuer


@pytest.fixture
def taking(own: Issuer, monkeypatch: pytest.MonkeyPatch) -> oidc.Issuer:
    """What takes its tokens; on a busy machine, even this one may take its time to answer."""
    monkeypatch.setattr(jwks, "FETCH_TIMEOUT_SECONDS", 60.0)
    return taking_of(own.url)


def taking_of(url: str, jwks_url: str | None = None) -> oidc.Issuer:
    return oidc.Issuer(
        url=url,
        audience=AUDIENCE,
        algorithms=("RS256", "ES256"),
        roles_claim="roles",
        roles={"read": Scope.READ},
        jwks_url=jwks_url,
    )


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keys are asked for as often as anybody wants to."""
    monkeypatch.setattr(jwks, "REFETCH_SECONDS", 0.0)
    monkeypatch.setattr(jwks, "RETRY_SECONDS", 0.0)


async def show(taking: oidc.Issuer, token: str) -> int:
    """The status that comes of a token."""
    try:
        await taking.principal_of(token)
    except Problem as problem:
        return problem.status
    return 200


async def test_keys_are_asked_for_when_they_are_first_needed(
    taking: oidc.Issuer, own: Issuer
) -> None:
    assert own.asked == {}
    for turn in range(3):
        assert await show(taking, own.token(jti=str(turn))) == 200
    assert own.asked == {CONFIGURATION: 1, JWKS: 1}


async def test_an_address_of_keys_that_is_set_is_asked_and_no_other(own: Issuer) -> None:
    assert await show(taking_of(own.url, own.url + JWKS), own.token()) == 200
    assert own.asked == {JWKS: 1}


@pytest.mark.usefixtures("impatient")
async def test_a_new_key_is_fetched_at_once(taking: oidc.Issuer, own: Issuer) -> None:
    assert await show(taking, own.token()) == 200
    own.kids = ("rsa-2", "rsa")
    assert await show(taking, own.token(kid="rsa-2")) == 200
    assert own.asked[JWKS] == 2


async def test_many_with_a_new_key_at_once_make_one_question(
    taking: oidc.Issuer, own: Issuer
) -> None:
    assert await show(taking, own.token()) == 200
    own.kids = ("rsa-2",)
    # What was asked last is long ago.
    taking.keys._asked_at -= 120
    oidc = [own.token(kid="rsa-2", jti=str(turn)) for turn in range(50)]
    answers = await asyncio.gather(*(show(taking, token) for token in oidc))
    assert answers == [200] * 50
    assert own.asked[JWKS] == 2


async def test_unknown_keys_do_not_make_us_pester_the_issuer(
    taking: oidc.Issuer, own: Issuer
) -> None:
    own.kids = ("rsa",)
    for turn in range(20):
        token = own.token("RS256", "rsa-2", jti=str(turn))
        assert await show(taking, token) == 401
    assert own.asked[JWKS] == 1


@pytest.mark.usefixtures("impatient")
async def test_a_key_that_is_withdrawn_is_not_taken_any_more(
    taking: oidc.Issuer, own: Issuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert await show(taking, own.token(jti="1")) == 200
    own.kids = ("ec",)
    assert await show(taking, own.token(jti="2")) == 200
    monkeypatch.setattr(jwks, "KEYS_TTL_SECONDS", 0.0)
    assert await show(taking, own.token(jti="3")) == 401
    assert await show(taking, own.token("ES256", "ec")) == 200


@pytest.mark.usefixtures("impatient")
async def test_an_issuer_that_is_away_at_first_is_a_503(
    access_url: str, own: Issuer, caplog: pytest.LogCaptureFixture
) -> None:
    own.instead[JWKS] = (500, {}, b"")
    async with opened(access_url, public_reading=False, **own.settings) as app:
        sent = bearer(own.token())
        answer = await ask(app, "/missions", headers=sent)
        assert (answer.status, answer.header("retry-after")) == (503, "10")
        assert "the keys of the issuer" in caplog.text
        assert (await ask(app, "/missions")).status == 401
        assert (await ask(app, "/missions", headers=BEARER)).status == 200
        del own.instead[JWKS]
        assert (await ask(app, "/missions", headers=sent)).status == 200


async def test_while_it_is_away_it_is_not_asked_for_every_request(
    taking: oidc.Issuer, own: Issuer
) -> None:
    own.instead[CONFIGURATION] = (500, {}, b"")
    answers = await asyncio.gather(*(show(taking, own.token(jti=str(n))) for n in range(20)))
    assert set(answers) == {503}
    assert own.asked[CONFIGURATION] <= 3


@pytest.mark.usefixtures("impatient")
async def test_known_keys_are_good_while_the_issuer_is_away(
    taking: oidc.Issuer, own: Issuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert await show(taking, own.token(jti="1")) == 200
    own.instead[CONFIGURATION] = (503, {}, b"")
    monkeypatch.setattr(jwks, "KEYS_TTL_SECONDS", 0.0)
    assert await show(taking, own.token(jti="2")) == 200
    assert await show(taking, own.token(kid="rsa-2")) == 401


async def test_while_it_is_away_unknown_keys_do_not_make_us_ask(
    taking: oidc.Issuer, own: Issuer
) -> None:
    assert await show(taking, own.token()) == 200
    own.instead[CONFIGURATION] = (500, {}, b"")
    taking.keys._asked_at -= 120
    for turn in range(10):
        assert await show(taking, own.token(kid="rsa-2", jti=str(turn))) == 401
    assert own.asked[CONFIGURATION] == 2


async def test_an_issuer_that_nobody_reaches_is_a_503() -> None:
    with issuing() as gone:
        pass
    assert await show(taking_of(gone.url), gone.token()) == 503


async def test_an_issuer_that_does_not_answer_is_a_503(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jwks, "FETCH_TIMEOUT_SECONDS", 0.2)

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # A byte now and then, so that no wait for a single one is long.
        while not reader.at_eof():
            writer.write(b"H")
            await asyncio.sleep(0.02)
        writer.close()

    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    slow = Issuer(server.sockets[0].getsockname()[1])
    async with server:
        assert await show(taking_of(slow.url), slow.token()) == 503


@pytest.mark.parametrize("path", [CONFIGURATION, JWKS])
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"null",
        b"[]",
        b"5",
        b"{}",
        b"\xff",
        b"[" * 5000,
        b'{"keys": null, "jwks_uri": null}',
        b'{"keys": 5, "jwks_uri": 5}',
        b'{"keys": [], "jwks_uri": ""}',
        b'{"keys": {"a": 1}, "jwks_uri": "http://[::"}',
        b'{"keys": ["x", null, 5], "jwks_uri": "file:///etc/passwd"}',
        b'{"keys": [{}], "jwks_uri": "ftp://127.0.0.1/jwks"}',
        b'{"keys": [{"kty": "RSA"}, {"kty": "EC", "crv": "X"}], "jwks_uri": "http://127.0.0.1:0/"}',
        b'{"keys": [{"kty": "RSA", "n": 5, "e": []}], "jwks_uri": "x\\u0000y"}',
        b" " * (jwks.MAX_KEYS_BYTES + 1) + b"{}",
    ],
)
async def test_an_issuer_that_answers_nonsense_is_a_503(
    taking: oidc.Issuer, own: Issuer, path: str, body: bytes
) -> None:
    own.instead[path] = (200, OK, body)
    assert await show(taking, own.token()) == 503


@pytest.mark.parametrize("path", [CONFIGURATION, JWKS])
async def test_redirects_are_not_followed(taking: oidc.Issuer, own: Issuer, path: str) -> None:
    own.instead[path] = (302, {"Location": f"{own.url}/elsewhere"}, b"")
    assert await show(taking, own.token()) == 503
    assert own.asked["/elsewhere"] == 0


@pytest.mark.usefixtures("impatient")
async def test_keys_that_nobody_understands_are_passed_over(
    taking: oidc.Issuer, own: Issuer
) -> None:
    odd: list[Any] = [
        {"kty": "AKP", "kid": "new", "pub": "x"},
        {"kty": "RSA", "kid": "broken"},
        "text",
        {"kty": "OKP", "crv": "X9999", "x": "AA", "kid": "odd"},
    ]
    told = json.dumps({"keys": [*odd, own.published("ec")]}).encode()
    own.instead[JWKS] = (200, OK, told)
    assert await show(taking, own.token("ES256", "ec")) == 200
    assert await show(taking, own.token()) == 401


async def test_a_symmetric_key_among_them_signs_nothing(taking: oidc.Issuer, own: Issuer) -> None:
    own.kids = ("oct", "rsa")
    assert await show(taking, own.token("HS256", "oct", roles=["admin"])) == 401
    assert await show(replace(taking, algorithms=("HS256",)), own.token("HS256", "oct")) == 401
    assert await show(taking, own.token()) == 200


def test_secret_signatures_cannot_be_allowed() -> None:
    for name in ("HS256", "none", "RS1"):
        with pytest.raises(ValueError, match="oidc_algorithms"):
            Settings(oidc_algorithms=f"RS256,{name}")


def test_an_issuer_without_an_audience_is_refused() -> None:
    with pytest.raises(ValueError, match="OIDC_AUDIENCE"):
        Settings(oidc_issuer="https://example.org")


def test_a_role_that_stands_for_no_scope_is_refused() -> None:
    for roles in ("editor=root", "editor", "=admin=x", "editor=Write"):
        with pytest.raises(ValueError, match="oidc_roles"):
            Settings(oidc_roles=roles)
