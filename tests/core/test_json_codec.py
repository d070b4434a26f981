"""JSON in and out: every digit kept, and whatever is not plain JSON refused."""

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.json_codec import MAX_DEPTH, JsonError, dumps, loads

decimals = st.decimals(allow_nan=False, allow_infinity=False, places=8, min_value=-(10**18))
scalars = st.none() | st.booleans() | st.integers(1 - 10**99, 10**99) | decimals | st.text()
documents = st.recursive(
    scalars, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=20
)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("99999999999999.9999", Decimal("99999999999999.9999")),
        ("0.1", Decimal("0.1")),
        ("0.00000001", Decimal("0.00000001")),
        ("-0.5", Decimal("-0.5")),
        ("1.50", Decimal("1.5")),
        ("12e-1", Decimal("1.2")),
        ("1E3", 1000),
        ("5.0", 5),
        ("-0", 0),
        ("-0.0", 0),
        ("9223372036854775807", 2**63 - 1),
        ('"1.0"', "1.0"),
        (' {"a" : [ true , null ] } ', {"a": [True, None]}),
    ],
)
def test_text_means_this_value(text: str, value: Any) -> None:
    assert loads(text) == value == loads(text.encode())
    assert not isinstance(loads(text), float)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Decimal("99999999999999.9999"), "99999999999999.9999"),
        (Decimal("1.50"), "1.5"),
        (Decimal("100.0000"), "100"),
        (Decimal("1E+3"), "1000"),
        (Decimal("1E-8"), "0.00000001"),
        (Decimal("-0.0000"), "0"),
        (2**64, "18446744073709551616"),
        ({"a": [-(2**63) - 1, (10**30,)]}, f'{{"a":[-9223372036854775809,[{10**30}]]}}'),
        ({"а": ["«»"]}, '{"а":["«»"]}'),
    ],
)
def test_a_value_is_written_as_this_text(value: Any, text: str) -> None:
    assert dumps(value).decode() == text


@given(documents)
def test_what_is_written_is_read_again(value: Any) -> None:
    assert loads(dumps(value)) == value


@given(decimals)
def test_a_decimal_is_written_without_exponent_or_zeros_at_its_end(value: Decimal) -> None:
    text = dumps(value).decode()
    assert set(text) <= set("-0123456789.")
    assert "." not in text or text[-1] not in "0."


@given(st.text() | st.text(alphabet='{}[]":,0123456789.eE+-tfn\\u \n'))
def test_any_text_is_read_as_python_reads_it_or_refused(text: str) -> None:
    try:
        value = loads(text)
    except JsonError:
        return
    assert value == json.loads(text, parse_float=Decimal)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('{"a": 1, "b": 2, "a": 3}', "the name 'a' stands twice"),
        ('[{"b": {"a": 1, "a": 1}}]', "the name 'a' stands twice"),
        (r'{"a": 1, "\u0061": 2}', "the name 'a' stands twice"),
        ("NaN", "NaN is not a JSON number"),
        ("[-Infinity]", "-Infinity is not a JSON number"),
        ("1e101", "exponent is beyond 100"),
        ("1e-999999999", "exponent is beyond 100"),
        ("1e-999999999999999999999", "exponent is beyond 100"),
        ("1e999999999999999999999", "exponent is beyond 100"),
        ("1" * 101, "more than 100 digits"),
        ("-" + "1" * 5000, "more than 100 digits"),
        ("0." + "1" * 101, "more than 100 digits"),
        ("", "line 1, column 1"),
        ("{}\n x", "line 2, column 2"),
        ("[1,]", "line 1"),
        ("{'a': 1}", "line 1"),
        ("01", "line 1"),
        ('"\t"', "line 1"),
        ("{}\ufeff", "line 1"),
    ],
)
def test_what_is_no_plain_json_is_told(text: str, told: str) -> None:
    with pytest.raises(JsonError, match=told):
        loads(text)


def test_a_byte_order_mark_before_it_is_passed_over() -> None:
    assert loads(b"\xef\xbb\xbf[1]") == loads("\ufeff[1]") == [1]


def test_bytes_that_are_not_utf8_are_told() -> None:
    with pytest.raises(JsonError, match="not UTF-8 at byte 1"):
        loads(b'"\xff"')


@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a":', "}")])
def test_nesting_ends_at_the_limit(opening: str, closing: str) -> None:
    deepest = opening * (MAX_DEPTH - 1) + "[]" + closing * (MAX_DEPTH - 1)
    assert loads(deepest)
    for extra in (1, 100_000):
        with pytest.raises(JsonError, match="nested"):
            loads(opening * extra + deepest + closing * extra)


def test_what_has_no_form_in_json_is_an_error() -> None:
    for value in (Decimal("Infinity"), object(), "\ud800", [2**64, object()]):
        with pytest.raises((TypeError, ValueError)):
            dumps(value)
