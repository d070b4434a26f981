"""Answers kept for a while as files, so that their length is known and parts of them can be read.

Programs that read a table by its address ask for its length first, and then for ranges of bytes
(RFC 9110, 14), which must all be of one file.
"""

import asyncio
import os
import re
import tempfile
import time
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Final
from weakref import WeakValueDictionary, finalize

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from app.core.errors import RangeNotSatisfiable

KEPT_SECONDS: Final = 60.0
MAX_FILES: Final = 16
MAX_BYTES: Final = 256 << 20
"""The most bytes of one file, and of all that are kept."""
_PIECE: Final = 1 << 18
_RANGE: Final = re.compile(r"bytes=(?:([0-9]{1,18})-([0-9]{0,18})|-([0-9]{1,18}))", re.ASCII)

Key = tuple[str, ...]
Pieces = Callable[[], AsyncGenerator[bytes]]


@dataclass(frozen=True, slots=True, weakref_slot=True)
class FinishedFile:
    """An answer that was written to a file without a name, which goes with the last to read it."""

    descriptor: int
    size: int
    tag: str
    until: float


@dataclass(slots=True)
class FinishedFiles:
    """The files that are kept, the newest last, by whose they are and what was asked for."""

    _files: dict[Key, FinishedFile] = field(default_factory=dict)
    _locks: WeakValueDictionary[Key, asyncio.Lock] = field(default_factory=WeakValueDictionary)

    async def get(
        self, key: Key, tag: str, pieces: Pieces, *, goes_on: bool = False
    ) -> FinishedFile | None:
        """The file of these pieces, written where there is none with this tag; None for one that
        would be too large. `goes_on` takes an older one, since its reader has a part of it."""
        lock = self._locks.get(key)
        if lock is None:
            lock = self._locks[key] = asyncio.Lock()
        async with lock:
            self._expire()
            found = self._files.get(key)
            if found is not None and (found.tag == tag or goes_on):
                return found
            made = await _written(pieces(), tag)
            if made is not None:
                self._keep(key, made)
            return made

    def _keep(self, key: Key, made: FinishedFile) -> None:
        self._files.pop(key, None)
        self._files[key] = made
        while len(self._files) > MAX_FILES or sum(f.size for f in self._files.values()) > MAX_BYTES:
            del self._files[next(iter(self._files))]
        asyncio.get_running_loop().call_later(KEPT_SECONDS + 1, self._expire)

    def _expire(self) -> None:
        now = time.monotonic()
        for key in [key for key, file in self._files.items() if file.until < now]:
            del self._files[key]


async def _written(pieces: AsyncGenerator[bytes], tag: str) -> FinishedFile | None:
    size = 0
    with tempfile.TemporaryFile(prefix="export-") as file:
        async with aclosing(pieces):
            async for piece in pieces:
                size += len(piece)
                if size > MAX_BYTES:
                    return None
                await asyncio.to_thread(file.write, piece)
        await asyncio.to_thread(file.flush)
        descriptor = os.dup(file.fileno())
    made = FinishedFile(descriptor, size, tag, time.monotonic() + KEPT_SECONDS)
    finalize(made, os.close, descriptor)
    return made


@dataclass(frozen=True, slots=True)
class ByteRange:
    """A range of bytes that is asked for: from `first` to `last`, or the last so many."""

    first: int | None
    last: int | None

    @property
    def goes_on(self) -> bool:
        """Whether who asks for it knows something of the file already."""
        return bool(self.first)

    def within(self, size: int) -> tuple[int, int] | None:
        """First and last byte of it in a file of this size, None where nothing is left."""
        if self.first is None:
            first, last = max(size - (self.last or 0), 0), size - 1
        else:
            first, last = self.first, size - 1 if self.last is None else min(self.last, size - 1)
        return (first, last) if first <= last else None


def range_of(request: Request) -> ByteRange | None:
    """The one range that a GET asks for; None where it asks for none, for several, or for a part
    of something else than what there is now, so that all of it must be sent (RFC 9110, 14.2)."""
    asked = request.headers.get("range")
    # Tags of exports are weak, which If-Range does not take for the same.
    if asked is None or request.method != "GET" or "if-range" in request.headers:
        return None
    found = _RANGE.fullmatch(asked.replace(" ", "").lower())
    if found is None:
        return None
    first, last, suffix = found.groups()
    if suffix is not None:
        return ByteRange(None, int(suffix))
    # One that ends before it begins is none.
    return ByteRange(int(first), int(last) if last else None) if _is_one(first, last) else None


def _is_one(first: str, last: str) -> bool:
    return not last or int(first) <= int(last)


def answer_file(
    finished: FinishedFile,
    asked: ByteRange | None,
    media_type: str,
    headers: Mapping[str, str],
) -> Response:
    """The range of the file as 206, or all of it; RangeNotSatisfiable (416) for one behind its end.

    Of an empty file no range could be had: whoever asks for one all the same gets the file.
    """
    place = asked.within(finished.size) if asked and finished.size else None
    if asked and finished.size and place is None:
        raise RangeNotSatisfiable(
            f"The file has {finished.size} bytes, and what is asked for lies behind them.",
            headers={"Content-Range": f"bytes */{finished.size}", "Accept-Ranges": "bytes"},
        )
    first, last = place or (0, finished.size - 1)
    length = {"Content-Length": str(last - first + 1), "ETag": finished.tag}
    if place:
        length["Content-Range"] = f"bytes {first}-{last}/{finished.size}"
    return StreamingResponse(
        _pieces(finished, first, last + 1),
        status_code=206 if place else 200,
        media_type=media_type,
        headers={**headers, **length},
    )


def _pieces(finished: FinishedFile, at: int, end: int) -> Iterator[bytes]:
    # By position, as several may read it at the same time.
    while at < end and (piece := os.pread(finished.descriptor, min(_PIECE, end - at), at)):
        at += len(piece)
        yield piece
