"""Numbers, amounts and stated dates as people write them in English, Russian and Kazakh."""

import re
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache

from babel.dates import format_date, format_interval, format_skeleton
from babel.numbers import format_compact_decimal

from app.charts.numbers import number_text
from app.core.loose_types import Value
from app.engine.labels import Language
from app.pages.words import LOCALES, Words

#: Days with their year, as a date is written.
_YEARS = {
    "en": "{days} {year}",
    "ru": "{days} {year}\u202fг.",
    "kk": "{year}\u202fж. {days}",
}
#: A year in which every day of a year that is not stated lies.
_LEAP_YEAR = 2000
_DATE = re.compile(r"^(\d{4}|XXXX)(?:-(\d\d)(?:-(\d\d))?)?([?~%]?)$")
_MILLION = 1_000_000
_LARGE_RU = re.compile(r"(миллион|миллиард|триллион)(?:а|ов)?$")


def number(value: int | Decimal | float, language: Language) -> str:
    """The number with all its digits."""
    exact = value if isinstance(value, int | Decimal) else Decimal(str(value))
    return number_text(exact, language)


def large_number(value: int | Decimal | float, language: Language) -> str:
    """The number in millions or billions where that says all of it: `5 million`, `5,250,300`."""
    exact = Decimal(str(value))
    if exact < _MILLION or not is_round(exact):
        return number(exact, language)
    return str(
        format_compact_decimal(
            exact, format_type="long", locale=LOCALES[language], fraction_digits=2
        )
    )


def large_range(low: int | Decimal, high: int | Decimal, language: Language) -> str:
    """Between what a sum lies, in as few words: `80–100 million`."""
    first, last = rounded(low), rounded(high)
    told = large_number(last, language)
    if first == last:
        return told
    if first < _MILLION or _power(first) != _power(last):
        return f"{large_number(first, language)} – {told}"
    # The million is named once.
    return f"{number(first.scaleb(-_power(first)), language)}–{told}"


def limit_number(limit: int | Decimal, language: Language) -> str:
    """A large number as it stands after the words of a limit: `не менее 2 миллионов`."""
    told = large_number(limit, language)
    return _genitive(told) if language == "ru" else told


def _genitive(told: str) -> str:
    """A number of millions as it stands in Russian after `не менее` or `более`."""
    found = _LARGE_RU.search(told)
    if found is None:
        return told
    digits = told[: found.start()].rstrip()
    # After a fraction the noun is in the genitive singular anyway.
    is_single = "," in digits or (digits.endswith("1") and not digits.endswith("11"))
    return told[: found.start()] + found[1] + ("а" if is_single else "ов")


#: How a share of things is counted in Kazakh, `3-інде`: by the last word of the number.
_KK_UNITS = ("", "інде", "сінде", "інде", "інде", "інде", "сында", "сінде", "інде", "ында")
_KK_TENS = ("", "ында", "сында", "ында", "ында", "інде", "ында", "інде", "інде", "ында")


def share(count: int, language: Language) -> str:
    """Of how many of some things something is true: in Kazakh with the ending that this takes."""
    told = number(count, language)
    if language != "kk":
        return told
    units, tens = count % 10, count // 10 % 10
    ending = _KK_UNITS[units] or _KK_TENS[tens]
    if not ending:
        # The vowel of hundred is a front one, those of thousand and million are back ones.
        ending = "інде" if count % 1000 else "ында"
    return f"{told}-{ending}"


def _power(value: Decimal) -> int:
    return min((value.adjusted() // 3) * 3, 12)


def is_round(value: int | Decimal | float) -> bool:
    """Whether `large_number` says all of it in a few digits."""
    exact = Decimal(str(value))
    power = _power(exact)
    return exact < _MILLION or exact.scaleb(-power) == round(exact.scaleb(-power), 2)


def rounded(value: int | Decimal | float) -> Decimal:
    """The number with three or four digits, for a sentence: as many as `large_number` tells."""
    exact = Decimal(str(value))
    if is_round(exact):
        return exact
    power = _power(exact)
    decimals = 1 if exact.adjusted() - power >= 2 else 2  # 250.7 billion, 1.61 billion
    return round(exact.scaleb(-power), decimals).scaleb(power)


def stated_date(text: str | None, language: Language) -> str | None:
    """A date in EDTF in words: `11–13 April, year not stated`; what has no such words as it is."""
    return None if text is None else _stated_date(text, language)


@lru_cache(maxsize=4096)
def _stated_date(text: str, language: Language) -> str:
    words = Words(language)
    first, slash, last = text.partition("/")
    if slash and (first in ("..", "") or last in ("..", "")):
        known = last if first in ("..", "") else first
        key = "until_date" if known == last else "from_date"
        return words.say(key, date=_stated_date(known, language)) if _DATE.match(known) else text
    found = [_DATE.match(each) for each in ((first, last) if slash else (first,))]
    if None in found:
        return text
    try:
        return _told([each.groups() for each in found if each], language, words)
    except ValueError:
        return text


def _told(parts: list[tuple[str, ...]], language: Language, words: Words) -> str:
    years = {year for year, *_ in parts}
    if "XXXX" in years and len(years) > 1:
        raise ValueError("a year is stated for one end alone")
    days = [_day(*part) for part in parts]
    kinds = {(bool(month), bool(day)) for _, month, day, _ in parts}
    if len(kinds) > 1:
        raise ValueError("the ends are not alike")
    has_year = "XXXX" not in years
    told = _form(days, kinds.pop(), language, has_year=has_year)
    if any(mark for *_, mark in parts):
        told = words.say("about_date", date=told)
    return told if has_year else words.say("no_year_date", date=told)


def _day(year: str, month: str | None, day: str | None, _: str) -> date:
    return date(_LEAP_YEAR if year == "XXXX" else int(year), int(month or 1), int(day or 1))


def _form(days: list[date], kind: tuple[bool, bool], language: Language, *, has_year: bool) -> str:
    locale = LOCALES[language]
    if kind == (False, False):
        if not has_year:
            raise ValueError("nothing is stated")
        return "–".join(str(each.year) for each in days)
    skeleton = {(True, True): "MMMMd", (True, False): "MMMM"}[kind]
    if len(days) == 1:
        return _one(days[0], skeleton, locale, has_year=has_year)
    if has_year and days[0].year != days[1].year:
        return " – ".join(_one(each, skeleton, locale, has_year=True) for each in days)
    told = str(format_interval(days[0], days[1], skeleton, locale=locale)).replace("—", "–")
    if not has_year:
        return told
    form = _YEARS[language] if kind[1] else "{days} {year}"
    return form.format(days=told, year=days[0].year)


def _one(day: date, skeleton: str, locale: str, *, has_year: bool) -> str:
    if skeleton == "MMMM":
        form: Callable[..., str] = format_date
        return form(day, "LLLL y" if has_year else "LLLL", locale=locale)
    if has_year:
        return str(format_date(day, "long", locale=locale))
    return str(format_skeleton(skeleton, day, locale=locale))


def moment(given: str | datetime, language: Language) -> str:
    """A moment of the service's own clock: `29 November 2026, 17:46 UTC`."""
    at = datetime.fromisoformat(given) if isinstance(given, str) else given
    return f"{format_date(at.date(), 'long', locale=LOCALES[language])}, {at:%H:%M} UTC"


def amount(row: Value, words: Words) -> str | None:
    """An agreement's amount with its limits, without the currency: `10–15 million`; None where
    none is stated."""
    value, most, bound = row.get("amount"), row.get("amount_max"), row.get("amount_bound")
    if value is None:
        return None
    told = number(value, words.language)
    if most is not None and most != value:
        told = f"{told}–{number(most, words.language)}"
    if bound not in (None, "exact"):
        told = words.say(f"amount_{bound}", amount=told)
    if row.get("amount_period") == "per_year":
        told = words.say("amount_per_year", amount=told)
    return told
