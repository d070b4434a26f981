"""What separates the cells of a CSV file, judged by whole records outside quotes."""

import csv
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from typing import Final

_CANDIDATES: Final = ",;\t|"
_MOST_OF_A_TEXT: Final = 2


def dialect_of(sample: Sequence[str], delimiter: str | None = None) -> type[csv.Dialect]:
    """The dialect of a file that begins with these lines: where a comma is the decimal sign,
    Excel writes semicolons. With a delimiter that is known nothing is judged."""
    found = delimiter or max(_CANDIDATES, key=lambda sign: _fit(sample, sign))

    class Found(csv.excel):
        delimiter = found
        strict = True

    return Found


def _fit(sample: Sequence[str], sign: str) -> tuple[bool, float, int]:
    """How well the sign separates: whether the header has cells then, what share of the records
    has as many, and how many these are."""
    widths = _widths(sample, sign)
    if not widths or widths[0] < 2:
        return False, *_below_titles(widths)
    return True, widths.count(widths[0]) / len(widths), widths[0]


def _below_titles(widths: Sequence[int]) -> tuple[float, int]:
    """How well it separates what stands below a title: where most records have as many cells, and
    more than two, since a column of texts may have such a sign in them."""
    width, count = Counter(widths).most_common(1)[0] if widths else (0, 0)
    is_table = width > _MOST_OF_A_TEXT and count > 1
    return (count / len(widths), width) if is_table else (0, 0)


def _widths(sample: Sequence[str], sign: str) -> list[int]:
    """How many cells each record has that is not blank and ends within the sample."""

    class Tried(csv.excel):
        delimiter = sign
        strict = True

    widths: list[int] = []
    with suppress(csv.Error):  # Either it is not the sign, or the file breaks off under any.
        widths.extend(len(cells) for cells in csv.reader(sample, Tried) if cells)
    return widths
