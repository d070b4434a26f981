"""What processes cost and what else uses the machine, as Linux has it in /proc."""

import os
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")
MIB = 1 << 20
#: How long it takes to look again how much a process has mapped.
LOOK_SECONDS = 0.02


@dataclass(frozen=True, slots=True)
class Usage:
    """What the processes of a session have used so far."""

    processor_seconds: float
    #: Resident memory of the largest of them, in bytes.
    largest: int
    #: Resident memory of all of them, in bytes; shared pages count in each.
    memory: int


def usage(session: int) -> Usage | None:
    """What a server has used, with all processes that it has started; None where nobody tells."""
    found = list(_processes(session).values())
    if not found:
        return None
    # Fields as in proc(5), from the state on: 11 to 14 are the times, those of children too.
    ticks = sum(int(value) for fields in found for value in fields[11:15])
    sizes = [int(fields[21]) * os.sysconf("SC_PAGE_SIZE") for fields in found]
    return Usage(ticks / os.sysconf("SC_CLK_TCK"), max(sizes), sum(sizes))


def _processes(session: int) -> dict[Path, list[str]]:
    """The processes of a session by their folders, with the fields from the state on."""
    found = {}
    for folder in PROC.glob("[0-9]*"):
        with suppress(OSError):  # It has just ended.
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
            if int(fields[3]) == session:
                found[folder] = fields
    return found


@dataclass(slots=True)
class Growth:
    """By how many bytes the process that grew most was larger meanwhile; None: nobody tells."""

    memory: int | None = None


@contextmanager
def growth(session: int) -> Iterator[Growth]:
    """See how large the processes of a server become in the block.

    What they map of files does not count: the system takes it back when others need room. The
    kernel keeps the peak of all they have, so the mapped part is looked at again and again.
    """
    before, mapped = {}, {}
    for folder in _processes(session):
        with suppress(OSError):
            (folder / "clear_refs").write_text("5")  # The peak is what it is now: proc(5).
            before[folder] = _memory(folder, "VmRSS")
            mapped[folder] = _memory(folder, "RssFile")
    seen = Growth()
    with _highest(mapped) as highest:
        yield seen
    peaks = []
    for folder, size in before.items():
        with suppress(OSError):
            files = highest[folder] - mapped[folder]
            peaks.append(max(0, _memory(folder, "VmHWM") - size - files))
    seen.memory = max(peaks, default=None)


@contextmanager
def _highest(mapped: Mapping[Path, int]) -> Iterator[Mapping[Path, int]]:
    """How much of files the processes have mapped at most in the block."""
    highest, ended = dict(mapped), threading.Event()

    def look() -> None:
        while not ended.wait(LOOK_SECONDS):
            for folder, size in highest.items():
                with suppress(OSError):
                    highest[folder] = max(size, _memory(folder, "RssFile"))

    looking = threading.Thread(target=look, daemon=True)
    looking.start()
    try:
        yield highest
    finally:
        ended.set()
        looking.join()


def _memory(folder: Path, name: str) -> int:
    lines = (folder / "status").read_text().splitlines()
    sizes = (int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{name}:"))
    return next(sizes, 0)  # One that has ended and was not waited for has none.


def busy_seconds() -> float | None:
    """How long all processors together have worked since the machine started."""
    try:
        first = (PROC / "stat").read_text().split("\n", 1)[0].split()
    except OSError:
        return None
    user, nice, system, _, _, irq, softirq, steal = (int(value) for value in first[1:9])
    return (user + nice + system + irq + softirq + steal) / os.sysconf("SC_CLK_TCK")


def processors() -> int:
    """How many processors this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # Not Linux.
        return os.cpu_count() or 1


def model() -> str:
    """The name of the processor, as the machine gives it."""
    try:
        lines = (PROC / "cpuinfo").read_text().splitlines()
    except OSError:
        return "unknown processor"
    return next((line.partition(": ")[2] for line in lines if line.startswith("model name")), "?")
