"""A filter takes the ref of a record wherever it takes its id."""

import httpx

MISSION, HOUSE = "novosibirsk-april", "housemasterkz"
NOBODY = "01a22626-3dec-7d7d-9c81-277c81402e04"


async def found(client: httpx.AsyncClient, asked: str) -> set[str]:
    answer = await client.get(f"/{asked}{'&' if '?' in asked else '?'}limit=1000")
    assert answer.status_code == 200, (asked, answer.text)
    return {record["ref"] for record in answer.json()["data"]}


async def test_a_ref_can_stand_for_an_id_in_every_filter(client: httpx.AsyncClient) -> None:
    mission = (await client.get(f"/missions/{MISSION}")).json()["id"]
    house = (await client.get(f"/companies/{HOUSE}")).json()["id"]
    asked = {
        "agreements?mission_id=REF": "agreements?mission_id=ID",
        "agreements?mission=REF": "agreements?mission_id=ID",
        "agreements?mission=ID": "agreements?mission_id=ID",
        "agreements?mission_id__in=REF,elsewhere": "agreements?mission_id=ID",
        "agreements?mission__in=REF": "agreements?mission_id=ID",
        "agreements?mission_id__ne=REF": "agreements?mission_id__ne=ID",
        "agreements?mission__not_in=REF": "agreements?mission_id__ne=ID",
        "agreements?mission_id=nowhere": "agreements?mission_id=NOBODY",
        "agreements?filter=mission_id eq 'REF'": "agreements?mission_id=ID",
        "agreements?filter=mission_id ne 'REF'": "agreements?mission_id__ne=ID",
        "agreements?parties__organization_id=HOUSE": "agreements?parties__organization_id=HID",
        "agreements?parties__organization=HOUSE": "agreements?parties__organization_id=HID",
        "agreements?filter=parties/any(p:p/organization_id eq 'HOUSE')": (
            "agreements?parties__organization_id=HID"
        ),
        f"missions/{MISSION}/delegates?mission=REF": "delegates?mission_id=ID",
    }
    keys = {"HOUSE": HOUSE, "HID": house, "NOBODY": NOBODY, "REF": MISSION, "ID": mission}
    wrong = []
    for pair in asked.items():
        named, by_id = pair
        for word, key in keys.items():
            named, by_id = named.replace(word, key), by_id.replace(word, key)
        if await found(client, named) != await found(client, by_id):
            wrong.append(named)
    assert not wrong
    assert len(await found(client, f"agreements?mission={MISSION}")) == 6
