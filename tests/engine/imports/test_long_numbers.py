"""Numbers beyond 64 bits, wherever a file or a list of operations can have one."""

import json

import httpx

from app.api import RESOURCES
from app.core import json_codec
from tests.engine.imports.calls import lines, send, table
from tests.examples import JSON

_LONG = (10**30, -(2**63) - 1, 2**64)
_FORMATS = {"csv": table, "ndjson": lines}


async def test_a_long_number_is_refused_with_its_place_or_told_as_it_is(
    client: httpx.AsyncClient,
) -> None:
    wrong = []
    for resource in RESOURCES:
        names = [name for name in resource.create.model_fields if name != "withheld"]
        for number in _LONG[:1] if resource is not RESOURCES[0] else _LONG:
            row = {**dict.fromkeys(names, number), "unheard": [number, {"of": number}]}
            for kind, file in _FORMATS.items():
                answer = await send(client, resource.path, file(row), kind, dry_run="true")
                places = [(each.get("row"), each["detail"]) for each in answer.json()["errors"]]
                if answer.status_code != 422 or not all(place for place, _ in places):
                    wrong.append((resource.path, kind, number, answer.text[:300]))
            operations = {"operations": [{"op": "create", "body": row}]}
            address, body = f"/{resource.path}/bulk", json_codec.dumps(operations)
            answer = await client.post(address, content=body, headers=JSON)
            pointers = [each["pointer"] for each in answer.json()["errors"]]
            if answer.status_code != 422 or not all(pointers):
                wrong.append((resource.path, "bulk", number, answer.text[:300]))
    assert not wrong, wrong[:5]


async def test_a_dry_run_tells_a_long_number_that_it_cannot_take(client: httpx.AsyncClient) -> None:
    for path, row in (
        ("people", {"full_name": "F", "full_name_en": _LONG[0]}),
        ("reported-totals", {"measure": "companies", "value": 5, "mission": {"ref": _LONG[0]}}),
    ):
        answer = await send(client, path, json.dumps(row), "ndjson", dry_run="true")
        assert answer.status_code == 422, answer.text
        assert {each["row"] for each in answer.json()["errors"]} == {1}
