"""Rows of totals, which people write below their tables: they are no records."""

import re
from functools import cache
from typing import Final

from app.core.errors import Fault
from app.core.sheets.tabular import SheetRow
from app.engine.imports.amounts import read_written
from app.engine.imports.cell_error import CellError
from app.engine.labels import label_key, spellings

# In the languages of those who keep the tables. The first are never names of anything; a company
# may be called like the others, so that figures must stand beside them.
_SURE: Final = re.compile(
    r"(итого|всего|подытог|барлығы|жиыны|жиынтығы|grand total|subtotal|insgesamt|gesamtsumme)\b"
    "(.*)",
    re.IGNORECASE | re.DOTALL,
)
_LIKELY: Final = re.compile(r"(total|totals|sum|summe|gesamt|сумма)\s*:?", re.IGNORECASE)
_FIGURE: Final = re.compile(r"[-+\u2212]?[0-9][0-9\s.,]*%?")
#: `USD`, `долл. США`, `тыс. тонн`
_UNIT: Final = re.compile(r"[^\W\d_]{1,5}\.?(\s[^\W\d_]{1,5}\.?)?|[$€₸₽£]")
_DIGIT: Final = re.compile("[0-9]")
_MAX_WORDS: Final = 80  # Characters of what stands beside the word: `Итого по Казахстану`.


def is_total(row: SheetRow) -> bool:
    """Whether a row of a table holds the sums of those above: a word that says so, and beside it
    nothing but figures and their units."""
    if row.faults:
        return False
    cells = [cell for cell in row.cells.values() if cell is not None and cell != ""]
    texts = [cell.strip() for cell in cells if isinstance(cell, str) and cell.strip()]
    words = [text for text in texts if len(text) <= _MAX_WORDS]
    rests = {text: found[2] for text in words if (found := _SURE.fullmatch(text))}
    sure = [text for text in texts if text in rests]
    likely = [text for text in words if _LIKELY.fullmatch(text)]
    if not sure and not likely:
        return False
    others = [text for text in texts if text not in sure and text not in likely]
    figures = [text for text in others if _is_figure(text)]
    if len(figures) + sum(_UNIT.fullmatch(text) is not None for text in others) < len(others):
        return False
    if figures or any(not isinstance(cell, str) for cell in cells):
        return True
    # The word alone, or with the figure in its own cell: `Итого: 12 соглашений`.
    return any(not rest.strip(" :") or _DIGIT.search(rest) for rest in rests.values())


def _is_figure(text: str) -> bool:
    """Whether a text is a number, with a scale word and a currency at most: `1,5 млн долл.`"""
    if _FIGURE.fullmatch(text):
        return True
    try:
        words = read_written(text).words
    except CellError:
        return False
    return all(_UNIT.fullmatch(word.strip()) or label_key(word) in _currencies() for word in words)


@cache
def _currencies() -> frozenset[str]:
    several = spellings("currencies").values()
    return frozenset(label_key(word) for words in several for word in words)


def total_left_out(row: SheetRow) -> Fault:
    """What is told of such a row."""
    text = "The row holds totals and is no record: it is left out."
    return Fault("total", text, row=row.number, sheet=row.sheet)
