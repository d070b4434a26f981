"""XML as a run of elements that begin and end, of files that nobody vouches for."""

from collections.abc import Iterator
from typing import BinaryIO, Final, NamedTuple
from xml.parsers import expat

from app.core.rate_files.published import RateFileError

_PIECE: Final = 1 << 16
_MAX_DEPTH: Final = 16
_MAX_TEXT: Final = 1 << 16  # Characters of one element; a name of a currency has some dozens.


class Event(NamedTuple):
    """An element begins, with its `attributes`, or ends, where `is_end`, with its `text`; `row` is
    the line of the file. Names are without their prefixes."""

    name: str
    attributes: dict[str, str]
    text: str
    row: int
    is_end: bool


class _Reader:
    """Collects events as pieces of a file are fed."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.fed = 0
        self._depth, self._text, self._length = 0, list[str](), 0
        self.parser = expat.ParserCreate()
        self.parser.buffer_text = True
        self.parser.StartDoctypeDeclHandler = self._refuse_doctype
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._data

    def _refuse_doctype(self, *_: object) -> None:
        # What declares entities can grow without bound, or have other files read. None of the
        # banks' files has such a declaration; without one there are no entities.
        text = "The file declares its own entities (DOCTYPE), which no file of rates needs."
        raise RateFileError(text, self._row())

    def _row(self) -> int:
        return self.parser.CurrentLineNumber

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        if self._depth > _MAX_DEPTH:
            text = f"Elements lie within each other more than {_MAX_DEPTH} deep."
            raise RateFileError(text, self._row())
        self._text, self._length = [], 0
        self.events.append(Event(name.rpartition(":")[2], attributes, "", self._row(), False))

    def _end(self, name: str) -> None:
        self._depth -= 1
        text = "".join(self._text).strip()
        self._text, self._length = [], 0
        self.events.append(Event(name.rpartition(":")[2], {}, text, self._row(), True))

    def _data(self, text: str) -> None:
        self._length += len(text)
        if self._length > _MAX_TEXT:
            raise RateFileError("The text of an element is too long.", self._row())
        self._text.append(text)

    def is_stuck(self) -> bool:
        """Whether a tag is longer than any can be: it would be held in memory to its end."""
        return self.fed - self.parser.CurrentByteIndex > 4 * _PIECE


def xml_events(file: BinaryIO) -> Iterator[Event]:
    """The elements of a file in order; RateFileError where it is no XML. Memory does not grow with
    the file, and nothing outside it is read."""
    reader = _Reader()
    while True:
        piece = file.read(_PIECE)
        reader.fed += len(piece)
        try:
            reader.parser.Parse(piece, not piece)
        except (expat.ExpatError, LookupError, ValueError) as error:
            row = getattr(error, "lineno", None)
            reason = "it says an unknown encoding"
            if isinstance(error, expat.ExpatError):
                reason = expat.ErrorString(error.code)
            text = f"The XML is broken: {reason}. Fetch the file again."
            raise RateFileError(text, row) from None
        yield from reader.events
        reader.events.clear()
        if not piece:
            return
        if reader.is_stuck():
            raise RateFileError("A tag is too long.", reader.parser.CurrentLineNumber)
