"""What is wrong with the contents of a cell."""

from decimal import Decimal
from typing import Final


class CellError(ValueError):
    """What a cell holds cannot be read; `str` of it says what would be right."""


def shown(cell: object) -> str:
    """What a cell holds, as a sentence quotes it."""
    text = f"{cell:f}" if isinstance(cell, Decimal) else str(cell)
    return repr(text if len(text) <= 60 else f"{text[:60]}…")


class NothingStated(Exception):
    """A cell says in words that it is empty: `—`, `n/a`, `нет данных`."""


_LONGEST: Final = 40
_NOTHING: Final = frozenset(
    (
        *("-", "--", "---", "–", "—", "?", "n/a", "н/д", "н.д", "нет данных", "данных нет"),
        *("нет сведений", "не указано", "не указан", "не указана", "не указаны", "неизвестно"),
        *("не известно", "не определено", "no data", "not available", "not stated", "unknown"),
        *("not specified", "деректер жоқ", "дерек жоқ", "мәлімет жоқ", "көрсетілмеген", "белгісіз"),
    )
)
#: Where nothing is called so.
_NO_NAMES: Final = frozenset(("na", "n.a", "nan", "none", "null", "tbd", "нд", "n/d"))


def refuse_nothing(cell: object, *, is_name: bool = False) -> None:
    """NothingStated for a cell that says in words that nothing is known; of names only in words
    that can be none."""
    if not isinstance(cell, str) or len(cell) > _LONGEST:
        return
    word = " ".join(cell.casefold().split()).rstrip(".")
    if word in _NOTHING or (word in _NO_NAMES and not is_name):
        raise NothingStated
