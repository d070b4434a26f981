"""How many statements requests send to the database: one for a read, few for a write."""

import httpx

from tests.costs.requests import READS, ROWS, read, write
from tests.costs.statements import Statements

#: Reads that take more than one: a total; the page of each kind that a search of all kinds finds,
#: of which the seeded records have seven; whether there is what a list is under; and how many
#: records of other lists would be shown.
MORE = {
    "a list that is counted": 2,
    "a search of all kinds": 8,
    "a record's history": 2,
    "what changed": 2,
    "a record with what it refers to": 3,
    "a mission's summary": 2,
}
#: At most, and on SQLite, whose driver runs an INSERT of many rows once for each, of all of them.
WRITES = {
    "sqlite": {
        "POST": 7,
        "POST with references": 10,
        "PATCH": 9,
        "PUT": 9,
        "DELETE": 7,
        "restore": 7,
        "bulk": 4 * ROWS + 4,
        "import": 4 * ROWS + 4,
    },
    "postgresql": {
        "POST": 5,
        "POST with references": 8,
        "PATCH": 8,
        "PUT": 8,
        "DELETE": 7,
        "restore": 7,
        "bulk": 9,
        "import": 9,
    },
}


async def test_a_read_is_one_statement_and_a_write_few(
    client: httpx.AsyncClient, noted: Statements, database_kind: str
) -> None:
    person = await write(client, "POST", "")
    wrong = []
    for what in READS:
        # The second time nothing is found out any more that the service remembers.
        await read(client, what, person)
        noted.clear()
        await read(client, what, person)
        if len(noted.work()) != MORE.get(what, 1):
            wrong.append((what, noted.texts()))
    for what, most in WRITES[database_kind].items():
        if what not in ("DELETE", "restore"):
            await write(client, what, person)
        noted.clear()
        await write(client, what, person)
        if len(noted.work()) > most:
            wrong.append((what, noted.texts()[: most + ROWS]))
    assert not wrong, "\n".join(f"{what}: {len(texts)}, {texts}" for what, texts in wrong)


async def test_unknown_references_of_a_list_of_operations_are_looked_up_together(
    client: httpx.AsyncClient, noted: Statements
) -> None:
    party = {"role": "buyer", "organization": {"ref": "nonesuch"}}
    body = {"title": "A", "instrument": "supply_contract", "parties": [party]}
    counts = []
    for several in (10, 60):
        parties = [[{**party, "organization": {"ref": f"nonesuch-{n}"}}] for n in range(several)]
        operations = [{"op": "create", "body": {**body, "parties": each}} for each in parties]
        noted.clear()
        answer = await client.post(
            "/agreements/bulk",
            json={"operations": operations},
            headers={"Prefer": "handling=lenient"},
        )
        told = answer.json()
        assert told["summary"]["failed"] == several, answer.text
        text = f"There is no organization with the id, ref or exact name 'nonesuch-{several - 1}'"
        assert text in told["results"][-1]["problem"]["errors"][0]["detail"]
        counts.append(sum("FROM organization" in each for each in noted.texts()))
    assert counts == [3, 3], noted.texts()


async def test_an_insight_is_one_statement_however_much_it_tells(
    client: httpx.AsyncClient, noted: Statements
) -> None:
    """Besides the one that finds the mission which an address names."""
    wrong = []
    for address, most in {
        "/insights/missions?currency=USD&sort=-amount_announced&agreements__gte=1": 1,
        "/insights/organizations?min_missions=1&currency=USD": 1,
        "/insights/conversion?group_by=organizer": 1,
        "/missions/novosibirsk-april/reconciliation": 2,
    }.items():
        await client.get(address)
        noted.clear()
        assert (await client.get(address)).status_code == 200
        if len(noted.work()) != most:
            wrong.append((address, noted.texts()))
    assert wrong == []
