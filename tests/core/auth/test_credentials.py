"""How a key is sent: the Authorization header, by the letter and beside it."""

from base64 import b64encode

import pytest
from fastapi import FastAPI

from app.core.auth.principals import Scope
from tests.core.auth.asking import ask
from tests.core.auth.opened import key_of
from tests.keys import ADMIN_KEY


@pytest.fixture(scope="session")
async def key(private_app: FastAPI) -> str:
    return await key_of(private_app, "credentials", Scope.READ)


def basic(text: str | bytes) -> str:
    return "Basic " + b64encode(text.encode() if isinstance(text, str) else text).decode()


@pytest.mark.parametrize(
    "form",
    [
        "Bearer {}",
        "bearer {}",
        "BEARER {}",
        "Bearer   {}",
        "  Bearer {}  ",
    ],
)
async def test_a_key_is_taken_as_bearer(private_app: FastAPI, key: str, form: str) -> None:
    sent = {"authorization": form.format(key)}
    assert (await ask(private_app, "/missions", headers=sent)).status == 200


@pytest.mark.parametrize("user", ["", "excel", "Айгерим", "a b"])
async def test_a_key_is_taken_as_the_password_of_basic(
    private_app: FastAPI, key: str, user: str
) -> None:
    for scheme in ("Basic", "basic"):
        sent = {"authorization": basic(f"{user}:{key}").replace("Basic", scheme)}
        assert (await ask(private_app, "/missions", headers=sent)).status == 200


@pytest.mark.parametrize(
    "sent",
    [
        "",
        " ",
        "Bearer",
        "Bearer ",
        "Bearer: x",
        "Bearer garbage",
        "Bearer a b",
        "Bearer Bearer x",
        "Bearer Ключ".encode(),
        b"Bearer \xff\xfe",
        "Bearer ..",
        "Bearer a.b.c",
        "Digest username=x",
        "Negotiate abcd",
        "Basic",
        "Basic ",
        "Basic !!!",
        "Basic YQ",
        b"Basic \xd0\xba",
        "Basic éé",
        basic(""),
        basic(":"),
        basic("user"),
        basic("user:"),
        basic("user:wrong"),
        basic("user:pass:word"),
        basic(b"\xff\xfe:\xff"),
        basic("a:\ud800".encode("utf-8", "surrogatepass")),
        basic("a:" + "\0"),
        ADMIN_KEY,
        f"Token {ADMIN_KEY}",
        f"Bearer {ADMIN_KEY[:-1]}",
        f"Bearer {ADMIN_KEY}k",
        f"Bearer {ADMIN_KEY.upper()}",
        f"Bearer {ADMIN_KEY[:-1]}l",
        f"Bearer {ADMIN_KEY},",
        f'Bearer "{ADMIN_KEY}"',
    ],
)
async def test_anything_else_is_a_401(private_app: FastAPI, sent: str | bytes) -> None:
    for target in ("/missions", "/missions/novosibirsk-april", "/missions.csv"):
        answer = await ask(private_app, target, headers=[("authorization", sent)])
        assert answer.status == 401, answer.body
        assert answer.detail


async def test_what_was_wrong_is_wrong_where_reading_is_public_too(public_app: FastAPI) -> None:
    sent = {"authorization": "Bearer garbage"}
    assert (await ask(public_app, "/missions", headers=sent)).status == 401


async def test_a_key_in_the_wrong_part_of_basic_is_not_told_back(
    private_app: FastAPI, key: str
) -> None:
    """As `curl -u KEY:` sends it."""
    answer = await ask(private_app, "/missions", headers={"authorization": basic(f"{key}:")})
    assert answer.status == 401
    assert "password" in answer.detail
    assert key[13:20].encode() not in answer.body


@pytest.mark.parametrize("letters", [20_000, 100_000])
@pytest.mark.parametrize("form", ["{}", "a.{}.c", "tmd_testtest_{}"])
async def test_very_long_ones_are_refused_like_others(
    private_app: FastAPI, form: str, letters: int
) -> None:
    for sent in (f"Bearer {form.format('k' * letters)}", basic(f"u:{form.format('k' * letters)}")):
        answer = await ask(private_app, "/missions", headers={"authorization": sent})
        assert answer.status == 401
        assert len(answer.body) < 1000


async def test_two_authorization_headers_are_refused(private_app: FastAPI, key: str) -> None:
    sent = [("authorization", f"Bearer {key}"), ("authorization", f"Bearer {key}")]
    answer = await ask(private_app, "/missions", headers=sent)
    assert answer.status == 400
    assert "more than one" in answer.detail


async def test_a_navigating_browser_is_asked_for_a_password(private_app: FastAPI) -> None:
    for headers in ({}, {"sec-fetch-mode": "navigate"}):
        answer = await ask(private_app, "/missions", headers=headers)
        # Of two on one line Chromium knows the first alone.
        assert [value for name, value in answer.headers if name == "www-authenticate"] == [
            'Bearer realm="trade-missions"',
            'Basic realm="trade-missions", charset="UTF-8"',
        ]


@pytest.mark.parametrize("mode", ["cors", "same-origin", "no-cors", "websocket"])
async def test_a_script_in_a_page_is_not(private_app: FastAPI, mode: str) -> None:
    """A browser would open a dialog for the page's user."""
    for headers in ({}, {"authorization": "Bearer garbage"}):
        sent = {"sec-fetch-mode": mode, **headers}
        challenge = (await ask(private_app, "/missions", headers=sent)).header("www-authenticate")
        assert challenge is not None
        assert challenge.startswith('Bearer realm="trade-missions"')
        assert "Basic" not in challenge


async def test_what_was_sent_in_vain_is_called_an_invalid_token(private_app: FastAPI) -> None:
    """RFC 6750, 3.1: with nothing sent there is no error to tell."""
    sent = {"authorization": "Bearer garbage"}
    told = (await ask(private_app, "/missions", headers=sent)).header("www-authenticate")
    assert told is not None
    assert 'error="invalid_token"' in told
    assert "error" not in str((await ask(private_app, "/missions")).header("www-authenticate"))


async def test_a_key_in_another_place_is_told_so_and_not_told_back(
    private_app: FastAPI, key: str
) -> None:
    places: list[tuple[str, dict[str, str], str]] = [
        ("/missions", {"x-api-key": key}, "The header X-Api-Key is not looked at."),
        ("/missions", {"x-auth-token": key}, "The header X-Auth-Token is not looked at."),
        (f"/missions?access_token={key}", {}, "The parameter access_token is not looked at."),
        (f"/missions?apiKey={key}", {}, "The parameter apikey is not looked at."),
        ("/missions", {"cookie": f"key={key}"}, "Cookies are not looked at."),
        ("/missions", {"authorization": f"Token {key}"}, "Authorization says Token"),
        ("/missions", {"authorization": key}, "the key is to follow the word Bearer"),
        ("/missions", {"authorization": f"{key} x"}, "does not begin with the word Bearer"),
        ("/missions", {"authorization": "Bearer"}, "no key follows"),
    ]
    faults = []
    for address, headers, told in places:
        answer = await ask(private_app, address, headers=headers)
        text = str(answer)
        if answer.status != 401 or told not in text or "Bearer KEY" not in text or key in text:
            faults.append((address, list(headers), text))
    assert faults == []
