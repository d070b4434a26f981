"""JSON in and out with every digit of a decimal kept (RFC 8259)."""

import json
from decimal import Decimal, InvalidOperation
from typing import NoReturn

import orjson

from app.core.loose_types import Json, JsonValue

MAX_DEPTH = 64
#: What orjson writes of integers: those of 64 bits, with a sign or without.
_MIN_INTEGER, _MAX_INTEGER = -(2**63), 2**64 - 1


#: What Python's decoder finds, by its first words, and how we say it.
_FAULTS = (
    ("Expecting value", "a value is missing, or is neither text in double quotes nor a number,"),
    ("Expecting property name", "a name in double quotes is missing"),
    ("Expecting ',' delimiter", "a comma or the closing bracket is missing"),
    ("Expecting ':' delimiter", "a colon is missing after the name"),
    ("Illegal trailing comma", "a comma stands before the closing bracket"),
    ("Unterminated string", "a text begins that has no closing quote"),
    ("Invalid control character", "a text holds a control character, such as a line break,"),
    ("Invalid \\", "a text holds a backslash that begins none of JSON's escapes"),
    ("Extra data", "something more follows after the value"),
)


class JsonError(ValueError):
    """Text that is not JSON; `str` of it says what is wrong and where."""


class JsonLimit(JsonError):
    """Text that is JSON, but beyond what is taken; `str` of it says how."""


def _object(pairs: list[tuple[str, JsonValue]]) -> Json:
    # A name given twice would lose one of the two values without a word.
    result = dict(pairs)
    if len(result) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise JsonError(f"the name {twice!r} stands twice in one object")
    return result


def _constant(text: str) -> NoReturn:
    raise JsonError(f"{text} is not a JSON number")


def _integer(text: str) -> int:
    # Python refuses to read integers of over 4,300 digits with an error of its own.
    if len(text) > 100:
        raise JsonLimit("a number has more than 100 digits")
    return int(text)


def _decimal(text: str) -> Decimal | int:
    if len(text) > 100:
        raise JsonLimit("a number has more than 100 digits")
    try:
        number = Decimal(text)
    except InvalidOperation:
        raise JsonLimit("a number's exponent is beyond 100") from None
    exponent = number.as_tuple().exponent
    # 1e999999 is eight characters that would take megabytes once written out.
    if not isinstance(exponent, int) or abs(exponent) > 100:
        raise JsonLimit("a number's exponent is beyond 100")
    # JSON knows one kind of number: 5.0 is 5 wherever a whole one is wanted.
    return int(number) if number == number.to_integral_value() else number


_decoder = json.JSONDecoder(
    object_pairs_hook=_object,
    parse_float=_decimal,
    parse_int=_integer,
    parse_constant=_constant,
)


def loads(text: bytes | str) -> JsonValue:
    """What the text says, fractions as `Decimal`; raises JsonError with line and column."""
    # RFC 8259, 8.1: a byte order mark may be ignored.
    if text[:3] == b"\xef\xbb\xbf" or text[:1] == "\ufeff":
        text = text[3:] if isinstance(text, bytes) else text[1:]
    if isinstance(text, bytes):
        try:
            text = text.decode("utf-8")
        except UnicodeDecodeError as error:
            raise JsonError(f"the body is not UTF-8 at byte {error.start}") from None
    try:
        value = _decoder.decode(text)
    except json.JSONDecodeError as error:
        what = next((own for words, own in _FAULTS if error.msg.startswith(words)), "it breaks off")
        raise JsonError(f"{what} at line {error.lineno}, column {error.colno}") from None
    except RecursionError:
        raise JsonLimit("it is nested too deeply") from None
    if _depth(value) > MAX_DEPTH:
        raise JsonLimit(f"it is nested deeper than {MAX_DEPTH} levels")
    return value


_stored_decoder = json.JSONDecoder(parse_float=_decimal)


def loads_stored(text: str) -> JsonValue:
    """Like `loads`, for what a database has written, in which nothing needs to be looked for."""
    return _stored_decoder.decode(text)


def _depth(value: JsonValue) -> int:
    level, depth = [value], 0
    while level and depth <= MAX_DEPTH:
        nested: list[JsonValue] = []
        for item in level:
            if isinstance(item, dict):
                nested.extend(item.values())
            elif isinstance(item, list):
                nested.extend(item)
        level, depth = nested, depth + 1
    return depth


def _default(value: object) -> object:
    if isinstance(value, Decimal):
        whole = value == value.to_integral_value()
        text = f"{value:f}"
        return orjson.Fragment(str(int(value)) if whole else text.rstrip("0"))
    raise TypeError(f"{type(value).__name__} has no form in JSON")


def dumps(value: object) -> bytes:
    """The value as JSON in UTF-8; a Decimal becomes a number with exactly its digits."""
    try:
        return orjson.dumps(value, default=_default)
    except orjson.JSONEncodeError:
        # Most likely an integer beyond 64 bits, which orjson refuses and `loads` takes.
        return orjson.dumps(_with_long_integers(value), default=_default)


def _with_long_integers(value: object) -> object:
    """The value with its integers beyond 64 bits as orjson passes them on."""
    match value:
        case dict():
            return {name: _with_long_integers(each) for name, each in value.items()}
        case list() | tuple():
            return [_with_long_integers(each) for each in value]
        case int() if not _MIN_INTEGER <= value <= _MAX_INTEGER:
            return orjson.Fragment(str(value))
        case _:
            return value
