"""Misspelt addresses: the 404 names the nearest ones that there are."""

import re
from collections.abc import Iterator

import httpx
from fastapi import FastAPI
from starlette.routing import Route

from app.core.http.nearest_addresses import nearest, tree_of

#: What people ask for, and what the answer has to name.
TOLD = {
    "/agreement": "Did you mean /agreements?",
    "/Agreements": "Did you mean /agreements?",
    "/agreements/": "Did you mean /agreements?",
    "/reported_totals": "Did you mean /reported-totals?",
    "/agreement.csv": "Did you mean /agreements.csv or /agreements?",
    "/mission/novosibirsk-april": "Did you mean /missions/novosibirsk-april?",
    "/missions/novosibirsk-april/": "Did you mean /missions/novosibirsk-april?",
    "/missions/novosibirsk-april/delegate": "Did you mean /missions/novosibirsk-april/delegates?",
    "/missions/novosibirsk-april/sumary": "Did you mean /missions/novosibirsk-april/summary?",
    "/missions/novosibirsk-april/guests": "Below /missions/novosibirsk-april there are agreements,",
    "/agreements/aggregates": "Did you mean /agreements/aggregate",
    "/docs/": "Did you mean /docs?",
    "/guide/": "Did you mean /guide?",
    "/openapi": "Did you mean /openapi.json?",
    "/health": "Below /health there are live, ready.",
    "/api/agreements": "Did you mean /agreements?",
    "/api/v1/missions": "Did you mean /missions?",
    "/v1/missions/novosibirsk-april": "Did you mean /missions/novosibirsk-april?",
    "/robots.txt": "/ leads to the documentation of all addresses.",
    "/" + "agreements/" * 200: "/ leads to the documentation of all addresses.",
    "/people/somebody": "There is no person with the id or ref 'somebody'.",
}


async def test_a_misspelt_address_names_the_nearest(client: httpx.AsyncClient) -> None:
    faults = []
    for address, words in TOLD.items():
        for method in ("GET", "DELETE"):
            answer = await client.request(method, address)
            told = answer.json()["detail"]
            if answer.status_code != 404 or words not in told or told.count("Did you mean") > 1:
                faults.append(f"{method} {address}: {answer.status_code} {told}")
    assert not faults, "\n".join(faults)


async def test_an_address_is_not_suggested_to_whoever_asked_for_it(
    client: httpx.AsyncClient,
) -> None:
    for key in ("%D0%90%D0%B9", "%F0%9F%98%80", "aigerim;x", "a%20b"):
        answer = await client.get(f"/people/{key}")
        assert answer.status_code == 404
        assert f"/people/{key}" not in answer.json()["detail"], key


async def test_a_record_that_is_not_there_is_not_taken_for_an_address(
    client: httpx.AsyncClient,
) -> None:
    for key in ("somebody", "agreements", "research", "exchange"):
        told = (await client.get(f"/people/{key}")).json()["detail"]
        assert told == f"There is no person with the id or ref {key!r}."


async def test_no_suggestion_repeats_what_could_be_read_as_something_else(
    client: httpx.AsyncClient,
) -> None:
    answer = await client.get("/mission/%3Cb%3E%20%22x%22%0A")
    assert "Did you mean /missions/%3Cb%3E%20%22x%22%0A?" in answer.json()["detail"]


def misspellings(path: str) -> Iterator[str]:
    """Ways in which people write an address that is not quite right."""
    yield f"{path}/"
    yield path.upper()
    yield f"/api{path}"
    yield f"/api/v1{path}"
    steps = path.split("/")
    for at, step in enumerate(steps):
        if len(step) > 4 and "{" not in step and "." not in step:
            for wrong in {step[:-1], f"{step}s", step.replace("-", "_")} - {step}:
                yield "/".join([*steps[:at], wrong, *steps[at + 1 :]])


async def test_every_address_is_named_to_whoever_nearly_hits_it(shared_app: FastAPI) -> None:
    routes = shared_app.router.routes
    tree = tree_of(routes)
    faults = []
    for path in {route.path for route in routes if isinstance(route, Route)} - {"/"}:
        right = _filled(path)
        for wrong in map(_filled, misspellings(path)):
            near = nearest(tree, wrong)
            if right.casefold() not in [address.casefold() for address in near]:
                faults.append(f"{wrong} → {near}")
    assert not faults, "\n".join(faults)


def _filled(path: str) -> str:
    """An address of a route, with something in the place of its parameters."""
    return re.sub(r"[{}]", "", path.replace("{format}", "csv").replace("{FORMAT}", "CSV"))
