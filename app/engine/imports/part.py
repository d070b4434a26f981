"""The parts of an import, which are done one after another."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeVar

from app.core.errors import Problem
from app.core.sheets.tabular import SheetRow
from app.engine.imports.entry import Entry

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Part:
    """What is done at a time: so many rows, from the first one on, anew or once more. It is worked
    on, or skipped where the import has ended."""

    rows: int
    first: SheetRow | Entry
    work: Callable[[], None]
    skip: Callable[[Problem], None]

    @property
    def rows_done(self) -> int:
        """How many rows of the file come with it."""
        return self.rows if isinstance(self.first, SheetRow) else 0


def cut_up(rows: list[T], part_size: Callable[[], int]) -> Iterator[list[T]]:
    """The rows, each time as many as are a part then."""
    at = 0
    while at < len(rows):
        several = rows[at : at + part_size()]
        yield several
        at += len(several)
