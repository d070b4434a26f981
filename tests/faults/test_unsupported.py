"""An engine that speaks PostgreSQL's language and lacks some of it: what it lacks is told as that.

Distributed PostgreSQL answers SQLSTATE 0A000 (feature_not_supported) to statements that it does not
run. Here a server answers so whoever reads or writes people.
"""

from collections.abc import AsyncIterator

import httpx
import pytest
from sqlalchemy import select

from app.commands.refusals import sentence
from app.commands.snapshot import snapshot_run
from app.core.errors import UnsupportedByEngine
from app.resources.person import Person
from tests.conftest import client_of, copy_of, serving
from tests.examples import JSON
from tests.postgres import execute
from tests.templates import seeded_url

LACK = "correlated subqueries are not supported when the FROM clause contains a reference table"
LACKING = f"""
DO $all$BEGIN
CREATE FUNCTION lacking() RETURNS boolean LANGUAGE plpgsql AS
    $$BEGIN RAISE EXCEPTION '{LACK}' USING ERRCODE = '0A000'; END$$;
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN PERFORM lacking(); END$$;
ALTER TABLE person RENAME TO stored_person;
CREATE VIEW person AS SELECT * FROM stored_person WHERE (SELECT lacking());
CREATE TRIGGER refuse BEFORE INSERT OR UPDATE OR DELETE ON stored_person
    FOR EACH ROW EXECUTE FUNCTION refuse();
END$all$"""
PERSON = '{"full_name": "Somebody"}'
CREATED = '{"op": "create", "body": {"full_name": "Somebody"}}'
CSV = {"Content-Type": "text/csv"}
REQUESTS: tuple[tuple[str, str, str, dict[str, str]], ...] = (
    ("GET", "/people", "", {}),
    ("GET", "/people?count=exact&sort=-full_name", "", {}),
    ("GET", "/people?filter=full_name eq 'Somebody'", "", {}),
    ("GET", "/people?q=somebody", "", {}),
    ("GET", "/people/nobody", "", {}),
    ("GET", "/people/nobody/history", "", {}),
    ("GET", "/delegates?expand=person", "", {}),
    ("GET", "/missions/novosibirsk-april/delegates?expand=person", "", {}),
    ("GET", "/people/aggregate?metrics=count", "", {}),
    ("GET", "/people.csv", "", {}),
    ("GET", "/people.ndjson", "", {}),
    ("GET", "/people.xlsx", "", {}),
    ("GET", "/people/aggregate.csv?metrics=count", "", {}),
    ("POST", "/people", PERSON, JSON),
    ("POST", "/people?dry_run=true", PERSON, JSON),
    ("PATCH", "/people/nobody", PERSON, JSON),
    ("PUT", "/people/nobody", PERSON, JSON),
    ("DELETE", "/people/nobody", "", {}),
    ("POST", "/people/nobody/restore", "", {}),
    ("POST", "/people/bulk", f'{{"operations": [{CREATED}]}}', JSON),
    ("POST", "/people/import", "full_name\nSomebody\n", CSV),
    ("PATCH", "/people?max_affected=9&filter=full_name eq 'Somebody'", '{"note": "x"}', JSON),
    ("DELETE", "/people?max_affected=9&filter=full_name eq 'Somebody'", "", {}),
)


@pytest.fixture(scope="module")
async def lacking_url(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    """A seeded database whose engine cannot read or write people."""
    folder = tmp_path_factory.mktemp("lacking")
    async with copy_of(seeded_url("postgresql"), folder) as url:
        execute(url, LACKING)
        yield url


async def test_every_request_says_what_the_engine_lacks(lacking_url: str) -> None:
    wrong = []
    async with serving(lacking_url) as app, client_of(app) as client:
        for method, address, body, headers in REQUESTS:
            answer = await client.request(method, address, content=body, headers=headers)
            if not is_told(answer):
                wrong.append(f"{method} {address}: {answer.status_code} {answer.text}")
        # What it has goes on: nothing is left broken behind a statement that it refused.
        assert (await client.get("/missions")).status_code == 200
    assert not wrong, "\n".join(wrong)


def is_told(answer: httpx.Response) -> bool:
    """Whether the answer is the problem that quotes the engine."""
    if answer.status_code != UnsupportedByEngine.status:
        return False
    problem = answer.json()
    return problem["type"] == "/problems/not-implemented" and LACK in problem["detail"]


async def test_a_command_says_in_a_sentence_what_the_engine_lacks(lacking_url: str) -> None:
    with pytest.raises(RuntimeError) as raised:
        await snapshot_run(lacking_url, lambda connection: connection.execute(select(Person.id)))
    told = sentence(raised.value) or ""
    assert told.startswith("The engine of 127.0.0.1:"), told
    assert told.endswith(f" cannot run what this takes, and says: {LACK}."), told
