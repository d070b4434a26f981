"""The article's facts, read through the API as a client would."""

import httpx


async def test_the_mission_has_no_year(client: httpx.AsyncClient) -> None:
    mission = (await client.get("/missions/novosibirsk-april")).json()
    assert mission["dates"] == "XXXX-04-11/XXXX-04-13"
    assert (mission["dates_earliest"], mission["dates_latest"]) == (None, None)
