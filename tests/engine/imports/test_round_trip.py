"""What was exported is imported again: as nothing new here, as the same in an empty database."""

import csv
import io
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import inspect

from app.api import RESOURCES
from app.commands.seed import _seed_codes
from app.core import json_codec
from app.core.databases.expressions import AnyTable
from app.core.databases.opening import open_database
from app.core.instance_secret import CurrentEpoch
from app.engine.registry import by_record_type
from app.engine.resource import Resource
from app.main import create_app
from app.resources.citation import citation
from app.settings import Settings
from tests.conftest import client_of, copy_of
from tests.contract.api import STAMPS
from tests.drawing import drawing
from tests.engine.imports.calls import FORMATS, done, export, position
from tests.engine.imports.records import file_of_records
from tests.examples import Examples, create
from tests.templates import migrated_url

Apps = tuple[FastAPI, FastAPI]


def columns(resource: Resource) -> AnyTable:
    return inspect(resource.table).columns


def _ordered() -> list[str]:
    """Each kind after those it refers to; evidence, which can be of any, at the end."""
    found: list[Resource] = []

    def place(resource: Resource) -> None:
        parts = [target for part in resource.embedded.values() for target in part.to_one.values()]
        # Missions go to events, and events are of missions: those come after them.
        ones = [
            target
            for name, target in resource.to_one.items()
            if not any(key.use_alter for key in columns(resource)[f"{name}_id"].foreign_keys)
        ]
        for target in (*ones, *parts):
            if target is not resource and target not in found:
                place(target)
        if resource not in found:
            found.append(resource)

    for resource in by_record_type(RESOURCES).values():
        place(resource)
    return [resource.path for resource in found if resource is not citation] + [citation.path]


ORDER = _ordered()


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("path", [resource.path for resource in RESOURCES])
async def test_an_export_changes_nothing(
    client: httpx.AsyncClient, imports_app: FastAPI, path: str, kind: str
) -> None:
    content = await export(client, path, kind)
    before = await position(imports_app)
    told = await done(client, path, content, kind)
    assert set(told) <= {"unchanged"}
    assert await position(imports_app) == before


@pytest.mark.parametrize("kind", FORMATS)
async def test_the_full_examples_change_nothing(
    fresh: httpx.AsyncClient, fresh_app: FastAPI, kind: str
) -> None:
    """Records with every field, and what is shown of others beside their ids."""
    examples = await Examples.on(fresh)
    for path in ORDER:
        await create(fresh, path, examples.full(path))
        await create(fresh, path, examples.other(path))
    before = await position(fresh_app)
    for resource in RESOURCES:
        expand = ",".join(resource.to_one) or None
        parameters = {"expand": expand} if expand else {}
        content = await export(fresh, resource.path, kind, **parameters)
        assert set(await done(fresh, resource.path, content, kind)) == {"unchanged"}
    assert await position(fresh_app) == before


@pytest.fixture(scope="session")
async def codes_url(
    database_kind: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[str]:
    """A database that has code lists and no records."""
    from app.commands.keys import make_first

    async with copy_of(migrated_url(database_kind), tmp_path_factory.mktemp("codes")) as url:
        await make_first(Settings(database_url=url))
        database = open_database(url)
        await database.start()
        await database.write(_seed_codes)
        await database.stop()
        yield url


@pytest.fixture(scope="session")
def apps(codes_url: str) -> tuple[FastAPI, FastAPI]:
    """Two applications to be put on databases: making one takes longer than a test."""
    one, other = (create_app(Settings(database_url=codes_url)) for _ in range(2))
    return one, other


@asynccontextmanager
async def empty(app: FastAPI, url: str) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the application on a database without records."""
    with TemporaryDirectory() as folder:
        async with copy_of(url, Path(folder)) as copy:
            database = app.state.database = app.state.authorizer.database = open_database(copy)
            app.state.secret = b"no secret"
            app.state.epoch = CurrentEpoch(database)
            await database.start()
            try:
                async with client_of(app) as client:
                    yield client
            finally:
                await database.stop()


def _without_stamps(content: bytes, kind: str) -> Any:
    if kind == "csv":
        rows: list[Any] = list(csv.DictReader(io.StringIO(content.decode(), newline="")))
    elif kind == "ndjson":
        rows = [json_codec.loads(line) for line in content.splitlines()]
    else:
        raise ValueError(kind)
    return [{name: row[name] for name in row if name not in STAMPS[:3]} for row in rows]


async def _same(one: httpx.AsyncClient, other: httpx.AsyncClient, path: str) -> None:
    for kind in ("csv", "ndjson"):
        first = _without_stamps(await export(one, path, kind, sort="id"), kind)
        assert _without_stamps(await export(other, path, kind, sort="id"), kind) == first


@pytest.mark.parametrize("kind", FORMATS)
async def test_the_article_is_the_same_in_an_empty_database(
    fresh: httpx.AsyncClient, apps: Apps, codes_url: str, kind: str
) -> None:
    async with empty(apps[0], codes_url) as other:
        for path in ORDER:
            content = await export(fresh, path, kind, sort="id")
            assert set(await done(other, path, content, kind)) <= {"created"}
        for path in ORDER:
            await _same(fresh, other, path)


# One example is a whole set of records of several kinds, so few are many.
@drawing(8)
@given(records=file_of_records(), kind=st.sampled_from(FORMATS))
async def test_random_records_are_the_same_in_an_empty_database(
    apps: Apps, codes_url: str, records: dict[str, list[Any]], kind: str
) -> None:
    here, there = (empty(app, codes_url) for app in apps)
    async with here as first, there as second:
        for path, rows in records.items():
            for row in rows:
                await create(first, path, row)
        for path in records:
            content = await export(first, path, kind, sort="id")
            if rows := records[path]:
                assert await done(first, path, content, kind) == {"unchanged": len(rows)}
                assert await done(second, path, content, kind) == {"created": len(rows)}
            await _same(first, second, path)
