"""Fields of one line: line breaks and tabs in them are blanks, and other controls are refused."""

from uuid import UUID

import httpx
from fastapi import FastAPI
from pydantic import TypeAdapter
from sqlalchemy import update
from sqlalchemy.orm import Session

from app.api import RESOURCES
from app.engine.schemas import type_of
from app.resources.person import Person

BREAKS = {
    "Forum\nof two": "Forum of two",
    "Forum \r\n of two": "Forum of two",
    "Forum\tof\x0btwo\n": "Forum of two",
    "\n Forum\u2028of\u2029\x85two": "Forum of two",
    "Forum  of two": "Forum  of two",
}


async def test_line_breaks_and_tabs_in_one_line_are_one_blank_and_stay_in_prose(
    client: httpx.AsyncClient,
) -> None:
    fields = {"kind": "company", "note": "a\nb"}
    for text, kept in BREAKS.items():
        body = {**fields, "name": text, "city": text, "other_names": [text]}
        made = (await client.post("/organizations", json=body)).json()
        stored = (made["name"], made["city"], made["other_names"], made["note"])
        assert stored == (kept, kept, [kept], "a\nb"), text


async def test_line_breaks_alone_are_no_text(client: httpx.AsyncClient) -> None:
    answer = await client.post("/organizations", json={"kind": "company", "name": "\n\t\u2028"})
    assert answer.status_code == 422, answer.text
    assert answer.json()["errors"][0]["pointer"] == "/name"


async def test_characters_that_nobody_sees_are_named_with_their_place(
    client: httpx.AsyncClient,
) -> None:
    refused = [*range(1, 9), *range(0x0E, 0x20), *range(0x7F, 0x85), *range(0x86, 0xA0)]
    refused += [*range(0x202A, 0x202F), *range(0x2066, 0x206A), 0xFDD0, 0xFDEF, 0xFFFE, 0xFFFF]
    wrong = []
    for number in refused:
        body = {"kind": "company", "name": f"Altyn{chr(number)}Dala", "other_names": ["A"]}
        answer = await client.post("/organizations?dry_run=true", json=body)
        words = f"Holds a character that nobody sees: U+{number:04X} is character 6 of it."
        errors = answer.json().get("errors", [{}])
        if answer.status_code != 422 or not errors[0]["detail"].startswith(words):
            wrong.append((hex(number), answer.text))
    for name in ("می\u200cخواهم", "क्\u200dष", "\u200fשלום", "Ltd\u200e"):
        body = {"kind": "company", "name": name}
        answer = await client.post("/organizations?dry_run=true", json=body)
        if answer.status_code not in (200, 201) or answer.json()["name"] != name:
            wrong.append((name, answer.text))
    assert wrong == []


async def test_every_field_of_one_line_refuses_them(client: httpx.AsyncClient) -> None:
    wrong = []
    for resource in RESOURCES:
        models = {"": resource.fields} | {
            name: part.fields for name, part in resource.embedded.items()
        }
        for part, model in models.items():
            for name, info in model.model_fields.items():
                schema = str(TypeAdapter(type_of(info)).json_schema())
                if name in resource.embedded or "'maxLength': 500" not in schema:
                    continue
                value: object = ["A\x07"] if "'array'" in schema else "A\x07"
                body: dict[str, object] = {name: value}
                body = {part: [body]} if part else body
                answer = await client.post(f"/{resource.path}?dry_run=true", json=body)
                if "U+0007 is character 2 of it." not in answer.text:
                    wrong.append((resource.path, part, name, answer.text[:300]))
    assert wrong == []


async def test_a_record_that_has_them_is_read_and_changed_otherwise(
    fresh: httpx.AsyncClient, fresh_app: FastAPI
) -> None:
    made = await fresh.post("/people", json={"full_name": "Erlan"})
    path = f"/people/{made.json()['id']}"
    statement = update(Person).where(Person.id == UUID(made.json()["id"]))
    database = fresh_app.state.database

    def spoil(session: Session) -> None:
        session.execute(statement.values(full_name="Er\x07lan"))

    await database.write(spoil)
    assert (await fresh.get(path)).json()["full_name"] == "Er\x07lan"
    changed = await fresh.patch(path, json={"note": "Seen"})
    assert changed.status_code == 200, changed.text
    assert changed.json()["full_name"] == "Er\x07lan"
