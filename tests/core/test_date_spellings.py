"""Dates in other forms than ISO 8601's: what is to be written instead."""

from app.core.date_spellings import iso_spelling

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
