"""Every kind of record answers HTTP alike: methods, addresses, types."""

from app.engine.resource import Resource
from tests.contract.api import Api, at, each, problem


@each
async def test_head_answers_as_get_without_content(api: Api, resource: Resource) -> None:
    record = at(resource, await api.full(resource))
    for address in (
        record,
        f"/{resource.path}?limit=1",
        f"{record}/history",
        f"{record}/nowhere",
        f"{record}/citations",
    ):
        # HEAD tells the length of the plain form.
        plain = {"Accept-Encoding": "identity"}
        head = await api.client.head(address, headers=plain)
        get = await api.client.get(address, headers=plain)
        assert (head.status_code, head.content) == (get.status_code, b"")
        for headers in (head.headers, get.headers):
            headers.pop("x-request-id")
        assert head.headers == get.headers


@each
async def test_a_method_that_is_not_there_is_told_those_that_are(
    api: Api, resource: Resource
) -> None:
    record = at(resource, await api.full(resource))
    for address, method, allowed in (
        (f"/{resource.path}", "PUT", "DELETE, GET, HEAD, PATCH, POST"),
        (record, "POST", "DELETE, GET, HEAD, PATCH, PUT"),
        (f"{record}/history", "PUT", "GET, HEAD"),
        (f"{record}/restore", "GET", "POST"),
        (f"{record}/restore", "HEAD", "POST"),
    ):
        answer = await api.client.request(method, address)
        assert (answer.status_code, answer.headers["allow"]) == (405, allowed)


@each
async def test_an_address_that_is_not_there_is_not_found(api: Api, resource: Resource) -> None:
    record = at(resource, await api.full(resource))
    for address in (
        f"{record}/nowhere",
        f"{record}/history/1",
        f"{record}/",
        f"/{resource.path}//history",
    ):
        problem(await api.client.get(address), 404)


@each
async def test_a_body_of_another_type_is_refused(api: Api, resource: Resource) -> None:
    record = at(resource, await api.full(resource))
    for method, address in (("POST", f"/{resource.path}"), ("PATCH", record), ("PUT", record)):
        for headers in ({}, {"content-type": "text/plain"}, {"content-type": "json"}):
            answer = await api.client.request(method, address, content=b"{}", headers=headers)
            problem(answer, 415)
            accepted = answer.headers["accept-patch"].split(", ")
            assert set(accepted) == {"application/merge-patch+json", "application/json"}


@each
async def test_a_merge_patch_is_json(api: Api, resource: Resource) -> None:
    record = await api.full(resource)
    for kind in ("application/merge-patch+json", "Application/JSON; charset=utf-8"):
        answer = await api.client.patch(
            at(resource, record), content=b"{}", headers={"content-type": kind}
        )
        assert answer.status_code == 200
