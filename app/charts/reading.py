"""Figures of charts: asked for as anybody asks for them, in the same process."""

from collections.abc import Sequence
from functools import lru_cache

from sqlalchemy import Dialect, func, literal, select
from starlette.requests import Request

from app.charts.drawing import Chart, Pairs
from app.core import json_codec
from app.core.databases.interface import Base, CompiledQuery, compile_query
from app.core.http.app_state import state_of
from app.core.http.dispatch import Handler, Route, lean_handler
from app.core.loose_types import Json
from app.engine.imports.code_labels import list_of
from app.engine.labels import Language
from app.engine.paths import find_field
from app.engine.resource import Resource
from app.rest.own_reads import read_own


class FigureReader:
    """Asks routes for what they answer to the caller of a request, who was let in already."""

    def __init__(self, routes: Sequence[Route], paths: set[str]) -> None:
        self._handlers: dict[str, Handler] = {
            route.path: lean_handler(route.endpoint)
            for route in routes
            if route.path in paths and route.methods == {"GET"}
        }

    async def read(self, request: Request, path: str, pairs: Pairs, /, **steps: str) -> Json:
        """The JSON that is answered at a path such as `/missions/{key}/agreements`; raises the
        problem that is."""
        found: Json = json_codec.loads(await self.body(request, path, pairs, **steps))
        return found

    async def body(self, request: Request, path: str, pairs: Pairs, /, **steps: str) -> bytes:
        """The same as it is sent."""
        return await read_own(request, self._handlers[path], path, pairs, steps)


async def labels_of(
    request: Request, chart: Chart, language: Language
) -> dict[str, dict[str, str]]:
    """What the codes of the chart's fields are called, by field."""
    return await field_labels(request, chart.resource, chart.fields, language)


async def field_labels(
    request: Request, resource: Resource, names: Sequence[str], language: Language
) -> dict[str, dict[str, str]]:
    """What the codes of fields are called, by field."""
    # Codes are called what they are called now, whatever moment is asked for.
    database, found = state_of(request).database, dict[str, dict[str, str]]()
    for name in names:
        statement = _labels_statement(resource, name, language, database.dialect)
        rows = await database.read(statement, {})
        found[name] = {str(code): str(label) for code, label in rows}
    return found


@lru_cache(maxsize=128)
def _labels_statement(
    resource: Resource, name: str, language: Language, dialect: Dialect
) -> CompiledQuery:
    """Reads `(code, label)` of the list of a field: in English where there is no other."""
    coded = find_field(resource, tuple(name.split(".")))
    table = Base.metadata.tables["term"] if coded.codes is None else coded.codes.table
    statement = select(table.c.code, func.coalesce(table.c[language], table.c.en))
    if coded.codes is None:
        statement = statement.where(table.c.list == literal(list_of(coded)))
    return compile_query(statement, dialect)
