"""Which of the published formats a file of rates has, and its rates."""

import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Final

from app.core.rate_files.cbr import cbr_daily, cbr_dynamic
from app.core.rate_files.ecb import ecb_csv, ecb_data_csv, ecb_xml
from app.core.rate_files.nbk import TENGE, nbk_all, nbk_daily
from app.core.rate_files.plain import is_plain, plain_csv
from app.core.rate_files.providers import CBR, ECB, NBK, known_provider
from app.core.rate_files.published import PublishedRate, RateFileError
from app.core.rate_files.xml_events import Event, xml_events
from app.core.sheets.csv_reader import csv_records
from app.core.sheets.sheet import SheetError
from app.core.sheets.tabular import AS_IT_IS, RawRow, ReadOptions

#: What each bank's rates are in, where a plain file of them does not say so.
_PRICED_IN: Final = {NBK: TENGE, CBR: "RUB"}
#: The whole history of the ECB has 2 MB.
MAX_UNPACKED: Final = 256 << 20
_PIECE: Final = 1 << 20


class RateFormat(StrEnum):
    """How a file of exchange rates is written."""

    ecb_csv = "ecb_csv"
    ecb_data_csv = "ecb_data_csv"
    ecb_xml = "ecb_xml"
    nbk_daily = "nbk_daily"
    nbk_all = "nbk_all"
    cbr_daily = "cbr_daily"
    cbr_dynamic = "cbr_dynamic"
    plain_csv = "plain_csv"


@dataclass(frozen=True, slots=True)
class RateOptions:
    """What is said of a file of rates: whose they are (of a bank's own format the bank, unless it
    is said otherwise), of a plain file what they are in (`quote`), and which `currency` a file is
    of that has the Bank of Russia's number of it alone; `read` is how its cells are separated and
    encoded."""

    provider: str | None = None
    quote: str | None = None
    currency: str | None = None
    read: ReadOptions = AS_IT_IS


_PROVIDERS: Final = {
    RateFormat.ecb_csv: ECB,
    RateFormat.ecb_data_csv: ECB,
    RateFormat.ecb_xml: ECB,
    RateFormat.nbk_daily: NBK,
    RateFormat.nbk_all: NBK,
    RateFormat.cbr_daily: CBR,
    RateFormat.cbr_dynamic: CBR,
}
_FORMATS_OF_XML: Final = {
    "Envelope": RateFormat.ecb_xml,
    "rates": RateFormat.nbk_daily,
    "rss": RateFormat.nbk_all,
}
_XML: Final[dict[RateFormat, Callable[[Iterator[Event]], Iterator[PublishedRate]]]] = {
    RateFormat.ecb_xml: ecb_xml,
    RateFormat.nbk_daily: nbk_daily,
    RateFormat.nbk_all: nbk_all,
    RateFormat.cbr_daily: cbr_daily,
}
UNKNOWN: Final = (
    "This is no file of exchange rates that is known: it is CSV (also zipped) or XML of the ECB,"
    " XML of the National Bank of Kazakhstan or of the Bank of Russia, or CSV with the columns"
    " currency,date,rate and perhaps unit and quote."
)


@dataclass(frozen=True, slots=True)
class RateFile:
    """A file of rates whose format is known; its rates can be read again and again."""

    path: Path
    format: RateFormat
    provider: str
    options: RateOptions

    def rates(self) -> Iterator[PublishedRate]:
        """All rates in the order of the file; RateFileError for what is wrong in it."""
        if self.format in (RateFormat.ecb_csv, RateFormat.ecb_data_csv, RateFormat.plain_csv):
            yield from self._of_table()
            return
        with self.path.open("rb") as file:
            events = xml_events(file)
            if self.format is RateFormat.cbr_dynamic:
                yield from cbr_dynamic(events, self.options.currency)
            else:
                yield from _XML[self.format](events)

    def _of_table(self) -> Iterator[PublishedRate]:
        with _records(self.path, self.options.read) as rows:
            header = next(rows)
            if self.format is RateFormat.ecb_csv:
                yield from ecb_csv(header, rows)
            elif self.format is RateFormat.ecb_data_csv:
                yield from ecb_data_csv(header, rows)
            else:
                quote = self.options.quote or _PRICED_IN.get(self.provider)
                yield from plain_csv(header, rows, quote)


@contextmanager
def opened_rates(path: Path, options: RateOptions) -> Iterator[RateFile | None]:
    """The file of rates at the path, unpacked where it is zipped; None where it is no such file.

    RateFileError for one that begins as one and is broken, or of which too little is said.
    """
    with _unpacked(path) as unpacked:
        if unpacked is None or (found := _format_of(unpacked, options.read)) is None:
            yield None
            return
        provider = _PROVIDERS.get(found)
        if options.provider is not None and options.provider.strip():
            provider = known_provider(options.provider)
        bank = _PROVIDERS.get(found)
        if bank is not None and (
            options.quote or (found is RateFormat.ecb_csv and provider != bank)
        ):
            said = "quote" if options.quote else "provider"
            text = (
                f"The file reads as one of {bank} ({found}), which says itself what it is in: leave"
                f" {said}= out. A table of your own has the columns currency,date,rate."
            )
            raise RateFileError(text)
        if provider is None:
            text = "It is not said whose rates these are: say provider=, such as provider=NBK."
            raise RateFileError(text)
        yield RateFile(unpacked, found, provider, options)


@contextmanager
def _unpacked(path: Path) -> Iterator[Path | None]:
    """The only file in a ZIP archive, as a temporary one; any other file as it is."""
    with path.open("rb") as file:
        is_zip = file.read(4) == b"PK\x03\x04"
    if not is_zip:
        yield path
        return
    with NamedTemporaryFile(prefix="rates-") as unpacked:
        yield Path(unpacked.name) if _unpack(path, unpacked.write, unpacked.flush) else None


def _unpack(path: Path, write: Callable[[bytes], int], flush: Callable[[], None]) -> bool:
    """Whether the archive has one file of rates by its name, which is written then."""
    try:
        with zipfile.ZipFile(path) as archive:
            entries = [entry for entry in archive.infolist() if not entry.is_dir()]
            if len(entries) != 1 or not entries[0].filename.lower().endswith((".csv", ".xml")):
                # A workbook is an archive too.
                return False
            size = 0
            with archive.open(entries[0]) as content:
                while piece := content.read(_PIECE):
                    size += len(piece)
                    if size > MAX_UNPACKED:
                        text = f"The archive unpacks to more than {MAX_UNPACKED >> 20} MiB."
                        raise RateFileError(text)
                    write(piece)
            flush()
            return True
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, EOFError, OSError, RuntimeError):
        text = "The ZIP archive is broken or has a password: fetch the file again."
        raise RateFileError(text) from None


def _format_of(path: Path, read: ReadOptions) -> RateFormat | None:
    with path.open("rb") as file:
        begin = file.read(1024).removeprefix(b"\xef\xbb\xbf").lstrip()
    return _format_of_xml(path) if begin[:1] == b"<" else _format_of_table(path, read)


def _format_of_xml(path: Path) -> RateFormat | None:
    """By the name of the outermost element; of the Bank of Russia by what lies in it."""
    with path.open("rb") as file:
        events = xml_events(file)
        root = next(events, None)
        if root is None or root.name != "ValCurs":
            return None if root is None else _FORMATS_OF_XML.get(root.name)
        first = next(events, None)
    is_dynamic = "Date" not in root.attributes or (first is not None and first.name == "Record")
    return RateFormat.cbr_dynamic if is_dynamic else RateFormat.cbr_daily


def _format_of_table(path: Path, read: ReadOptions) -> RateFormat | None:
    """By the names of the columns."""
    try:
        with _records(path, read) as rows:
            header = next(rows, None)
    except RateFileError:
        return None
    if header is None:
        return None
    names = [str(cell or "").strip().lower() for cell in header.cells]
    filled = [name for name in names if name]
    if {"currency", "time_period", "obs_value"} <= set(names):
        return RateFormat.ecb_data_csv
    if is_plain(header):
        return RateFormat.plain_csv
    # As the ECB writes it: a table of somebody's own is not taken for it.
    is_wide = str(header.cells[0] or "").strip() == "Date" and len(filled) > 1
    if is_wide and all(len(name) == 3 and name.isalpha() for name in filled[1:]):
        return RateFormat.ecb_csv
    return None


@contextmanager
def _records(path: Path, read: ReadOptions) -> Iterator[Iterator[RawRow]]:
    """The rows of a table, the first of them its header."""
    try:
        with csv_records(path, read) as rows:
            yield map(_without_faults, rows)
    except SheetError as error:
        raise RateFileError(error.detail, error.row, error.column) from None


def _without_faults(row: RawRow) -> RawRow:
    for fault in row.faults.values():
        raise fault
    return row
