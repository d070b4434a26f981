"""The banks whose files of exchange rates are known, by the names that records and settings use."""

from typing import Final

ECB: Final = "ECB"
NBK: Final = "NBK"
CBR: Final = "CBR"


def known_provider(name: str) -> str:
    """The provider, a bank whose format is known by its abbreviation in capitals."""
    name = name.strip()
    return name.upper() if name.upper() in (ECB, NBK, CBR) else name
