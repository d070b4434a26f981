"""A measurement from its beginning to its end: data, servers, turns, figures."""

import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import repeat
from pathlib import Path

from app.benchmark import whole_sets
from app.benchmark.data import Data, prepare, read_data, refuse_used, size_of, write_files
from app.benchmark.figures import Figure, Measure
from app.benchmark.generator import Generator, load_generator
from app.benchmark.jobs import Job, Turn, WrongAnswer, loads
from app.benchmark.machine import MIB, growth, usage
from app.benchmark.peers import bare_driver
from app.benchmark.peers.contestant import Api, Contestant, Place
from app.benchmark.peers.service import Service
from app.benchmark.processes import Server
from app.benchmark.timing import driver_measure, latency, load_measure, work_measure

START, MEMORY, MEMORY_AFTER = "start to first answer", "memory after start", "memory after all jobs"
IMPORT, EXPORT = "import from CSV", "export as CSV"
FIRST_EXPORT, FIRST_BYTE = "export, first byte of the first", "export, first byte"
IMPORT_MEMORY, EXPORT_MEMORY = "import, memory on top", "export, memory on top"
FIGURES, POST = "figures by {}", "POST, 16 writers"
OTHER_JOBS = (
    *(FIGURES.format(group_by.replace(",", " and ")) for group_by in bare_driver.BY_HAND),
    *(EXPORT, FIRST_EXPORT, FIRST_BYTE, EXPORT_MEMORY, IMPORT, IMPORT_MEMORY),
    *(START, MEMORY, MEMORY_AFTER),
)


@dataclass(frozen=True, slots=True)
class Options:
    """What is measured, and for how long."""

    rows: int
    rounds: int
    seconds: float
    #: An empty database of PostgreSQL; None: SQLite.
    url: str | None = None
    #: Only jobs with one of these in their names; empty: all.
    only: tuple[str, ...] = ()

    def has(self, job: str) -> bool:
        """Whether a job is to be done."""
        return not self.only or any(part.lower() in job.lower() for part in self.only)


@dataclass(slots=True)
class Run:
    """The contestants with their servers, and the figures so far."""

    options: Options
    contestants: Sequence[Contestant]
    data: Data
    url: str
    generator: Generator
    tell: Callable[[str], None]
    turns: dict[str, Turn] = field(default_factory=dict)
    figures: list[Figure] = field(default_factory=list)

    def serving(self, number: int = 0) -> Iterator[tuple[Contestant, Turn]]:
        """Those that serve, with their turns; in each round another one is the first."""
        there = [one for one in self.contestants if one.name in self.turns]
        first = number % max(1, len(there))
        for contestant in there[first:] + there[:first]:
            yield contestant, replace(self.turns[contestant.name], number=number)

    @property
    def service(self) -> tuple[Service, Turn]:
        """The service in one process."""
        return next((one, turn) for one, turn in self.serving() if isinstance(one, Service))

    def add(self, job: str, unit: str, contestant: str) -> Figure:
        """A figure to be measured; it is shown where its job was asked for."""
        figure = Figure(job, unit, contestant)
        if self.options.has(job):
            self.figures.append(figure)
        return figure

    def begins(self, job: str) -> bool:
        """Whether a job is to be done, which is said then."""
        if self.options.has(job):
            self.tell(job)
            return True
        return False


def measure(
    options: Options,
    contestants: Sequence[Contestant],
    tell: Callable[[str], None],
    others: Sequence[str] = (),
) -> tuple[list[Figure], str]:
    """All figures, and what they were measured on, in words; RuntimeError where neither a job of
    these nor one of the others was asked for.

    Servers and files are gone when this ends, whatever ends it.
    """
    with (
        tempfile.TemporaryDirectory(prefix="trade-missions-benchmark-") as name,
        ExitStack() as stack,
    ):
        folder = Path(name)
        url = options.url or f"sqlite:///{folder / 'benchmark.db'}"
        if options.url is not None:
            refuse_used(url)
        tell(f"Making {options.rows:,} agreements.")
        prepare(url, options.rows)
        data = read_data(url)
        generator = stack.enter_context(load_generator(folder / "generator.log"))
        run = Run(options, contestants, data, url, generator, tell)
        reads, writes = loads(data)
        names = (*(job.name for job in (*reads, *writes)), *OTHER_JOBS)
        about = f"{data.agreements:,} agreements, database {size_of(url)}"
        if not any(options.has(name) for name in names):
            if any(options.has(name) for name in others):
                return [], about
            names = (*names, *others)
            raise RuntimeError(f"No job is called so. There are: {'; '.join(names)}.")
        start(run, write_files(url, folder), folder, stack)
        _memory(run, MEMORY)
        for job in reads:
            _load(run, job)
        _by_driver(run)
        _export(run)
        for job in writes:
            _load(run, job)
        _insert_by_driver(run)
        _import(run)
        _memory(run, MEMORY_AFTER)
        return run.figures, about


def start(run: Run, files: dict[str, Path], folder: Path, stack: ExitStack) -> None:
    """Set up and start all, one after the other; one that does not start is left out."""
    for number, contestant in enumerate(run.contestants):
        place = Place(folder / str(number), run.url, files)
        place.folder.mkdir()
        run.tell(f"Setting up {contestant.name}.")
        figure = run.add(START, "s", contestant.name)
        try:
            contestant.set_up(place)
            server = stack.enter_context(contestant.serving(place))
        except RuntimeError as error:
            if isinstance(contestant, Service):
                raise
            figure.fault = str(error)
            if figure not in run.figures:
                run.figures.append(figure)  # Whatever was asked for, it is missing there.
            continue
        figure.rounds.append(Measure(server.start_seconds))
        run.turns[contestant.name] = _turn(run, server, number)


def _turn(run: Run, server: Server, number: int) -> Turn:
    """Those that share a database write to records of their own."""
    shares = len(run.contestants)
    data = run.data
    if run.options.url is not None:
        data = replace(data, free=data.free[number::shares])
    return Turn(server, data, rounds=run.options.rounds)


def _load(run: Run, job: Job) -> None:
    """All rounds of a job: in each, every contestant has its turn."""
    if not run.begins(job.name):
        return
    figures = {}
    for contestant, turn in run.serving():
        if not job.does(contestant):
            continue
        figure = figures[contestant.name] = run.add(job.name, "/s", contestant.name)
        if isinstance(contestant, Api):
            with noting(figure):
                job.check(contestant, turn)
    for number in range(run.options.rounds):
        for contestant, turn in run.serving(number):
            now = figures.get(contestant.name)
            if now is None or now.fault is not None:
                continue
            with noting(now):
                done = load_measure(run.generator, job, contestant, turn, run.options.seconds)
                if done is not None:
                    now.rounds.append(done)


@contextmanager
def noting(figure: Figure) -> Iterator[None]:
    """What is wrong with an answer stands in place of its figure."""
    try:
        yield
    except (WrongAnswer, RuntimeError, OSError, LookupError, ValueError, TypeError) as error:
        figure.fault = f"{type(error).__name__}: {error}"


def _by_driver(run: Run) -> None:
    """What the driver alone takes for the same, and figures by group beside SQL by hand."""
    seconds = run.options.seconds
    asked = {
        "one record": bare_driver.same_record(run.url, run.data),
        "list of 50, filtered and sorted": bare_driver.same_list(run.url),
        "list of 50 with parties and organizations": bare_driver.same_list(
            run.url, "parties.organization"
        ),
    }
    with bare_driver.driver_of(run.url) as driver:
        for job, question in asked.items():
            if not run.options.has(job):
                continue
            figure = run.add(job, "/s", bare_driver.NAME)
            for _ in range(run.options.rounds):
                timing = bare_driver.ask_for(driver, question, seconds)
                figure.rounds.append(driver_measure(timing))
        for group_by, sql in bare_driver.BY_HAND.items():
            _figures(run, driver, group_by, sql)


def _figures(run: Run, driver: bare_driver.Driver, group_by: str, sql: str) -> None:
    job = FIGURES.format(group_by.replace(",", " and "))
    if not run.begins(job):
        return
    ours = run.add(job, "ms", run.service[0].name)
    floor = run.add(job, "ms", bare_driver.NAME)
    with noting(ours):
        asked = (group_by, sql)
        figures_by_hand(run.options, run.service, driver, asked, (ours, floor), run.generator)


def figures_by_hand(
    options: Options,
    service: tuple[Service, Turn],
    driver: bare_driver.Driver,
    asked: tuple[str, str],
    figures: tuple[Figure, Figure],
    generator: Generator,
) -> None:
    """The service's figures by these groups, and the same by this SQL; WrongAnswer where they are
    not alike."""
    (api, turn), (group_by, sql), (ours, floor) = service, asked, figures
    whole_sets.check_figures(api, turn, group_by, driver.rows(sql, ()))
    request = whole_sets.figures_request(api, group_by).as_text()
    for _ in range(options.rounds):
        ours.rounds.append(latency(generator, turn, [request], options.seconds))
        timing = bare_driver.ask_for(driver, (sql, repeat(())), options.seconds)
        floor.rounds.append(replace(driver_measure(timing), value=timing.p50 * 1000))


def _export(run: Run) -> None:
    if not any(map(run.begins, (EXPORT, FIRST_EXPORT, FIRST_BYTE, EXPORT_MEMORY))):
        return
    service, turn = run.service
    ours = run.add(EXPORT, "rows/s", service.name)
    floor = run.add(EXPORT, "rows/s", bare_driver.NAME)
    first = run.add(FIRST_EXPORT, "ms", service.name)
    later = run.add(FIRST_BYTE, "ms", service.name)
    memory = run.add(EXPORT_MEMORY, "MiB", service.name)
    with noting(ours), bare_driver.driver_of(run.url) as driver:
        waited: list[float] = []
        whole_sets.export_all(service, turn, waited)
        whole_sets.check_export(service, turn)
        for _ in range(run.options.rounds):
            work = partial(whole_sets.export_all, service, turn, waited)
            ours.rounds.append(_growing(turn, work, memory))
            rows, seconds = bare_driver.as_csv(driver)
            floor.rounds.append(Measure(rows / seconds))
        measures = [Measure(seconds * 1000) for seconds in waited]
        first.rounds, later.rounds = measures[:1], measures[1:]


def _growing(turn: Turn, work: Callable[[], int], memory: Figure) -> Measure:
    """Measure work, and by how much a process grows over it."""
    with growth(turn.server.session) as seen:
        done = work_measure(turn, work)
    if seen.memory is not None:
        memory.rounds.append(Measure(seen.memory / MIB))
    return done


def _import(run: Run) -> None:
    if not any(map(run.begins, (IMPORT, IMPORT_MEMORY))):
        return
    count = whole_sets.imported(run.data)
    figures: dict[str, tuple[Figure, Figure]] = {}
    for contestant, _ in run.serving():
        if isinstance(contestant, Api) and contestant.imports:
            speed = run.add(IMPORT, "rows/s", contestant.name)
            figures[contestant.name] = speed, run.add(IMPORT_MEMORY, "MiB", contestant.name)
    for number in range(run.options.rounds):
        for contestant, turn in run.serving(number):
            if contestant.name not in figures or figures[contestant.name][0].fault is not None:
                continue
            speed, memory = figures[contestant.name]
            assert isinstance(contestant, Api)
            with noting(speed):
                work = partial(whole_sets.import_rows, contestant, turn, count)
                speed.rounds.append(_growing(turn, work, memory))


def _insert_by_driver(run: Run) -> None:
    """One row a commit; the tables of the service's log and index are left alone."""
    if not run.options.has(POST):
        return
    asked = bare_driver.one_insert(run.url)
    figure = run.add(POST, "/s", bare_driver.NAME)
    with noting(figure), bare_driver.driver_of(run.url) as driver:
        for _ in range(run.options.rounds):
            timing = bare_driver.ask_for(driver, asked, run.options.seconds)
            figure.rounds.append(driver_measure(timing))


def _memory(run: Run, job: str) -> None:
    """Resident memory of the largest process of each."""
    for contestant, turn in run.serving():
        used = usage(turn.server.session)
        if used is not None:
            run.add(job, "MiB", contestant.name).rounds.append(Measure(used.largest / MIB))
