"""Company identifiers: right ones pass and become canonical, wrong ones are told what is wrong."""

import string
import subprocess
import sys

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from app.resources.identifier import IdentifierError, IdentifierScheme, check_identifier

KZ_BIN = IdentifierScheme.kz_bin
RU_INN = IdentifierScheme.ru_inn
RU_OGRN = IdentifierScheme.ru_ogrn
RU_OGRNIP = IdentifierScheme.ru_ogrnip
LEI = IdentifierScheme.lei

# Published by the companies themselves: Kazakhtelecom, Kaspi Bank, Halyk Bank, KazMunayGas;
# Sberbank and Gazprom; VTB, GLEIF and Apple.
REAL = (
    (KZ_BIN, "941240000193"),
    (KZ_BIN, "971240001315"),
    (KZ_BIN, "940140000385"),
    (KZ_BIN, "020240000555"),
    (RU_INN, "7707083893"),
    (RU_INN, "7736050003"),
    (RU_OGRN, "1027700132195"),
    (RU_OGRN, "1027700070518"),
    (LEI, "253400V1H6ART1UQ0N98"),
    (LEI, "506700GE1G29325QX363"),
    (LEI, "HWUPKR0MPOU8FGXBT394"),
)


def weighted(body: str, *weights: int) -> int:
    return sum(int(digit) * weight for digit, weight in zip(body, weights, strict=True)) % 11


def complete_bin(body: str) -> str | None:
    once = weighted(body, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11)
    twice = weighted(body, 3, 4, 5, 6, 7, 8, 9, 10, 11, 1, 2)
    check = twice if once == 10 else once
    return None if check == 10 else f"{body}{check}"


def complete_inn(body: str) -> str:
    if len(body) == 9:
        return f"{body}{weighted(body, 2, 4, 10, 3, 5, 9, 4, 6, 8) % 10}"
    eleven = f"{body}{weighted(body, 7, 2, 4, 10, 3, 5, 9, 4, 6, 8) % 10}"
    return f"{eleven}{weighted(eleven, 3, 7, 2, 4, 10, 3, 5, 9, 4, 6, 8) % 10}"


def complete_ogrn(body: str) -> str:
    return f"{body}{int(body) % 11 % 10}"


def complete_ogrnip(body: str) -> str:
    return f"{body}{int(body) % 13 % 10}"


def complete_lei(body: str) -> str:
    number = "".join(str(int(character, 36)) for character in f"{body}00")
    return f"{body}{98 - int(number) % 97:02}"


def digits(count: int) -> st.SearchStrategy[str]:
    return st.text(alphabet=string.digits, min_size=count, max_size=count)


bin_bodies = st.builds("{}{:02}{}".format, digits(2), st.integers(1, 12), digits(7))
bins = bin_bodies.map(complete_bin).filter(lambda number: number is not None)
inns = (digits(9) | digits(10)).filter(lambda body: body.strip("0")).map(complete_inn)
ogrns = st.builds("{}{}".format, st.sampled_from("123456789"), digits(11)).map(complete_ogrn)
ogrnips = st.builds("{}{}".format, st.sampled_from("34"), digits(13)).map(complete_ogrnip)
leis = (
    st.text(alphabet=string.digits + string.ascii_uppercase, min_size=18, max_size=18)
    .filter(lambda body: body.strip("0"))
    .map(complete_lei)
)
valid_numbers = st.one_of(
    *(
        st.tuples(st.just(scheme), numbers)
        for scheme, numbers in zip(
            IdentifierScheme, (bins, inns, ogrns, ogrnips, leis), strict=True
        )
    )
)


def is_accepted(scheme: IdentifierScheme, value: str) -> bool:
    try:
        check_identifier(scheme, value)
    except IdentifierError:
        return False
    return True


def replace_at(number: str, index: int, character: str) -> str:
    return number[:index] + character + number[index + 1 :]


@pytest.mark.parametrize(("scheme", "number"), REAL)
def test_a_real_number_is_accepted_as_it_is(scheme: IdentifierScheme, number: str) -> None:
    assert check_identifier(scheme, number) == number


@pytest.mark.parametrize(
    ("scheme", "written", "canonical"),
    [
        (KZ_BIN, " 941 240 000 193\n", "941240000193"),
        (KZ_BIN, "9412-4000-0193", "941240000193"),
        (RU_INN, "77\u00a007\u202f083893", "7707083893"),
        (RU_OGRN, "1-02-77-00132-19-5", "1027700132195"),
        (RU_OGRN, "1\u201102\u201377\u201400132195", "1027700132195"),
        (LEI, "2534-00v1 h6ar t1uq 0n98", "253400V1H6ART1UQ0N98"),
    ],
)
def test_spaces_hyphens_and_small_letters_are_removed(
    scheme: IdentifierScheme, written: str, canonical: str
) -> None:
    assert check_identifier(scheme, written) == canonical


@pytest.mark.parametrize(
    ("scheme", "value", "reason"),
    [
        (KZ_BIN, "", "has 0 digits, but should have 12"),
        (KZ_BIN, "94124000019", "has 11 digits, but should have 12"),
        (KZ_BIN, "941240000194", "check digit is 4, but it should be 3"),
        (KZ_BIN, "941340000193", "month 01 to 12, found 13"),
        (KZ_BIN, "940040000193", "month 01 to 12, found 00"),
        (KZ_BIN, "000000000000", "all zeros"),
        (KZ_BIN, "94124000019X", "only digits are allowed, found 'X'"),
        (KZ_BIN, "94124000019٣", "ARABIC-INDIC DIGIT THREE"),
        (RU_INN, "77070838930", "has 11 digits, but should have 10 or 12"),
        (RU_INN, "7707083894", "check digit is 4, but it should be 3"),
        (RU_INN, "0000000000", "all zeros"),
        (RU_OGRN, "1027700132196", "check digit is 6, but it should be 5"),
        (RU_OGRN, "0027700132195", "first digit cannot be 0"),
        (RU_OGRNIP, "1" * 15, "first digit should be 3 or 4"),
        (RU_OGRNIP, "1027700132195", "has 13 digits, but should have 15"),
        (LEI, "253400V1H6ART1UQ0N89", "check digits are 89, but they should be 98"),
        (LEI, "253400V1H6ART1UQ0N9", "has 19 characters, but should have 20"),
        (LEI, "253400V1H6\u0410RT1UQ0N98", "CYRILLIC CAPITAL LETTER A"),
        (LEI, "253400V1H6ART1UQ0N9\u00df", "LATIN SMALL LETTER SHARP S"),
        (LEI, "253400V1H6ART1UQ0N9\x00", "a control character"),
        (LEI, "0" * 18 + "98", "all zeros"),
    ],
)
def test_a_refusal_names_the_scheme_and_the_fault(
    scheme: IdentifierScheme, value: str, reason: str
) -> None:
    with pytest.raises(IdentifierError) as refusal:
        check_identifier(scheme, value)
    assert reason in str(refusal.value)
    assert f"({scheme.value})" in str(refusal.value)


def test_a_bin_that_needs_the_second_round_of_weights_is_accepted() -> None:
    bodies = (f"16044000{serial:03}" for serial in range(1000))
    body = next(b for b in bodies if weighted(b, *range(1, 12)) == 10 and complete_bin(b))
    assert check_identifier(KZ_BIN, str(complete_bin(body))) == complete_bin(body)


def test_a_bin_whose_second_round_fails_too_was_never_issued() -> None:
    bodies = (f"16044{serial:06}" for serial in range(1_000_000))
    body = next(body for body in bodies if complete_bin(body) is None)
    for check in string.digits:
        with pytest.raises(IdentifierError, match="ever issued"):
            check_identifier(KZ_BIN, body + check)


@pytest.mark.parametrize("kind", string.digits)
def test_the_fifth_digit_of_a_bin_may_be_any(kind: str) -> None:
    numbers = (complete_bin(f"1604{kind}{serial:06}") for serial in range(1, 100))
    number = next(number for number in numbers if number)
    assert check_identifier(KZ_BIN, number) == number


@pytest.mark.parametrize("remainder", [10, 11, 12])
def test_an_ogrnip_with_a_two_digit_remainder_is_accepted(remainder: int) -> None:
    body = next(n for n in range(30450011600000, 30450011600013) if n % 13 == remainder)
    number = f"{body}{remainder - 10}"
    assert check_identifier(RU_OGRNIP, number) == number


@pytest.mark.parametrize(("check", "congruent"), [("97", "00"), ("98", "01"), ("02", "99")])
def test_a_lei_has_only_check_digits_from_02_to_98(check: str, congruent: str) -> None:
    bodies = (f"253400{serial:012}" for serial in range(1, 1000))
    body = next(body for body in bodies if complete_lei(body).endswith(check))
    assert is_accepted(LEI, body + check)
    assert not is_accepted(LEI, body + congruent)


@given(valid_numbers)
def test_a_number_with_rightly_calculated_check_digits_is_accepted(
    valid: tuple[IdentifierScheme, str],
) -> None:
    assert check_identifier(*valid) == valid[1]


@given(valid_numbers, st.data())
def test_changing_the_last_digit_always_breaks_a_number(
    valid: tuple[IdentifierScheme, str], data: st.DataObject
) -> None:
    scheme, number = valid
    digit = data.draw(st.sampled_from(string.digits))
    assume(digit != number[-1])
    assert not is_accepted(scheme, number[:-1] + digit)


@given(leis, st.integers(0, 19), st.sampled_from(string.digits))
def test_changing_any_one_digit_always_breaks_a_lei(lei: str, index: int, digit: str) -> None:
    assume(lei[index].isdigit() and lei[index] != digit)
    assert not is_accepted(LEI, replace_at(lei, index, digit))


@pytest.mark.parametrize(("scheme", "number"), REAL)
def test_at_least_four_in_five_changes_of_one_digit_are_caught(
    scheme: IdentifierScheme, number: str
) -> None:
    changed = {
        replace_at(number, index, digit)
        for index, old in enumerate(number)
        for digit in string.digits
        if old.isdigit() and digit != old
    }
    caught = sum(not is_accepted(scheme, other) for other in changed)
    assert caught >= 0.8 * len(changed)


@given(st.sampled_from(IdentifierScheme), st.text() | st.text(string.digits + "- ", max_size=24))
def test_any_text_is_made_canonical_or_refused(scheme: IdentifierScheme, text: str) -> None:
    if is_accepted(scheme, text):
        canonical = check_identifier(scheme, text)
        assert check_identifier(scheme, canonical) == canonical
        assert canonical.isascii()
        assert canonical.isalnum()


def test_python_stdnum_is_not_loaded_at_start_up() -> None:
    code = "import sys, app.resources.identifier; sys.exit('stdnum' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
