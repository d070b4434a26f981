"""Days and moments counted from the present one."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.relative_dates import as_iso, instead

#: In Almaty it is the first of March already.
NOW = datetime(2024, 2, 29, 20, 30, 15, 123456, UTC)
ALMATY, BERLIN = ZoneInfo("Asia/Almaty"), ZoneInfo("Europe/Berlin")


def test_what_is_counted_in_days_or_more_is_a_day_of_the_calendar() -> None:
    meant = {
        "today": "2024-02-29",
        "yesterday": "2024-02-28",
        "tomorrow": "2024-03-01",
        "-7d": "2024-02-22",
        "+30d": "2024-03-30",
        " 30d": "2024-03-30",
        "+2w": "2024-03-14",
        "-12mo": "2023-02-28",
        "+1mo": "2024-03-29",
        "-1q": "2023-11-29",
        "+1y": "2025-02-28",
        "-4y": "2020-02-29",
        "today-1y+1d": "2023-03-01",
        "tomorrow+1mo": "2024-04-01",
        "-0d": "2024-02-29",
        "-2023y": "0001-02-28",
    }
    assert {text: as_iso(text, NOW) for text in meant} == meant
    in_almaty = {"today": "2024-03-01", "-1mo": "2024-02-01", "-7d": "2024-02-23"}
    assert {text: as_iso(text, NOW, ALMATY) for text in in_almaty} == in_almaty


def test_now_and_what_is_counted_in_hours_or_minutes_is_a_moment() -> None:
    meant = {
        "now": "2024-02-29T20:30:15.123456Z",
        "-2h": "2024-02-29T18:30:15.123456Z",
        "now-90min": "2024-02-29T19:00:15.123456Z",
        "now-1d": "2024-02-28T20:30:15.123456Z",
        "-1d-1h": "2024-02-28T19:30:15.123456Z",
        "now+1y": "2025-02-28T20:30:15.123456Z",
    }
    assert {text: as_iso(text, NOW) for text in meant} == meant
    # The clock of Berlin goes forward in between: a day is 23 hours, and 24 hours are 24.
    after = datetime(2026, 3, 29, 10, tzinfo=UTC)
    assert as_iso("now-1d", after, BERLIN) == "2026-03-28T11:00:00Z"
    assert as_iso("now-24h", after, BERLIN) == "2026-03-28T10:00:00Z"


def test_months_end_on_their_last_day_for_every_day_and_number() -> None:
    @given(st.dates(date(1000, 1, 1), date(3000, 1, 1)), st.integers(-9999, 9999))
    def check(day: date, months: int) -> None:
        noon = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
        found = date.fromisoformat(as_iso(f"{months:+}mo", noon) or "")
        assert found.year * 12 + found.month == day.year * 12 + day.month + months
        assert found.day == day.day or (
            found.day < day.day and (found + timedelta(1)).month != found.month
        )

    check()


def test_what_is_beyond_the_calendar_or_of_two_minds_is_refused() -> None:
    for text, words in {
        "-2024y": "0001 to 9999",
        "+9999y": "0001 to 9999",
        "-9999y-9999y": "0001 to 9999",
        "now-9999y": "0001 to 9999",
        "today-2h": "write now instead",
    }.items():
        with pytest.raises(ValueError, match=words):
            as_iso(text, NOW)
    for text in ("now", "-2h", "now-1d"):
        with pytest.raises(ValueError, match="write today"):
            as_iso(text, NOW, of_days=True)


def test_other_spellings_are_none_and_those_that_are_alike_are_told_the_right_one() -> None:
    alike = ("30d", "-6m", "-6 months", "7 days ago", "NOW", "Today", "today()", "P1M", "-1Y")
    for text in alike:
        assert as_iso(text, NOW) is None, text
        assert "-12mo" in instead(text), text
    for text in ("", "2016-04", "-", "+", "d", "todays", "2016", "-12", "spring", "12345d"):
        assert (as_iso(text, NOW), instead(text)) == (None, ""), text
