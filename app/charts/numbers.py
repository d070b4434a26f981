"""Numbers as people write them in English, Russian and Kazakh, and the steps of a scale."""

from collections.abc import Mapping
from decimal import Decimal
from math import ceil
from typing import Final

from app.engine.labels import Language

Number = int | Decimal
#: What stands between thousands, and before decimals.
_SIGNS: Final[Mapping[Language, tuple[str, str]]] = {
    "en": (",", "."),
    "ru": ("\u202f", ","),
    "kk": ("\u202f", ","),
}
_SCALES: Final[Mapping[Language, tuple[tuple[int, str], ...]]] = {
    "en": ((12, "tn"), (9, "bn"), (6, "m"), (3, "k")),
    "ru": ((12, "\u202fтрлн"), (9, "\u202fмлрд"), (6, "\u202fмлн"), (3, "\u202fтыс.")),
    "kk": ((12, "\u202fтрлн"), (9, "\u202fмлрд"), (6, "\u202fмлн"), (3, "\u202fмың")),
}
_STEPS: Final = (1, 2, 5)


def number_text(value: Number, language: Language) -> str:
    """The number with all its digits: `5,000,000`, `5 000 000`."""
    thousands, decimal = _SIGNS[language]
    whole, _, rest = (
        f"{value:,f}".partition(".")
        if isinstance(value, Decimal)
        else (
            f"{value:,}",
            "",
            "",
        )
    )
    rest = rest.rstrip("0")
    return whole.replace(",", thousands) + (decimal + rest if rest else "")


def short_text(value: Number, language: Language) -> str:
    """The number with three digits: `5m`, `1.25bn`."""
    for power, name in _SCALES[language]:
        if abs(value) >= 10**power:
            part = Decimal(value).scaleb(-power)
            digits = max(0, 3 - len(str(int(abs(part)))))
            return (
                number_text(round(part, digits) if digits else Decimal(int(part)), language) + name
            )
    return number_text(value, language)


def scale_steps(most: Number, wanted: int) -> list[Decimal]:
    """The numbers that a scale from 0 to at least `most` is marked at: about so many, round, and
    whole where few things are counted."""
    if most <= 0:
        return [Decimal(0), Decimal(1)]
    rough = Decimal(most) / wanted
    power = rough.adjusted()
    steps = (Decimal(step).scaleb(power + more) for more in (0, 1) for step in _STEPS)
    step = next(each for each in steps if each >= rough)
    if most == int(most):
        step = max(step, Decimal(1))
    count = ceil(most / step)
    return [step * at for at in range(count + 1)]
