"""A transaction of reads on a connection of its own, which may make temporary tables."""

from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Sequence

from app.core.databases.interface import STREAM_BATCH_ROWS, CompiledQuery, Rows
from app.core.loose_types import Values


class ReadTransaction(ABC):
    """All its reads see one moment. What it makes is its own, and gone when it ends: nothing that
    others see can be written.

    Its methods raise what those of the database raise.
    """

    @abstractmethod
    async def run(self, *statements: str) -> None:
        """Run statements that take no parameters and return no rows."""

    @abstractmethod
    async def read(self, statement: CompiledQuery, values: Values) -> Rows:
        """All rows of the statement, as tuples."""

    @abstractmethod
    async def run_many(self, statement: CompiledQuery, several: Sequence[Values]) -> None:
        """Run a statement once for each of the values."""

    @abstractmethod
    def stream(
        self, statement: CompiledQuery, values: Values, batch_rows: int = STREAM_BATCH_ROWS
    ) -> AsyncGenerator[Rows]:
        """The rows of the statement in batches; memory does not grow with their number."""
