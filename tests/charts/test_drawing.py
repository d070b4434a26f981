"""Numbers, scales and texts of pictures."""

from decimal import Decimal

from app.charts.numbers import number_text, scale_steps, short_text
from app.charts.text_width import fitted, text_width, wrapped
from app.engine.labels import Language


def test_numbers_are_written_as_in_each_language() -> None:
    cases: list[tuple[int | Decimal, Language, str, str]] = [
        (0, "en", "0", "0"),
        (999, "ru", "999", "999"),
        (5_000_000, "en", "5,000,000", "5m"),
        (5_000_000, "ru", "5\u202f000\u202f000", "5\u202fмлн"),
        (Decimal("1250000000.5000"), "en", "1,250,000,000.5", "1.25bn"),
        (Decimal("1234.50"), "kk", "1\u202f234,5", "1,23\u202fмың"),
        (Decimal("99999999999999.9999"), "en", "99,999,999,999,999.9999", "100tn"),
    ]
    found = [(v, lang, number_text(v, lang), short_text(v, lang)) for v, lang, *_ in cases]
    assert found == cases


def test_a_scale_has_round_steps_up_to_its_end() -> None:
    for most in (1, 2, 3, 7, 10, 99, 100, 101, 100_000, Decimal("0.5"), Decimal("123456789012.25")):
        steps = scale_steps(most, 5)
        assert steps[0] == 0
        assert steps[-1] >= most > steps[-2]
        assert 2 <= len(steps) <= 7, (most, steps)


def test_texts_are_cut_and_wrapped_to_the_room_that_there_is() -> None:
    name = "Товарищество с ограниченной ответственностью «Қазақстан-Новосібір»"
    assert text_width(fitted(name, 13, 120), 13) <= 120
    assert fitted("short", 13, 120) == "short"
    lines = wrapped(name, 13, 150, 2)
    assert len(lines) == 2
    assert all(text_width(line, 13) <= 150 for line in lines)
    assert all(text_width(line, 13) <= 60 for line in wrapped("x" * 300, 13, 60))
