"""Text to tree, by OData's precedence of operators (4.0 URL Conventions, 5.1.1.9)."""

import re
from collections.abc import Callable, Mapping
from typing import Final, Never

from app.core.errors import did_you_mean
from app.engine.query.nodes import ExpressionError, Literal, LiteralType
from app.engine.query.tokens import STEP, Token
from app.odata.errors import NotSupported
from app.odata.filter.nodes import (
    Among,
    Binary,
    Call,
    Expression,
    Path,
    Quantified,
    Unary,
    levels_of,
)
from app.odata.filter.tokens import tokens

MAX_LENGTH: Final = 8000
MAX_OPERATORS: Final = 300
MAX_DEPTH: Final = 20
#: Of what is parsed: a row of sums is as deep as it is long, and each level takes ten of Python's.
MAX_LEVELS: Final = 40
_EQUALITY, _ORDER = ("eq", "ne"), ("gt", "ge", "lt", "le", "has", "in")
_SUMS, _PRODUCTS = ("add", "sub"), ("mul", "div", "mod", "divby")
_OPERATORS = (*_EQUALITY, *_ORDER, *_SUMS, *_PRODUCTS, "and", "or")
_CONSTANTS = {"true": LiteralType.BOOLEAN, "false": LiteralType.BOOLEAN, "null": LiteralType.NULL}
_LITERALS = {
    "number": LiteralType.NUMBER,
    "date": LiteralType.DATE,
    "instant": LiteralType.INSTANT,
    "guid": LiteralType.GUID,
}


def parse(text: str, aliases: Mapping[str, str]) -> Expression:
    """The tree of an expression, `aliases` being the values of `@names` in it.

    ExpressionError for what is none and for more than `MAX_LENGTH` characters, `MAX_OPERATORS`
    operators, or more than `MAX_DEPTH` levels of parentheses or `MAX_LEVELS` of operators;
    NotSupported for what OData has and this service has not.
    """
    if len(text) > MAX_LENGTH:
        raise ExpressionError(MAX_LENGTH + 1, f"Write at most {MAX_LENGTH} characters.")
    tree = _Parser(text, aliases).parse()
    if levels_of(tree) > MAX_LEVELS:
        raise ExpressionError(1, f"Nest at most {MAX_LEVELS} operators, or write fewer in a row.")
    return tree


def unsupported(what: str) -> NotSupported:
    """The 501 of what a filter names."""
    return NotSupported(f"{what} is not supported in $filter.")


class _Parser:
    """Recursive descent with the next token in hand."""

    def __init__(self, text: str, aliases: Mapping[str, str]) -> None:
        self._tokens = tokens(text)
        self._token = next(self._tokens)
        self._aliases = aliases
        self._depth = self._operators = 0

    def parse(self) -> Expression:
        found = self._any_of()
        if self._token.kind != "end":
            self._refuse_rest()
        return found

    def _take(self) -> Token:
        taken = self._token
        self._token = next(self._tokens, taken)
        return taken

    def _deeper(self, part: Callable[[], Expression]) -> Expression:
        """A part one level deeper: what bounds the depth keeps clear of Python's own limit."""
        if self._depth == MAX_DEPTH:
            raise ExpressionError(self._token.at, f"Nest at most {MAX_DEPTH} levels.")
        self._depth += 1
        found = part()
        self._depth -= 1
        return found

    def _row(self, words: tuple[str, ...], part: Callable[[], Expression]) -> Expression:
        """Parts with operators between them, the left ones first."""
        found = part()
        while self._token.is_word(*words):
            operator = self._take()
            self._operators += 1
            if self._operators > MAX_OPERATORS:
                text = f"Write at most {MAX_OPERATORS} operators."
                raise ExpressionError(operator.at, text)
            if operator.text == "in":
                found = Among(found, self._list(), operator.at)
            else:
                found = Binary(operator.text, found, part(), operator.at)
        return found

    def _any_of(self) -> Expression:
        return self._row(("or",), self._all_of)

    def _all_of(self) -> Expression:
        return self._row(("and",), self._negated)

    def _negated(self) -> Expression:
        if not self._token.is_word("not"):
            return self._row(_EQUALITY, self._ordered)
        operator = self._take()
        return Unary("not", self._deeper(self._negated), operator.at)

    def _ordered(self) -> Expression:
        return self._row(_ORDER, self._sum)

    def _sum(self) -> Expression:
        return self._row(_SUMS, self._product)

    def _product(self) -> Expression:
        return self._row(_PRODUCTS, self._signed)

    def _signed(self) -> Expression:
        if self._token.kind != "-":
            return self._primary()
        sign = self._take()
        item = self._deeper(self._signed)
        if isinstance(item, Literal) and item.literal_type is LiteralType.NUMBER:
            text = item.text[1:] if item.text.startswith("-") else f"-{item.text}"
            return Literal(LiteralType.NUMBER, text, sign.at)
        return Unary("-", item, sign.at)

    def _primary(self) -> Expression:
        if self._token.kind == "(":
            opening = self._take()
            found = self._deeper(self._any_of)
            self._close(opening)
            return found
        if self._token.kind == "word" and self._token.text not in _CONSTANTS:
            word = self._take()
            return self._called(word) if self._token.kind == "(" else self._path(word)
        return self._literal()

    def _close(self, opening: Token) -> None:
        if self._token.kind == "end":
            raise ExpressionError(opening.at, "This ( is not closed: write ) where it ends.")
        if self._token.kind != ")":
            self._refuse_rest()
        self._take()

    def _refuse_rest(self) -> Never:
        token = self._token
        if token.kind == ")":
            raise ExpressionError(token.at, "Leave out this ): no parenthesis is open.")
        near = did_you_mean(token.text, _OPERATORS) if token.kind == "word" else ""
        known = ", ".join(_OPERATORS)
        text = f"There is no operator {token.shown()!r} to go on with: there are {known}.{near}"
        raise ExpressionError(token.at, text)

    def _path(self, word: Token) -> Expression:
        steps = tuple(re.split("[/.]", word.text))
        if steps[0] == "$it" and len(steps) > 1:
            steps = steps[1:]
        if special := next((step for step in steps if step.startswith("$")), None):
            raise unsupported(special)
        return Path(steps, word.at)

    def _called(self, word: Token) -> Expression:
        collection, _, last = word.text.rpartition("/")
        if last in ("any", "all") and collection:
            return self._quantified(collection, last, word)
        opening = self._take()
        arguments: list[Expression] = []
        while self._token.kind != ")":
            arguments.append(self._deeper(self._any_of))
            if self._token.kind != ",":
                break
            self._take()
        self._close(opening)
        return Call(word.text, tuple(arguments), word.at)

    def _quantified(self, collection: str, quantifier: str, word: Token) -> Expression:
        path = Path(tuple(re.split("[/.]", collection)), word.at)
        opening = self._take()
        if quantifier == "any" and self._token.kind == ")":
            self._take()
            return Quantified(path, quantifier, "", None, word.at)
        variable = self._take()
        right = f"{collection}/{quantifier}(x: x/role eq 'seller')"
        if variable.kind != "word" or not re.fullmatch(STEP, variable.text):
            raise ExpressionError(variable.at, f"Write a variable first: {right}.")
        if self._token.kind != ":":
            raise ExpressionError(self._token.at, f"Write a colon after the variable: {right}.")
        self._take()
        item = self._deeper(self._any_of)
        self._close(opening)
        return Quantified(path, quantifier, variable.text, item, word.at)

    def _list(self) -> tuple[Literal, ...]:
        opening = self._token
        if opening.kind != "(":
            raise ExpressionError(opening.at, "Write parentheses after in: in ('a','b').")
        self._take()
        found = [self._value()]
        while self._token.kind == ",":
            self._take()
            found.append(self._value())
        self._close(opening)
        return tuple(found)

    def _value(self) -> Literal:
        token = self._token
        found = self._signed()
        if not isinstance(found, Literal):
            raise ExpressionError(token.at, "Write values alone between these parentheses.")
        return found

    def _literal(self) -> Literal:
        token = self._take()
        if token.kind == "alias":
            return self._alias(token)
        if token.kind == "text":
            text = token.text[1:-1].replace("''", "'")
            return Literal(LiteralType.TEXT, text, token.at)
        if token.is_word(*_CONSTANTS):
            return Literal(_CONSTANTS[token.text], token.text, token.at)
        if token.kind in _LITERALS:
            text = token.text.replace(" ", "+") if token.kind == "instant" else token.text
            return Literal(_LITERALS[token.kind], text, token.at)
        if token.kind in ("time", "prefixed"):
            raise unsupported(f"The value {token.shown()}")
        text = f"Write a name, a value or a function here; this is {token.shown()}."
        raise ExpressionError(token.at, text)

    def _alias(self, token: Token) -> Literal:
        text = self._aliases.get(token.text)
        if text is None:
            right = f"add {token.text}=… to the address"
            raise ExpressionError(token.at, f"There is no value of {token.text}: {right}.")
        try:
            found = _Parser(text, {}).parse()
        except ExpressionError as error:
            raise ExpressionError(token.at, f"{token.text}: {error.detail}") from None
        if not isinstance(found, Literal):
            raise unsupported(f"{token.text} as anything but a value")
        return Literal(found.literal_type, found.text, token.at)
