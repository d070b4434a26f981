"""Calendars as text: whatever a record says comes back out of them as it went in."""

from datetime import UTC, date, datetime

from app.feeds.icalendar import Calendar, Event
from tests.feeds.calendars import parsed

AWKWARD = (
    "plain",
    "a,b;c\\d\nof two lines",
    "\\n is no new line, and \\\\, neither",
    "Соглашение о поставке кабельной продукции, " * 9,
    "Қазақстан — «өңір»; 😀" * 12,
    "x" * 75 + "\r\n" + "y" * 300,
    "BEGIN:VEVENT\r\nEND:VCALENDAR",
    "",
)


def test_any_text_comes_back_out_of_lines_of_75_octets() -> None:
    changed = datetime(2026, 11, 29, 19, 30, tzinfo=UTC)
    events = [
        Event(f"id-{at}", date(2016, 4, 30), changed, text, text[::-1], "http://test/pages?a=b,c")
        for at, text in enumerate(AWKWARD)
    ]
    name, about = "Сроки, и не только; да", "Один\nдва"
    text = Calendar(name, about, events).text()
    lines = text.split("\r\n")
    assert [each for each in lines if len(each.encode()) > 75] == []
    assert (lines[0], lines[-2:]) == ("BEGIN:VCALENDAR", ["END:VCALENDAR", ""])
    assert "\n" not in text.replace("\r\n", "")
    told, found = parsed(text)
    assert (told["NAME"], told["X-WR-CALDESC"]) == (name, about)
    lost = [
        (text, event)
        for text, event in zip(AWKWARD, found, strict=True)
        if event["SUMMARY"] != text.replace("\r\n", "\n")
        or event["DESCRIPTION"] != text[::-1].replace("\n\r", "\n\n")
        or event["DTSTART;VALUE=DATE"] != "20160430"
        or event["DTSTAMP"] != "20261129T193000Z"
        or event["URL"] != "http://test/pages?a=b,c"
    ]
    assert lost == []


def test_controls_that_no_calendar_may_hold_are_left_out() -> None:
    text = Calendar("a\x00b\x1b\tc\x7f", "", ()).text()
    assert parsed(text)[0]["NAME"] == "ab\tc"
