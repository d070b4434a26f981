"""What is measured: one figure each round, and their medians."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from statistics import median


@dataclass(frozen=True, slots=True)
class Measure:
    """What one round gave. What nobody could tell is None."""

    #: In the unit of its job.
    value: float
    p50: float | None = None
    p99: float | None = None
    #: Processor time of the server's processes for one answer, in seconds.
    processor: float | None = None
    #: What part of the machine others than server and generator used meanwhile.
    others: float | None = None
    #: Whether the generator was busy all the time, so that the server could do more.
    limited: bool = False


@dataclass(slots=True)
class Figure:
    """One job done by one contestant."""

    job: str
    unit: str
    contestant: str
    rounds: list[Measure] = field(default_factory=list)
    #: Why there is none, where there is none.
    fault: str | None = None

    @property
    def value(self) -> float | None:
        """The median of the rounds."""
        return median(one.value for one in self.rounds) if self.rounds else None

    def middle(self, name: str) -> float | None:
        """The median of another figure of the rounds, by its name."""
        return middle(getattr(one, name) for one in self.rounds)

    @property
    def limited(self) -> bool:
        """Whether the generator was the limit in most rounds."""
        return sum(one.limited for one in self.rounds) * 2 > len(self.rounds)


def middle(values: Iterable[float | None]) -> float | None:
    """The median of those that there are."""
    found = [value for value in values if value is not None]
    return median(found) if found else None
