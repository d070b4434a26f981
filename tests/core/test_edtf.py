"""The parser of stated dates: what it accepts, what it refuses, and which days it finds."""

import re
from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from app.core.edtf import EDTF_PATTERN, Bounds, EdtfError, bounds, parse_edtf

PATTERN = re.compile(EDTF_PATTERN, re.ASCII)
UNKNOWN = Bounds(None, None)

DATED = {
    "2016-04-12": (date(2016, 4, 12), date(2016, 4, 12)),
    "2016-04": (date(2016, 4, 1), date(2016, 4, 30)),
    "2016": (date(2016, 1, 1), date(2016, 12, 31)),
    "0001": (date(1, 1, 1), date(1, 12, 31)),
    "9999-12-31": (date(9999, 12, 31), date(9999, 12, 31)),
    "2016-02": (date(2016, 2, 1), date(2016, 2, 29)),
    "1900-02": (date(1900, 2, 1), date(1900, 2, 28)),
    "2016-02-29": (date(2016, 2, 29), date(2016, 2, 29)),
    "2016?": (date(2016, 1, 1), date(2016, 12, 31)),
    "2016-04~": (date(2016, 4, 1), date(2016, 4, 30)),
    "2016-04-12%": (date(2016, 4, 12), date(2016, 4, 12)),
    "2016-21": (date(2016, 3, 1), date(2016, 5, 31)),
    "2016-22": (date(2016, 6, 1), date(2016, 8, 31)),
    "2016-23": (date(2016, 9, 1), date(2016, 11, 30)),
    "2016-24": (date(2016, 12, 1), date(2017, 2, 28)),
    "2015-24?": (date(2015, 12, 1), date(2016, 2, 29)),
    "2016-33": (date(2016, 1, 1), date(2016, 3, 31)),
    "2016-34": (date(2016, 4, 1), date(2016, 6, 30)),
    "2016-35": (date(2016, 7, 1), date(2016, 9, 30)),
    "2016-36": (date(2016, 10, 1), date(2016, 12, 31)),
    "2016-04-11/2016-04-13": (date(2016, 4, 11), date(2016, 4, 13)),
    "2016-12-28/2017-01-05": (date(2016, 12, 28), date(2017, 1, 5)),
    "2016?/2017-03~": (date(2016, 1, 1), date(2017, 3, 31)),
    "2016-04-12/2016-04-12": (date(2016, 4, 12), date(2016, 4, 12)),
    "2016-04-12/2016-04": (date(2016, 4, 12), date(2016, 4, 30)),
    "2016-21/2016-36": (date(2016, 3, 1), date(2016, 12, 31)),
    "2016-04-XX": (date(2016, 4, 1), date(2016, 4, 30)),
    "2016-XX": (date(2016, 1, 1), date(2016, 12, 31)),
    "2016-XX-XX?": (date(2016, 1, 1), date(2016, 12, 31)),
    "201X": (date(2010, 1, 1), date(2019, 12, 31)),
    "20XX~": (date(2000, 1, 1), date(2099, 12, 31)),
    "1998/20XX": (date(1998, 1, 1), date(2099, 12, 31)),
}

OPEN = {
    "2019-06/..": (date(2019, 6, 1), None),
    "../2019-08": (None, date(2019, 8, 31)),
    "201X/..": (date(2010, 1, 1), None),
    "../2016-04-12?": (None, date(2016, 4, 12)),
}

YEARLESS = (
    "XXXX-04-11",
    "XXXX-04",
    "XXXX-06~",
    "XXXX-02-29",
    "XXXX-21",
    "XXXX-24",
    "XXXX-36?",
    "XXXX-04-11/XXXX-04-13",
    "XXXX-04-11/XXXX-04-11",
    "XXXX-10/XXXX-24",
    "XXXX-04-XX",
    "XXXX-03-15/..",
    "../XXXX-10",
)

REFUSED = {
    "14 марта": "is not written as in ISO 8601: write XXXX-03-14",
    "31.02.2024": "there is no 31 February 2024",
    "30 февраля": "there is no 30 February",
    "12–14 апреля 2026": "write 2026-04-12/2026-04-14",
    "": "is empty",
    "2016/": "an end that is empty",
    "/2016": "an end that is empty",
    "/": "an end that is empty",
    "..": "states no date",
    "../..": "states no date",
    "2016../2017": "is not a date",
    "20XX-04": "not stated in full",
    "2016-XX-04": "month that is not stated",
    "2016-XX/2015-04": "ends before it begins",
    "XXXX-XX": "neither year nor month",
    "2016/2017/2018": "more than two ends",
    "2016-04-12T10:00": "has a time",
    "2016-04-12t": "has a time",
    "2016-04-12 ": "white space",
    "2016-04-12\n": "white space",
    "2016 / 2017": "white space",
    "2016-04-1٢": "outside ASCII",
    "２０１６": "outside ASCII",
    "2016–04": "outside ASCII",
    "ХХХХ-04": "outside ASCII",
    "0000": "year 0000",
    "0000-04-12": "year 0000",
    "16-04-12": "year of four digits",
    "12.04.2016": "year of four digits",
    "20160": "year of four digits",
    "20160412": "year of four digits",
    "-2016": "year of four digits",
    "Y17000": "year of four digits",
    "2XXX": "year of four digits",
    "X016": "year of four digits",
    "xxxx-04": "year of four digits",
    "april": "year of four digits",
    "XXXX": "neither year nor month",
    "XXXX?": "neither year nor month",
    "2016-4-2": "one-digit",
    "2016-04-2": "one-digit",
    "2016-4": "one-digit",
    "2016?-04": "qualifier before its end",
    "2016??": "qualifier before its end",
    "2016-00": "no month 00",
    "2016-13": "no month 13",
    "2016-25": "no month 25",
    "2016-13-01": "no month 13",
    "2016-21-05": "season or quarter a day",
    "2016-02-30": "01 to 29",
    "2015-02-29": "01 to 28",
    "1900-02-29": "01 to 28",
    "2016-04-31": "01 to 30",
    "2016-04-00": "01 to 30",
    "XXXX-02-30": "01 to 29",
    "9999-24": "after the year 9999",
    "2016-04-13/2016-04-11": "ends before it begins",
    "2017/2016": "ends before it begins",
    "XXXX-04-13/XXXX-04-11": "ends before it begins",
    "XXXX-12-28/XXXX-01-05": "both need a year",
    "XXXX-24/XXXX-01": "both need a year",
    "2016-04-11/XXXX-04-13": "year at one end only",
    "XXXX-04-11/2016-04-13": "year at one end only",
    "2016-04-12Z": "is not a date",
    "2016-": "is not a date",
    "2016-04-12-01": "is not a date",
    "2016" * 17: "at most 64 characters",
}

full_dates = st.dates().map(date.isoformat)
# A winter of the year 9999 has no end in the calendar.
years = st.integers(1, 9998).map("{:04}".format)
periods = st.sampled_from(
    [*(f"{n:02}" for n in range(1, 13)), "21", "22", "23", "24", "33", "34", "35", "36"]
)
month_days = st.dates(date(2000, 1, 1), date(2000, 12, 31)).map(lambda day: f"{day:%m-%d}")
qualifiers = st.sampled_from(["", "?", "~", "%"])
masked = st.sampled_from(["201X", "19XX", "2016-XX", "2016-04-XX", "2016-XX-XX"])
dated = st.builds(
    str.__add__,
    full_dates | years | masked | st.builds("{}-{}".format, years, periods),
    qualifiers,
)
yearless = st.builds("XXXX-{}{}".format, periods | month_days, qualifiers)
near_misses = st.text(alphabet="0123456789X-/?~%.T: ", max_size=30)


def is_accepted(text: str) -> bool:
    try:
        parse_edtf(text)
    except EdtfError:
        return False
    return True


@pytest.mark.parametrize(("text", "days"), DATED.items())
def test_a_date_with_a_year_spans_these_days(text: str, days: tuple[date, date]) -> None:
    assert parse_edtf(text) == Bounds(*days)
    assert PATTERN.fullmatch(text)


def test_an_open_interval_has_one_bound() -> None:
    assert {text: parse_edtf(text) for text in OPEN} == {
        text: Bounds(*days) for text, days in OPEN.items()
    }
    assert all(PATTERN.fullmatch(text) for text in OPEN)


@pytest.mark.parametrize("text", YEARLESS)
def test_a_date_without_a_year_is_accepted_and_has_no_bounds(text: str) -> None:
    assert parse_edtf(text) == UNKNOWN
    assert PATTERN.fullmatch(text)


@pytest.mark.parametrize(("text", "reason"), REFUSED.items())
def test_a_refusal_says_what_is_wrong(text: str, reason: str) -> None:
    with pytest.raises(EdtfError, match=re.escape(reason)):
        parse_edtf(text)


@pytest.mark.parametrize("text", REFUSED)
def test_a_refusal_shows_an_example_that_is_right(text: str) -> None:
    with pytest.raises(EdtfError) as refusal:
        parse_edtf(text)
    advice = str(refusal.value).removeprefix(repr(text))
    written = re.findall(r"\b(?:[0-9]{4}|XXXX)(?:-[0-9]{2})*[~]?(?:/[0-9X-]+)?", advice)
    examples = [text for text in written if text not in ("0000", "XXXX")]
    assert examples
    assert all(is_accepted(text) for text in examples)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "0000",
        "2016-00",
        "2016-13",
        "2016-04-31",
        "2016-02-30",
        "2016-4",
        "XXXX",
        "2016/",
        "XXXX-02-30",
        "2016-04-11/XXXX-04-13",
        "2016-21-05",
        "2016-37",
        "2016-04-00",
        "../..",
        "2XXX",
        "20XX-04",
        "2016-XX-04",
    ],
)
def test_the_pattern_alone_refuses_what_a_regular_expression_can_see(text: str) -> None:
    assert not PATTERN.search(text)


def test_an_absent_date_has_no_bounds() -> None:
    assert bounds(None) == UNKNOWN


def test_a_date_that_may_be_absent_is_parsed_when_it_is_there() -> None:
    assert bounds("2016-04") == parse_edtf("2016-04")
    with pytest.raises(EdtfError):
        bounds("")


@given(st.dates())
def test_a_full_date_round_trips(day: date) -> None:
    assert parse_edtf(day.isoformat()) == Bounds(day, day)


@given(dated)
def test_the_earliest_day_is_never_after_the_latest(text: str) -> None:
    found = parse_edtf(text)
    assert found.earliest is not None
    assert found.latest is not None
    assert found.earliest <= found.latest


@given(dated)
def test_a_qualifier_does_not_move_the_bounds(text: str) -> None:
    assert parse_edtf(text) == parse_edtf(text.rstrip("?~%"))


@given(dated, dated)
def test_the_bounds_of_an_interval_come_from_its_ends(first: str, last: str) -> None:
    earliest, latest = parse_edtf(first).earliest, parse_edtf(last).latest
    assert earliest is not None
    assert latest is not None
    if earliest <= latest:
        assert parse_edtf(f"{first}/{last}") == Bounds(earliest, latest)
    else:
        assert not is_accepted(f"{first}/{last}")


@given(yearless, yearless)
def test_one_order_at_least_of_two_dates_without_a_year_is_an_interval(a: str, b: str) -> None:
    assert is_accepted(f"{a}/{b}") or is_accepted(f"{b}/{a}")


@given(dated, yearless)
def test_an_interval_has_a_year_at_both_ends_or_at_none(with_year: str, without: str) -> None:
    assert not is_accepted(f"{with_year}/{without}")
    assert not is_accepted(f"{without}/{with_year}")


@given(st.integers(1, 9998))
def test_the_four_quarters_make_up_the_year(year: int) -> None:
    quarters = [parse_edtf(f"{year:04}-{code}") for code in (33, 34, 35, 36)]
    whole = parse_edtf(f"{year:04}")
    assert (quarters[0].earliest, quarters[-1].latest) == (whole.earliest, whole.latest)


@given(st.integers(1, 9998))
def test_each_season_begins_the_day_after_the_one_before(year: int) -> None:
    seasons = [parse_edtf(f"{year:04}-{code}") for code in (21, 22, 23, 24)]
    for before, after in pairwise(seasons):
        assert before.latest is not None
        assert before.latest + timedelta(days=1) == after.earliest


@given(st.text() | near_misses | dated | yearless)
@example("2016-02-30")
@example("9999-24")
@example("0000-01-01")
def test_any_text_parses_or_is_refused_and_what_parses_matches_the_pattern(text: str) -> None:
    if is_accepted(text):
        assert PATTERN.fullmatch(text)
        assert text.isascii()
        assert len(text) <= 64


@given(st.from_regex(PATTERN, fullmatch=True))
def test_the_pattern_admits_a_wrong_single_date_only_on_29_february_or_in_winter_9999(
    text: str,
) -> None:
    assume("/" not in text)
    assert is_accepted(text) or text[5:10] == "02-29" or text.startswith("9999-24")
