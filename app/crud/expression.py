"""Filter expressions: a subset of `$filter` of the OData 4.01 URL conventions, text to tree."""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from enum import StrEnum
from itertools import chain
from typing import Final, Never

from app.core.errors import did_you_mean

MAX_LENGTH: Final = 2000
MAX_TERMS: Final = 50
MAX_DEPTH: Final = 20

_OPERATORS: Final = ("eq", "ne", "gt", "ge", "lt", "le", "in", "has")
_FUNCTIONS: Final = ("contains", "startswith", "endswith")
_QUANTIFIERS: Final = ("any", "all")
_CONSTANTS: Final = {"true": "boolean", "false": "boolean", "null": "null"}
_MAX_NUMBER: Final = 40

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
_INFIX: Final = {
    "like": "contains({0},'text')",
    "ilike": "contains(tolower({0}),'text')",
    "is": "{0} eq null or {0} ne null",
    "between": "{0} ge 1 and {0} le 2",
    "not": "not {0} in ('a','b')",
} | {function: f"{function}({{0}},'text')" for function in _FUNCTIONS}

# Possessive quantifiers (`*+`) give nothing back, so that the time is linear in the length.
_DAY: Final = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
_STEP: Final = r"[A-Za-z_][A-Za-z0-9_]*+"
_ODD: Final = r"[^\s'\"(),:=!<>&|]"
_ODD_VALUE: Final = r"[^\s'\"(),=!<>&|]"
_TOKEN: Final = re.compile(
    rf"""[ \t]*+(?:
    (?P<instant>{_DAY}T[0-9]{{2}}:[0-9]{{2}}(?::[0-9]{{2}}(?:\.[0-9]{{1,12}})?)?
        (?:Z|[+-][0-9]{{2}}:[0-5][0-9]))(?!{_ODD_VALUE})
    |(?P<date>{_DAY})(?!{_ODD_VALUE})
    |(?P<guid>[0-9A-Fa-f]{{8}}(?:-[0-9A-Fa-f]{{4}}){{3}}-[0-9A-Fa-f]{{12}})(?!{_ODD_VALUE})
    |(?P<number>-?[0-9]++(?:\.[0-9]++)?(?:[eE][+-]?[0-9]{{1,2}})?)(?!{_ODD_VALUE})
    |(?P<text>'(?:[^']|'')*+')
    |(?P<word>{_STEP}(?:[/.]{_STEP})*+)(?!{_ODD})
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
_FORBIDDEN: Final = re.compile(r"[\x00\ud800-\udfff]")  # No database stores these in a text.


class ExpressionError(ValueError):
    """`detail` says what was found and what would be right; `position` counts from 1."""

    def __init__(self, position: int, detail: str) -> None:
        super().__init__(position, detail)
        self.position = position
        self.detail = detail

    def __str__(self) -> str:
        return f"character {self.position}: {self.detail}"


class Kind(StrEnum):
    """How a literal is written; a text may still stand for something else, such as a code."""

    TEXT = "text"
    NUMBER = "number"
    BOOLEAN = "boolean"
    NULL = "null"
    DATE = "date"
    INSTANT = "instant"
    GUID = "guid"


_KINDS: Final = frozenset(kind.value for kind in Kind)


@dataclass(frozen=True, slots=True)
class Name:
    """`mission/host_country` or `mission.host_country`: at least one step.

    Within `any` and `all` it is relative to an element of the collection: the variable is left out
    and `at` is where the first step after it stands.
    """

    steps: tuple[str, ...]
    at: int = field(compare=False)


@dataclass(frozen=True, slots=True)
class Literal:
    """A value as it was written, a text without its quotes; dates and instants are real ones."""

    kind: Kind
    text: str
    at: int = field(compare=False)


@dataclass(frozen=True, slots=True)
class Comparison:
    """`amount gt 5`: `in` has one literal or more, every other operator one; `at` is its place."""

    name: Name
    op: str
    literals: tuple[Literal, ...]
    at: int = field(compare=False)


@dataclass(frozen=True, slots=True)
class Match:
    """`contains(title,'x')`; `folded` when it was written `contains(tolower(title),'x')`."""

    function: str
    name: Name
    folded: bool
    literal: Literal
    at: int = field(compare=False)


@dataclass(frozen=True, slots=True)
class Some:
    """`parties/any(p: …)`; `item` is null for `parties/any()`, which asks for any element."""

    name: Name
    item: "Node | None"
    at: int = field(compare=False)


@dataclass(frozen=True, slots=True)
class Every:
    """`parties/all(p: …)`, which an empty collection fulfils too."""

    name: Name
    item: "Node"
    at: int = field(compare=False)


@dataclass(frozen=True, slots=True)
class Not:
    item: "Node"


@dataclass(frozen=True, slots=True)
class And:
    """Two items or more, none of them an And."""

    items: "tuple[Node, ...]"


@dataclass(frozen=True, slots=True)
class Or:
    """Two items or more, none of them an Or."""

    items: "tuple[Node, ...]"


Node = Comparison | Match | Some | Every | Not | And | Or


def parse_expression(text: str) -> Node:
    """The tree of a filter such as `status eq 'signed' and parties/any(p: p/role eq 'seller')`.

    - comparisons `name op value` with eq, ne, gt, ge, lt, le, has, and `name in (value, …)`; null
      goes with eq and ne only;
    - `contains`, `startswith`, `endswith` of a name, or of `tolower(name)`, and a text;
    - `collection/any()`, `collection/any(p: …)`, `collection/all(p: …)`, also within each other;
      names inside begin with the innermost variable;
    - `not`, `and`, `or` and parentheses; not binds closest, or loosest; a call may be followed by
      `eq true` or `eq false`;
    - values `'text'` (a quote in it doubled), `-12.5`, `1e3`, `true`, `false`, `null`,
      `2016-04-12`, `2016-04-12T10:00:00Z`, GUIDs without quotes.

    Every `at` is a position from 1: that of the operator in a Comparison, of the function's name in
    a Match, of the word any or all in Some and Every. Names are not looked up anywhere.

    Raises ExpressionError for anything else, and beyond `MAX_LENGTH` characters, `MAX_TERMS`
    conditions or `MAX_DEPTH` levels, where each parenthesis, not, any and all is a level.
    """
    if len(text) > MAX_LENGTH:
        raise ExpressionError(MAX_LENGTH + 1, f"Write at most {MAX_LENGTH} characters.")
    if forbidden := _FORBIDDEN.search(text):
        raise ExpressionError(forbidden.start() + 1, f"Leave out the {forbidden[0]!r}.")
    return _Parser(text).parse()


@dataclass(frozen=True, slots=True)
class _Token:
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


def _tokens(text: str) -> Iterator[_Token]:
    """The tokens one by one, so that of several errors the first is told; the last is `end`."""
    for match in _TOKEN.finditer(text):
        kind = str(match.lastgroup)
        token = _Token(match[kind] if kind == "mark" else kind, match[kind], match.start(kind) + 1)
        if kind == "unclosed":
            _refuse(token, "This text is not closed: write ' at its end, and '' for a quote in it.")
        if kind == "double":
            inner = token.text.strip('"')
            _refuse(token, f"Write text in single quotes: {_quoted(inner)}.")
        if kind == "space":
            _refuse(token, f"Write a plain space instead of {token.text!r}.")
        yield token


def _quoted(text: str) -> str:
    doubled = text.replace("'", "''")
    return f"'{doubled}'" if len(doubled) <= 40 else f"'{doubled[:39]}…'"


def _refuse(place: "_Token | Literal", detail: str) -> Never:
    raise ExpressionError(place.at, detail)


def _refuse_spelling(token: _Token, rights: Iterable[str]) -> None:
    """Tells the right word where the token is that word in another case or language."""
    folded = token.text.lower()
    right = _INSTEAD.get(folded, folded)
    if token.kind != "text" and right in rights and right != token.text:
        _refuse(token, f"Write {right} instead of {token.shown()}.")


class _Parser:
    """Recursive descent with the next token in hand."""

    def __init__(self, text: str) -> None:
        self._tokens = _tokens(text)
        self._token = next(self._tokens)
        self._end_of_text = 0
        self._variables: list[str] = []
        self._depth = 0
        self._terms = 0

    def parse(self) -> Node:
        node = self._either()
        if self._token.kind != "end":
            self._refuse_rest()
        return node

    def _take(self) -> _Token:
        taken = self._token
        if taken.kind == "text":
            self._end_of_text = taken.at + len(taken.text)
        self._token = next(self._tokens, taken)
        return taken

    def _nested(self, part: Callable[[], Node], opening: _Token) -> Node:
        """A part one level deeper: what bounds the depth keeps clear of Python's own limit."""
        if self._depth == MAX_DEPTH:
            _refuse(opening, f"Nest at most {MAX_DEPTH} levels of (, not, any and all.")
        self._depth += 1
        node = part()
        self._depth -= 1
        return node

    def _either(self) -> Node:
        items = self._joined("or", self._both)
        flat = (item.items if isinstance(item, Or) else (item,) for item in items)
        return items[0] if len(items) == 1 else Or(tuple(chain.from_iterable(flat)))

    def _both(self) -> Node:
        items = self._joined("and", self._condition)
        flat = (item.items if isinstance(item, And) else (item,) for item in items)
        return items[0] if len(items) == 1 else And(tuple(chain.from_iterable(flat)))

    def _joined(self, word: str, part: Callable[[], Node]) -> list[Node]:
        items = [part()]
        while self._token.is_word(word):
            self._take()
            items.append(part())
        return items

    def _condition(self) -> Node:
        token = self._token
        if token.is_word("not"):
            self._take()
            return Not(self._nested(self._condition, token))
        if token.kind == "(":
            self._take()
            return self._closed(self._nested(self._either, token), token)
        if token.kind != "word" or token.text in _CONSTANTS:
            _refuse_condition(token)
        self._terms += 1
        if self._terms > MAX_TERMS:
            _refuse(token, f"Write at most {MAX_TERMS} conditions.")
        word = self._take()
        return self._call(word) if self._token.kind == "(" else self._comparison(word)

    def _closed(self, node: Node, opening: _Token) -> Node:
        if self._token.kind not in (")", "end"):
            self._refuse_rest()
        self._expect(")", opening, "")
        return node

    def _refuse_rest(self) -> Never:
        """Tells what follows a whole condition and cannot."""
        token = self._token
        _refuse_spelling(token, ("and", "or"))
        if token.at == self._end_of_text:
            _refuse(token, "The text ends before this: write a quote in it twice, as in 'O''Neil'.")
        if token.kind == ")":
            _refuse(token, "Leave out this ): no parenthesis is open.")
        hint = did_you_mean(token.text, ("and", "or")) if token.kind == "word" else ""
        _refuse(token, f"Write and, or, or nothing more after a condition; {_found(token)}.{hint}")

    def _comparison(self, word: _Token) -> Comparison:
        if word.text.lower() == "not" and not self._token.is_word(*_OPERATORS):
            _refuse_spelling(word, ("not",))
        name = self._name(word)
        operator = self._operator(word)
        literals = self._list() if operator.text == "in" else (self._literal(),)
        for literal in literals:
            if literal.kind is Kind.NULL and operator.text not in ("eq", "ne"):
                right = f"{word.shown()} eq null"
                _refuse(literal, f"Write null after eq or ne only, not {operator.text}: {right}.")
        return Comparison(name, operator.text, literals, operator.at)

    def _name(self, word: _Token) -> Name:
        steps, at = tuple(re.split("[/.]", word.text)), word.at
        if not self._variables:
            return Name(steps, at)
        variable, *outer = reversed(self._variables)
        if steps[0] != variable:
            told = f"{steps[0]} belongs to an outer any or all" if steps[0] in outer else ""
            right = told or f"write {variable}/{word.shown()}"
            _refuse(word, f"Names here begin with {variable}, the innermost variable: {right}.")
        if len(steps) == 1:
            _refuse(word, f"Write a field after {variable}, such as {variable}/role.")
        return Name(steps[1:], at + len(variable) + 1)

    def _operator(self, name: _Token) -> _Token:
        token = self._token
        if token.is_word(*_OPERATORS):
            return self._take()
        _refuse_spelling(token, _OPERATORS)
        if infix := _INFIX.get(token.text.lower()):
            _refuse(token, f"Write {infix.format(name.shown())} instead of {token.text}.")
        if token.kind in ("word", "odd", "symbol") and not token.is_word("and", "or"):
            hint = did_you_mean(token.text, _OPERATORS)
            known = ", ".join(_OPERATORS)
            _refuse(token, f"There is no operator {token.shown()}: there are {known}.{hint}")
        right = f"{name.shown()} eq 'value'"
        _refuse(token, f"Write an operator after the name, such as {right}; {_found(token)}.")

    def _list(self) -> tuple[Literal, ...]:
        opening = self._token
        self._expect("(", opening, "Write parentheses after in: in ('a','b')")
        literals = [self._literal()]
        while self._token.kind == ",":
            self._take()
            literals.append(self._literal())
        self._expect(")", opening, "Write a comma or ) after a value of the list")
        return tuple(literals)

    def _expect(self, kind: str, opening: _Token, right: str) -> _Token:
        if self._token.kind == "end" and opening.kind == "(":
            _refuse(opening, "This parenthesis is not closed: write ) where it ends.")
        if self._token.kind != kind:
            _refuse(self._token, f"{right}; {_found(self._token)}.")
        return self._take()

    def _literal(self) -> Literal:
        token = self._token
        if token.is_word(*_CONSTANTS):
            return Literal(Kind(_CONSTANTS[self._take().text]), token.text, token.at)
        if token.kind not in _KINDS:
            _refuse_value(token)
        _refuse_impossible(token)
        self._take()
        text = token.text[1:-1].replace("''", "'") if token.kind == "text" else token.text
        return Literal(Kind(token.kind), text, token.at)

    def _call(self, word: _Token) -> Node:
        """A function or a quantifier, and `eq true` or `eq false` after it."""
        collection, _, last = word.text.replace(".", "/").rpartition("/")
        if last in _QUANTIFIERS:
            place = _Token("word", last, word.at + len(word.text) - len(last))
            return self._flagged(self._quantified(_Token("word", collection, word.at), place))
        if word.text not in _FUNCTIONS:
            _refuse_call(word)
        return self._flagged(self._match(word))

    def _flagged(self, node: Match | Some | Every) -> Node:
        _refuse_spelling(self._token, ("eq",))
        if not self._token.is_word("eq"):
            return node
        self._take()
        literal = self._literal()
        if literal.kind is not Kind.BOOLEAN:
            _refuse(literal, f"Compare a call with true or false only, not {literal.text[:40]}.")
        return node if literal.text == "true" else Not(node)

    def _match(self, function: _Token) -> Match:
        right = f"Write {function.text}(name,'text') or {function.text}(tolower(name),'text')"
        opening = self._take()
        word = self._expect("word", opening, right)
        folded = self._token.kind == "("
        if folded:
            word = self._folded(word, right)
        name = self._name(word)
        self._expect(",", opening, right)
        literal = self._literal()
        if literal.kind is not Kind.TEXT:
            _refuse(literal, f"Write text in single quotes: {_quoted(literal.text)}.")
        self._expect(")", opening, right)
        return Match(function.text, name, folded, literal, function.at)

    def _folded(self, function: _Token, right: str) -> _Token:
        if function.text != "tolower":
            hint = did_you_mean(function.text, ["tolower"])
            _refuse(function, f"{right}; {_found(function)}.{hint}")
        opening = self._take()
        word = self._expect("word", opening, right)
        self._expect(")", opening, right)
        return word

    def _quantified(self, collection: _Token, place: _Token) -> Some | Every:
        right = f"{collection.shown() or 'parties'}/{place.text}(p: p/role eq 'seller')"
        if not collection.text:
            _refuse(place, f"Write the collection before {place.text}: {right}.")
        name = self._name(collection)
        opening = self._take()
        if place.text == "any" and self._token.kind == ")":
            self._take()
            return Some(name, None, place.at)
        variable = self._token
        if variable.kind != "word" or not re.fullmatch(_STEP, variable.text):
            _refuse(variable, f"Write a variable first: {right}; {_found(variable)}.")
        self._take()
        self._expect(":", opening, f"Write a colon after the variable: {right}")
        self._variables.append(variable.text)
        item = self._closed(self._nested(self._either, place), opening)
        self._variables.pop()
        return Some(name, item, place.at) if place.text == "any" else Every(name, item, place.at)


def _found(token: _Token) -> str:
    return f"found {token.shown()}"


def _refuse_condition(token: _Token) -> Never:
    _refuse_spelling(token, ("not",))
    if token.kind in ("odd", "symbol"):
        _refuse(token, f"{token.shown()} is not a name: write one such as mission/title.")
    if token.text in _CONSTANTS or token.kind in _KINDS:
        _refuse(token, "Write the name before the value, such as status eq 'signed'.")
    _refuse(token, f"Write a condition here, such as status eq 'signed'; {_found(token)}.")


def _refuse_call(word: _Token) -> Never:
    *path, function = re.split("[/.]", word.text)
    known = _QUANTIFIERS if path else _FUNCTIONS
    _refuse_spelling(word, (*known, "not"))
    hint = did_you_mean(function, known)
    _refuse(word, f"There is no function {word.shown()} here: there are {', '.join(known)}.{hint}")


def _refuse_value(token: _Token) -> Never:
    _refuse_spelling(token, _CONSTANTS)
    if token.kind in ("word", "odd"):
        _refuse(token, f"Write text in single quotes: {_quoted(token.text)}.")
    if token.kind == "figure":
        right = "-12.5, 2016-04-12, 2016-04-12T10:00:00Z (or +05:00, where + is %2B in an address)"
        _refuse(token, f"{token.shown()} is no value: write {right}, or 'text' in quotes.")
    if token.kind == "(":
        _refuse(token, "Write one value without parentheses; a list of values follows in.")
    _refuse(token, f"Write a value here, such as 'text', 5 or null; {_found(token)}.")


def _refuse_impossible(token: _Token) -> None:
    """Refuses a number that is too long and a day or an hour that does not exist."""
    if token.kind == "number" and len(token.text) > _MAX_NUMBER:
        _refuse(token, f"Write a number of at most {_MAX_NUMBER} characters.")
    try:
        if token.kind == "date":
            date.fromisoformat(token.text)
        if token.kind == "instant":
            datetime.fromisoformat(token.text).astimezone(UTC)
    except (ValueError, OverflowError):
        _refuse(token, f"{token.shown()} is not in the calendar: write one such as 2016-04-12.")
