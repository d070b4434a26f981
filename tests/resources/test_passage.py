"""Passages of a text, found by their words."""

from app.resources.passage import SearchedText, Words, same_words

# Every text here is invented. 😀 is one code point; the й of "Новый" is written as two.
TEXT = (
    "😀 «Новыи\u0306 завод»\u00a0откроют\n  в 2020 году — так “сказал” директор.\r\n"
    "Новый завод построят. Новый завод\u00ad закроют\u200b?"
)


def test_a_passage_is_found_letter_by_letter_or_else_as_it_is_read() -> None:
    searched = SearchedText(TEXT)
    for words, wanted in (
        (Words("завод построят"), ["завод построят"]),
        (Words("завод"), ["завод"] * 3),
        (Words('"Новый завод" откроют в 2020 году'), [TEXT[2 : TEXT.index(" — так")]]),
        (Words('году - так "сказал" директор'), ["году — так “сказал” директор"]),
        (Words("году — так «сказал»   директор"), ["году — так “сказал” директор"]),
        (Words("завод закроют"), ["завод\u00ad закроют"]),
        (Words(" завод построят\n"), ["завод построят"]),
        (Words("Новый завод", suffix=" построят"), ["Новый завод"]),
        (Words("Новый завод", prefix="построят. "), ["Новый завод"]),
        (Words("Новый завод", prefix="построят."), ["Новый завод"]),
        (Words("Новый завод", suffix='" откроют'), ["Новыи\u0306 завод"]),
        (Words("Новый завод", prefix="закроют"), []),
        (Words("новый завод"), []),
        (Words(" \t "), []),
        (Words("😀"), ["😀"]),
        (Words("\u00ad"), ["\u00ad"]),
        (Words("Завода нет"), []),
    ):
        found = [TEXT[span.start : span.end] for span in searched.find(words)]
        assert found == wanted, words


def test_every_passage_is_found_where_it_stands() -> None:
    searched = SearchedText(TEXT)
    for start in range(len(TEXT)):
        for end in range(start + 1, min(len(TEXT), start + 30) + 1):
            words = Words(TEXT[start:end], TEXT[:start], TEXT[end:])
            assert searched.find(words) == [(start, end)], words


def test_a_passage_said_otherwise_covers_the_same_words() -> None:
    """However the copy was made, what is found reads the same."""
    searched = SearchedText(TEXT)
    tidy = " ".join(TEXT.translate({0xAD: None, 0x200B: None}).replace("и\u0306", "й").split())
    tidy = tidy.translate({ord(mark): '"' for mark in "«»“”"}).replace("—", "-")
    for start in range(len(tidy) - 12):
        passage = tidy[start : start + 12].strip()
        found = searched.find(Words(passage))
        assert found, passage
        assert all(same_words(TEXT[span.start : span.end], passage) for span in found), passage


def test_what_is_not_found_is_told_as_far_as_it_is() -> None:
    searched = SearchedText(TEXT)
    near = searched.longest_beginning("завод построят на реке")
    assert near is not None
    assert TEXT[near.start : near.end] == "завод построят"
    assert searched.longest_beginning("Озеро велико") is None
    assert searched.around(near) == "…так “сказал” директор. Новый [завод построят]"
