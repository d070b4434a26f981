"""The tokens of an expression."""

import re
from collections.abc import Iterator
from typing import Final

from app.engine.query.nodes import ExpressionError
from app.engine.query.tokens import FORBIDDEN, STEP, Token

_DAY: Final = r"-?[0-9]{4}-[0-9]{2}-[0-9]{2}"
# Possessive quantifiers (`*+`) give nothing back, so that the time is linear in the length.
_TOKEN: Final = re.compile(
    rf"""[ \t]*+(?:
    (?P<instant>{_DAY}T[0-9]{{2}}:[0-9]{{2}}(?::[0-9]{{2}}(?:\.[0-9]{{1,12}})?)?
        (?:Z|[+ -][0-9]{{2}}:[0-5][0-9]))\b
    |(?P<guid>[0-9A-Fa-f]{{8}}(?:-[0-9A-Fa-f]{{4}}){{3}}-[0-9A-Fa-f]{{12}})\b
    |(?P<date>{_DAY})\b
    |(?P<time>[0-9]{{2}}:[0-9]{{2}}(?::[0-9]{{2}}(?:\.[0-9]++)?)?)\b
    |(?P<number>[0-9]++(?:\.[0-9]++)?(?:[eE][+-]?[0-9]{{1,2}})?)\b
    |(?P<prefixed>[A-Za-z_][A-Za-z0-9_.]*+'(?:[^']|'')*+')
    |(?P<text>'(?:[^']|'')*+')
    |(?P<alias>@{STEP})
    |(?P<word>\$?{STEP}(?:[/.]\$?{STEP})*+)
    |(?P<mark>[(),:\-])
    |(?P<end>\Z)
    |(?P<odd>.))""",
    re.VERBOSE | re.DOTALL,
)
_ODD = {
    "'": "This text is not closed: write ' at its end, and '' for a quote in it.",
    '"': "Write text in single quotes: 'signed'.",
    "=": "Write eq instead of =.",
    "!": "Write ne instead of !=, and not instead of !.",
    ">": "Write gt or ge instead of > and >=.",
    "<": "Write lt or le instead of < and <=.",
    "&": "Write and instead of &.",
    "|": "Write or instead of |.",
}


def tokens(text: str) -> Iterator[Token]:
    """The tokens one by one, the last of them `end`; ExpressionError for what is none."""
    if forbidden := FORBIDDEN.search(text):
        raise ExpressionError(forbidden.start() + 1, f"Leave out the {forbidden[0]!r}.")
    for match in _TOKEN.finditer(text):
        kind = str(match.lastgroup)
        found, at = match[kind], match.start(kind) + 1
        if kind == "odd":
            raise ExpressionError(at, _ODD.get(found, f"Leave out the {found!r}."))
        yield Token(found if kind == "mark" else kind, found, at)
        if kind == "end":
            return
