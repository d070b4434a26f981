"""Where sentences begin and end; every text here is invented."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from app.resources.sentence import sentence_spans

NEWS_LETTERS = "абВГқӘzZ «»\"'()[].!?…,-—0123\n\t\u00a0"


def split(text: str) -> list[str]:
    return [text[start:end] for start, end in sentence_spans(text)]


# A bar marks where the next sentence begins.
RULES = {
    "a full stop before a capital": "Груз прибыл утром. |Его встретили.",
    "a question and an exclamation mark": "Кто платит? |Покупатель! |Срок вышел.",
    "an ellipsis of either kind": "Ждали долго… |Потом ушли... |Вернулись.",
    "several marks at once": "Неужели?! |Да.",
    "Kazakh capitals": "Келісімге қол қойылды. |Әкім сөйледі. |Өнім жеткізіледі.",
    "English": "The deal was signed. |Both sides agreed.",
    "a digit opens a sentence": "Подписано два договора. |12 компаний уехали.",
    "a quotation opens a sentence": "Он согласился. |«Мы готовы», - сказал он.",
    "a quotation may open in small letters": "Он согласился. |“we are ready”, he said.",
    "a closing quote belongs to its sentence": "«Мы готовы!» |Гости ушли.",
    "a closing bracket belongs to its sentence": "(Так решил совет.) |Гости ушли.",
    "a capital in brackets opens a sentence": "Гости ушли. |(Так решил совет.)",
    "small letters in brackets do not": "Гости ушли. (так решил совет)",
    "the stop after a closing quote": "Сделку заключило АО «Ромашка». |Сумма не названа.",
    "an exclamation within a sentence": "Фирма «Ура!» открыла склад.",
    "reported speech goes on": "«Готовы ли мы?» - спросил директор.",
    "initials with a space": "Выступил В. Иванов. |Его слушали.",
    "initials without a space": "Выступил В.Иванов. |Его слушали.",
    "two initials": "Выступили А. Б. Иванов и А.Б. Петров.",
    "initials in English": "The speaker was J. R. Smith. |He left.",
    "Kazakh initials": "Жиынды Ә. Ғалиев ашты. |Ол қонақтарды құттықтады.",
    "capitals of more than one letter are no initials": "Визит прошёл в РФ. |Его ждали.",
    "a city": "Завод стоит в г. Тараз. |Он новый.",
    "years": "За 2014-2016 гг. Тараз вырос.",
    "a year right after its number": "В 2016г. Тараз вырос.",
    "a region and a street": "Абайская обл. Казахстана, ул. Мира, завод им. Ленина.",
    "sums": "Дали 5 млн. USD, 3 млрд. KZT, 2 тыс. EUR, 7 руб. РФ и 9 долл. США.",
    "that is": "Покупатель, т.е. Тараз, платит.",
    "an abbreviation in capitals": "Дом стоит так: Ул. Мира, дом 5.",
    "an abbreviation before a bracket": "Тараз (с 1997 г.) Казахстан не покидал.",
    "a Kazakh year and city": "Келісім 2016 ж. Тараз қ. Жамбыл облысында жасалды.",
    "English titles": "We met Mr. Brown and Dr. Green. |They smiled.",
    "English companies": "Acme Inc. Chairman and Acme Ltd. Director met.",
    "for example": "Some goods, e.g. Tea, were sold.",
    "and so on ends a sentence": "Везли чай, соль и т.д. |Потом уехали.",
    "decimals and dates": "Сумма 5.2 выросла 12.04.2016 до 6. |Все рады.",
    "the number of a list item": "1. Чай продан.|\n2. Соль куплена. |Всё.",
    "a dateline": "ТАРАЗ. НОВОСТИ - Груз прибыл. |Его ждали.",
    "a dateline with a long dash": "ASTANA. NEWS WIRE — The cargo came. |It was late.",
    "a dateline under a headline": "Груз прибыл|\nТАРАЗ. НОВОСТИ – Груз прибыл.",
    "no dateline without capitals": "Тараз. |Новости - это всё.",
    "a line without a stop": "Заголовок|\nПервая строка|\r\n\r\nвторая строка",
    "spaces around": "  Груз прибыл.   |Его ждали.\t ",
    "no-break spaces": "Груз прибыл.\u00a0|Его ждали.",
    "a small letter goes on": "Груз (вес 5 т. нетто) прибыл. и ушёл.",
    "no space, no sentence": "Сайт taraz.Kz открыт.",
}


@pytest.mark.parametrize("marked", RULES.values(), ids=RULES.keys())
def test_sentences_are_split_by_this_rule(marked: str) -> None:
    assert split(marked.replace("|", "")) == [part.strip() for part in marked.split("|")]


@pytest.mark.parametrize("text", ["", " ", "\n\n \t\u00a0"])
def test_a_text_of_white_space_has_no_sentences(text: str) -> None:
    assert sentence_spans(text) == []


def test_positions_count_code_points() -> None:
    assert sentence_spans(" Ә😀. Да.\nНет") == [(1, 4), (5, 8), (9, 12)]


@given(st.lists(st.sampled_from(["Груз прибыл.", "Did it?", "«Иә!»", "12 фирм ждут…"])))
def test_plain_sentences_are_found_however_they_are_strung_together(plain: list[str]) -> None:
    assert split(" ".join(plain)) == plain


@given(st.text() | st.text(alphabet=NEWS_LETTERS))
@example(".")
@example("1. 1. 1. А")
@example("А - . Б")
def test_spans_ascend_and_leave_out_white_space_only(text: str) -> None:
    position = 0
    for start, end in sentence_spans(text):
        assert position <= start < end <= len(text)
        assert text[position:start].strip() == ""
        assert text[start:end] == text[start:end].strip()
        position = end
    assert text[position:].strip() == ""


@given(st.text(alphabet=NEWS_LETTERS))
def test_no_sentence_runs_over_the_end_of_a_line(text: str) -> None:
    assert not any("\n" in sentence for sentence in split(text))


@given(st.text(alphabet=NEWS_LETTERS), st.text(alphabet=NEWS_LETTERS))
def test_what_stands_in_one_paragraph_does_not_change_the_next(first: str, second: str) -> None:
    assert split(f"{first}\n{second}") == split(first) + split(second)
