"""The file of a browser's form, however its bytes come in."""

import pytest

from app.core.errors import BadRequest
from app.core.http.form_file import FormFile

KIND = 'multipart/form-data; boundary="a b"'
HEAD = b'--a b\r\nContent-Disposition: form-data; name="f"; '
CONTENTS = (
    b"",
    b"\r\n",
    b"a\r\n--a \r\n--\r\n",
    b"x" * 5000,
    b"\r\n--a\r\n\r\n",
    bytes(range(256)),
)


def _read(body: bytes, size: int) -> tuple[bytes, FormFile]:
    form = FormFile(KIND)
    pieces = [form.feed(body[at : at + size]) for at in range(0, len(body), size)]
    form.finish()
    return b"".join(pieces), form


def test_the_file_is_the_same_in_whatever_pieces_it_comes() -> None:
    wrong = []
    for content in CONTENTS:
        body = HEAD + b'filename="x.csv"\r\n\r\n' + content + b"\r\n--a b--\r\nrest"
        for size in (1, 2, 3, 5, 64, 10_000):
            found, form = _read(body, size)
            if found != content or form.name != "x.csv":
                wrong.append((content[:20], size, found[:20]))
    assert wrong == []


def test_names_and_types_are_read_as_browsers_write_them() -> None:
    cases = {
        b'filename="\xd0\xbb.csv"\r\nContent-Type: text/csv; charset=utf-8': ("л.csv", "text/csv"),
        b"filename*=UTF-8''%D0%BB.ods": ("л.ods", ""),
        b'filename="x"\r\ncontent-type: TEXT/CSV': ("x", "text/csv"),
    }
    for about, right in cases.items():
        _, form = _read(HEAD + about + b"\r\n\r\nx\r\n--a b--\r\n", 7)
        assert (form.name, form.media_type) == right


def test_what_is_no_form_takes_no_memory() -> None:
    for content in (b"x" * (1 << 20), HEAD + b"x" * (1 << 20)):
        with pytest.raises(BadRequest):
            _read(content, 1 << 16)
