"""The seed command: what is there twice, what users changed, the texts, and the codes."""

import pkgutil
from collections.abc import AsyncIterator
from enum import StrEnum
from hashlib import sha256
from importlib import import_module
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import delete, update
from sqlalchemy.orm import Session

import app.resources
from app.api import RESOURCES
from app.commands.migrate import migrate
from app.commands.seed import run, seed
from app.core.databases.interface import Database
from app.core.databases.opening import open_database
from app.engine.registry import RECORD_TYPES, by_record_type
from app.resources.code import Country, Currency, LegalForm, Region
from tests.conftest import client_of, serving
from tests.keys import make_admin_key

COLLECTIONS = tuple(resource.path for resource in by_record_type(RESOURCES).values())
TABLES = {"countries", "regions", "currencies", "sectors", "legal-forms", "languages"}
TEXT = "😀 Жаңа зауыт ашылды. The plant is new."


@pytest.fixture
async def database(fresh_url: str) -> AsyncIterator[Database]:
    """The database of `fresh`, as an operator opens it."""
    database = open_database(fresh_url)
    await database.start()
    yield database
    await database.stop()


async def stored(client: httpx.AsyncClient) -> dict[str, list[dict[str, Any]]]:
    """All records, trash and all."""
    found: dict[str, list[dict[str, Any]]] = {}
    for collection in COLLECTIONS:
        answer = await client.get(f"/{collection}?limit=1000&deleted=include")
        assert answer.json()["page"]["next_cursor"] is None
        found[collection] = answer.json()["data"]
    return found


async def ids(client: httpx.AsyncClient) -> dict[tuple[str, str], str]:
    records = await stored(client)
    return {(name, r["ref"]): r["id"] for name, rows in records.items() for r in rows}


async def history(client: httpx.AsyncClient, path: str) -> Any:
    return (await client.get(f"{path}/history")).json()["data"]


# Again


async def test_a_second_run_changes_nothing(fresh: httpx.AsyncClient, database: Database) -> None:
    before = await stored(fresh)
    report = await seed(database)
    assert await stored(fresh) == before
    assert (report.created, report.updated, report.codes) == (0, 0, 0)
    assert report.unchanged == sum(map(len, before.values()))
    assert (report.kept, report.texts) == ([], [])


async def test_a_second_run_leaves_no_trace_in_the_histories(
    fresh: httpx.AsyncClient, database: Database
) -> None:
    await seed(database)
    for collection in COLLECTIONS:
        for record in (await fresh.get(f"/{collection}?limit=5")).json()["data"]:
            entries = await history(fresh, f"/{collection}/{record['id']}")
            assert [(e["action"], e["version"]) for e in entries] == [("create", 1)]


async def test_a_seeded_record_names_the_seed_as_its_author(client: httpx.AsyncClient) -> None:
    assert [e["actor"] for e in await history(client, "/missions/novosibirsk-april")] == ["seed"]


async def test_a_record_that_a_user_changed_is_kept_and_told(
    fresh: httpx.AsyncClient, database: Database
) -> None:
    changed = await fresh.patch("/agreements/alina-office", json={"title": "My own title"})
    report = await seed(database)
    assert (await fresh.get("/agreements/alina-office")).json() == changed.json()
    assert [line for line in report.kept if "alina-office" in line] == report.kept
    assert report.kept != []


async def test_an_agreement_that_a_user_moved_stays_where_it_is(
    fresh: httpx.AsyncClient, database: Database
) -> None:
    await fresh.patch("/agreements/nobel-katren-supply", json={"status": "in_force"})
    await seed(database)
    agreement = (await fresh.get("/agreements/nobel-katren-supply")).json()
    assert (agreement["status"], agreement["version"]) == ("in_force", 2)


@pytest.mark.parametrize("path", ["/people/saltanat-akhanova", "/organizations/alina"])
async def test_a_record_in_the_trash_stays_there(
    fresh: httpx.AsyncClient, database: Database, path: str
) -> None:
    await fresh.delete(path)
    trashed = (await fresh.get(f"{path}?deleted=include")).json()
    await seed(database)
    assert (await fresh.get(path)).status_code == 404
    assert (await fresh.get(f"{path}?deleted=include")).json() == trashed


async def test_a_users_own_records_are_left_alone(
    fresh: httpx.AsyncClient, database: Database
) -> None:
    mission = (await fresh.post("/missions", json={"title": "Mine", "kind": "trade_fair"})).json()
    await seed(database)
    assert (await fresh.get(f"/missions/{mission['id']}")).json() == mission


async def test_ids_are_the_same_in_every_database(
    client: httpx.AsyncClient, tmp_path: Path
) -> None:
    url = f"sqlite:///{tmp_path / 'other.db'}"
    await migrate(url)
    told = await run(url)
    await make_admin_key(url)
    async with serving(url) as other, client_of(other) as other_client:
        seeded = await ids(other_client)
    assert f"{len(seeded)} records created" in told
    here = await ids(client)
    assert {key: here[key] for key in seeded} == seeded


async def test_a_run_tells_what_it_kept(fresh: httpx.AsyncClient, fresh_url: str) -> None:
    await fresh.patch("/missions/novosibirsk-april", json={"note": "Mine"})
    told = await run(fresh_url)
    assert "0 records created, 0 updated" in told
    assert "novosibirsk-april" in told


# Texts


async def add_source(client: httpx.AsyncClient, text: bytes) -> dict[str, Any]:
    """A source of that text, with a citation of its second to fifth character."""
    body = {"publisher": "A paper", "title": "A report", "sha256": sha256(text).hexdigest()}
    source: dict[str, Any] = (await client.post("/sources", json=body | {"ref": "mine"})).json()
    body = {"source_id": source["id"], "record_kind": "source", "record_id": source["id"]}
    answer = await client.post("/citations", json=body | {"start": 2, "end": 6})
    assert answer.status_code == 201, answer.text
    return source


async def test_a_text_with_the_right_hash_is_attached_and_quoted(
    fresh: httpx.AsyncClient, database: Database, tmp_path: Path
) -> None:
    await add_source(fresh, TEXT.encode())
    (tmp_path / "any name.txt").write_text(TEXT, encoding="utf-8", newline="")
    report = await seed(database, texts=tmp_path)
    assert report.texts == ["mine"]
    assert (await fresh.get("/sources/mine/text")).text == TEXT
    citations = (await fresh.get("/sources/mine/citations")).json()["data"]
    assert [(c["quote"], c["sentence"]) for c in citations] == [("Жаңа", 1)]


async def test_a_text_with_another_hash_is_passed_over(
    fresh: httpx.AsyncClient, database: Database, tmp_path: Path
) -> None:
    source = await add_source(fresh, TEXT.encode())
    (tmp_path / "mine.txt").write_text(f"{TEXT}\n", encoding="utf-8")
    (tmp_path / "a folder").mkdir()
    report = await seed(database, texts=tmp_path)
    assert report.texts == []
    assert (await fresh.get("/sources/mine")).json() == source


async def test_a_text_is_attached_only_once(
    fresh: httpx.AsyncClient, database: Database, tmp_path: Path
) -> None:
    await add_source(fresh, TEXT.encode())
    (tmp_path / "mine.txt").write_text(TEXT, encoding="utf-8")
    await seed(database, texts=tmp_path)
    before = (await fresh.get("/sources/mine")).json()
    assert (await seed(database, texts=tmp_path)).texts == []
    assert (await fresh.get("/sources/mine")).json() == before


async def test_a_file_that_is_no_text_does_not_stop_the_rest(
    fresh: httpx.AsyncClient, database: Database, tmp_path: Path
) -> None:
    await add_source(fresh, "Зауыт".encode("cp1251"))
    (tmp_path / "mine.txt").write_bytes("Зауыт".encode("cp1251"))
    report = await seed(database, texts=tmp_path)
    assert report.texts == []


async def test_a_folder_that_is_not_there_has_no_texts(database: Database, tmp_path: Path) -> None:
    assert (await seed(database, texts=tmp_path / "nowhere")).texts == []


# Codes


async def test_codes_that_were_seeded_by_an_older_release_become_what_the_files_say(
    fresh: httpx.AsyncClient, database: Database
) -> None:
    paths = [
        "regions/KZ-55",
        "currencies/BGN",
        "currencies/RUB",
        "countries/GB",
        "legal-forms/2HBR",
    ]
    right = {path: (await fresh.get(f"/codes/{path}")).json() for path in paths}

    def grow_old(session: Session) -> None:
        session.execute(update(Region).where(Region.code == "KZ-55").values(aliases=[]))
        session.execute(update(Country).where(Country.code == "GB").values(aliases=["GBR"]))
        session.execute(update(Currency).where(Currency.code == "RUB").values(aliases=["RUR"]))
        held = {"retired": False, "valid_until": None, "successor": None}
        session.execute(update(Currency).where(Currency.code == "BGN").values(held))
        session.execute(delete(LegalForm).where(LegalForm.code == "2HBR"))

    await database.write(grow_old)
    assert (await fresh.get("/codes/regions/KZ-55")).json() != right["regions/KZ-55"]
    assert (await seed(database)).codes == 5
    assert {path: (await fresh.get(f"/codes/{path}")).json() for path in paths} == right
    assert (await seed(database)).codes == 0
    assert (await fresh.get("/organizations?legal_form=2HBR")).status_code == 200


def enums() -> dict[str, set[str]]:
    """The values of every enumeration that a resource is made with."""
    modules = [
        import_module(f"app.resources.{module.name}")
        for module in pkgutil.iter_modules(app.resources.__path__)
    ]
    return {
        name: {str(member) for member in value}
        for module in modules
        for name, value in vars(module).items()
        if isinstance(value, type) and issubclass(value, StrEnum) and value is not StrEnum
        if value.__module__.startswith("app.resources.")
    }


async def term_lists(client: httpx.AsyncClient) -> dict[str, set[str]]:
    lists: dict[str, set[str]] = {}
    for entry in (await client.get("/codes")).json()["data"]:
        name = entry["name"]
        if name not in TABLES:
            codes = (await client.get(f"/codes/{name}")).json()["data"]
            lists[name] = {code["code"] for code in codes}
    return lists


@pytest.mark.parametrize("name", enums())
async def test_the_values_of_an_enumeration_are_a_code_list(
    client: httpx.AsyncClient, name: str
) -> None:
    assert enums()[name] in (await term_lists(client)).values()


async def test_every_term_list_is_an_enumeration(client: httpx.AsyncClient) -> None:
    known = [*enums().values(), set(RECORD_TYPES)]
    lists = await term_lists(client)
    assert [name for name, codes in lists.items() if codes not in known] == []


async def test_every_term_has_a_label_in_each_language(client: httpx.AsyncClient) -> None:
    for name in await term_lists(client):
        for code in (await client.get(f"/codes/{name}")).json()["data"]:
            assert sorted(code["labels"]) == ["en", "kk", "ru"]
            assert all(code["labels"].values()), f"{name} {code['code']}"
