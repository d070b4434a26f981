"""Texts with `code`, **strong** and [links](address), as HTML."""

import re
from html import escape

_MARKS = (
    (re.compile(r"\*\*(.+?)\*\*"), r"<strong>\1</strong>"),
    (re.compile(r"\[([^\]]+)\]\(([^)\s]+)\)"), r'<a href="\2">\1</a>'),
)


def marked(text: str) -> str:
    """A text with its `code`, **strong** and [links](address) as HTML."""
    pieces = re.split(r"`([^`]+)`", text)
    for at, piece in enumerate(pieces):
        told = escape(piece, quote=False)
        if at % 2:
            pieces[at] = f"<code>{told}</code>"
            continue
        for pattern, put in _MARKS:
            told = pattern.sub(put, told)
        pieces[at] = told
    return "".join(pieces)
