"""What codes are called on pages: read from the code lists, and kept for a short time."""

import time
from collections.abc import Mapping
from weakref import WeakKeyDictionary

from sqlalchemy import Dialect, func, literal, select, union_all
from starlette.requests import Request

from app.core.databases.expressions import Selection
from app.core.databases.interface import Base, CompiledQuery, Database, compile_query
from app.core.http.app_state import state_of
from app.core.loose_types import Value
from app.engine.labels import Language

#: Lists in tables of their own, by the name that pages use; the others are in `term`.
_TABLES = {
    "countries": "country",
    "currencies": "currency",
    "sectors": "sector",
    "legal-forms": "legal_form",
    "regions": "region",
}
_KEPT_SECONDS = 30.0

Names = Mapping[tuple[str, str], str]


class Labels:
    """What codes are called in one language."""

    def __init__(self, names: Names) -> None:
        self._names = names

    def name(self, list_name: str, code: Value) -> str:
        """The label of a code, or the code where it has none."""
        return self._names.get((list_name, str(code)), str(code))


class LabelReader:
    """Reads the labels of all codes, and keeps them for half a minute."""

    def __init__(self) -> None:
        self._kept: WeakKeyDictionary[Database, dict[Language, tuple[float, Labels]]] = (
            WeakKeyDictionary()
        )

    async def read(self, request: Request, language: Language) -> Labels:
        """The labels in a language: in English where there is no other."""
        # Codes are called what they are called now, whatever moment is asked for.
        database = state_of(request).database
        kept = self._kept.setdefault(database, {})
        if language in kept and kept[language][0] > time.monotonic():
            return kept[language][1]
        rows = await database.read(_statement(language, database.dialect), {})
        labels = Labels({(str(row[0]), str(row[1])): str(row[2]) for row in rows})
        kept[language] = time.monotonic() + _KEPT_SECONDS, labels
        return labels


def _statement(language: Language, dialect: Dialect) -> CompiledQuery:
    return compile_query(_labels(language), dialect)


def _labels(language: Language) -> Selection:
    """Reads `(list, code, label)`."""
    term = Base.metadata.tables["term"]
    selects = [select(term.c.list, term.c.code, func.coalesce(term.c[language], term.c.en))]
    for list_name, table_name in _TABLES.items():
        table = Base.metadata.tables[table_name]
        name = func.coalesce(table.c[language], table.c.en)
        selects.append(select(literal(list_name), table.c.code, name))
    found: Selection = union_all(*selects)  # type: ignore[assignment]
    return found
