"""Webhooks as admins make and change them."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from tests.conftest import copy_of
from tests.keys import BEARER
from tests.webhooks.hooks import create, hooked

URL = "https://hooks.example.org/changes"
NOWHERE = "01980000-0000-7000-8000-000000000000"


@pytest.fixture(scope="module")
async def shared(
    template_url: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[httpx.AsyncClient]:
    folder = tmp_path_factory.mktemp("webhooks")
    async with copy_of(template_url, folder) as url, hooked(url, private=False) as client:
        yield client


@pytest.fixture
async def admin(shared: httpx.AsyncClient) -> AsyncIterator[httpx.AsyncClient]:
    """A client with an admin's key; there are no webhooks before the test and after it."""
    yield shared
    for webhook in (await shared.get("/webhooks?limit=1000")).json()["data"]:
        assert (await shared.delete(f"/webhooks/{webhook['id']}")).status_code == 204


async def test_a_webhook_is_made_with_a_secret_that_is_shown_once(admin: httpx.AsyncClient) -> None:
    answer = await admin.post("/webhooks", json={"name": "A test", "url": URL})
    made = answer.json()
    assert answer.status_code == 201
    assert answer.headers["location"] == f"/webhooks/{made['id']}"
    assert made["secret"].startswith("whsec_")
    shown = (await admin.get(f"/webhooks/{made['id']}")).json()
    assert shown == {name: value for name, value in made.items() if name != "secret"}
    assert (shown["enabled"], shown["kinds"], shown["actions"]) == (True, None, None)
    assert shown["created_by"] == "admin"
    listed = (await admin.get("/webhooks")).json()
    assert listed["data"] == [shown]
    assert set(listed["page"]) == {
        "limit", "next_cursor", "prev_cursor", "total", "total_is_estimate"
    }  # fmt: skip
    assert made["secret"] not in (await admin.get("/webhooks")).text


async def test_two_webhooks_have_two_secrets(admin: httpx.AsyncClient) -> None:
    assert (await create(admin, URL))["secret"] != (await create(admin, URL))["secret"]


async def test_webhooks_are_listed_page_by_page(admin: httpx.AsyncClient) -> None:
    made = [(await create(admin, URL, name=f"Webhook {n}"))["id"] for n in range(5)]
    first = (await admin.get("/webhooks", params={"limit": 3})).json()
    cursor = first["page"]["next_cursor"]
    rest = (await admin.get("/webhooks", params={"limit": 3, "cursor": cursor})).json()
    assert [one["id"] for one in first["data"] + rest["data"]] == made
    assert rest["page"]["next_cursor"] is None
    back = rest["page"]["prev_cursor"]
    again = (await admin.get("/webhooks", params={"limit": 3, "cursor": back})).json()
    assert [one["id"] for one in again["data"]] == made[:3]


async def test_a_webhook_is_changed_and_deleted(admin: httpx.AsyncClient) -> None:
    path = f"/webhooks/{(await create(admin, URL, kinds=['person']))['id']}"
    changes = {"kinds": ["agreement"], "actions": ["create"], "filter": "status eq 'signed'"}
    changed = await admin.patch(path, json=changes)
    assert changed.status_code == 200, changed.text
    assert changes.items() <= changed.json().items()
    assert changed.json() == (await admin.get(path)).json()
    cleared = await admin.patch(path, json={"filter": None, "kinds": None})
    assert (cleared.json()["filter"], cleared.json()["kinds"]) == (None, None)
    assert cleared.json()["actions"] == ["create"]
    assert (await admin.delete(path)).status_code == 204
    assert (await admin.get(path)).status_code == 404
    assert (await admin.delete(path)).status_code == 404


@pytest.mark.parametrize(
    ("fields", "pointer", "told"),
    [
        ({"name": ""}, "/name", ""),
        ({"name": None}, "/name", ""),
        ({"nam": "x"}, "/nam", "Did you mean 'name'?"),
        ({"secret": "whsec_x"}, "/secret", "There is no 'secret' here."),
        ({"url": "ftp://example.org/"}, "/url", ""),
        ({"url": "example.org"}, "/url", ""),
        ({"url": "https:///path"}, "/url", "no host"),
        ({"url": "https://example.org:99999/"}, "/url", "no address"),
        ({"url": "https://[::1"}, "/url", "no address"),
        ({"url": "https://me:word@example.org/"}, "/url", "name and password"),
        ({"url": "https://example.org/#here"}, "/url", "#"),
        ({"url": "https://127.0.0.1/"}, "/url", "not a public address"),
        ({"url": "http://localhost:8000/"}, "/url", "not a public address"),
        ({"url": "http://a.localhost/"}, "/url", "not a public address"),
        ({"url": "http://[::ffff:10.0.0.1]/"}, "/url", "not a public address"),
        ({"url": "http://169.254.169.254/latest/meta-data"}, "/url", "not a public address"),
        ({"kinds": []}, "/kinds", ""),
        ({"kinds": ["person", "person"]}, "/kinds", "twice"),
        ({"kinds": ["person", "agrement"]}, "/kinds/1", "Did you mean 'agreement'?"),
        ({"actions": ["updated"]}, "/actions/0", "Did you mean 'update'?"),
        ({"filter": "status eq 'signed'"}, "/filter", "one kind"),
        ({"filter": "x eq 1", "kinds": ["person", "mission"]}, "/filter", "one kind"),
        ({"filter": "status eq", "kinds": ["agreement"]}, "/filter", "Character 10"),
        ({"filter": "statu eq 'x'", "kinds": ["agreement"]}, "/filter", "Did you mean 'status'?"),
        ({"filter": "status eq 'sined'", "kinds": ["agreement"]}, "/filter", "'signed'"),
        ({"filter": "host_country eq 'XX'", "kinds": ["mission"]}, "/filter", "country code"),
        ({"enabled": "perhaps"}, "/enabled", ""),
    ],
)
async def test_a_wrong_field_is_told(
    admin: httpx.AsyncClient, fields: dict[str, Any], pointer: str, told: str
) -> None:
    good = {"name": "A test", "url": URL}
    made = await create(admin, URL)
    for answer in (
        await admin.post("/webhooks", json={**good, **fields}),
        await admin.patch(f"/webhooks/{made['id']}", json=fields),
    ):
        assert answer.status_code == 422, answer.text
        (error,) = answer.json()["errors"]
        assert error["pointer"] == pointer
        assert told in error["detail"]
    assert len((await admin.get("/webhooks")).json()["data"]) == 1


async def test_a_change_is_judged_with_what_stays(admin: httpx.AsyncClient) -> None:
    wanted = {"kinds": ["agreement"], "filter": "status eq 'signed'"}
    path = f"/webhooks/{(await create(admin, URL, **wanted))['id']}"
    answer = await admin.patch(path, json={"kinds": ["person"]})
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/filter")


async def test_production_wants_https(fresh_url: str) -> None:
    async with hooked(fresh_url, private=False, secure=True) as client:
        body = {"name": "A test", "url": "http://hooks.example.org/"}
        answer = await client.post("/webhooks", json=body)
        assert answer.status_code == 422
        assert "https://" in answer.json()["detail"]


@pytest.mark.parametrize("private", [True, False])
async def test_private_addresses_are_allowed_by_the_setting(fresh_url: str, private: bool) -> None:
    async with hooked(fresh_url, private=private, secure=True) as client:
        body = {"name": "A test", "url": "http://10.0.0.1/"}
        assert (await client.post("/webhooks", json=body)).status_code == (201 if private else 422)


async def test_a_test_of_a_webhook_that_is_off_is_refused(admin: httpx.AsyncClient) -> None:
    made = await create(admin, URL, enabled=False)
    answer = await admin.post(f"/webhooks/{made['id']}/test")
    assert answer.status_code == 409
    assert '{"enabled": true}' in answer.json()["detail"]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/webhooks/{}"),
        ("PATCH", "/webhooks/{}"),
        ("DELETE", "/webhooks/{}"),
        ("POST", "/webhooks/{}/secret"),
        ("POST", "/webhooks/{}/test"),
        ("GET", "/webhooks/{}/deliveries"),
        ("POST", "/webhooks/{}/redeliver?state=dead"),
        ("POST", "/webhooks/{}/deliveries/" + NOWHERE + "/redeliver"),
    ],
)
@pytest.mark.parametrize("key", [NOWHERE, "nothing"])
async def test_a_webhook_that_is_not_there_is_not_found(
    client: httpx.AsyncClient, method: str, path: str, key: str
) -> None:
    sent: dict[str, Any] = {"json": {"name": "x"}} if method == "PATCH" else {}
    answer = await client.request(method, path.format(key), headers=BEARER, **sent)
    assert answer.status_code == 404, answer.text
    assert answer.headers["content-type"] == "application/problem+json"


async def test_a_delivery_of_another_webhook_is_not_found(admin: httpx.AsyncClient) -> None:
    one, other = await create(admin, URL), await create(admin, URL)
    made = (await admin.post(f"/webhooks/{one['id']}/test")).json()
    answer = await admin.post(f"/webhooks/{other['id']}/deliveries/{made['id']}/redeliver")
    assert answer.status_code == 404


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/webhooks"), ("POST", "/webhooks"), ("GET", f"/webhooks/{NOWHERE}/deliveries")],
)
async def test_webhooks_are_for_admins(client: httpx.AsyncClient, method: str, path: str) -> None:
    without = {"Authorization": "Bearer tmd_nobodyab_" + "x" * 43}
    assert (await client.request(method, path, headers=without)).status_code == 401


async def test_there_are_at_most_100(admin: httpx.AsyncClient) -> None:
    for number in range(100):
        await create(admin, URL, name=f"Webhook {number}", enabled=False)
    answer = await admin.post("/webhooks", json={"name": "One more", "url": URL})
    assert answer.status_code == 409
