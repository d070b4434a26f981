"""What Pydantic finds wrong with a body or a query, told in our own words."""

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from decimal import Decimal
from typing import get_args

from pydantic import BaseModel, ValidationError

from app.core import json_codec
from app.core.choice_labels import meant_choice
from app.core.code_lookup import where_to_look
from app.core.crowded_objects import MAX_NAMES, find_crowded, too_many_names
from app.core.date_spellings import iso_spelling, not_in_calendar
from app.core.errors import BadRequest, Fault, Invalid
from app.core.json_pointer import write_pointer
from app.core.loose_types import TypeForm, Values
from app.core.parameter_synonyms import meant_instead

#: How many faults of a body are told.
MAX_FAULTS = 100
_max_told: ContextVar[int] = ContextVar("max_told", default=MAX_FAULTS)
#: A class of models: what a body or a query is read into, or an answer is described by.
Model = type[BaseModel]
Item = Values


@dataclass(frozen=True, slots=True)
class Example:
    """Annotates a text that has a pattern: shows whoever breaks it one that is right.

    `meant` gives the right text for what others write there, such as `RU` for `RUS`; what is none
    can be looked for in the code list `listed`.
    """

    text: str
    meant: Callable[[str], str | None] = field(default=lambda _: None, compare=False)
    listed: str = ""


_MAX_SHOWN = 80
_OBJECT = "Must be an object: names and values in braces"
_NUMBER = "Must be a number, such as 1250.5"
_WHOLE = "Must be a whole number"
_UUID = "Must be an id (a UUID), such as 0197c5a0-0000-7000-8000-000000000000"
_DATE = "Must be a date in ISO 8601, such as 2016-04-12"
_TIME = "Must be a time in ISO 8601, such as 2016-04-12T09:30:00Z"
_ADDRESS = "Must be an address, such as https://example.org/path"
_NUL = "Holds a NUL character, which no record can hold."

#: The code and the words of each type of Pydantic's errors that our schemas lead to; in braces
#: what its context says.
_WORDS: dict[str, tuple[str, str]] = {
    "model_type": ("type", _OBJECT),
    "model_attributes_type": ("type", _OBJECT),
    "dict_type": ("type", _OBJECT),
    "mapping_type": ("type", _OBJECT),
    "list_type": ("type", "Must be a list"),
    "tuple_type": ("type", "Must be a list"),
    "set_type": ("type", "Must be a list"),
    "frozen_set_type": ("type", "Must be a list"),
    "iterable_type": ("type", "Must be a list"),
    "string_type": ("type", "Must be text"),
    "string_sub_type": ("type", "Must be text"),
    "string_unicode": ("form", "Is no whole text: half a character stands alone in it"),
    "bool_type": ("type", "Must be true or false"),
    "bool_parsing": ("type", "Must be true or false"),
    "int_type": ("type", _WHOLE),
    "int_parsing": ("type", _WHOLE),
    "int_from_float": ("type", _WHOLE),
    "int_parsing_size": ("range", "Is too large"),
    "float_type": ("type", _NUMBER),
    "float_parsing": ("type", _NUMBER),
    "finite_number": ("range", _NUMBER),
    "decimal_type": ("type", _NUMBER),
    "decimal_parsing": ("type", _NUMBER),
    "decimal_max_places": ("range", "Has more than {decimal_places} decimals"),
    "decimal_whole_digits": ("range", "Has more than {whole_digits} digits before the point"),
    "greater_than": ("range", "Must be more than {gt}"),
    "greater_than_equal": ("range", "Must be {ge} or more"),
    "less_than": ("range", "Must be less than {lt}"),
    "less_than_equal": ("range", "Must be {le} or less"),
    "multiple_of": ("range", "Must be a multiple of {multiple_of}"),
    "string_too_long": ("length", "Has more than {max_length} characters"),
    "string_too_short": ("length", "Must have {min_length} or more characters"),
    "too_long": ("length", "Has more than {max_length} items"),
    "too_short": ("length", "Must have {min_length} or more items"),
    "enum": ("choice", "Must be one of {expected}"),
    "literal_error": ("choice", "Must be one of {expected}"),
    "union_tag_invalid": ("choice", "Must be one of {expected_tags}"),
    "union_tag_not_found": ("missing", "Must say {discriminator}"),
    "uuid_type": ("type", _UUID),
    "uuid_parsing": ("form", _UUID),
    "date_type": ("type", _DATE),
    "date_parsing": ("form", _DATE),
    "date_from_datetime_parsing": ("form", _DATE),
    "date_from_datetime_inexact": ("form", _DATE),
    "datetime_type": ("type", _TIME),
    "datetime_parsing": ("form", _TIME),
    "datetime_from_date_parsing": ("form", _TIME),
    "datetime_object_invalid": ("form", _TIME),
    "timezone_aware": ("form", _TIME),
    "url_type": ("type", _ADDRESS),
    "url_parsing": ("form", _ADDRESS),
    "url_syntax_violation": ("form", _ADDRESS),
    "url_too_long": ("length", "Has more than {max_length} characters"),
    "url_scheme": ("form", "Must begin with {expected_schemes}"),
}
_OTHERWISE = ("value", "Is no possible value here")


def _unknown(item: Item, model: Model) -> tuple[str, str]:
    name = _last(item)
    known = (*_model_at(model, item["loc"]).model_fields, *item.get("also", ()))
    instead = meant_instead(name, known, known)
    return "unknown", f"There is no {name!r} here.{instead}"


def _missing(item: Item, model: Model) -> tuple[str, str]:
    return "missing", f"{_last(item)!r} is required."


def _own(item: Item, model: Model) -> tuple[str, str]:
    """A rule of ours: the words are those of the ValueError."""
    if isinstance(item["input"], str) and "\0" in item["input"]:
        return "form", _NUL
    detail = " ".join(str(item["ctx"]["error"]).split())
    return "value", _sentence(detail, item)


def _form(item: Item, model: Model) -> tuple[str, str]:
    given = item["input"]
    if isinstance(given, str) and "\0" in given:
        return "form", _NUL
    if given == "":
        return "form", "Must not be empty."
    if isinstance(given, str) and all(not c.isprintable() or c.isspace() for c in given):
        return "form", "Holds nothing that can be seen."
    about, example = _described(model, item["loc"])
    detail = f"Must be written like {example.text!r}" if example else "Does not have the right form"
    detail = _sentence(f"{detail}. {about}".rstrip(" ."), item)
    return "form", detail + _rewritten(str(given), item.get("ctx", {}).get("pattern", ""), example)


def _rewritten(given: str, pattern: str, example: Example | None) -> str:
    """` Did you mean 'KZ'?` where what was given is right but for its capitals and spaces, else
    where to look for a code."""
    plain = given.strip()
    joined = re.sub(r"[\s_]+", "-", plain.lower())
    # `uk` would have the right form in capitals, and be no country.
    ways = [example and example.meant(plain), plain, plain.upper(), plain.lower(), joined]
    right = next((way for way in ways if way and re.search(pattern, way)), None)
    if right and pattern:
        return f" Did you mean {right!r}?"
    return where_to_look(example.listed, plain) if example and example.listed else ""


def _digits(item: Item, model: Model) -> tuple[str, str]:
    """Too many digits: before the point, or behind it as those of 1e-100."""
    given, most = item["input"], item["ctx"]["max_digits"]
    if isinstance(given, Decimal) and given.adjusted() < 0:
        return "range", _sentence("Has too many decimals", item)
    return "range", _sentence(f"Has more than {most} digits", item)


_SPECIAL: dict[str, Callable[[Item, Model], tuple[str, str]]] = {
    "extra_forbidden": _unknown,
    "missing": _missing,
    "value_error": _own,
    "decimal_max_digits": _digits,
    "string_pattern_mismatch": _form,
}


def explain(item: Item, model: Model) -> tuple[str, str]:
    """The code and the words of one of Pydantic's errors."""
    kind = str(item["type"])
    if special := _SPECIAL.get(kind):
        return special(item, model)
    if isinstance(item["input"], str) and kind in ("too_long", "too_short"):
        kind = f"string_{kind}"
    code, words = _WORDS.get(kind, _OTHERWISE)
    if item.get("ctx", {}).get("min_length") == 1:
        words = "Must not be empty"
    context = {name: _written(value) for name, value in item.get("ctx", {}).items()}
    detail = _sentence(words.format_map(context), item)
    if code == "choice" and "," not in context.get("expected", ","):
        detail = detail.replace("one of ", "")
    if code == "choice" and isinstance(item["input"], str):
        choices = re.split(", ", context.get("expected", ""))
        text = item["input"]
        detail += meant_choice(text, choices) or meant_instead(text, choices)
    if words is _WHOLE and (digits := _in_quotes(item["input"])):
        detail += f" Write {digits}, without quotes."
    if words is _DATE and isinstance(item["input"], str):
        right = iso_spelling(item["input"])
        never = not_in_calendar(item["input"])
        detail += f" Write {right}." if right else never and f" T{never[1:]}."
    return code, detail


def _in_quotes(given: object) -> str | None:
    """The digits of a whole number that was given as text."""
    is_whole = isinstance(given, str) and re.fullmatch("[0-9]{1,18}", given, re.ASCII)
    return str(given) if is_whole else None


def _written(value: object) -> str:
    """A limit or a choice as we write it: `'a', 'b' or 'c'` without quotes and "or"."""
    if isinstance(value, Decimal | float):
        return f"{Decimal(str(value)):f}"
    return ", ".join(re.findall(r"'([^']*)'", str(value))) or str(value)


def _sentence(words: str, item: Item) -> str:
    """The words as a sentence, with what was given where that is short."""
    sentence = f"{words[:1].upper()}{words[1:]}".rstrip(".")
    shown = _shown(item["input"])
    if repr(item["input"]) in sentence:
        return f"{sentence}."
    return f"{sentence}. Given: {shown}." if len(shown) < _MAX_SHOWN else f"{sentence}."


def _shown(given: object) -> str:
    """A value as JSON writes it, a text in single quotes; of lists and objects that they are."""
    match given:
        case None:
            return "null"
        case bool():
            return str(given).lower()
        case int():
            return str(given)
        case Decimal():
            return f"{given:f}"
        case str():
            # Half a character is no text that could be sent back.
            whole = given.encode(errors="replace").decode()
            return f"'{json_codec.dumps(whole).decode()[1:-1]}'"
        case list():
            return "a list" if given else "an empty list"
        case _:
            return "an object"


def _last(item: Item) -> str:
    return str(item["loc"][-1]) if item["loc"] else ""


def _model_at(model: Model, location: tuple[int | str, ...]) -> Model:
    """The model that holds the field where a location points."""
    for part in location[:-1]:
        field = model.model_fields.get(str(part))
        model = next(_models_in(field.annotation), model) if field is not None else model
    return model


def _described(model: Model, location: tuple[int | str, ...]) -> tuple[str, Example | None]:
    """What the field where a location points is described as, in one line, and an example."""
    holder = _model_at(model, location)
    names = (str(part) for part in reversed(location))
    field = next((holder.model_fields[n] for n in names if n in holder.model_fields), None)
    if field is None:
        return "", None
    metadata = [*field.metadata, *_marks_in(field.annotation)]
    example = next((mark for mark in metadata if isinstance(mark, Example)), None)
    return " ".join((field.description or "").split()), example


def _marks_in(annotation: TypeForm) -> Iterator[object]:
    yield from getattr(annotation, "__metadata__", ())
    for argument in get_args(annotation):
        yield from _marks_in(argument)


def _models_in(annotation: TypeForm) -> Iterator[Model]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in getattr(annotation, "__args__", ()):
        yield from _models_in(argument)


def faults_of(error: ValidationError, model: Model) -> list[Fault]:
    """Each fault of a body, by JSON Pointer, as far as anybody reads on."""
    faults = []
    for item in error.errors(include_url=False)[: _max_told.get()]:
        code, detail = explain(item, model)
        faults.append(Fault(code, detail, pointer=write_pointer(item["loc"])))
    return faults


@contextmanager
def telling(most: int) -> Iterator[None]:
    """Within, no more faults of a body are put into words: of many bodies nobody reads more, and
    the words cost more than finding what is wrong."""
    token = _max_told.set(most)
    try:
        yield
    finally:
        _max_told.reset(token)


def invalid_body(error: ValidationError, model: Model) -> Invalid:
    """The 422 that tells each fault of a body by JSON Pointer."""
    faults = faults_of(error, model)
    return Invalid(summary(faults), faults)


def invalid_query(error: ValidationError, model: Model, also: Sequence[str] = ()) -> BadRequest:
    """The 400 that tells each fault of the query by parameter; `also` are others that there are."""
    faults = []
    for item in error.errors(include_url=False):
        code, detail = explain({**item, "also": also}, model)
        faults.append(Fault(code, detail, parameter=str(item["loc"][0]) if item["loc"] else None))
    return BadRequest(summary(faults), faults)


def summary(faults: list[Fault]) -> str:
    """The first fault with its place, and how many more there are."""
    first = faults[0]
    more = f" ({len(faults) - 1} more in errors)" if len(faults) > 1 else ""
    return f"{first.pointer or first.parameter or 'body'}: {first.detail}{more}"


def validate(model: Model, value: object) -> BaseModel:
    """The value as the model; 422 for what breaks a rule."""
    if isinstance(value, dict) and len(value) > MAX_NAMES:
        raise too_many_names(value, (), model)
    try:
        return model.model_validate(value)
    except ValidationError as error:
        if error.error_count() > MAX_NAMES and (found := find_crowded(value)):
            crowded, at = found
            raise too_many_names(crowded, at, _model_at(model, (*at, ""))) from None
        raise invalid_body(error, model) from None
