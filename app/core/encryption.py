"""Encrypts what is stored and has to be read again, with keys that the database does not hold."""

import base64
import binascii
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cryptography.fernet import MultiFernet

KEY_BYTES = 32
#: What stored texts that are encrypted begin with: the form (Fernet), then its token.
MARK = "fernet:"
NEEDED = (
    f"a key of {KEY_BYTES} random bytes in base64 (openssl rand -base64 {KEY_BYTES}), or several"
    " with commas between them,"
)


class Undecryptable(RuntimeError):
    """A stored text that none of the keys opens."""


def read_keys(text: str) -> tuple[str, ...]:
    """The keys of a list with commas, in either alphabet of base64, as Fernet takes them;
    ValueError says what is needed, and shows nothing of what was given."""
    keys = tuple(item.strip().translate(_URL_SAFE) for item in text.split(",") if item.strip())
    if not all(map(_is_key, keys)):
        raise ValueError(NEEDED)
    return keys


_URL_SAFE = str.maketrans("+/", "-_")


def _is_key(key: str) -> bool:
    try:
        return len(base64.b64decode(key, altchars=b"-_", validate=True)) == KEY_BYTES
    except (binascii.Error, ValueError):
        return False


class Encryption:
    """Encrypts with the first of the keys and decrypts with each of them; without keys it leaves
    texts as they are. Texts that were stored without encryption are read as they are."""

    def __init__(self, keys: tuple[str, ...] = ()) -> None:
        self.keys = keys

    def __repr__(self) -> str:
        return f"{type(self).__name__}({len(self.keys)} keys)"

    @cached_property
    def _fernet(self) -> "MultiFernet":
        # Imported where it is used: few have a key, and the library takes a while to load.
        from cryptography.fernet import Fernet, MultiFernet

        return MultiFernet([Fernet(key) for key in self.keys])

    def encrypt(self, text: str) -> str:
        """The text as it is stored."""
        return MARK + self._fernet.encrypt(text.encode()).decode() if self.keys else text

    def decrypt(self, stored: str) -> str:
        """The text that was stored; Undecryptable without the key that it was encrypted with."""
        if not stored.startswith(MARK):
            return stored
        if not self.keys:
            raise Undecryptable("It is encrypted, and no key is set.")
        from cryptography.fernet import InvalidToken

        try:
            return self._fernet.decrypt(stored.removeprefix(MARK).encode()).decode()
        except InvalidToken:
            raise Undecryptable("It is encrypted with a key that is not set.") from None

    def is_current(self, stored: str) -> bool:
        """Whether the text is stored as `encrypt` would store it now."""
        if not (self.keys and stored.startswith(MARK)):
            return not self.keys and not stored.startswith(MARK)
        try:
            Encryption(self.keys[:1]).decrypt(stored)
        except Undecryptable:
            return False
        return True
