"""The file of a form as browsers send it: multipart/form-data (RFC 7578), read while it arrives."""

import re
from typing import Final
from urllib.parse import unquote, urlsplit

from starlette.requests import Request

from app.core.errors import BadRequest, Forbidden

FORM_TYPE: Final = "multipart/form-data"
_BOUNDARY: Final = re.compile(r';\s*boundary="?([0-9A-Za-z\'()+_,./:=? -]{1,70})"?', re.IGNORECASE)
_MAX_HEADERS: Final = 8192
_MAX_BEFORE: Final = 1 << 16
_NAME: Final = re.compile(rb'[; ]name="([^"\r\n]*)"', re.IGNORECASE)
_FILE_NAME: Final = re.compile(rb'[; ]filename="([^"\r\n]*)"', re.IGNORECASE)
_ENCODED_NAME: Final = re.compile(rb"[; ]filename\*=[^'\r\n]*'[^'\r\n]*'([^;\r\n]*)", re.IGNORECASE)
_TYPE: Final = re.compile(rb"^content-type:\s*([^;\r\n]*)", re.IGNORECASE | re.MULTILINE)
_BROKEN: Final = "The form is not as multipart/form-data is (RFC 7578)"


class FormFile:
    """The only file of a form: `feed` gives its bytes as they come in, `finish` ends it.

    BadRequest for a form that is broken, has no file or more than one, or has other fields: what
    is said of a file stands in the address.
    """

    def __init__(self, content_type: str) -> None:
        found = _BOUNDARY.search(content_type)
        if found is None:
            raise BadRequest(f"{_BROKEN}: its Content-Type has no boundary.")
        self._delimiter = b"\r\n--" + found[1].rstrip().encode()
        # The first line has no end of a line before it.
        self._buffer = b"\r\n"
        self._is_over = False
        self._skipped = self._to_drop = 0
        self.name: str | None = None
        self.media_type = ""

    def feed(self, piece: bytes) -> bytes:
        """What of these bytes, and of those before, is of the file."""
        self._buffer += piece
        found = bytearray()
        while not self._is_over:
            at = self._buffer.find(self._delimiter)
            if at < 0:
                found += self._content(len(self._buffer) - len(self._delimiter))
                break
            found += self._content(at)
            if not self._begin(len(self._delimiter)):
                break
        return bytes(found)

    def _content(self, size: int) -> bytes:
        """Take these many bytes of the part that is being read."""
        if size <= 0:
            return b""
        content, self._buffer = self._buffer[:size], self._buffer[size:]
        if self.name is not None:
            start = min(self._to_drop, size)
            self._to_drop -= start
            return content[start:]
        self._skipped += size
        if self._skipped > _MAX_BEFORE:
            raise BadRequest(f"{_BROKEN}: there is too much before its first part.")
        return b""

    def _begin(self, start: int) -> bool:
        """Read what follows a delimiter: the headers of a part, or the end of the form; False where
        that is not all there yet."""
        if self._buffer[start : start + 2] == b"--":
            self._buffer, self._is_over = b"", True
            return True
        end = self._buffer.find(b"\r\n\r\n", start)
        if end < 0:
            if len(self._buffer) > _MAX_HEADERS:
                raise BadRequest(f"{_BROKEN}: a part has no end of its headers.")
            return False
        self._note(self._buffer[start:end])
        # Of an empty file the end of the headers is that of the line before the delimiter.
        self._buffer, self._to_drop = self._buffer[end + 2 :], 2
        return True

    def _note(self, headers: bytes) -> None:
        """Note what the headers of a part say of the file."""
        encoded, name = _ENCODED_NAME.search(headers), _FILE_NAME.search(headers)
        if encoded is None and name is None:
            field = _NAME.search(headers)
            said = field[1].decode(errors="replace")[:50] if field else ""
            raise BadRequest(f"The form has a field {said!r}: say it in the address, as ?{said}=….")
        if self.name is not None:
            raise BadRequest("The form has more than one file: send one at a time.")
        found = encoded or name
        text = found[1].decode(errors="replace") if found else ""
        self.name = unquote(text) if encoded else text
        kind = _TYPE.search(headers)
        self.media_type = kind[1].decode(errors="replace").strip().lower() if kind else ""

    def finish(self) -> None:
        """The form has ended; BadRequest where the file has not, or there is none."""
        if not self.name:
            raise BadRequest("The form has no file: choose one in a field of the type file.")
        if not self._is_over:
            raise BadRequest(f"{_BROKEN}: it breaks off.")


def refuse_foreign_page(request: Request) -> None:
    """Refuse (403) a form that a page of another site sends: browsers would send the password that
    they know along with it, without asking (cross-site request forgery)."""
    site = request.headers.get("sec-fetch-site")
    origin = request.headers.get("origin")
    is_own = site in ("same-origin", "none")
    if site is None:
        is_own = origin is None or urlsplit(origin).netloc == request.headers.get("host")
    if not is_own:
        raise Forbidden(
            "A form of another site's page is not taken: send the file itself with its own"
            " Content-Type, which a browser does only when this service allows that site."
        )
