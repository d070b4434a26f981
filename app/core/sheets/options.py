"""What callers say of a file that is read or written, in words; and what is meant."""

from collections.abc import Mapping
from typing import Annotated, Final, Literal, get_args

from pydantic import BeforeValidator

from app.core.errors import did_you_mean
from app.core.sheets.tabular import ReadOptions

_DelimiterWord = Literal[",", ";", "tab", "|"]
_EncodingWord = Literal[
    "utf-8", "utf-16", "windows-1251", "kz-1048", "cp866", "koi8-r", "windows-1252", "windows-1254"
]
DELIMITERS: Final = get_args(_DelimiterWord)
ENCODINGS: Final = get_args(_EncodingWord)

_DELIMITER_SYNONYMS: Final[Mapping[object, str]] = {
    "\t": "tab",
    "\\t": "tab",
    "comma": ",",
    "semicolon": ";",
    "pipe": "|",
}
_ENCODING_SYNONYMS: Final[Mapping[str, str]] = {
    "utf8": "utf-8",
    "utf16": "utf-16",
    "cp1251": "windows-1251",
    "win-1251": "windows-1251",
    "kz1048": "kz-1048",
    "ibm866": "cp866",
    "cp1252": "windows-1252",
    # What is called so on the web is that (WHATWG Encoding).
    "iso-8859-1": "windows-1252",
    "latin-1": "windows-1252",
    "us-ascii": "utf-8",
    "cp1254": "windows-1254",
}
#: What `charset` of a media type may be: of JSON lines and workbooks, and of CSV.
UNICODE: Final = ("utf-8", "utf-16")
CHARSETS: Final = (*ENCODINGS, *_ENCODING_SYNONYMS)


def _delimiter(value: object) -> object:
    return _DELIMITER_SYNONYMS.get(value, value)


def _encoding(value: object) -> object:
    if not isinstance(value, str):
        return value
    word = value.strip().lower().replace("_", "-")
    return _ENCODING_SYNONYMS.get(word, word)


#: A parameter that says what separates the cells of CSV, or what it is encoded in.
Delimiter = Annotated[_DelimiterWord, BeforeValidator(_delimiter)]
Encoding = Annotated[_EncodingWord, BeforeValidator(_encoding)]


class OptionError(ValueError):
    """What is said of a file says nothing of its format, or has no meaning; `name` says which."""

    def __init__(self, name: str, detail: str) -> None:
        super().__init__(detail)
        self.name = name


def read_options(
    file_format: str,
    sheet: str | None,
    delimiter: str | None,
    encoding: str | None,
    header_row: int | None = None,
) -> ReadOptions:
    """How a file of the format is to be read; OptionError for what is not possible."""
    if sheet is not None and file_format not in ("xlsx", "ods"):
        raise OptionError("sheet", f"sheet is of workbooks; {file_format} has no worksheets.")
    if header_row is not None and file_format == "ndjson":
        raise OptionError("header_row", "header_row is of tables; ndjson has no header.")
    if file_format == "tsv" and delimiter is None:
        delimiter = "tab"
    text_formats = ("csv", "tsv")
    if delimiter is not None and file_format not in text_formats:
        raise OptionError("delimiter", f"delimiter is of CSV; {file_format} needs none.")
    if (
        encoding is not None
        and file_format not in text_formats
        and codec_of(encoding) not in UNICODE
    ):
        raise OptionError("encoding", f"encoding is of CSV; {file_format} is always Unicode.")
    return ReadOptions(
        sheet,
        None if delimiter is None else sign_of(_known("delimiter", delimiter, DELIMITERS)),
        None if encoding is None else _known("encoding", codec_of(encoding), ENCODINGS),
        header_row,
    )


def _known(name: str, value: str, known: tuple[str, ...]) -> str:
    word = str(_delimiter(value))
    if word not in known:
        text = f"{name} must be one of {' '.join(known)}, not {value[:50]!r}."
        raise OptionError(name, text + did_you_mean(word, known))
    return word


def sign_of(delimiter: str) -> str:
    """The character that a delimiter is."""
    return "\t" if delimiter == "tab" else delimiter


def codec_of(encoding: str) -> str:
    """The encoding by its one name, which Python knows too."""
    return str(_encoding(encoding))
