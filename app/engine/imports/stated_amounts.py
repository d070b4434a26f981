"""What people say of an amount in its cell: its limits, and for what time it is."""

import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Final, NamedTuple

from app.core.loose_types import JsonValue
from app.engine.imports.amounts import Written, flattened, read_written
from app.engine.imports.cell_error import CellError, shown

#: What can be said of a number: the end of a range, whether it is a limit, and its time.
MAX, BOUND, PERIOD, YEARS = "max", "bound", "period", "years"

_BOUNDS: Final = {
    "approximately": [
        *("около", "примерно", "порядка", "приблизительно", "ориентировочно", "шамамен", "about"),
        *("around", "approximately", "approx", "approx.", "circa", "c.", "ca", "ca.", "roughly"),
        *("~", "∼", "≈"),
    ],
    "more_than": [
        *("более", "более чем", "больше", "больше чем", "свыше", "over", "more than", "above"),
        *("in excess of", "exceeding", ">"),
    ],
    "at_least": [
        *("не менее", "не менее чем", "не меньше", "минимум", "как минимум", "кемінде", "at least"),
        *("not less than", "no less than", "minimum", "minimum of", "min", "min.", "≥", ">="),
    ],
    "at_most": [
        *("не более", "не более чем", "не больше", "не свыше", "максимум", "менее", "менее чем"),
        *("меньше", "до", "up to", "at most", "not more than", "no more than", "maximum", "max"),
        *("maximum of", "max.", "less than", "under", "below", "≤", "<=", "<"),
    ],
}
#: Before one number they are a limit, before two they begin a range.
_FROM: Final = re.compile(r"(?:от|from|between|с) ", re.IGNORECASE)
#: Kazakh says limits behind the word, which has an ending then: `3 млн теңгеден астам`.
_BOUNDS_BEHIND: Final = {
    "астам": "more_than",
    "артық": "more_than",
    "жуық": "approximately",
    "кем емес": "at_least",
    "дейін": "at_most",
}


def _either(words: list[str]) -> str:
    longest_first = sorted(words, key=len, reverse=True)
    return "|".join(
        re.escape(word) + (r"(?!\w)" if word[-1].isalpha() else "") for word in longest_first
    )


_BOUND_OF: Final = {word: bound for bound, words in _BOUNDS.items() for word in words}
_BEFORE: Final = re.compile(rf"({_either(list(_BOUND_OF))}) ?", re.IGNORECASE)
_BEHIND: Final = re.compile(
    r"([^\W\d_]{2,}?)(?:нан|нен|дан|ден|тан|тен|ға|ге|қа|ке|на|не) "
    rf"({_either(list(_BOUNDS_BEHIND))})",
    re.IGNORECASE,
)
_OR_MORE: Final = re.compile(r"(?<=[0-9]) ?\+| (?:и|or|and) (?:более|выше|больше|more|above)$")
_WORTH: Final = re.compile(
    r"(?:на (?:общую )?сумму|в размере|в объ[её]ме|worth|valued at)(?: of)? ", re.IGNORECASE
)
_TO: Final = re.compile(r" ?[–—-] ?| ?(?:\.{2,3}|…) ?| (?:до|to|and|по) ", re.IGNORECASE)
_PER_YEAR: Final = re.compile(
    r"(?<!\w)(?:в год|ежегодно|per year|per annum|(?:a|each|every) year|annually|yearly|p\. ?a\."
    r"|p/a|жылына|жыл сайын)(?!\w)|/ ?(?:год|year|yr|жыл)(?!\w)",
    re.IGNORECASE,
)
_SMALL: Final = {
    word: number
    for number, words in {
        2: "two два двух екі",
        3: "three три трёх трех үш",
        4: "four четыре четырёх четырех төрт",
        5: "five пять пяти бес",
        10: "ten десять десяти он",
    }.items()
    for word in words.split()
}
_FEW: Final = rf"([0-9]{{1,2}}|{'|'.join(_SMALL)})"
_FOR_YEARS: Final = re.compile(
    rf"(?<!\w)(?:на|за|в течение|for|over) {_FEW} (?:лет|года|years)(?!\w)"
    rf"|(?<!\w){_FEW} (?:жылға|жыл ішінде)(?!\w)",
    re.IGNORECASE,
)


class Stated(NamedTuple):
    """A number, the words beside it that are left, and what is said of it, by `MAX`, `BOUND`,
    `PERIOD` and `YEARS`."""

    number: int | Decimal
    words: tuple[str, ...]
    details: Mapping[str, JsonValue]


def read_stated(text: str) -> Stated:
    """The amount that a text states: `около 3 млн USD`, `$5–7 million`, `2 млн евро в год`.

    CellError where it is none, or could be either of two.
    """
    details = dict[str, JsonValue]()
    flat = _without_time(_WORTH.sub("", flattened(text), count=1), details)
    flat = _without_bound(flat, details)
    ends = _ends(flat) if details.get(BOUND) in (None, "approximately") else None
    if ends is not None:
        low, high = _range(*ends, text)
        return Stated(
            _plain(low.number), (*low.words, *high.words), {**details, MAX: _plain(high.number)}
        )
    if found := _FROM.match(flat) if BOUND not in details else None:
        flat, details[BOUND] = flat[found.end() :], "at_least"
    written = read_written(flat if details else text)
    return Stated(written.number, written.words, details)


def _without_time(flat: str, details: dict[str, JsonValue]) -> str:
    if found := _FOR_YEARS.search(flat):
        years = (found[1] or found[2]).lower()
        details[PERIOD], details[YEARS] = "over_years", _SMALL.get(years) or int(years)
        flat = _cut(flat, found)
    if found := _PER_YEAR.search(flat):
        details[PERIOD] = "per_year"
        flat = _cut(flat, found)
    return flat


def _without_bound(flat: str, details: dict[str, JsonValue]) -> str:
    if found := _BEFORE.match(flat):
        details[BOUND] = _BOUND_OF[found[1].lower()]
        return flat[found.end() :]
    if found := _BEHIND.search(flat):
        details[BOUND] = _BOUNDS_BEHIND[found[2].lower()]
        return f"{flat[: found.start()]}{found[1]}{flat[found.end() :]}"
    if found := _OR_MORE.search(flat):
        details[BOUND] = "at_least"
        return _cut(flat, found)
    return flat


def _cut(flat: str, found: re.Match[str]) -> str:
    before, after = flat[: found.start()].rstrip(), flat[found.end() :].lstrip()
    if before[-1:].isdigit() and after[:1].isdigit():
        return flat  # `200+150` is refused: without what stands between, it would be 200 150.
    return " ".join(f"{before} {after}".split()).rstrip(" ,;")


def _ends(flat: str) -> tuple[str, str] | None:
    """Both ends of a range."""
    flat = _FROM.sub("", flat, count=1) if _FROM.match(flat) else flat
    halves = [(flat[: found.start()], flat[found.end() :]) for found in _TO.finditer(flat)]
    several = [each for each in halves if all(map(_has_digit, each))]
    return several[0] if len(several) == 1 else None


_has_digit: Final[Callable[[str], object]] = re.compile("[0-9]").search


def _range(first: str, second: str, text: str) -> tuple[Written, Written]:
    """The ends as numbers: of `1–2 млн` the first one is in millions, too."""
    low, high = read_written(first), read_written(second)
    if low.scale == 1 and high.scale > 1:
        shared = low.number * high.scale
        if shared > high.number:
            how = f"could begin with {low.number} or {shared}: write both numbers in full"
            raise CellError(f"{shown(text)} {how}.")
        low = low._replace(number=shared)
    if low.number > high.number:
        raise CellError(f"{shown(text)} ends below where it begins: {high.number} is less.")
    return low, high


def _plain(number: int | Decimal) -> int | Decimal:
    return int(number) if number == int(number) else number
