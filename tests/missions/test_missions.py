"""Six invented missions with what real ones are hard in, entered in each way, and moved on."""

import json
import re
from typing import Any

import httpx

from app.resources.passage import same_words
from tests.contract.api import STAMPS
from tests.engine.imports.calls import export, send
from tests.missions.ways import ORDER, WAYS, attach_texts, batches, missions

Records = dict[str, dict[str, Any]]
_ID = re.compile(r'"([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})"')
#: What there is so far to tell the records of one way from others.
OF_WAY = dict.fromkeys(ORDER, "ref__startswith") | {"citations": "source__ref__startswith"}


async def state(client: httpx.AsyncClient, way: str) -> Records:
    """All records of a way by kind and ref, with refs for ids and without what each storing of
    them gives them; citations by what they say."""
    found: list[tuple[str, Any]] = []
    for path in ORDER:
        answer = await client.get(f"/{path}", params={OF_WAY[path]: f"{way}-", "limit": 500})
        assert answer.status_code == 200, answer.text
        found += [(path, record) for record in answer.json()["data"]]
    refs = {record["id"]: record.get("ref") for _, record in found}
    records: Records = {}
    for path, record in found:
        told = {name: value for name, value in record.items() if name not in ("id", *STAMPS)}
        text = json.dumps(told, sort_keys=True, ensure_ascii=False)
        text = _ID.sub(lambda each: json.dumps(refs.get(each[1], each[1])), text)
        text = text.replace(f'"{way}-', '"@')
        told = json.loads(text)
        name = f"{path} {told['ref'] or text}"
        assert name not in records
        records[name] = told
    return records


def differences(expected: Records, found: Records) -> list[Any]:
    """Each record that one has and the other has not, and each field with two values."""
    wrong: list[Any] = [("only one has", name) for name in sorted(expected.keys() ^ found.keys())]
    for name in expected.keys() & found.keys():
        one, other = expected[name], found[name]
        wrong += [
            (name, field, one.get(field), other.get(field))
            for field in one.keys() | other.keys()
            if one.get(field) != other.get(field)
        ]
    return wrong


def unsaid(stored: Records) -> list[Any]:
    """What the files say and no record does, and records that they do not tell of."""
    left, wrong = dict(stored), []
    for path, body in ((path, body) for path, bodies in batches(missions()) for body in bodies):
        found = next((n for n in left if n.startswith(f"{path} ") and says(left[n], body)), None)
        if found is None:
            wrong.append((path, body, stored.get(f"{path} {body.get('ref')}")))
        else:
            del left[found]
    return [*wrong, *left]


def says(stored: Any, said: Any) -> bool:
    """Whether a record has all that is said of it; others it names by their refs."""
    if isinstance(said, list):
        return len(stored) == len(said) and all(map(says, stored, said))
    if isinstance(said, str) and isinstance(stored, str):
        # Quotes are shown as the text has them, whatever dashes and quotation marks were sent.
        return same_words(stored, said)
    if not isinstance(said, dict):
        return bool(stored == said)
    named = {f"{name}_id": each["ref"] for name, each in said.items() if isinstance(each, dict)}
    return named.items() <= stored.items() and all(
        says(stored[name], each) for name, each in said.items() if not isinstance(each, dict)
    )


async def test_each_way_of_entering_makes_the_same_records(client: httpx.AsyncClient) -> None:
    states = {}
    for way, enter in WAYS.items():
        await enter(client, missions(way))
        states[way] = await state(client, way)
    assert unsaid(states["nested"]) == []
    assert {way: differences(states["nested"], each) for way, each in states.items()} == {
        way: [] for way in WAYS
    }


async def test_what_was_exported_is_the_same_where_nothing_was(
    client: httpx.AsyncClient, fresh: httpx.AsyncClient
) -> None:
    said = missions("moved")
    await WAYS["nested"](client, said)
    # Missions go to events that are nobody's, and events are of missions.
    await move(client, fresh, "organizations")
    await move(client, fresh, "events", mission_id__isnull="true")
    for path in ORDER[1:]:
        if path == "citations":
            await attach_texts(fresh, said)
        await move(client, fresh, path)
    assert differences(await state(client, "moved"), await state(fresh, "moved")) == []


async def move(one: httpx.AsyncClient, other: httpx.AsyncClient, path: str, **which: str) -> None:
    # With labels for codes and fields, which the import has to take back.
    content = await export(one, path, "csv", **{OF_WAY[path]: "moved-"}, labels="ru", **which)
    answer = await send(other, path, content)
    assert answer.status_code == 200, f"{path}: {answer.text}"
