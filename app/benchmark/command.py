"""Measures the service beside its peers and floors, and writes a table, JSON and a chart."""

import asyncio
import json
import signal
import tempfile
from dataclasses import dataclass
from pathlib import Path

import typer

from app.benchmark.chart import as_svg
from app.benchmark.contestants import find_contestants
from app.benchmark.growth import growth_jobs, measure_growth
from app.benchmark.peers.service import Service
from app.benchmark.report import Report, as_json, as_text
from app.benchmark.run import Options, measure
from app.core.auth.api_keys import new_secret


@dataclass(frozen=True, slots=True)
class Wanted:
    """What an operator asks for."""

    options: Options
    processes: int
    #: The interpreter of the environment that has the peers; None: this one.
    python: Path | None
    peers: bool
    json_file: Path | None
    chart_file: Path | None
    #: How many records there are at most where growth is measured; None: it is not.
    growth: int | None = None


def run(wanted: Wanted) -> str:
    """Measure, write the files, and return the table.

    RuntimeError where something that has to run does not; OSError where a file cannot be written,
    before anything is measured.
    """
    for file in (wanted.json_file, wanted.chart_file):
        if file is not None:
            file.open("a").close()
    options = wanted.options
    url = options.url or "sqlite://"
    contestants, missing = find_contestants(wanted.python, wanted.processes, url, wanted.peers)
    # Whoever is told to stop ends its servers first, as at Ctrl-C.
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        growing = () if wanted.growth is None else growth_jobs(wanted.growth)
        figures, data = measure(options, contestants, _tell, growing)
        if wanted.growth is not None:
            service = Service(1, "sqlite://", new_secret())
            figures += measure_growth(options, service, wanted.growth, _tell)
    finally:
        signal.signal(signal.SIGTERM, before)
    rounds = "1 round" if options.rounds == 1 else f"{options.rounds} rounds"
    told = f"{rounds} of {options.seconds:g} s, 16 connections"
    settings = {contestant.name: contestant.settings for contestant in contestants}
    report = Report(figures, data, told, options.url is None, settings, missing)
    _write(wanted, report)
    return as_text(report)


def _tell(text: str) -> None:
    typer.echo(text, err=True)


def _write(wanted: Wanted, report: Report) -> None:
    if wanted.json_file is not None:
        text = json.dumps(as_json(report), ensure_ascii=False, indent=2)
        wanted.json_file.write_text(text + "\n")
    if wanted.chart_file is not None:
        wanted.chart_file.write_text(as_svg(report))


def run_docs_page(pictures: Path) -> str:
    """Measure the documentation page in Chromium; RuntimeError where that is missing."""
    try:
        from app.benchmark.docs_page import measure_page, prepare
    except ImportError as error:
        raise RuntimeError(f"{error}: the page is opened by the package playwright.") from None
    with tempfile.TemporaryDirectory(prefix="trade-missions-benchmark-") as folder:
        url = f"sqlite:///{folder}/docs.db"
        asyncio.run(prepare(url))
        return measure_page(Path(folder), new_secret(), url, pictures)
