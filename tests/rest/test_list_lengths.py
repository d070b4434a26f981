"""How long a list in a body may be is looked at before what is in it."""

from typing import Any

import httpx

from app.core import json_codec

AGREEMENT = {"title": "Long", "instrument": "other", "status": "negotiated"}
LONG: dict[tuple[str, str], tuple[dict[str, Any], Any]] = {
    ("/agreements", "sectors"): (AGREEMENT, 7),
    ("/agreements", "amount_by_year"): (AGREEMENT, {"year": "soon"}),
    ("/agreements", "withheld"): (AGREEMENT, 7),
    ("/organizations", "identifiers"): ({"name": "Long", "kind": "company"}, {"scheme": 7}),
    ("/webhooks", "kinds"): ({"url": "https://127.0.0.1/", "name": "long"}, 7),
    ("/webhooks", "actions"): ({"url": "https://127.0.0.1/", "name": "long"}, 7),
}


async def test_of_a_list_that_is_too_long_the_length_alone_is_told(
    client: httpx.AsyncClient,
) -> None:
    wrong = []
    for (path, name), (body, item) in LONG.items():
        answer = await client.post(path, json={**body, name: [item] * 2000})
        faults = json_codec.loads(answer.content).get("errors", ())
        places = {fault["pointer"] for fault in faults if fault["pointer"].startswith(f"/{name}")}
        if answer.status_code != 422 or places != {f"/{name}"}:
            wrong.append((path, name, answer.status_code, sorted(places)[:3]))
    assert not wrong
