"""Names as they are compared: quotes, dashes and blanks do not tell them apart."""

import re
import unicodedata
from typing import Final

#: Quotation marks that stand nowhere but around names.
_QUOTES: Final = '"«»‹›“”„‟〝〞〟＂‚‛'
#: Marks that stand around names or, as apostrophes, within words.
_APOSTROPHES: Final = "'’‘`´"
_AROUND: Final = re.compile(rf"[{_QUOTES}]|(?<!\w)[{_APOSTROPHES}]+|[{_APOSTROPHES}]+(?!\w)")
_WITHIN: Final = re.compile(f"[{_APOSTROPHES}]")
_DASHES: Final = re.compile("[‐‑‒–—―−﹘－]")


def without_quotes(name: str) -> str:
    """The name without quotation marks, and with one blank where there were some."""
    return " ".join(_AROUND.sub(" ", name).split())


def name_key(name: str) -> str:
    """What two names have in common that differ in quotation marks, dashes and blanks alone. Case
    is kept, and letters that look alike are not the same."""
    text = without_quotes(unicodedata.normalize("NFC", name))
    return _DASHES.sub("-", _WITHIN.sub("'", text))


def title_keys(title: str) -> tuple[str, ...]:
    """The same of titles, whose case tells nothing."""
    return (name_key(title).casefold(),)
