"""Numbers as people write them: grouped digits, a decimal sign, a scale word, and a currency."""

import re
from decimal import Decimal
from typing import Final, NamedTuple

from app.engine.imports.cell_error import CellError, shown
from app.engine.labels import label_key

#: What a number is written like, to end a refusal with.
EXAMPLES: Final = "write digits with a decimal point or comma, such as 1250.5, 1250,5 or 1 250,5"
_MAX_LENGTH: Final = 250
_BLANKS: Final = re.compile(r"[\s\u00a0\u2009\u202f]+")
# Excel groups digits with blanks, by the language it is set to; Swiss editions with apostrophes.
_GAP: Final = re.compile(r"(?<=[0-9])[ '\u2019](?=[0-9]{3}(?![0-9]))")
_PARTS: Final = re.compile(
    r"(?P<before>[^0-9+-]{0,40}?) ?(?P<sign>[-+]?) ?(?P<more>[^\w\s.,+-]{0,4}?) ?"
    r"(?P<digits>[0-9](?:[0-9.,' \u2019]{0,118}[0-9])?) ?(?P<after>\D.{0,60})?",
    re.DOTALL,
)
_PLAIN: Final = re.compile(r"[0-9]{1,100}(\.[0-9]{1,100})?")
_COMMA: Final = re.compile(r"([0-9]{1,100}),([0-9]{1,100})")
_GROUPED: Final = {
    sign: re.compile(rf"[0-9]{{1,3}}(?:{re.escape(sign)}[0-9]{{3}})+") for sign in ",."
}

#: By how much a word multiplies, and whether its language has a decimal comma.
_RUSSIAN: Final = (
    (3, ("тыс", "тысяч", "тысяча", "тысячи", "мың")),
    (6, ("млн", "миллион", "миллиона", "миллионов", "мио")),
    (9, ("млрд", "миллиард", "миллиарда", "миллиардов")),
    (12, ("трлн", "триллион", "триллиона", "триллионов")),
)
_ENGLISH: Final = (
    (3, ("k", "ths", "thousand", "thousands")),
    (6, ("m", "mln", "mn", "mio", "million", "millions")),
    (9, ("b", "bn", "bln", "billion", "billions")),
    (12, ("tn", "trn", "trln", "trillion", "trillions")),
)
_SCALES: Final = {
    word: (10**power, has_comma)
    for words, has_comma in ((_ENGLISH, False), (_RUSSIAN, True))
    for power, several in words
    for word in several
}
# In Latin letters these are written in Russian and Kazakh texts too: `5 mln USD`.
_OF_NO_LANGUAGE: Final = frozenset(("mln", "mio", "bln"))


class Written(NamedTuple):
    """A number that was read, and the words beside it that are left: of an amount its currency;
    the scale is what a word such as `million` has multiplied it by."""

    number: int | Decimal
    words: tuple[str, ...]
    scale: int = 1


def read_written(text: str) -> Written:
    """The number that a text is; CellError where it is none, or could be either of two.

    A comma before three digits, as in `1,234`, groups them or begins the decimals: a scale word
    tells which by its language (`1,234 млн` has decimals, `1,234 million` has groups), otherwise
    it is refused. Points and commas together, or several of one, are not ambiguous.
    """
    flat = flattened(text)
    found = _PARTS.fullmatch(flat) if len(flat) <= _MAX_LENGTH else None
    if found is None:
        raise _no_number(text)
    scale, has_comma, after = _scaled(found["after"] or "")
    before = found["before"] + found["more"]
    digits = _GAP.sub("", found["digits"])
    number = Decimal(_plain(digits, has_comma, text)) * scale
    if found["sign"] == "-":
        number = -number
    words = (before, after)
    whole = number == number.to_integral_value()
    left = tuple(word for word in words if word.strip())
    return Written(int(number) if whole else number, left, scale)


def flattened(text: str) -> str:
    """The text with single blanks and plain minus signs."""
    return _BLANKS.sub(" ", text.strip().replace("\u2212", "-"))


def _scaled(after: str) -> tuple[int, bool | None, str]:
    """The scale, whether a comma begins decimals beside it, and the words that are left."""
    word, _, rest = after.strip().partition(" ")
    word, point, more = word.partition(".")
    scale = _SCALES.get(label_key(word))
    if scale is None:
        return 1, None, after
    factor, has_comma = scale
    is_known = label_key(word) not in _OF_NO_LANGUAGE
    return factor, has_comma if is_known else None, f"{more} {rest}".strip() if point else rest


def _plain(digits: str, has_comma: bool | None, text: str) -> str:
    """The digits with a decimal point, and nothing between others."""
    last = max(digits.rfind("."), digits.rfind(","))
    if "." in digits and "," in digits:
        sign, group = digits[last], "," if digits[last] == "." else "."
        whole, _, decimals = digits.rpartition(sign)
        if _GROUPED[group].fullmatch(whole) and decimals.isdecimal():
            return f"{whole.replace(group, '')}.{decimals}"
        raise _no_number(text)
    for group in ".,":
        if digits.count(group) > 1 and _GROUPED[group].fullmatch(digits):
            return digits.replace(group, "")
    if found := _COMMA.fullmatch(digits):
        return _with_comma(found[1], found[2], has_comma, text)
    if _PLAIN.fullmatch(digits):
        return digits
    raise _no_number(text)


def _with_comma(whole: str, decimals: str, has_comma: bool | None, text: str) -> str:
    is_group = len(decimals) == 3 and len(whole) <= 3 and not whole.startswith("0")
    if is_group and has_comma is None:
        both = f"{whole}{decimals} or {whole}.{decimals}"
        raise CellError(f"{text.strip()} could be {both}: write one of these.")
    return f"{whole}{decimals}" if is_group and not has_comma else f"{whole}.{decimals}"


def _no_number(text: object) -> CellError:
    return CellError(f"{shown(text)} is not a number: {EXAMPLES}.")
