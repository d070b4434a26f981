"""Citations, and the records that they back."""

import httpx


async def test_a_citation_can_follow_its_record_into_the_trash(fresh: httpx.AsyncClient) -> None:
    cited = "/agreements/alina-office/citations?limit=1"
    citation = (await fresh.get(cited)).json()["data"][0]["id"]
    assert (await fresh.delete("/agreements/alina-office")).status_code == 204
    assert (await fresh.delete(f"/citations/{citation}")).status_code == 204
