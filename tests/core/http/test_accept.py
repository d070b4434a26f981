"""What Accept asks for: one rule for all reads, and nothing in it that is passed over."""

import httpx

MISSION = "/missions/novosibirsk-april"
READS = (
    "/agreements",
    f"{MISSION}/agreements",
    MISSION,
    f"{MISSION}/summary",
    f"{MISSION}/history",
    "/agreements/aggregate",
    "/changes",
    "/codes",
    "/codes/countries",
    "/codes/countries/RU",
    "/search?q=katren",
    "/webhooks",
    "/api-keys",
)
#: Spellings that would give numbers where texts were wanted.
MISSPELT = (
    "application/json;decimal=strin",
    "application/json; decimal=text",
    "application/json;decimal",
    "application/json;decimal=",
    "application/json;decimals=string",
    "application/json;decimel=string",
    "text/csv, application/json;Decimal=Number",
    "*/*;decimal=string",
    "application/*;decimal=string",
)
TAKEN = (
    "application/json;charset=utf-8",
    "application/json;q=0.5, */*;q=0.1",
    "application/json;v=2;indent=4",
    'application/json; decimal="string"',
    "application/json;decimal=string;q=0.9",
)


async def test_a_misspelt_form_of_decimals_is_refused_before_anything_is_written(
    client: httpx.AsyncClient,
) -> None:
    person = {"full_name": "Nobody was stored", "ref": "never-stored"}
    bulk = {"operations": [{"op": "create", "body": person}]}
    faults = []
    for accept in MISSPELT:
        headers = {"Accept": accept}
        for answer in (
            await client.get("/agreements", headers=headers),
            await client.get(MISSION, headers=headers),
            await client.post("/people", json=person, headers=headers),
            await client.patch(MISSION, json={"note": "never"}, headers=headers),
            await client.post("/people/bulk", json=bulk, headers=headers),
        ):
            right = "application/json;decimal=string" in answer.text
            if answer.status_code != 406 or not right:
                faults.append(f"{answer.request.method} {answer.url} {accept}: {answer.text}")
    assert not faults, "\n".join(faults)
    assert (await client.get("/people/never-stored")).status_code == 404
    assert (await client.get(MISSION)).json()["note"] != "never"


async def test_other_parameters_of_media_types_are_taken(client: httpx.AsyncClient) -> None:
    for accept in TAKEN:
        for address in READS:
            answer = await client.get(address, headers={"Accept": accept})
            assert answer.status_code == 200, f"{address} {accept}: {answer.text}"


async def test_every_read_is_json_for_browsers_and_406_for_what_takes_none(
    client: httpx.AsyncClient,
) -> None:
    faults = []
    told = {"text/html": 200, "application/xml": 406, "application/json;q=0": 406, "image/*": 406}
    for address in READS:
        for accept, status in told.items():
            answer = await client.get(address, headers={"Accept": accept})
            if answer.status_code != status:
                faults.append(f"{address} {accept}: {answer.status_code} {answer.text[:200]}")
            if status == 200 and answer.headers["content-type"] != "application/json":
                faults.append(f"{address} {accept}: {answer.headers}")
            if status == 200 and not answer.text.startswith('{\n  "'):
                faults.append(f"{address} {accept}: {answer.text[:50]}")
    assert not faults, "\n".join(faults)


async def test_caches_are_told_what_answers_depend_on(client: httpx.AsyncClient) -> None:
    for address in READS:
        answer = await client.get(address)
        varied = answer.headers.get("vary", "").replace(" ", "").split(",")
        assert varied.count("Accept") == 1, f"{address}: {varied}"


async def test_a_wrong_parameter_of_the_document_is_named(client: httpx.AsyncClient) -> None:
    for query, name in {"x=1": "x", "decimal=text": "decimal", "decimal=string&y": "y"}.items():
        answer = await client.get(f"/openapi.json?{query}")
        assert answer.status_code == 400
        assert [fault["parameter"] for fault in answer.json()["errors"]] == [name]
        assert "decimal=string" in answer.json()["detail"]
