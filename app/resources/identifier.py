"""Company identifiers: which schemes are known, and whether a number can exist in its scheme."""

import re
import unicodedata
from collections.abc import Callable
from enum import StrEnum
from typing import Final

# Numbers are copied from documents: there any kind of space or hyphen may group the digits.
_SEPARATORS: Final = re.compile(r"[\s\u2010-\u2014-]+")


class IdentifierScheme(StrEnum):
    """Who numbers the company: BIN of Kazakhstan; INN, OGRN, OGRNIP of Russia; LEI (ISO 17442)."""

    kz_bin = "kz_bin"
    ru_inn = "ru_inn"
    ru_ogrn = "ru_ogrn"
    ru_ogrnip = "ru_ogrnip"
    lei = "lei"


class IdentifierError(ValueError):
    """No such number can exist in the scheme; the message names the scheme and the fault."""


_LENGTHS: Final[dict[IdentifierScheme, tuple[int, ...]]] = {
    IdentifierScheme.kz_bin: (12,),
    IdentifierScheme.ru_inn: (10, 12),
    IdentifierScheme.ru_ogrn: (13,),
    IdentifierScheme.ru_ogrnip: (15,),
    IdentifierScheme.lei: (20,),
}


def check_identifier(scheme: IdentifierScheme, value: str) -> str:
    """The canonical form: digits alone, or for a LEI digits and capitals; no spaces or hyphens.

    Checked are the length, the characters, what a scheme says of its first digits, and the check
    digits: kz_bin (12 digits, two rounds of weights modulo 11), ru_inn (10 digits of a company, 12
    of an entrepreneur), ru_ogrn (13), ru_ogrnip (15), lei (20, ISO 17442 by ISO 7064 MOD 97-10).
    Whether the number was ever issued is not known here. Raises IdentifierError.
    """
    number = _SEPARATORS.sub("", value)
    _check_characters(scheme, number)
    number = number.upper()
    _check_length(scheme, number)
    _check_opening(scheme, number)
    expected = _CHECK_DIGITS[scheme](number)
    actual = number[-len(expected) :]
    if actual != expected:
        found, wanted = ("digit is", "it") if len(expected) == 1 else ("digits are", "they")
        raise _fault(scheme, f"the check {found} {actual}, but {wanted} should be {expected}")
    return number


def _fault(scheme: IdentifierScheme, reason: str) -> IdentifierError:
    label = scheme.value.upper().replace("_", " ")
    return IdentifierError(f"{label} ({scheme.value}): {reason}")


def _check_characters(scheme: IdentifierScheme, number: str) -> None:
    has_letters = scheme is IdentifierScheme.lei
    allowed = "letters A to Z and digits" if has_letters else "digits"
    for character in number:
        is_allowed = character.isalnum() if has_letters else character.isdigit()
        if not (is_allowed and character.isascii()):
            # The name tells a Cyrillic А from a Latin A, which look the same in a message.
            name = unicodedata.name(character, "a control character")
            raise _fault(scheme, f"only {allowed} are allowed, found {character!r} ({name})")


def _check_length(scheme: IdentifierScheme, number: str) -> None:
    lengths = _LENGTHS[scheme]
    if len(number) not in lengths:
        allowed = " or ".join(str(length) for length in lengths)
        unit = "characters" if scheme is IdentifierScheme.lei else "digits"
        raise _fault(scheme, f"it has {len(number)} {unit}, but should have {allowed}")


def _check_opening(scheme: IdentifierScheme, number: str) -> None:
    # Zeros are typed to fill a mandatory field, and in some schemes their check digits are right.
    if not number[:-2].strip("0"):
        raise _fault(scheme, "it is all zeros")
    # The fifth digit of a BIN tells the kind of company; it is left alone, as kinds may be added.
    if scheme is IdentifierScheme.kz_bin and not "01" <= number[2:4] <= "12":
        raise _fault(scheme, f"digits 3 and 4 are the month 01 to 12, found {number[2:4]}")
    if scheme is IdentifierScheme.ru_ogrn and number[0] == "0":
        raise _fault(scheme, "the first digit cannot be 0")
    if scheme is IdentifierScheme.ru_ogrnip and number[0] not in "34":
        raise _fault(scheme, f"the first digit should be 3 or 4, found {number[0]}")


def _bin_check_digit(number: str) -> str:
    for weights in (range(1, 12), (3, 4, 5, 6, 7, 8, 9, 10, 11, 1, 2)):
        remainder = (
            sum(weight * int(digit) for weight, digit in zip(weights, number[:11], strict=True))
            % 11
        )
        if remainder < 10:
            return str(remainder)
    raise _fault(
        IdentifierScheme.kz_bin,
        f"no number that begins with {number[:11]} is ever issued, as it has no check digit",
    )


# python-stdnum is imported when first needed: at start-up it would only cost time.
def _inn_check_digits(number: str) -> str:
    from stdnum.ru import inn

    if len(number) == 10:
        return inn.calc_company_check_digit(number)
    return inn.calc_personal_check_digits(number)


def _ogrn_check_digit(number: str) -> str:
    from stdnum.ru import ogrn

    return ogrn.calc_check_digit(number)


def _ogrnip_check_digit(number: str) -> str:
    # python-stdnum 2.2 forgets the last step, and so refuses numbers whose remainder is 10 to 12.
    return str(int(number[:14]) % 13 % 10)


def _lei_check_digits(number: str) -> str:
    # Its `validate` would also take 00, 01 and 99, which the standard never gives, and any length.
    from stdnum.iso7064 import mod_97_10

    return mod_97_10.calc_check_digits(number[:-2])


_CHECK_DIGITS: Final[dict[IdentifierScheme, Callable[[str], str]]] = {
    IdentifierScheme.kz_bin: _bin_check_digit,
    IdentifierScheme.ru_inn: _inn_check_digits,
    IdentifierScheme.ru_ogrn: _ogrn_check_digit,
    IdentifierScheme.ru_ogrnip: _ogrnip_check_digit,
    IdentifierScheme.lei: _lei_check_digits,
}
