"""The requests whose costs are counted: those that clients send again and again."""

from itertools import count
from typing import Any

import httpx

from app.core import json_codec
from tests.examples import JSON

ROWS = 100
#: Of lists those records that are there from the beginning, so that they always hold as much.
READS = {
    "a record": "/people/{person}",
    "a record with what it refers to": "/missions/novosibirsk-april?expand=delegates.person",
    "a list": "/agreements?limit=6",
    "a list that is filtered and sorted": "/agreements?status=signed&sort=-amount",
    "a list with what it refers to": "/agreements?limit=6&expand=parties.organization",
    "a list that is counted": "/agreements?count=exact&status=signed",
    "a search": "/agreements?q=казахстан&limit=3",
    "a search of all kinds": "/search?q=казахстан",
    "figures": "/agreements/aggregate?metrics=count,sum(amount)&group_by=status,currency",
    "what changed": "/changes?limit=20",
    "a record's history": "/people/{person}/history",
    "a mission's summary": "/missions/novosibirsk-april/summary",
}
#: In this order: what is deleted is restored.
WRITES = (
    "POST",
    "POST with references",
    "PATCH",
    "PUT",
    "DELETE",
    "restore",
    "bulk",
    "import",
)
_numbers = count(1)


async def read(client: httpx.AsyncClient, what: str, person: str) -> None:
    answer = await client.get(READS[what].format(person=person))
    assert answer.status_code == 200, answer.text


async def write(client: httpx.AsyncClient, what: str, person: str) -> str:
    """Send one of the writes, each time with another content; the record's id, if it is of one."""
    number = next(_numbers)
    address, body = f"/people/{person}", {"full_name": f"Somebody {number}"}
    rows = [f"Somebody {number} of {row}" for row in range(ROWS)]
    match what:
        case "POST":
            answer = await _send(client, "POST", "/people", body)
        case "POST with references":
            party = {"organization": {"ref": "kaznex-invest"}, "role": "signatory"}
            agreement = {"title": f"A contract {number}", "instrument": "supply_contract"}
            agreement["status"] = "announced"
            answer = await _send(client, "POST", "/agreements", agreement | {"parties": [party]})
        case "PATCH":
            answer = await _send(client, "PATCH", address, body)
        case "PUT":
            answer = await _send(client, "PUT", address, body)
        case "DELETE":
            answer = await client.delete(address)
        case "restore":
            answer = await client.post(f"{address}/restore")
        case "bulk":
            operations = [{"op": "create", "body": {"full_name": name}} for name in rows]
            answer = await _send(client, "POST", "/people/bulk", {"operations": operations})
        case _:
            table = "\n".join(["full_name", *rows])
            headers = {"Content-Type": "text/csv"}
            answer = await client.post("/people/import", content=table, headers=headers)
    assert answer.is_success, f"{what}: {answer.text}"
    return str(answer.json()["id"]) if what == "POST" else person


async def _send(client: httpx.AsyncClient, method: str, address: str, body: Any) -> httpx.Response:
    return await client.request(method, address, content=json_codec.dumps(body), headers=JSON)
