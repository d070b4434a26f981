"""Keys for a spreadsheet: bound to one address, and written into it."""

import pytest
from fastapi import FastAPI

from app.core.auth.api_keys import new_secret
from app.core.auth.principals import Scope
from tests.conftest import client_of
from tests.core.auth.asking import ask, bearer
from tests.core.auth.issuer import Issuer
from tests.core.auth.opened import expire, key_of
from tests.keys import ADMIN_KEY, BEARER

FILE = "/agreements.csv"


@pytest.fixture(scope="session")
async def bound(public_app: FastAPI) -> str:
    """A key that opens one file."""
    return await key_of(public_app, "bound", Scope.READ, FILE)


@pytest.fixture(scope="session")
async def reader(public_app: FastAPI) -> str:
    """A key that reads everything."""
    return await key_of(public_app, "reads files", Scope.READ)


def hidden(secret: str) -> bytes:
    """What of a key nobody may see again."""
    return secret[13:].encode()


# Bound to one address


@pytest.mark.parametrize("query", ["", "?limit=1", "?status=signed&limit=2", "?%6cimit=1"])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_a_bound_key_opens_its_address_with_any_parameters(
    private_app: FastAPI, bound: str, method: str, query: str
) -> None:
    answer = await ask(private_app, FILE + query, method=method, headers=bearer(bound))
    assert answer.status == 200


async def test_an_address_is_the_same_however_it_is_encoded(
    private_app: FastAPI, bound: str
) -> None:
    for target in ("/agreements%2Ecsv", "/%61greements.csv"):
        assert (await ask(private_app, target, headers=bearer(bound))).status == 200


@pytest.mark.parametrize(
    "target",
    [
        "/agreements",
        "/agreements.xlsx",
        "/agreements.csv/",
        "/Agreements.csv",
        "/agreements.CSV",
        "/agreements.csv.csv",
        "/missions.csv",
        "/agreements/housemaster-progmatik-jv",
        "/agreements/aggregate.csv?metrics=count",
        "/search?q=x",
        "/changes",
        "/metrics",
        "/api-keys",
        "/api-keys/bound",
    ],
)
async def test_it_opens_nothing_else(
    private_app: FastAPI, public_app: FastAPI, bound: str, target: str
) -> None:
    for app in (private_app, public_app):
        answer = await ask(app, target, headers=bearer(bound))
        assert answer.status in (403, 404)
        if answer.status == 403:
            assert answer.detail == f"This key opens {FILE} alone, for reading."
        else:
            assert (await ask(app, target, headers=BEARER)).status == 404


async def test_a_bound_key_does_not_read_the_trash(
    private_app: FastAPI, public_app: FastAPI, bound: str
) -> None:
    for app in (private_app, public_app):
        for query in ("deleted=include", "deleted=only", "limit=1&del%65ted=only"):
            answer = await ask(app, f"{FILE}?{query}", headers=bearer(bound))
            assert (answer.status, "trash" in answer.detail) == (403, True), query
        for query in ("as_of=2016-04-12", "a%73_of="):
            answer = await ask(app, f"{FILE}?{query}", headers=bearer(bound))
            assert (answer.status, "is there now" in answer.detail) == (403, True), query
        shown = await ask(app, f"{FILE}?deleted=exclude", headers=bearer(bound))
        assert shown.status == 200


async def test_a_key_bound_to_what_admins_see_does_not_open_it(public_app: FastAPI) -> None:
    secret = await key_of(public_app, "bound to keys", Scope.READ, "/api-keys")
    answer = await ask(public_app, "/api-keys", headers=bearer(secret))
    assert answer.status == 403
    assert "needs the scope 'admin'" in answer.detail


async def test_a_key_bound_to_a_list_does_not_write_there(public_app: FastAPI) -> None:
    secret = await key_of(public_app, "bound to people", Scope.READ, "/people")
    for method in ("POST", "PATCH", "DELETE"):
        answer = await ask(public_app, "/people", method=method, headers=bearer(secret), body={})
        assert answer.status == 403


# In the address


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize(
    "form",
    [
        "/agreements.csv?api_key={}",
        "/agreements.csv?limit=1&api_key={}",
        "/agreements.csv?api_key={}&limit=1",
        "/agreements.csv?api%5Fkey={}",
        "/agreements.csv?%61%70%69_key={}&limit=1",
        "/agreements.xlsx?api_key={}",
        "/agreements.ndjson?api_key={}",
        "/missions/novosibirsk-april/agreements.csv?api_key={}",
        "/agreements/aggregate.csv?metrics=count&api_key={}",
    ],
)
async def test_a_file_is_had_with_a_key_in_its_address(
    private_app: FastAPI, reader: str, form: str, method: str
) -> None:
    escaped = "".join(f"%{ord(letter):02x}" for letter in reader)
    for secret in (reader, escaped):
        answer = await ask(private_app, form.format(secret), method=method)
        assert answer.status == 200, answer.body
        assert hidden(reader) not in answer.body + repr(answer.headers).encode()


@pytest.mark.parametrize(
    "form",
    [
        "/agreements?api_key={}",
        "/agreements?limit=1&api_key={}",
        "/agreements/housemaster-progmatik-jv?api_key={}",
        "/search?q=novosibirsk&api_key={}",
        "/changes?api%5fkey={}",
        "/metrics?api_key={}",
        "/api-keys?api_key={}",
        "/sources/kazinform-novosibirsk/text?api_key={}",
    ],
)
async def test_nothing_but_files_is(
    private_app: FastAPI, public_app: FastAPI, reader: str, form: str
) -> None:
    for app in (private_app, public_app):
        for method in ("GET", "HEAD"):
            answer = await ask(app, form.format(reader), method=method)
            assert answer.status == 403
            assert hidden(reader) not in answer.body + repr(answer.headers).encode()


@pytest.mark.parametrize("method", ["POST", "PATCH", "DELETE"])
async def test_nothing_is_written_with_a_key_in_the_address(
    public_app: FastAPI, method: str
) -> None:
    answer = await ask(public_app, f"/people?api_key={ADMIN_KEY}", method=method, body={})
    assert answer.status == 403
    assert hidden(ADMIN_KEY) not in answer.body


@pytest.mark.parametrize("scope", [Scope.WRITE, Scope.ADMIN])
async def test_a_key_that_can_do_more_is_refused_there(public_app: FastAPI, scope: Scope) -> None:
    secret = await key_of(public_app, f"too strong {scope}", scope)
    answer = await ask(public_app, f"{FILE}?api_key={secret}")
    assert answer.status == 403
    assert "revoke it" in answer.detail


async def test_a_token_is_refused_there(public_app: FastAPI, issuer: Issuer) -> None:
    answer = await ask(public_app, f"{FILE}?api_key={issuer.token()}")
    assert answer.status == 403
    assert "token" in answer.detail


@pytest.mark.parametrize("sent", ["", "garbage", "%ff%fe", "%00", "+", "{unknown}", "{expired}"])
async def test_a_wrong_one_is_a_401_and_is_not_told_back(public_app: FastAPI, sent: str) -> None:
    if sent == "{expired}":
        sent = await key_of(public_app, "expired in the address")
        await expire(public_app, "expired in the address")
    sent = sent.replace("{unknown}", new_secret())
    for target in (FILE, "/agreements"):
        for method in ("GET", "HEAD"):
            answer = await ask(public_app, f"{target}?api_key={sent}", method=method)
            assert answer.status == 401
            assert len(sent) < 9 or hidden(sent) not in answer.body + repr(answer.headers).encode()


async def test_a_name_without_a_value_is_a_wrong_key(public_app: FastAPI) -> None:
    assert (await ask(public_app, f"{FILE}?api_key")).status == 401


@pytest.mark.parametrize("form", ["api_key={0}&api_key={0}", "api_key={0}&x=1&api%5Fkey=other"])
async def test_two_of_them_are_refused(public_app: FastAPI, reader: str, form: str) -> None:
    answer = await ask(public_app, f"{FILE}?{form.format(reader)}")
    assert answer.status == 400
    assert answer.json()["errors"][0]["parameter"] == "api_key"
    assert hidden(reader) not in answer.body


async def test_a_header_and_a_parameter_together_are_refused(
    public_app: FastAPI, reader: str
) -> None:
    answer = await ask(public_app, f"{FILE}?api_key={reader}", headers=bearer(reader))
    assert answer.status == 400
    assert hidden(reader) not in answer.body


async def test_a_parameter_that_is_only_called_alike_is_none(
    public_app: FastAPI, reader: str
) -> None:
    for name in ("API_KEY", "x_api_key", "api_key2", "apikey"):
        answer = await ask(public_app, f"{FILE}?{name}={reader}")
        assert answer.status == 400
        assert hidden(reader) not in answer.body


async def test_a_key_in_the_address_of_what_needs_none_is_not_told_back(
    public_app: FastAPI, reader: str
) -> None:
    for path in ("/health/live", "/health/ready", "/docs", "/", "/nowhere", "/problems/nothing"):
        answer = await ask(public_app, f"{path}?api_key={reader}")
        assert hidden(reader) not in answer.body + repr(answer.headers).encode()


# Made


async def test_a_key_is_bound_to_an_address_that_is_there(public_app: FastAPI) -> None:
    told = {
        "/agreement.csv": "Did you mean /agreements.csv",
        "/agreements.pdf": "There is no format 'pdf'.",
        "/missions/nobody": "There is no mission with the id or ref 'nobody'.",
        "/missions/nobody/agreements.csv": "There is no mission with the id or ref 'nobody'.",
        "/organizations/nobody": "There is no organization with the id or ref 'nobody'.",
        "/codes/country": "Did you mean 'countries'?",
        "/api-keys": "needs the scope admin",
        "/nowhere": "There is no address /nowhere.",
        "/": "There is no address /.",
        "/missions/novosibirsk-april/agreements.csv": "",
        "/organizations/kz-embassy-in-russia": "",
        "/agreements/aggregate.csv": "",
        "/codes/countries": "",
    }
    faults = []
    async with client_of(public_app) as client:
        for path, words in told.items():
            answer = await client.post("/api-keys", json={"name": f"Bound to {path}", "path": path})
            errors = {e["pointer"]: e["detail"] for e in answer.json().get("errors", ())}
            if answer.status_code != (422 if words else 201) or words not in errors.get(
                "/path", ""
            ):
                faults.append(f"{path}: {answer.text}")
    assert not faults, "\n".join(faults)
