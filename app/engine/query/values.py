"""Values as they stand in an address, read by the kind of the field that they are compared with."""

import re
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from decimal import ROUND_FLOOR, Context, Decimal
from typing import Final
from uuid import UUID

from app.core import date_spellings, relative_dates
from app.core.choice_labels import meant_choice
from app.core.databases.types import Exact, ListedName, composed, now
from app.core.edtf import EdtfError, parse_edtf
from app.core.errors import did_you_mean
from app.core.loose_types import Value
from app.core.time_zones import ends_of
from app.engine.keys import as_id
from app.engine.paths import FieldType, RecordField

_WIDE = Context(prec=600)
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_PERIOD = re.compile(r"[0-9]{4}(-[0-9]{2}){0,2}")
_INSTANT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(T[0-9:.]+(Z|[+-][0-9:]+)?)?")
_INTEGER = re.compile(r"-?[0-9]{1,100}")
_DECIMAL = re.compile(r"-?[0-9]{1,100}(\.[0-9]{1,400})?([eE][+-]?[0-9]{1,5})?")


def parse_value(field: RecordField, text: str) -> Value:
    """The Python value that the text stands for in comparisons with the field; ValueError tells
    what is wrong and what would be right."""
    return _READERS[field.field_type](field, text)


def round_to_column(field: RecordField, value: Decimal, rounding: str | None) -> Decimal | int:
    """The number that compares with what the field can hold just as the given one does.

    `rounding` is the way in which a comparison may move a number between two possible values;
    without one, as for equality, such a number becomes one that no field holds.
    """
    exact = field.type if isinstance(field.type, Exact) else None
    scale = exact.scale if exact else 0
    beyond = Decimal(10 ** (exact.digits - scale)) if exact else Decimal(2**40)
    if abs(value) >= beyond:
        moved = beyond.copy_sign(value)
    else:
        unit = Decimal(1).scaleb(-scale)
        moved = value.quantize(unit, rounding=rounding or ROUND_FLOOR, context=_WIDE)
        if rounding is None and moved != value:
            moved = beyond
    return moved if exact else int(moved)


#: What is compared by days: a month or a year stands for its first or its last one.
DATED = (FieldType.date, FieldType.stated, FieldType.instant)


def parse_limit(
    field: RecordField, text: str, *, at_end: bool, zone: tzinfo = UTC
) -> date | datetime:
    """The day or moment that bounds a field of `DATED` in a comparison: of a month or a year, and
    for a moment of a day in the zone, where it begins or where it ends. ValueError for anything
    else."""
    is_instant = field.field_type is FieldType.instant
    if is_instant and not _PERIOD.fullmatch(text):
        return parse_instant(text, _instead)
    day = _edge(text, at_end=at_end)
    if not is_instant:
        return day
    if zone is not UTC:
        with suppress(OverflowError):
            return ends_of(day, zone)[at_end]
    return datetime.combine(day, time.max if at_end else time.min, UTC)


def has_period(field: RecordField, texts: list[str]) -> bool:
    """Whether a field of moments is compared with a whole day, month or year."""
    return field.field_type is FieldType.instant and any(map(_PERIOD.fullmatch, texts))


def _edge(text: str, *, at_end: bool) -> date:
    """The first or the last day of a day, a month, a year, or what else EDTF writes like these."""
    if _PERIOD.fullmatch(text):
        with suppress(EdtfError):
            found = parse_edtf(text)
            day = found.latest if at_end else found.earliest
            if day is not None:
                return day
    _refuse_far(text)
    right = "must be a day, a month or a year, such as 2016-04-12, 2016-04 or 2016"
    raise ValueError(f"{right} (ISO 8601), not {_short(text)}{_instead(text)}")


def _instead(text: str) -> str:
    """How a date is written, where the text was meant for one that is written otherwise, or is
    counted from now."""
    from_now = relative_dates.instead(text)
    return date_spellings.instead(text) or (f".{from_now}" if from_now else "")


def parse_boolean(text: str) -> bool:
    """`true` or `false`; ValueError for anything else."""
    if text not in ("true", "false"):
        raise ValueError(f"must be true or false, not {_short(text)}")
    return text == "true"


#: Beyond what dates of any database here can be; the year may have a sign.
_FAR_YEAR = re.compile(r"[ +-]?[0-9]{5,}(-[0-9].*)?|0000-.*")


def _refuse_far(text: str) -> None:
    """ValueError for a year that no record has, which is not to be told as a wrong form."""
    if _FAR_YEAR.fullmatch(text):
        raise ValueError(f"must lie in the years 0001 to 9999 (ISO 8601), not {_short(text)}")


def parse_day(text: str) -> date:
    """A day in ISO 8601; ValueError for anything else."""
    try:
        if _DATE.fullmatch(text):
            return date.fromisoformat(text)
    except ValueError:
        pass
    _refuse_far(text)
    raise ValueError(
        f"must be a date in ISO 8601, such as 2016-04-12, not {_short(text)}{_instead(text)}"
    )


def parse_instant(text: str, instead: Callable[[str], str] = date_spellings.instead) -> datetime:
    """A moment in ISO 8601, UTC where no zone is stated; ValueError for anything else, which tells
    what to write `instead`."""
    # In a query `+` means a space; a zone such as +05:00 often comes without its encoding.
    sent, text = text, text.replace(" ", "+")
    try:
        if _INSTANT.fullmatch(text):
            value = datetime.fromisoformat(text)
            return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
    except OverflowError:
        right = "must lie in the years 0001 to 9999 (ISO 8601) in UTC"
        raise ValueError(f"{right}, not {_short(text)}") from None
    except ValueError:
        pass
    _refuse_far(text)
    right = "must be a time in ISO 8601, such as 2016-04-12T09:30:00Z"
    raise ValueError(f"{right}, not {_short(text)}{instead(sent)}")


def parse_moment(text: str) -> datetime:
    """A time as `parse_instant` takes it, or one counted from now: `-7d` is this moment seven days
    ago, and `yesterday` its beginning."""
    from_now = f"now{text}" if text[:1] in ("-", "+", " ") else text
    return parse_instant(relative_dates.as_iso(from_now, now()) or text, _instead)


#: How far the clock of whoever asks may be ahead of ours.
_AHEAD: Final = timedelta(minutes=1)


def check_past(moment: datetime) -> datetime:
    """The moment, of which there is something to be known; ValueError for one that is to come."""
    present = now()
    if moment > present + _AHEAD:
        text = f"lies in the future: it is {present:%Y-%m-%dT%H:%M:%SZ} now"
        raise ValueError(f"{text}. What is there now is answered without as_of")
    return moment


class EmptyValue(ValueError):
    """A text without a letter, which no record has."""


def _text(field: RecordField, text: str) -> str:
    if not text:
        raise EmptyValue("is empty")
    return composed(text)


def _code(field: RecordField, text: str) -> str:
    """A code, by its code of today where its list knows older ones."""
    canonical = field.codes.table.info.get("canonical") if field.codes is not None else None
    return str(canonical(text)) if canonical is not None else _text(field, text)


def _uuid(field: RecordField, text: str) -> UUID:
    if (found := as_id(text)) is None:
        raise ValueError(f"must be a UUID, not {_short(text)}")
    return found


def _choice(field: RecordField, text: str) -> str:
    if isinstance(field.type, ListedName):
        text = field.type.meant(text)
    if text not in field.choices:
        near = meant_choice(text, field.choices) or did_you_mean(text, field.choices)
        raise ValueError(f"{_short(text)} is not one of {', '.join(field.choices)}.{near}")
    return text


def _integer(field: RecordField, text: str) -> Decimal:
    if not _INTEGER.fullmatch(text):
        raise ValueError(f"must be a whole number, not {_short(text)}")
    return Decimal(text)


def _decimal(field: RecordField, text: str) -> Decimal:
    if not _DECIMAL.fullmatch(text):
        raise ValueError(f"must be a number, such as 1250.5, not {_short(text)}")
    return Decimal(text)


def _stated(field: RecordField, text: str) -> str:
    parse_edtf(text)
    return text


_READERS: dict[FieldType, Callable[[RecordField, str], Value]] = {
    FieldType.id: _uuid,
    FieldType.text: _text,
    FieldType.choice: _choice,
    FieldType.code: _code,
    FieldType.integer: _integer,
    FieldType.decimal: _decimal,
    FieldType.boolean: lambda _, text: parse_boolean(text),
    FieldType.date: lambda _, text: parse_day(text),
    FieldType.instant: lambda _, text: parse_instant(text, _instead),
    FieldType.stated: _stated,
    FieldType.list: _code,
}


def _short(text: str) -> str:
    return repr(text if len(text) <= 60 else f"{text[:60]}…")


def sentence(error: ValueError) -> str:
    """The error's text as a sentence."""
    text = str(error).rstrip(".")
    return f"{text[:1].upper()}{text[1:]}{'' if text.endswith('?') else '.'}"
