"""Times what a contestant does, and sees what that costs and what else goes on."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

from app.benchmark.figures import Measure
from app.benchmark.generator import Generator
from app.benchmark.jobs import Job, Turn
from app.benchmark.load import Load, Timing
from app.benchmark.machine import busy_seconds, processors, usage
from app.benchmark.peers.contestant import Contestant

#: From which part of its time on a busy generator is said to be the limit.
BUSY = 0.9
WARM_SECONDS = 0.3


@dataclass(slots=True)
class Cost:
    """What a server and the machine did meanwhile."""

    seconds: float = 0
    #: Processor time of the server.
    server: float | None = None
    #: Processor time of everything on the machine.
    machine: float | None = None

    def others(self, generator: float) -> float | None:
        """The part of the machine that neither the server nor the generator used."""
        if self.machine is None or self.server is None:
            return None
        left = self.machine - self.server - generator
        return max(0.0, left / (self.seconds * processors()))


@contextmanager
def costing(session: int) -> Iterator[Cost]:
    """Look at the clocks before and after the block."""
    cost = Cost()
    before, busy, began = usage(session), busy_seconds(), time.perf_counter()
    yield cost
    cost.seconds = time.perf_counter() - began
    after, busy_after = usage(session), busy_seconds()
    if before is not None and after is not None:
        cost.server = after.processor_seconds - before.processor_seconds
    if busy is not None and busy_after is not None:
        cost.machine = busy_after - busy


def load_measure(
    generator: Generator, job: Job, contestant: Contestant, turn: Turn, seconds: float
) -> Measure | None:
    """One round of a job; None when there is nothing left to send."""
    requests = [request.as_text() for request in job.prepared(contestant, turn)]
    if not requests:
        return None
    load = Load(turn.server.port, requests, job.expected(contestant), seconds, once=job.once)
    if job.warmed and turn.number == 0:
        generator.run(replace(load, seconds=min(WARM_SECONDS, seconds)))
    with costing(turn.server.session) as cost:
        timing = generator.run(load)
    return _measured(timing, cost)


def _measured(timing: Timing, cost: Cost) -> Measure:
    return Measure(
        value=timing.answers / timing.seconds,
        p50=timing.p50,
        p99=timing.p99,
        processor=None if cost.server is None else cost.server / timing.answers,
        others=cost.others(timing.generator_seconds),
        limited=timing.generator_seconds > BUSY * timing.seconds,
    )


def latency(generator: Generator, turn: Turn, requests: Sequence[str], seconds: float) -> Measure:
    """How long one answer takes when nothing else is asked, in milliseconds."""
    load = Load(turn.server.port, list(requests), 200, seconds, connections=1)
    with costing(turn.server.session) as cost:
        timing = generator.run(load)
    return replace(_measured(timing, cost), value=timing.p50 * 1000)


def work_measure(turn: Turn, work: Callable[[], int]) -> Measure:
    """What is done a second, by work that says how much it did."""
    used = time.process_time()
    with costing(turn.server.session) as cost:
        done = work()
    used = time.process_time() - used
    processor = None if cost.server is None else cost.server / done
    return Measure(done / cost.seconds, processor=processor, others=cost.others(used))


def driver_measure(timing: Timing) -> Measure:
    """What the bare driver does, in this process."""
    processor = timing.generator_seconds / timing.answers
    return Measure(timing.answers / timing.seconds, timing.p50, timing.p99, processor)
