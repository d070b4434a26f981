"""What processes cost and what else uses the machine, as Linux has it in /proc."""

import os
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")
MIB = 1 << 20


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
    found = [fields for fields in _processes() if int(fields[3]) == session]
    if not found:
        return None
    # Fields as in proc(5), from the state on: 11 to 14 are the times, those of children too.
    ticks = sum(int(value) for fields in found for value in fields[11:15])
    sizes = [int(fields[21]) * os.sysconf("SC_PAGE_SIZE") for fields in found]
    return Usage(ticks / os.sysconf("SC_CLK_TCK"), max(sizes), sum(sizes))


def _processes() -> list[list[str]]:
    found = []
    for folder in PROC.glob("[0-9]*"):
        try:
            text = (folder / "stat").read_text()
        except OSError:  # It has just ended.
            continue
        found.append(text.rpartition(")")[2].split())
    return found


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
