"""What must come out: each goal a ratio of one run, or a bound."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from app.benchmark.figures import Figure
from app.benchmark.peers.bare_driver import NAME as DRIVER
from app.benchmark.peers.bare_server import BareServer
from app.benchmark.peers.fastcrud import FastCrud
from app.benchmark.peers.pocketbase import PocketBase
from app.benchmark.peers.rest_framework import RestFramework
from app.benchmark.peers.service import Service

POCKETBASE, FASTCRUD, DJANGO = PocketBase.name, FastCrud.name, RestFramework.name
BARE = BareServer.name
ONE = Service.name
#: By job and who it is compared with: how many times as much the service does, at least.
AT_LEAST: dict[str, dict[str, float]] = {
    "one record": {POCKETBASE: 2, FASTCRUD: 20, DJANGO: 20, BARE: 0.30},
    "list of 50, filtered and sorted": {POCKETBASE: 5, FASTCRUD: 7, DJANGO: 7},
    "list of 50 with parties and organizations": {POCKETBASE: 10, FASTCRUD: 15, DJANGO: 15},
    "unchanged list, If-None-Match": {BARE: 0.28},
    "POST, 16 writers": {POCKETBASE: 1, DJANGO: 4},
    "import from CSV": {POCKETBASE: 4},
    "export as CSV": {DRIVER: 0.7},
}
#: Instead of these, where all are measured on one server of PostgreSQL.
AT_LEAST_POSTGRESQL: dict[str, dict[str, float]] = {
    "one record": {FASTCRUD: 6, BARE: 0.30},
    "list of 50, filtered and sorted": {FASTCRUD: 6},
    "list of 50 with parties and organizations": {FASTCRUD: 6},
    "unchanged list, If-None-Match": {BARE: 0.28},
}
#: The same of one process against a peer that uses all.
AT_LEAST_ALONE: dict[str, dict[str, float]] = {"POST, 16 writers": {POCKETBASE: 0.8}}
#: By the beginning of a job's name: how many times as long as by the driver, at most.
AT_MOST: dict[str, dict[str, float]] = {"figures by ": {DRIVER: 1.3}}
#: What one process takes at most, in the unit of the job.
BOUNDS = {
    "start to first answer": 1.5,
    "memory after start": 120,
    "memory after all jobs": 180,
    "export, first byte of the first": 150,
    "export, first byte": 100,
    "export, memory on top": 64,
    "import, memory on top": 64,
}
#: How many times as long an answer takes of many records as of few, at most.
GROWTH, GROWS = "growth: ", 1.2
LISTED, SEARCH, P99 = "list of 50, filtered and sorted", "search: ", 3
POST, POST_P99 = "POST, 16 writers", 1.5


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a goal fares: what it asks for, what came out, whether that is enough."""

    job: str
    goal: str
    #: None: the service did not do the job.
    found: float | None
    met: bool


def ratio(of: Figure, to: Figure) -> float | None:
    """How many times as much the first does as the second, or as long it takes."""
    if of.value is None or not to.value:
        return None
    return of.value / to.value


def comparable(figures: Sequence[Figure], other: Figure) -> Figure | None:
    """The service's figure that another is compared with: of all processes beside a peer that uses
    all, of one beside what has one."""
    found = [one for one in figures if one.job == other.job and one.contestant.startswith(ONE)]
    if not found or other.contestant.startswith(ONE):
        return None
    return found[0] if other.contestant in (BARE, DRIVER) else found[-1]


def outcomes(figures: Sequence[Figure], on_sqlite: bool) -> list[Outcome]:
    """Every goal that this run can tell of."""
    found = list(_ratios(figures, AT_LEAST if on_sqlite else AT_LEAST_POSTGRESQL))
    found += _bounds(figures)
    found += _tails(figures)
    found += _growth(figures)
    return found


def _ratios(figures: Sequence[Figure], at_least: dict[str, dict[str, float]]) -> Iterator[Outcome]:
    for other in figures:
        ours = comparable(figures, other)
        alone = next((f for f in figures if f.job == other.job and f.contestant == ONE), None)
        least = at_least.get(other.job, {}).get(other.contestant)
        if ours is not None and least is not None:
            yield from _outcome(ours, other, least, "≥")
        least = AT_LEAST_ALONE.get(other.job, {}).get(other.contestant)
        if alone is not None and alone is not ours and least is not None:
            yield from _outcome(alone, other, least, "≥")
        for beginning, most in AT_MOST.items():
            if ours is not None and other.job.startswith(beginning) and other.contestant in most:
                yield from _outcome(ours, other, most[other.contestant], "≤")


def _outcome(ours: Figure, other: Figure, bound: float, sign: str) -> Iterator[Outcome]:
    found = ratio(ours, other)
    goal = f"{ours.contestant} {sign} {bound:g} × {other.contestant}"
    if found is not None:
        met = found >= bound if sign == "≥" else found <= bound
        yield Outcome(ours.job, goal, found, met)
    elif ours.fault is not None:
        yield Outcome(ours.job, goal, None, met=False)


def _bounds(figures: Sequence[Figure]) -> Iterator[Outcome]:
    for figure in figures:
        most = BOUNDS.get(figure.job)
        value = figure.value
        if most is not None and value is not None and figure.contestant.startswith(ONE):
            goal = f"{figure.contestant} ≤ {most:g} {figure.unit}"
            yield Outcome(figure.job, goal, value, value <= most)


def _tails(figures: Sequence[Figure]) -> Iterator[Outcome]:
    """How much longer than others the slowest answers take."""
    listed = {f.contestant: f.middle("p99") for f in figures if f.job == LISTED}
    for figure in figures:
        slow, usual = figure.middle("p99"), listed.get(figure.contestant)
        if not figure.contestant.startswith(ONE) or not figure.job.startswith(SEARCH):
            continue
        goal = f"{figure.contestant}: p99 ≤ {P99} × that of the list"
        if figure.fault is not None:
            yield Outcome(figure.job, goal, None, met=False)
        elif slow and usual:
            yield Outcome(figure.job, goal, slow / usual, slow <= P99 * usual)
    writers = [f for f in figures if f.job == POST and f.contestant.startswith(ONE)]
    tails = [f.middle("p99") for f in writers]
    if len(tails) > 1 and tails[0] and tails[-1]:
        goal = f"{writers[-1].contestant}: p99 ≤ {POST_P99} × that of one process"
        yield Outcome(POST, goal, tails[-1] / tails[0], tails[-1] <= POST_P99 * tails[0])


def _growth(figures: Sequence[Figure]) -> Iterator[Outcome]:
    """How much longer the same takes where there are more records."""
    for job in dict.fromkeys(figure.job for figure in figures if figure.job.startswith(GROWTH)):
        few, many = (figure for figure in figures if figure.job == job)
        if few.fault is not None or many.fault is not None:
            yield Outcome(job, f"{many.contestant} ≤ {GROWS} × {few.contestant}", None, met=False)
        else:
            yield from _outcome(many, few, GROWS, "≤")
