"""Codes that are in no list: which one is meant, and where the list is."""

from collections.abc import Iterable, Sequence

from sqlalchemy import ColumnElement, FromClause, Table, or_, select

from app.core import json_codec
from app.core.code_lookup import where_in, where_to_look
from app.core.databases.expressions import Selection, TableColumn
from app.core.errors import did_you_mean
from app.core.loose_types import JsonValue, Value
from app.engine.labels import spellings

#: A code, whether it is retired, its aliases, and its labels.
Row = Sequence[Value]
_MOST_MEANT = 3


def codes_with_names(column: TableColumn) -> Selection:
    """Reads a code list: each code in use, or right for what is old, and what else it is called."""
    c = column.table.c
    return select(column, c.retired, c.aliases, c.en, c.ru, c.kk).where(is_ever_right(column.table))


def is_ever_right(table: FromClause) -> ColumnElement[bool]:
    """That a code is in use, or was until a day that is known: then it is right for what is old."""
    return or_(table.c.retired.is_(False), table.c.valid_until.is_not(None))


def list_name(column: TableColumn) -> str:
    """What the list of this column is called in addresses; empty where it has none."""
    table = column.table
    assert isinstance(table, Table)
    return str(table.info.get("list", ""))


def meant_code(text: str, column: TableColumn, rows: Iterable[Row]) -> str:
    """` Did you mean 'RU'?` for `RUS`, `ru` or `Russia`; where nothing is near, where the codes
    are."""
    rows, folded, name = list(rows), text.strip().casefold(), list_name(column)
    called = [(code, old) for code, old, *names in rows if folded in _folded(code, *names)]
    called = called or [(code, old) for code, old, *_ in rows if code in _spelled(name, folded)]
    # What is right for old records alone is meant where nothing else is.
    meant = [code for code, old in called if not old] or [code for code, _ in called]
    if 1 <= len(meant) <= _MOST_MEANT:
        return f" Did you mean {' or '.join(map(repr, meant))}?"
    # A code is so short that most others are near it: `US` to `RUS`.
    in_use = [code for code, old, *_ in rows if not old]
    alike = [code for code in in_use if abs(len(code) - len(text)) <= len(text) // 4]
    beside = [code for code in alike if code.startswith(_head(text))]
    country = _country_of(text)
    if country and any(code.startswith(f"{country}-") for code in in_use):
        # Of another country it is never meant.
        return did_you_mean(text, beside) or where_in(name, country)
    near = did_you_mean(text, beside) or did_you_mean(text, alike)
    return near or (where_to_look(name, text) if name else "")


def _head(code: str) -> str:
    """What the codes beside it begin with: of `KZ-10` the country, of `C21` the section."""
    country = _country_of(code)
    return f"{country}-" if country else code[:1]


def _country_of(code: str) -> str:
    """The country of a region's code, `KZ` of `KZ-10`; empty for codes that have none."""
    country, dash, _ = code.partition("-")
    return country if dash else ""


def _spelled(name: str, folded: str) -> set[str]:
    """The codes of a list that people spell so: `dollar` for USD."""
    known = spellings(name).items()
    return {code for code, texts in known if folded in map(str.casefold, texts)}


def _folded(code: str, aliases: JsonValue, *labels: str | None) -> set[str]:
    # As the driver gives them they are JSON still.
    aliases = json_codec.loads(aliases) if isinstance(aliases, str) else aliases
    return {name.casefold() for name in (code, *aliases, *labels) if name}


def list_of_enumeration(enumeration: str) -> str:
    """What the code list of an enumeration is called: `MissionKind`, `mission-kinds`."""
    name = "".join(f"-{c.lower()}" if c.isupper() else c for c in enumeration)[1:]
    plural = f"{name[:-1]}ies" if name.endswith("y") else f"{name}{_ENDS.get(name[-1], 's')}"
    return _LIST_NAMES.get(enumeration, plural)


_ENDS = {"s": "es", "x": "es"}
#: Lists that are called otherwise than their enumerations.
_LIST_NAMES = {
    "AgreementStatus": "statuses",
    "Bindingness": "bindingness",
    "Firmness": "firmness",
}
