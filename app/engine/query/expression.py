"""Filter expressions: a subset of `$filter` of the OData 4.01 URL conventions, text to tree."""

import re
from collections.abc import Callable
from itertools import chain
from typing import Final, Never

from app.core.errors import did_you_mean
from app.engine.query.expression_errors import (
    found,
    refuse_call,
    refuse_condition,
    refuse_impossible,
    refuse_value,
)
from app.engine.query.nodes import (
    And,
    Comparison,
    Every,
    ExpressionError,
    Literal,
    LiteralType,
    Match,
    Name,
    Node,
    Not,
    Or,
    Some,
)
from app.engine.query.tokens import (
    CONSTANTS,
    FORBIDDEN,
    FUNCTIONS,
    INFIX,
    KINDS,
    OPERATORS,
    QUANTIFIERS,
    STEP,
    Token,
    quoted,
    refuse,
    refuse_spelling,
    tokens,
)

MAX_LENGTH: Final = 2000
MAX_TERMS: Final = 50
MAX_DEPTH: Final = 20


def parse_expression(text: str) -> Node:
    """The tree of a filter such as `status eq 'signed' and parties/any(p: p/role eq 'seller')`.

    - comparisons `name op value` with eq, ne, gt, ge, lt, le, has, under, and
      `name in (value, …)`; null goes with eq and ne only;
    - `contains`, `startswith`, `endswith` of a name, or of `tolower(name)`, and a text;
    - `collection/any()`, `collection/any(p: …)`, `collection/all(p: …)`, also within each other;
      names inside begin with the innermost variable;
    - `not`, `and`, `or` and parentheses; not binds closest, or loosest; a call may be followed by
      `eq true` or `eq false`;
    - values `'text'` (a quote in it doubled), `-12.5`, `1e3`, `true`, `false`, `null`,
      `2016-04-12`, `2016-04`, `2016-04-12T10:00:00Z`, `today`, `-12mo`, GUIDs without quotes.

    Every `at` is a position from 1: that of the operator in a Comparison, of the function's name in
    a Match, of the word any or all in Some and Every. Names are not looked up anywhere.

    Raises ExpressionError for anything else, and beyond `MAX_LENGTH` characters, `MAX_TERMS`
    conditions or `MAX_DEPTH` levels, where each parenthesis, not, any and all is a level.
    """
    if len(text) > MAX_LENGTH:
        raise ExpressionError(MAX_LENGTH + 1, f"Write at most {MAX_LENGTH} characters.")
    if forbidden := FORBIDDEN.search(text):
        raise ExpressionError(forbidden.start() + 1, f"Leave out the {forbidden[0]!r}.")
    return _Parser(text).parse()


class _Parser:
    """Recursive descent with the next token in hand."""

    def __init__(self, text: str) -> None:
        self._tokens = tokens(text)
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

    def _take(self) -> Token:
        taken = self._token
        if taken.kind == "text":
            self._end_of_text = taken.at + len(taken.text)
        self._token = next(self._tokens, taken)
        return taken

    def _nested(self, part: Callable[[], Node], opening: Token) -> Node:
        """A part one level deeper: what bounds the depth keeps clear of Python's own limit."""
        if self._depth == MAX_DEPTH:
            refuse(opening, f"Nest at most {MAX_DEPTH} levels of (, not, any and all.")
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
        if token.kind != "word" or token.text in CONSTANTS:
            refuse_condition(token)
        self._terms += 1
        if self._terms > MAX_TERMS:
            refuse(token, f"Write at most {MAX_TERMS} conditions.")
        word = self._take()
        return self._call(word) if self._token.kind == "(" else self._comparison(word)

    def _closed(self, node: Node, opening: Token) -> Node:
        if self._token.kind not in (")", "end"):
            self._refuse_rest()
        self._expect(")", opening, "")
        return node

    def _refuse_rest(self) -> Never:
        """Tells what follows a whole condition and cannot."""
        token = self._token
        refuse_spelling(token, ("and", "or"))
        if token.at == self._end_of_text:
            refuse(token, "The text ends before this: write a quote in it twice, as in 'O''Neil'.")
        if token.kind == ")":
            refuse(token, "Leave out this ): no parenthesis is open.")
        hint = did_you_mean(token.text, ("and", "or")) if token.kind == "word" else ""
        refuse(token, f"Write and, or, or nothing more after a condition; {found(token)}.{hint}")

    def _comparison(self, word: Token) -> Comparison:
        if word.text.lower() == "not" and not self._token.is_word(*OPERATORS):
            refuse_spelling(word, ("not",))
        name = self._name(word)
        operator = self._operator(word)
        literals = self._list() if operator.text == "in" else (self._literal(),)
        for literal in literals:
            if literal.literal_type is LiteralType.NULL and operator.text not in ("eq", "ne"):
                right = f"{word.shown()} eq null"
                refuse(literal, f"Write null after eq or ne only, not {operator.text}: {right}.")
        return Comparison(name, operator.text, literals, operator.at)

    def _name(self, word: Token) -> Name:
        steps, at = tuple(re.split("[/.]", word.text)), word.at
        if not self._variables:
            return Name(steps, at)
        variable, *outer = reversed(self._variables)
        if steps[0] != variable:
            reason = f"{steps[0]} belongs to an outer any or all" if steps[0] in outer else ""
            right = reason or f"write {variable}/{word.shown()}"
            refuse(word, f"Names here begin with {variable}, the innermost variable: {right}.")
        if len(steps) == 1:
            refuse(word, f"Write a field after {variable}, such as {variable}/role.")
        return Name(steps[1:], at + len(variable) + 1)

    def _operator(self, name: Token) -> Token:  # noqa: RET503 (`refuse` raises)
        token = self._token
        if token.is_word(*OPERATORS):
            return self._take()
        refuse_spelling(token, OPERATORS)
        if infix := INFIX.get(token.text.lower()):
            refuse(token, f"Write {infix.format(name.shown())} instead of {token.text}.")
        if token.kind in ("word", "odd", "symbol") and not token.is_word("and", "or"):
            hint = did_you_mean(token.text, OPERATORS)
            known = ", ".join(OPERATORS)
            refuse(token, f"There is no operator {token.shown()}: there are {known}.{hint}")
        right = f"{name.shown()} eq 'value'"
        refuse(token, f"Write an operator after the name, such as {right}; {found(token)}.")

    def _list(self) -> tuple[Literal, ...]:
        opening = self._token
        self._expect("(", opening, "Write parentheses after in: in ('a','b')")
        literals = [self._literal()]
        while self._token.kind == ",":
            self._take()
            literals.append(self._literal())
        self._expect(")", opening, "Write a comma or ) after a value of the list")
        return tuple(literals)

    def _expect(self, kind: str, opening: Token, right: str) -> Token:
        if self._token.kind == "end" and opening.kind == "(":
            refuse(opening, "This parenthesis is not closed: write ) where it ends.")
        if self._token.kind != kind:
            refuse(self._token, f"{right}; {found(self._token)}.")
        return self._take()

    def _literal(self) -> Literal:
        token = self._token
        if token.is_word(*CONSTANTS):
            return Literal(LiteralType(CONSTANTS[self._take().text]), token.text, token.at)
        if token.kind not in KINDS:
            refuse_value(token)
        refuse_impossible(token)
        self._take()
        text = token.text[1:-1].replace("''", "'") if token.kind == "text" else token.text
        return Literal(LiteralType(token.kind), text, token.at)

    def _call(self, word: Token) -> Node:
        """A function or a quantifier, and `eq true` or `eq false` after it."""
        collection, _, last = word.text.replace(".", "/").rpartition("/")
        if last in QUANTIFIERS:
            place = Token("word", last, word.at + len(word.text) - len(last))
            return self._flagged(self._quantified(Token("word", collection, word.at), place))
        if word.text not in FUNCTIONS:
            refuse_call(word)
        return self._flagged(self._match(word))

    def _flagged(self, node: Match | Some | Every) -> Node:
        refuse_spelling(self._token, ("eq",))
        if not self._token.is_word("eq"):
            return node
        self._take()
        literal = self._literal()
        if literal.literal_type is not LiteralType.BOOLEAN:
            refuse(literal, f"Compare a call with true or false only, not {literal.text[:40]}.")
        return node if literal.text == "true" else Not(node)

    def _match(self, function: Token) -> Match:
        right = f"Write {function.text}(name,'text') or {function.text}(tolower(name),'text')"
        opening = self._take()
        word = self._expect("word", opening, right)
        folded = self._token.kind == "("
        if folded:
            word = self._folded(word, right)
        name = self._name(word)
        self._expect(",", opening, right)
        literal = self._literal()
        if literal.literal_type is not LiteralType.TEXT:
            refuse(literal, f"Write text in single quotes: {quoted(literal.text)}.")
        self._expect(")", opening, right)
        return Match(function.text, name, folded, literal, function.at)

    def _folded(self, function: Token, right: str) -> Token:
        if function.text != "tolower":
            hint = did_you_mean(function.text, ["tolower"])
            refuse(function, f"{right}; {found(function)}.{hint}")
        opening = self._take()
        word = self._expect("word", opening, right)
        self._expect(")", opening, right)
        return word

    def _quantified(self, collection: Token, place: Token) -> Some | Every:
        right = f"{collection.shown() or 'parties'}/{place.text}(p: p/role eq 'seller')"
        if not collection.text:
            refuse(place, f"Write the collection before {place.text}: {right}.")
        name = self._name(collection)
        opening = self._take()
        if place.text == "any" and self._token.kind == ")":
            self._take()
            return Some(name, None, place.at)
        variable = self._token
        if variable.kind != "word" or not re.fullmatch(STEP, variable.text):
            refuse(variable, f"Write a variable first: {right}; {found(variable)}.")
        self._take()
        self._expect(":", opening, f"Write a colon after the variable: {right}")
        self._variables.append(variable.text)
        item = self._closed(self._nested(self._either, place), opening)
        self._variables.pop()
        return Some(name, item, place.at) if place.text == "any" else Every(name, item, place.at)
