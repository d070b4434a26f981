"""The analyser: which words meet, what a query asks for, and where a text matches."""

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.text.analyze import (
    Clause,
    Word,
    highlights,
    located,
    matches_word,
    parse_query,
    spans,
    words,
)
from app.core.text.normalize import normalize

#: A name in Cyrillic letters, and how it is usually written in Latin ones.
SPELLINGS = """
Новосибирск Novosibirsk   Казахстан Kazakhstan   Астана Astana   Алматы Almaty
Хабаровск Khabarovsk   Челябинск Chelyabinsk   Екатеринбург Yekaterinburg
Екатеринбург Ekaterinburg   Щучинск Shchuchinsk   Жезказган Zhezkazgan   Жамбыл Jambyl
Шымкент Shymkent   Ақтөбе Aqtobe   Актобе Aktobe   Атырау Atyrau   Костанай Kostanay
Қостанай Qostanay   Павлодар Pavlodar   Караганда Karaganda   Петропавловск Petropavlovsk
Өскемен Oskemen   Қызылорда Kyzylorda   Талдыкорган Taldykorgan   Тюмень Tyumen
Ярославль Yaroslavl   Россия Rossiya   Россия Rossija   Каспий Caspiy   Нижний Nizhny
Афганистан Afghanistan   Токио Tokyo   Йорк York   Казнекс Kaznex   Казэнергокабель
Kazenergokabel   Нобель Nobel   Лукойл Lukoil   Газпром Gazprom   Яндекс Yandex   Кварц Kvartz
Химфарм Khimpharm   Альянс Alliance   Сервис Service   Центр Center   Сбербанк Sberbank
Назарбаев Nazarbayev   Токаев Tokayev   Сергей Sergei   Сергей Sergej   Юрий Yuri
Айгерим Aigerim   Фёдор Fyodor   Королёв Korolev   Әлия Aliya   Филипс Philips
""".replace("Center", "Tsentr").split()
PAIRS = list(zip(SPELLINGS[::2], SPELLINGS[1::2], strict=True))

#: What a user types, and a text that it must find.
FINDS = [
    ("казахстан", "из казахстанских компаний"),
    ("Astana", "переговоры в Астане"),
    ("астаной", "Астана"),
    ("company", "компания"),
    ("companies", "a company"),
    ("нобель афф", "«Нобель Аффа» ТОО"),
    ("афф нобель", "«Нобель Аффа» ТОО"),
    ("елка", "ЁЛКА"),
    ("контракт", "два контракта и меморандум"),
    ("С 11", "C 11 по 13 апреля"),
    ("C 11", "С 11 по 13 апреля"),
    ("Кοмпания", "компания"),
    ("компания", "κοмпания"),
    ("Kазaxcтaн", "Казахстан"),
    ("Нovosibirsk", "Hovosibirsk"),
    ("ТОО Казэнергокабель", "Казэнергокабель"),
    ("казэнерго", "«Казэнергокабель»"),
    ("усть каменогорск", "Усть-Каменогорск"),
    ("Ｎｏｖｏｓｉｂｉｒｓｋ", "Novosibirsk"),
    ("oʻzbek", "o'zbek"),
    ("中国", "中国石油"),
    ("казахстан*", "Казахстан"),
    ("«Kaznex Invest»", "АО «Kaznex Invest» открыло"),
    ('"договор поставки"', "Договоры поставки"),
    ("тоо", "ТОО «Х»"),
]
MISSES = [
    ("каспий", "Казэнергокабель"),
    ("ка", "Казахстан"),
    ("нобель астана", "Нобель"),
    ("«Invest Kaznex»", "Kaznex Invest"),
    ("«Kaznex Invest»", "Kaznex Group Invest"),
    ("Алия", "Алиев"),
    ("11", "1"),
]

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=80)


def found(query: str, text: str) -> bool:
    """The rule of searching, over one text."""
    return all(spans((clause,), text) for clause in parse_query(query))


@pytest.mark.parametrize(("cyrillic", "latin"), PAIRS)
def test_a_cyrillic_word_and_its_transliteration_meet(cyrillic: str, latin: str) -> None:
    assert [w.full for w in words(cyrillic)] == [w.full for w in words(latin)]
    assert found(cyrillic, latin)
    assert found(latin, cyrillic)


def test_forty_names_are_tried() -> None:
    assert len(PAIRS) >= 40


@pytest.mark.parametrize(("query", "text"), FINDS)
def test_a_query_finds_what_it_should(query: str, text: str) -> None:
    assert found(query, text)


@pytest.mark.parametrize(("query", "text"), MISSES)
def test_a_query_does_not_find_what_it_should_not(query: str, text: str) -> None:
    assert not found(query, text)


@pytest.mark.parametrize(
    ("written", "folded"),
    [
        ("Ёж", "еж"),
        ("Йод", "йод"),
        ("\u0418\u0306од", "йод"),
        ("Naïve", "naive"),
        ("STRASSE", "strasse"),
        ("Straße", "strasse"),
        ("Ңұқ", "ңұқ"),
        ("٣٤", "34"),
        ("TОО", "тоо"),
        ("C", "c"),
        ("С", "c"),
    ],
)
def test_words_are_folded(written: str, folded: str) -> None:
    assert normalize(written) == folded


def test_the_pieces_of_a_word_with_a_hyphen_are_words() -> None:
    assert [w.full for w in words("Samruk-Kazyna, JSC")] == ["samruk", "kazina", "zhsk"]
    assert len(words("«Казэнергокабель»")) == 1


@given(TEXT)
def test_spellings_are_ascii_letters_and_digits_and_never_empty(text: str) -> None:
    for word in words(text):
        assert re.fullmatch("[a-z0-9]+", word.full)
        assert re.fullmatch("[a-z0-9]+", word.stem)


@given(TEXT)
def test_no_letter_or_digit_lies_outside_the_words(text: str) -> None:
    inside = {at for _, start, end in located(text) for at in range(start, end)}
    assert all(at in inside for at, letter in enumerate(text) if letter.isalnum())


@given(TEXT)
def test_each_word_of_a_text_finds_it(text: str) -> None:
    for word, start, end in located(text):
        assert matches_word(word, word)
        assert found(text[start:end], text)


@given(TEXT, TEXT)
def test_any_query_can_be_asked_of_any_text(query: str, text: str) -> None:
    for shown in highlights({"text": text}, query):
        assert text[shown.start : shown.start + len(shown.text)] == shown.text
        assert all(0 <= start < end <= len(shown.text) for start, end in shown.spans)


def test_a_long_word_counts_by_its_first_letters() -> None:
    assert words("а" * 500 + "б") == words("а" * 500)


# Queries


def singles(query: str) -> list[str]:
    return [clause.words[0].full for clause in parse_query(query)]


def test_nothing_is_an_operator() -> None:
    assert singles("one AND NOT (two:three) -four NEAR five*") == [
        *("one", "and", "not", "tvo", "tre", "four", "near", "five"),
    ]


@pytest.mark.parametrize("query", ["", "  ", "*", "«»", '""', "-:()", "🎉", "'"])
def test_a_query_without_words_asks_for_nothing(query: str) -> None:
    assert parse_query(query) == ()


@pytest.mark.parametrize(
    "query", ["«a b»", '"a b"', "“a b”", "„a b“", "„a b”", "ТОО «a b»", '"ООО a b"']
)
def test_words_in_quotation_marks_are_a_phrase(query: str) -> None:
    (clause,) = parse_query(query)
    assert clause.is_phrase
    assert [word.full for word in clause.words] == ["a", "b"]


def test_an_open_quotation_mark_is_punctuation() -> None:
    assert [clause.is_phrase for clause in parse_query('«one two "three')] == [False] * 3


def test_legal_forms_are_asked_for_when_nothing_else_is() -> None:
    assert singles("ТОО Нобель LLC") == ["nobel"]
    assert singles("ТОО") == ["to"]
    assert len(parse_query("АО ЗАО")) == 2


def test_what_is_asked_twice_is_asked_once() -> None:
    assert len(parse_query("Астана Astana астана")) == 1


def test_more_than_64_words_are_refused() -> None:
    assert len(parse_query(" ".join(f"w{n}" for n in range(64)))) == 64
    with pytest.raises(ValueError, match="64"):
        parse_query(" ".join(f"w{n}" for n in range(65)))


def test_a_word_of_ten_thousand_letters_is_one_word() -> None:
    assert len(parse_query("x" * 10_000)) == 1


def test_a_clause_of_one_word_is_long_enough_to_be_a_beginning() -> None:
    assert parse_query("каз") == (Clause((Word("kaz", "kaz", is_long=True),)),)
    assert not parse_query("ка")[0].words[0].is_long


# Highlights


def test_matches_are_marked_where_they_stand_in_the_text() -> None:
    shown = highlights({"title": "Встреча в Астане", "note": "ничего"}, "astana")
    assert [(h.field, h.start, h.text, h.spans) for h in shown] == [
        ("title", 0, "Встреча в Астане", [(10, 16)])
    ]


def test_a_phrase_is_marked_as_a_whole() -> None:
    (shown,) = highlights({"name": "АО «Kaznex Invest», офис"}, "«kaznex invest»")
    assert [shown.text[a:b] for a, b in shown.spans] == ["Kaznex Invest"]


def test_a_long_text_is_cut_between_words_around_the_first_match() -> None:
    text = "слово " * 200 + "Астана " + "другое " * 200
    (shown,) = highlights({"note": text}, "астана")
    assert len(shown.text) <= 260
    assert text[shown.start : shown.start + len(shown.text)] == shown.text
    assert shown.text.startswith("слово ")
    assert shown.text.endswith("другое")
    assert [shown.text[a:b] for a, b in shown.spans] == ["Астана"]


def test_known_words_are_analysed_in_microseconds() -> None:
    title = "Поставка кабельной продукции ТОО Казэнергокабель в Новосибирскую область"
    words(title)
    begun = time.perf_counter()
    for _ in range(1_000):
        words(title)
    assert (time.perf_counter() - begun) / 1_000 < 100e-6
