"""Names are compared without what people write differently each time."""

from app.core.text.name_keys import name_key, without_quotes

_SAME = (
    ("ТОО X", "ТОО «X»", 'ТОО  "X"', "ТОО „X“", "ТОО “X”", "“ТОО «X »”", "ТОО 'X'", "ТОО ‘X’"),
    ("Ак-Жол", "Ак–Жол", "Ак—Жол", "Ак‑Жол", "«Ак−Жол»"),
    ("O'Neil", "O’Neil", '"O‘Neil"', "'O'Neil'"),
    ("Кафе", "Кафе\N{NO-BREAK SPACE}", "Кафе\N{THIN SPACE}"),
    ("Алтай", "Алтаи\N{COMBINING BREVE}"),
)
_OTHERS = ("Ала Тау", "Алатау", "алатау", "Aлатау", "ONeil", "O Neil", "Ак Жол", "АкЖол", "")


def test_quotes_dashes_and_blanks_do_not_tell_names_apart() -> None:
    wrong = [each for each in _SAME if len({name_key(name) for name in each}) != 1]
    assert not wrong
    several = [*_OTHERS, *(each[0] for each in _SAME)]
    assert len({name_key(name) for name in several}) == len(several)


def test_a_name_without_its_quotes_is_as_it_was_written() -> None:
    assert without_quotes(" ТОО «Ак–Жол  O’Neil» ") == "ТОО Ак–Жол O’Neil"
