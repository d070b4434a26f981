"""What is said of a part of a filter expression that stands in the wrong place."""

import re
from datetime import UTC, date, datetime
from typing import Never

from app.core.errors import did_you_mean
from app.core.relative_dates import instead
from app.engine.query.tokens import (
    CONSTANTS,
    FUNCTIONS,
    KINDS,
    MAX_NUMBER,
    QUANTIFIERS,
    Token,
    quoted,
    refuse,
    refuse_spelling,
)


def found(token: Token) -> str:
    """What stands where something else should."""
    return f"found {token.shown()}"


def refuse_condition(token: Token) -> Never:
    """Tells what a condition begins with."""
    refuse_spelling(token, ("not",))
    if token.kind in ("odd", "symbol"):
        refuse(token, f"{token.shown()} is not a name: write one such as mission/title.")
    if token.text in CONSTANTS or token.kind in KINDS:
        refuse(token, "Write the name before the value, such as status eq 'signed'.")
    refuse(token, f"Write a condition here, such as status eq 'signed'; {found(token)}.")


def refuse_call(word: Token) -> Never:
    """Tells which functions there are."""
    *path, function = re.split("[/.]", word.text)
    known = QUANTIFIERS if path else FUNCTIONS
    refuse_spelling(word, (*known, "not"))
    hint = did_you_mean(function, known)
    refuse(word, f"There is no function {word.shown()} here: there are {', '.join(known)}.{hint}")


def refuse_value(token: Token) -> Never:
    """Tells how values are written."""
    refuse_spelling(token, CONSTANTS)
    if token.kind in ("word", "odd"):
        if hint := instead(token.text):
            refuse(token, f"{token.shown()} is no value.{hint}")
        refuse(token, f"Write text in single quotes: {quoted(token.text)}.")
    if token.kind == "figure":
        right = "-12.5, 2016-04-12, 2016-04-12T10:00:00Z (or +05:00, where + is %2B in an address)"
        if hint := instead(token.text):
            refuse(token, f"{token.shown()} is no value.{hint} In an address + is %2B.")
        refuse(token, f"{token.shown()} is no value: write {right}, or 'text' in quotes.")
    if token.kind == "(":
        refuse(token, "Write one value without parentheses; a list of values follows in.")
    refuse(token, f"Write a value here, such as 'text', 5 or null; {found(token)}.")


def refuse_impossible(token: Token) -> None:
    """Refuse a number that is too long and a day or an hour that does not exist."""
    if token.kind == "number" and len(token.text) > MAX_NUMBER:
        refuse(token, f"Write a number of at most {MAX_NUMBER} characters.")
    try:
        if token.kind == "date":
            # A month is written as a date too; what month there is, is for the field to say.
            date.fromisoformat(token.text if token.text.count("-") == 2 else "2000-01-01")
        if token.kind == "instant":
            datetime.fromisoformat(token.text).astimezone(UTC)
    except (ValueError, OverflowError):
        refuse(token, f"{token.shown()} is not in the calendar: write one such as 2016-04-12.")
