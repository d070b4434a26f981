"""Dates in other forms than ISO 8601's: what is to be written instead."""

from app.core.date_spellings import iso_spelling, not_in_calendar

SPELLINGS = {
    "12/04/2016": "2016-04-12 or 2016-12-04",
    "12.04.2016": "2016-04-12",
    "12-04-2016": "2016-04-12",
    "2.4.2016": "2016-04-02",
    "12.04.2016 г.": "2016-04-12",
    "2016/04/12": "2016-04-12",
    "2016.04.12": "2016-04-12",
    "2016-4-2": "2016-04-02",
    "20160412": "2016-04-12",
    "25/12/2016": "2016-12-25",
    "12/25/2016": "2016-12-25",
    "04/04/2016": "2016-04-04",
    "04.2016": "2016-04",
    "2016/4": "2016-04",
    "12 April 2016": "2016-04-12",
    "April 12, 2016": "2016-04-12",
    "12 апреля 2016 г.": "2016-04-12",
    "12 сәуір 2016": "2016-04-12",
    " 12 мая 2016 ": "2016-05-12",
    "2016 жылғы 12 сәуір": "2016-04-12",
    "2016 жылдың 12 сәуірі": "2016-04-12",
    "2016 ж. 2 қаңтар": "2016-01-02",
    "2016 жылғы сәуір": "2016-04",
}
#: In ISO 8601 already, in no calendar, without a year that is certain, or no dates at all.
NONE = (
    *("2016-04-12", "2016-04", "2016", "30/02/2016", "2016/2017", "12.04.16", "April", "", "soon"),
    *("2016-04-11/2016-04-13", "XXXX-04-11", "0000/01/01", "1/2/3", "9" * 1000, "12 foo 2016"),
)


def test_a_date_in_another_form_is_told_in_the_right_one() -> None:
    wrong = {text: iso_spelling(text) for text, right in SPELLINGS.items()}
    assert wrong == SPELLINGS


def test_what_is_no_such_date_is_told_nothing() -> None:
    assert {text: iso_spelling(text) for text in NONE if iso_spelling(text)} == {}


#: Of stated dates, whose year need not be known.
YEARLESS = {
    "14 марта": "XXXX-03-14",
    "14-го марта": "XXXX-03-14",
    "14 наурыз": "XXXX-03-14",
    "14 March": "XXXX-03-14",
    "March 14": "XXXX-03-14",
    "14th March": "XXXX-03-14",
    "29 февраля": "XXXX-02-29",
    "март": "XXXX-03",
    "14.03": "XXXX-03-14",
    "03/04": "XXXX-04-03 or XXXX-03-04",
    "12-14 апреля": "XXXX-04-12/XXXX-04-14",
    "с 28 марта по 2 апреля": "XXXX-03-28/XXXX-04-02",
    "12–14 апреля 2026": "2026-04-12/2026-04-14",
    "2026 жылғы 12–14 сәуір": "2026-04-12/2026-04-14",
    "3–13.04.2026": "2026-04-03/2026-04-13",
    "2026-04-11 - 2026-04-13": "2026-04-11/2026-04-13",
    "03-05.2026": "2026-03/2026-05",
    "лето 2019": "2019-22",
    "II квартал 2019 г.": "2019-34",
    "2019.33": "",
    "14 foo": "",
    "майор": "",
    "30 февраля": "",
    "soon": "",
}
#: In whatever form, and without a year.
NEVER = {
    "31.02.2024": "there is no 31 February 2024",
    "2024-02-31": "there is no 31 February 2024",
    "31/02/2024": "there is no 31 February 2024",
    "29 февраля 2023 г.": "there is no 29 February 2023",
    "April 31, 2024": "there is no 31 April 2024",
    "30 февраля": "there is no 30 February",
    "32 желтоқсан": "there is no 32 December",
    "31.12.2024": "",
    "2024-13-01": "",
    "2024 жылғы 31 сәуір": "there is no 31 April 2024",
    "31 foo 2024": "",
    "0000-02-31": "",
}


def test_a_stated_date_without_a_year_is_told_with_x_in_its_place() -> None:
    assert {text: iso_spelling(text, yearless=True) for text in YEARLESS} == YEARLESS
    assert iso_spelling("14 марта") == ""


def test_a_day_that_is_in_no_calendar_is_told_as_that() -> None:
    assert {text: not_in_calendar(text).partition(":")[0] for text in NEVER} == NEVER
    assert not_in_calendar("30 февраля").endswith("are 01 to 29, such as XXXX-02-29")
