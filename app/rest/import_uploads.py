"""The file that is sent to an import: what it is, how it is read, and where it is kept."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from hashlib import sha256
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Annotated, Final, Literal

from fastapi import Request
from pydantic import Field, StringConstraints

from app.core.date_spellings import FORMAT_PATTERN
from app.core.errors import BadRequest, Fault, TooLarge, UnsupportedMediaType, did_you_mean
from app.core.http.app_state import state_of
from app.core.http.form_file import FORM_TYPE, FormFile, refuse_foreign_page
from app.core.http.requests import charset_of, check_charset, media_type
from app.core.sheets.options import (
    CHARSETS,
    UNICODE,
    Delimiter,
    Encoding,
    OptionError,
    codec_of,
    read_options,
)
from app.core.sheets.tabular import ReadOptions
from app.core.validation import Example
from app.engine.imports.import_file import known_date_format
from app.engine.query.filter_reader import bad_parameter
from app.engine.schemas import Flag
from app.rest.exports import FORMATS
from app.rest.write_handlers import WriteQuery

#: The media types of files that can be imported, with their formats.
TYPES: Final = {
    FORMATS["csv"]: "csv",
    "text/tab-separated-values": "tsv",
    FORMATS["xlsx"]: "xlsx",
    "application/vnd.oasis.opendocument.spreadsheet": "ods",
    FORMATS["ndjson"]: "ndjson",
}
ANY: Final = "application/octet-stream"
_TEXT_TYPES = (FORMATS["csv"], "text/tab-separated-values", "application/xml", "text/xml")


DateFormat = Annotated[str, StringConstraints(pattern=FORMAT_PATTERN), Example("dd.mm.yyyy")]


class ImportQuery(WriteQuery):
    """Parameters of an import."""

    format: Literal["csv", "tsv", "xlsx", "ods", "ndjson"] | None = None
    """What the file is, where Content-Type is application/octet-stream and does not say."""
    columns: str | None = Field(None, max_length=8000)
    """Which fields headers stand for: `Header=field,Заголовок=title`. A comma within a header goes
    into double quotes around the pair; `Header=` leaves a column out."""
    sheet: str | None = Field(None, max_length=255)
    """Which worksheet of XLSX; else the first, and those after it with its header."""
    delimiter: Delimiter | None = None
    """What separates the cells of CSV."""
    encoding: Encoding | None = None
    """What CSV is encoded in, where that is not Unicode."""
    date_format: DateFormat | None = None
    """How days in digits are written, such as `dd.mm.yyyy` or `mm/dd/yyyy`."""
    header_row: int | None = Field(None, ge=1, le=1000)
    """Which row has the names of the columns; else the first, or the one below titles."""
    skip_unknown: Flag = Field(False)
    """`true` passes over columns that nobody knows, and lists them in `left_out`."""
    create_missing: Flag = Field(False)
    """`true` creates organizations and people that are named and not there."""


class Upload:
    """A file that is being sent: as the body itself, or as that of a browser's form.

    What is said of it is checked before the body is read; of a form `format` and `options` are
    known only when it has been `received`. `types` are the media types of files that are taken,
    with their formats.
    """

    def __init__(
        self, request: Request, query: ImportQuery, types: Mapping[str, str] = TYPES
    ) -> None:
        self._request, self._query, self._types = request, query, types
        self._form = _form_of(request)
        self.date_format = known_date_format(query.date_format)
        if self._form is None:
            self._is(_format_of(request, query, types))

    def _is(self, file_format: str) -> None:
        self.format = file_format
        self.options = _options(self._request, self._query, file_format)

    @asynccontextmanager
    async def received(self) -> AsyncIterator[Path]:
        """The file as a temporary one, which is gone at the end, also when the client goes away.

        TooLarge (413) as soon as it is known to exceed the limit of imports. An
        Idempotency-Key knows the file by its SHA-256.
        """
        request, form = self._request, self._form
        limit: int = state_of(request).max_import
        declared = request.headers.get("content-length", "0")
        digest, size = sha256(), 0
        # Pieces go to the system's memory of the file, which takes no time worth a thread.
        with NamedTemporaryFile(prefix="import-") as file:
            if not declared.isdecimal() or int(declared) <= limit:
                async for piece in request.stream():
                    size += len(piece)
                    if size > limit:
                        break
                    content = piece if form is None else form.feed(piece)
                    digest.update(content)
                    file.write(content)
                else:
                    if form is not None:
                        form.finish()
                        self._is(_format_of_form(form, self._query, self._types))
                    file.flush()
                    request.scope["content"] = digest.digest()
                    yield Path(file.name)
                    return
        text = f"The file is larger than {limit} bytes."
        raise TooLarge(text, headers={"Connection": "close"})


def _format_of(request: Request, query: ImportQuery, types: Mapping[str, str]) -> str:
    """What the file is, by its media type; UnsupportedMediaType (415) for others."""
    kind = media_type(request)
    coding = request.headers.get("content-encoding", "identity").lower()
    accepted = ", ".join(dict.fromkeys((*types, ANY, FORM_TYPE)))
    if coding != "identity":
        headers = {"Accept": accepted, "Accept-Encoding": "identity"}
        raise UnsupportedMediaType(f"Send the file as it is, not as {coding}.", headers=headers)
    if kind != ANY and kind not in types:
        text = f"Send the file with one of the Content-Types {accepted}; got {kind or 'none'}."
        raise UnsupportedMediaType(text, headers={"Accept": accepted})
    known = types.get(kind)
    check_charset(request, {"Accept": accepted}, CHARSETS if kind in _TEXT_TYPES else UNICODE)
    if query.format is None and known is None:
        raise _wrong_format(f"{ANY} does not say what the file is: give format.")
    if query.format not in (None, known) and known is not None and kind != ANY:
        raise _wrong_format(f"Content-Type says {known}, format says {query.format}.")
    return query.format or str(known)


def _form_of(request: Request) -> FormFile | None:
    """The form that a browser sends, if it is one."""
    if media_type(request) != FORM_TYPE:
        return None
    refuse_foreign_page(request)
    return FormFile(request.headers["content-type"])


def _format_of_form(form: FormFile, query: ImportQuery, types: Mapping[str, str]) -> str:
    """What the file of a form is: as its name ends, or by its media type, which many systems do
    not know of tables."""
    ending = (form.name or "").rpartition(".")[2].lower()
    found = query.format or (ending if ending in types.values() else types.get(form.media_type))
    if found is None:
        text = f"{form.name!r} does not say what the file is: give format."
        raise _wrong_format(text + did_you_mean(ending, types.values()))
    return found


def _options(request: Request, query: ImportQuery, file_format: str) -> ReadOptions:
    """What is said of the file besides; BadRequest where that says nothing of such a file."""
    # XML says itself what it is encoded in.
    charset = "" if file_format == "xml" else charset_of(request)
    if charset and query.encoding and codec_of(charset) != codec_of(query.encoding):
        raise bad_parameter(
            "encoding", "both", f"Content-Type says {charset}, encoding says {query.encoding}."
        )
    try:
        return read_options(
            file_format,
            query.sheet,
            query.delimiter,
            query.encoding or charset or None,
            query.header_row,
        )
    except OptionError as error:
        raise bad_parameter(error.name, "format", str(error)) from None


def _wrong_format(text: str) -> BadRequest:
    return BadRequest(text, [Fault("format", text, parameter="format")])
