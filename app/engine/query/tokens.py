"""Tokens of filter expressions, and what is said of those that stand in the wrong place."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final, Never

from app.core.relative_dates import RELATIVE_PATTERN
from app.engine.query.nodes import ExpressionError, Literal, LiteralType

OPERATORS: Final = ("eq", "ne", "gt", "ge", "lt", "le", "in", "has", "under")
FUNCTIONS: Final = ("contains", "startswith", "endswith")
QUANTIFIERS: Final = ("any", "all")
CONSTANTS: Final = {"true": "boolean", "false": "boolean", "null": "null"}
MAX_NUMBER: Final = 40

# What people write who know another language, and what it is called here.
_WRONG: Final = {
    "eq": "= == === : equals",
    "ne": "!= !== <> neq",
    "gt": ">",
    "ge": ">= => gte",
    "lt": "<",
    "le": "<= =< lte",
    "and": "& &&",
    "or": "| ||",
    "not": "!",
    "null": "none nil",
}
_INSTEAD: Final = {wrong: right for right, all_ in _WRONG.items() for wrong in all_.split()}
INFIX: Final = {
    "like": "contains({0},'text')",
    "ilike": "contains(tolower({0}),'text')",
    "is": "{0} eq null or {0} ne null",
    "between": "{0} ge 1 and {0} le 2",
    "not": "not {0} in ('a','b')",
} | {function: f"{function}({{0}},'text')" for function in FUNCTIONS}

# Possessive quantifiers (`*+`) give nothing back, so that the time is linear in the length.
_MONTH: Final = r"[0-9]{4}-[0-9]{2}"
_DAY: Final = rf"{_MONTH}-[0-9]{{2}}"
STEP: Final = r"[A-Za-z_][A-Za-z0-9_]*+"
_ODD: Final = r"[^\s'\"(),:=!<>&|]"
_ODD_VALUE: Final = r"[^\s'\"(),=!<>&|]"
_TOKEN: Final = re.compile(
    rf"""[ \t]*+(?:
    (?P<instant>{_DAY}T[0-9]{{2}}:[0-9]{{2}}(?::[0-9]{{2}}(?:\.[0-9]{{1,12}})?)?
        (?:Z|[+-][0-9]{{2}}:[0-5][0-9]))(?!{_ODD_VALUE})
    |(?P<date>{_DAY}|{_MONTH})(?!{_ODD_VALUE})
    |(?P<relative>{RELATIVE_PATTERN})(?![/.]|{_ODD_VALUE})
    |(?P<guid>[0-9A-Fa-f]{{8}}(?:-[0-9A-Fa-f]{{4}}){{3}}-[0-9A-Fa-f]{{12}})(?!{_ODD_VALUE})
    |(?P<number>-?[0-9]++(?:\.[0-9]++)?(?:[eE][+-]?[0-9]{{1,2}})?)(?!{_ODD_VALUE})
    |(?P<text>'(?:[^']|'')*+')
    |(?P<word>{STEP}(?:[/.]{STEP})*+)(?!{_ODD})
    |(?P<mark>[(),:])
    |(?P<symbol>!?[=<>]++|!|&++|\|++)
    |(?P<unclosed>')
    |(?P<double>"[^"]*+"?)
    |(?P<space>\s)
    |(?P<figure>[+-]?[0-9]{_ODD_VALUE}*+)
    |(?P<odd>{_ODD}++)
    |(?P<end>\Z))""",
    re.VERBOSE,
)
FORBIDDEN: Final = re.compile(r"[\x00\ud800-\udfff]")  # No database stores these in a text.
KINDS: Final = frozenset(kind.value for kind in LiteralType)


@dataclass(frozen=True, slots=True)
class Token:
    """`kind` is a group of `_TOKEN`, for a mark the mark itself; `text` is the source's."""

    kind: str
    text: str
    at: int

    def is_word(self, *words: str) -> bool:
        return self.kind == "word" and self.text in words

    def shown(self) -> str:
        if self.kind == "end":
            return "the end"
        return self.text if len(self.text) <= 40 else self.text[:39] + "…"


def tokens(text: str) -> Iterator[Token]:
    """The tokens one by one, so that of several errors the first is told; the last is `end`."""
    for match in _TOKEN.finditer(text):
        kind = str(match.lastgroup)
        token = Token(match[kind] if kind == "mark" else kind, match[kind], match.start(kind) + 1)
        if kind == "unclosed":
            refuse(token, "This text is not closed: write ' at its end, and '' for a quote in it.")
        if kind == "double":
            inner = token.text.strip('"')
            refuse(token, f"Write text in single quotes: {quoted(inner)}.")
        if kind == "space":
            refuse(token, f"Write a plain space instead of {token.text!r}.")
        yield token


def quoted(text: str) -> str:
    doubled = text.replace("'", "''")
    return f"'{doubled}'" if len(doubled) <= 40 else f"'{doubled[:39]}…'"


def refuse(place: "Token | Literal", detail: str) -> Never:
    raise ExpressionError(place.at, detail)


def refuse_spelling(token: Token, rights: Iterable[str]) -> None:
    """Tells the right word where the token is that word in another case or language."""
    folded = token.text.lower()
    right = _INSTEAD.get(folded, folded)
    if token.kind != "text" and right in rights and right != token.text:
        refuse(token, f"Write {right} instead of {token.shown()}.")
