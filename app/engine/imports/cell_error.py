"""What is wrong with the contents of a cell."""

from decimal import Decimal


class CellError(ValueError):
    """What a cell holds cannot be read; `str` of it says what would be right."""


def shown(cell: object) -> str:
    """What a cell holds, as a sentence quotes it."""
    text = f"{cell:f}" if isinstance(cell, Decimal) else str(cell)
    return repr(text if len(text) <= 60 else f"{text[:60]}…")
