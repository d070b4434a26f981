"""The words of the pages: in three languages, with all plurals, none missing, none unused."""

import re
from decimal import Decimal
from pathlib import Path
from string import Formatter

from app.engine.labels import LANGUAGES
from app.pages import formats
from app.pages.words import all_words, locale_of

FOLDER = Path("app/pages")
#: Keys that are made of a code: by how they begin, and where.
MADE = ("class_", "amount_", "action_", "difference_")


def test_each_is_told_in_all_languages_with_their_plurals_and_the_same_values() -> None:
    faults = []
    for key, told in all_words().items():
        if set(told) != set(LANGUAGES):
            faults.append(f"{key}: {sorted(set(LANGUAGES) - set(told))} missing")
            continue
        values = {
            language: {
                frozenset(name for _, name, _, _ in Formatter().parse(form) if name)
                for form in told[language].values()
            }
            for language in LANGUAGES
        }
        # One deal alone need not be counted in figures.
        fullest = {language: max(each, key=len) for language, each in values.items()}
        if len(set(fullest.values())) > 1:
            faults.append(f"{key}: {fullest}")
        for language, forms in told.items():
            wanted = {*locale_of(language).plural_form.tags, "other"}
            if len(forms) > 1 and not set(forms) >= wanted - {"few", "many"} | (
                {"few", "many"} if language == "ru" else set()
            ):
                faults.append(f"{key}.{language}: {sorted(forms)}")
    assert not faults


def test_each_is_used_and_each_that_is_used_is_there() -> None:
    files = [*FOLDER.glob("*.py"), *FOLDER.glob("templates/*.html")]
    text = "\n".join(each.read_text() for each in files)
    used = set(re.findall(r"say(?:_html)?\(\s*\"(\w+)\"", text))
    used |= set(re.findall(r"say\('(\w+)'", text))
    named = set(re.findall(r"[\"'](\w+)[\"']", text))
    words = set(all_words())
    assert not sorted(used - words)
    unused = {key for key in words - named if not key.startswith(MADE)}
    assert not sorted(unused)


def test_stated_dates_are_words_in_each_language() -> None:
    table = [
        ("2016-04-12", "12 April 2016", "12 апреля 2016 г.", "2016 ж. 12 сәуір"),
        (
            "XXXX-04-11/XXXX-04-13",
            "11–13 April, year not stated",
            "11–13 апреля, год не указан",
            "11–13 сәуір, жылы көрсетілмеген",
        ),
        ("2016-04", "April 2016", "апрель 2016", "Сәуір 2016"),
        (
            "2023-09-12/2023-09-15",
            "12–15 September 2023",
            "12–15 сентября 2023 г.",
            "2023 ж. 12–15 қыркүйек",
        ),
        ("XXXX-06", "June, year not stated", "июнь, год не указан", "Маусым, жылы көрсетілмеген"),
        ("2016", "2016", "2016", "2016"),
        ("2016~", "about 2016", "примерно 2016", "шамамен 2016"),
        ("../2020", "until 2020", "2020 или раньше", "2020 немесе бұрын"),
        ("2019-06/..", "from June 2019", "июнь 2019 или позже", "Маусым 2019 немесе кейін"),
        ("2016-21", "2016-21", "2016-21", "2016-21"),
        ("20XX", "20XX", "20XX", "20XX"),
        (
            "XXXX-02-29",
            "29 February, year not stated",
            "29 февраля, год не указан",
            "29 ақпан, жылы көрсетілмеген",
        ),
        ("2016-02-30", "2016-02-30", "2016-02-30", "2016-02-30"),
    ]
    faults = []
    for text, *expected in table:
        for language, told in zip(LANGUAGES, expected, strict=True):
            found = formats.stated_date(text, language)
            assert found is not None
            if re.sub(r"\s*–\s*", "–", found).replace("\u202f", " ") != told:
                faults.append((text, language, found, told))
    assert not faults
    assert formats.stated_date(None, "en") is None


def test_numbers_have_the_signs_of_their_language_and_all_their_digits() -> None:
    assert formats.number(5_000_000, "en") == "5,000,000"
    assert (
        formats.number(Decimal("1234567890123.4500"), "ru")
        == "1\u202f234\u202f567\u202f890\u202f123,45"
    )
    assert formats.large_number(5_000_000, "en") == "5 million"
    assert formats.large_number(12_500_000, "ru") == "12,5 миллиона"
    assert formats.large_number(5_250_301, "en") == "5,250,301"
    assert formats.large_number(999, "kk") == "999"


def test_numbers_take_the_endings_that_words_about_them_ask_for() -> None:
    after_at_least = {
        1_000_000: "1 миллиона",
        1_500_000: "1,5 миллиона",
        2_000_000: "2 миллионов",
        21_000_000: "21 миллиона",
        11_000_000_000: "11 миллиардов",
        500: "500",
    }
    found = {each: formats.limit_number(each, "ru") for each in after_at_least}
    assert {each: told.replace("\xa0", " ") for each, told in found.items()} == after_at_least
    assert formats.limit_number(2_000_000, "en") == "2 million"
    of_them = "1-інде 2-сінде 6-сында 9-ында 10-ында 20-сында 50-інде 100-інде"
    assert " ".join(formats.share(n, "kk") for n in (1, 2, 6, 9, 10, 20, 50, 100)) == of_them
    assert formats.share(1000, "kk").endswith("-ында")
    assert formats.share(3, "ru") == "3"


def test_a_range_names_its_unit_once() -> None:
    table = [
        (80_000_000, 100_000_000, "80–100 million"),
        (2_000_000, 2_500_000_000, "2 million – 2.5 billion"),
        (500, 900_000, "500 – 900,000"),
        (7_000_000, 7_000_000, "7 million"),
    ]
    assert [formats.large_range(low, high, "en") for low, high, _ in table] == [
        told for *_, told in table
    ]
