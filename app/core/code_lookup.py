"""Where to look for a code by what it is called."""

import re

from app.core.public_path import public_path

_WORD = re.compile(r"\w+")
_MAX_WORDS = 5


def where_to_look(list_name: str, text: str) -> str:
    """` Look for it at /codes/sectors?q=wheat.`; the list alone where the text is no words."""
    words = _WORD.findall(text)[:_MAX_WORDS]
    address = public_path(f"/codes/{list_name}")
    if not _is_worded(text):
        return f" The codes are at {address}."
    return f" Look for it at {address}?q={'+'.join(words)}."


def where_in(list_name: str, parent: str) -> str:
    """` The codes are at /codes/regions?parent=KZ.`"""
    return f" The codes are at {public_path(f'/codes/{list_name}')}?parent={parent}."


def _is_worded(text: str) -> bool:
    """Whether it is a name rather than a code: small letters or a blank, and some letters."""
    letters = sum(each.isalpha() for each in text)
    return letters > 3 and (text != text.upper() or " " in text.strip())
