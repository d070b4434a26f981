"""How wide texts are, without a font at hand: the advances of Arial, which its metric equals share.

A Kazakh letter is taken for as wide as the widest of its kind, and so no text is wider than told.
"""

from collections.abc import Iterator
from functools import lru_cache
from typing import Final

FONTS: Final = "Arial, 'Liberation Sans', Helvetica, 'Noto Sans', sans-serif"
_WIDTHS: Final[dict[int, str]] = {
    22: "'ijlі’|",
    28: " !,./:;I[\\]ftІ·\u00a0\u2009\u202f",
    34: '()-`r{}“”"',
    44: "гкзт*^",
    50: "Jcksvxyzсухэ",
    54: "чьвГпян",
    56: "#$0123456789?L_abdeghnopquаеийорё–«»≥≤",
    58: "бц+<=>~Кдл×−hһ",
    61: "ЗFTZТ",
    67: "&ABEKPSVXYАВЕРХЧжЁъУБЛЬәҒғқңөұү",
    72: "ДмCDHNRUwИЙНПСЭЯыҮҰ",
    78: "ЦюФGOQОЪӘӨҚҢҺ",
    83: "шфщMmМ",
    94: "%ЫЖШWЩ",
    107: "—…→Ю@№",
}
_OF_LETTER: Final = {letter: width for width, letters in _WIDTHS.items() for letter in letters}
#: Of letters that are not listed: such as those of Chinese are twice as wide as others.
_OTHER, _WIDE, _FIRST_WIDE = 72, 107, "\u2e80"
_BOLD: Final = 1.09


@lru_cache(maxsize=4096)
def text_width(text: str, size: float, *, is_bold: bool = False) -> float:
    """How wide a line is, in the unit of the font's size."""
    wide = (_WIDE if letter >= _FIRST_WIDE else _OTHER for letter in text)
    widths = (_OF_LETTER.get(letter, other) for letter, other in zip(text, wide, strict=True))
    return sum(widths) * size / 100 * (_BOLD if is_bold else 1)


def fitted(text: str, size: float, width: float) -> str:
    """The text as far as there is room for it, with `…` where it is cut."""
    if text_width(text, size) <= width:
        return text
    room, kept = width - text_width("…", size), 0.0
    for at, letter in enumerate(text):
        kept += text_width(letter, size)
        if kept > room:
            return f"{text[:at].rstrip()}…"
    return text


def wrapped(
    text: str, size: float, width: float, lines: int = 0, *, is_bold: bool = False
) -> list[str]:
    """The text in lines that are as wide at most; with `lines` no more than so many, of which the
    last one is cut."""
    found: list[str] = []
    for word in _words(text, size, width):
        longer = f"{found[-1]} {word}" if found else word
        if found and text_width(longer, size, is_bold=is_bold) <= width:
            found[-1] = longer
        else:
            found.append(word)
    if lines and len(found) > lines:
        found = [*found[: lines - 1], fitted(" ".join(found[lines - 1 :]), size, width)]
    return found


def _words(text: str, size: float, width: float) -> Iterator[str]:
    """The words, those that are wider than a line in pieces: addresses after a sign."""
    for word in text.split():
        while text_width(word, size) > width and len(word) > 1:
            count = max(1, int(len(word) * width / text_width(word, size)) - 1)
            after_sign = max(word.rfind(sign, 0, count) for sign in "&?,") + 1
            count = after_sign or count
            yield word[:count]
            word = word[count:]
        yield word
