"""Parameters as other services call them: the refusal names what does the same here."""

import httpx

from tests.engine.conftest import fault

LISTS = {
    "page=2": "Here that is limit, offset, cursor:",
    "per_page=10": "Here that is limit:",
    "page_size=10": "Here that is limit:",
    "pageSize=10": "Here that is limit:",
    "$top=10": "Here that is limit:",
    "$skip=10": "Here that is offset:",
    "after=x": "Here that is cursor:",
    "order_by=amount": "Here that is sort:",
    "ordering=amount": "Here that is sort:",
    "$orderby=amount": "Here that is sort:",
    "search=x": "Here that is q:",
    "select=id": "Here that is fields:",
    "include=mission": "Here that is expand:",
    "$filter=x": "Did you mean 'filter'?",
    "where=x": "Here that is filter:",
    "total=true": "Here that is count:",
    "with_deleted=true": "Here that is deleted:",
    "format=csv": "add .csv, .xlsx, .ndjson or .parquet",
    "amount[gte]=5": "Did you mean 'amount__gte'?",
    "mission.title=x": "Did you mean 'mission__title'?",
    "amount<=5": "Did you mean 'amount'?",
    "colour=red": "There is no parameter 'colour'.",
}
OTHERS = {
    "/changes?page=2": "Here that is limit, cursor:",
    "/search?q=x&per_page=2": "Here that is limit:",
    "/search?q=x&order_by=name": "There is no 'order_by' here.",
    "/agreements/aggregate?metrics=count&order_by=count": "Here that is sort:",
    "/missions/novosibirsk-april?include=events": "Here that is expand:",
}


async def test_parameters_of_other_services_are_told_by_what_does_the_same_here(
    client: httpx.AsyncClient,
) -> None:
    asked = {f"/agreements?{query}": words for query, words in LISTS.items()} | OTHERS
    faults = []
    for address, words in asked.items():
        told = fault(await client.get(address))
        if words not in told["detail"] or told["code"] != "unknown":
            faults.append(f"{address}: {told}")
    assert not faults, "\n".join(faults)
