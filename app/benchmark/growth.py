"""Whether answers take longer where there are a hundred times as many records."""

import json
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.benchmark.data import EMPTY, prepare
from app.benchmark.figures import Figure
from app.benchmark.generator import Generator, load_generator
from app.benchmark.goals import GROWTH
from app.benchmark.jobs import Turn, WrongAnswer
from app.benchmark.peers import bare_driver
from app.benchmark.peers.contestant import Place
from app.benchmark.peers.service import Service
from app.benchmark.processes import Request
from app.benchmark.run import FIGURES, Options, figures_by_hand, noting
from app.benchmark.timing import latency

#: How many times as many records there are in the larger database.
TIMES = 100
#: Pages are small, so that the smaller database has a thousand of them.
PAGE_ROWS, DEEP = 10, 1_000
#: How many records of each database are asked for by id.
RECORDS = 1_000
_SORTED = "/agreements?sort=-amount"


def growth_jobs(rows: int) -> tuple[str, ...]:
    """What is measured where the larger database has so many agreements."""
    pages = (GROWTH + "page 1", f"{GROWTH}page {_deep(rows):,}")
    return (GROWTH + "one record", *pages, *(_figures(rows, by) for by in bare_driver.BY_HAND))


def _deep(rows: int) -> int:
    return max(2, min(DEEP, rows // TIMES // PAGE_ROWS))


def _figures(rows: int, group_by: str) -> str:
    return f"{FIGURES.format(group_by.replace(',', ' and '))}, {rows:,} agreements"


@dataclass(frozen=True, slots=True)
class Size:
    """The service on a database of a size, what it is asked for, and what comes of that."""

    turn: Turn
    url: str
    requests: dict[str, Sequence[Request]]
    figures: dict[str, Figure]


def measure_growth(
    options: Options, service: Service, rows: int, tell: Callable[[str], None]
) -> list[Figure]:
    """Latencies of one record, the first page and a deep one by both sizes, in turns; then figures
    over the larger database. Servers and files are gone when this ends."""
    jobs = [job for job in growth_jobs(rows) if options.has(job)]
    if not jobs:
        return []
    with (
        tempfile.TemporaryDirectory(prefix="trade-missions-benchmark-") as name,
        ExitStack() as stack,
    ):
        folder = Path(name)
        generator = stack.enter_context(load_generator(folder / "growth.log"))
        # The smaller first, to which the larger is compared.
        sizes = [
            _opened(service, count, rows, folder / str(count), stack, tell)
            for count in (max(rows // TIMES, 1), rows)
        ]
        found = list(_in_turns(options, sizes, jobs, generator, tell))
        for group_by, sql in bare_driver.BY_HAND.items():
            if (job := _figures(rows, group_by)) in jobs:
                tell(job)
                found += _by_hand(options, service, sizes[-1], job, (group_by, sql), generator)
        return found


def _opened(
    service: Service,
    count: int,
    rows: int,
    folder: Path,
    stack: ExitStack,
    tell: Callable[[str], None],
) -> Size:
    folder.mkdir()
    place = Place(folder, f"sqlite:///{folder / 'service.db'}", {})
    tell(f"Making {count:,} agreements.")
    # Where the service looks for it, so that it is not copied.
    prepare(place.url, count)
    turn = Turn(stack.enter_context(service.serving(place)), EMPTY)
    names = growth_jobs(rows)[:3]
    asked = (_records(service, turn), [_page("")], [_page(_cursor(turn, _deep(rows)))])
    who = f"{service.name}, {count:,} agreements"
    figures = {name: Figure(name, "ms", who) for name in names}
    return Size(turn, place.url, dict(zip(names, asked, strict=True)), figures)


def _in_turns(
    options: Options,
    sizes: Sequence[Size],
    jobs: Sequence[str],
    generator: Generator,
    tell: Callable[[str], None],
) -> Iterator[Figure]:
    for job in (name for name in sizes[0].requests if name in jobs):
        tell(job)
        for number in range(options.rounds):
            # Each is the first in every other round.
            for size in sizes[:: 1 if number % 2 else -1]:
                with noting(size.figures[job]):
                    texts = [request.as_text() for request in size.requests[job]]
                    measured = latency(generator, size.turn, texts, options.seconds)
                    size.figures[job].rounds.append(measured)
        yield from (size.figures[job] for size in sizes)


def _by_hand(
    options: Options,
    service: Service,
    size: Size,
    job: str,
    asked: tuple[str, str],
    generator: Generator,
) -> list[Figure]:
    ours, floor = Figure(job, "ms", service.name), Figure(job, "ms", bare_driver.NAME)
    with noting(ours), bare_driver.driver_of(size.url) as driver:
        figures_by_hand(options, (service, size.turn), driver, asked, (ours, floor), generator)
    return [ours, floor]


def _page(cursor: str) -> Request:
    place = f"&cursor={cursor}" if cursor else ""
    return Request("GET", f"{_SORTED}&limit={PAGE_ROWS}{place}")


def _records(service: Service, turn: Turn) -> list[Request]:
    """Requests for one record each, in no order of theirs."""
    page = _told(turn, f"/agreements?sort=-amount&fields=id&limit={RECORDS}")
    return [service.record(record["id"]) for record in page["data"]]


def _cursor(turn: Turn, deep: int) -> str:
    """Where the deep page begins: in the list, after all pages before it."""
    left, cursor = (deep - 1) * PAGE_ROWS, ""
    while left > 0:
        limit = min(left, 1_000)
        place = f"&cursor={cursor}" if cursor else ""
        page = _told(turn, f"{_SORTED}&limit={limit}{place}")
        left, cursor = left - limit, page["page"]["next_cursor"]
        if cursor is None:
            raise WrongAnswer(f"the list ends {left} records before its page {deep:,}")
    return cursor


def _told(turn: Turn, path: str) -> dict[str, Any]:
    answer = turn.server.ask(Request("GET", path))
    if answer.status != 200:
        raise WrongAnswer(f"{path} is answered with {answer.status}: {answer.body[:300]!r}")
    page: dict[str, Any] = json.loads(answer.body)
    return page
