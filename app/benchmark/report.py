"""What came out, as a table of text and as JSON."""

import platform
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from app.benchmark.figures import Figure, middle
from app.benchmark.goals import comparable, outcomes, ratio
from app.benchmark.machine import model, processors

HEADS = ("job", "who", "figure", "service", "by CPU", "p50 ms", "p99 ms", "CPU µs", "others")
#: From which part of the machine on that others use its figures tell little.
SHARED = 0.2
_LIMITED = "the generator was the limit: the server could do more"


@dataclass(frozen=True, slots=True)
class Report:
    """All there is to tell of a run."""

    figures: list[Figure]
    #: What was measured on, how long each was asked, in words.
    data: str
    options: str
    on_sqlite: bool
    #: Settings by contestant, and what to install for those that are missing.
    settings: dict[str, str]
    missing: dict[str, str]


def as_json(report: Report) -> dict[str, Any]:
    """The report with the figures of every round."""
    rows = []
    for figure in report.figures:
        ours = comparable(report.figures, figure)
        rows.append(
            {
                **asdict(figure),
                "value": figure.value,
                "service_ratio": None if ours is None else ratio(ours, figure),
                "generator_limited": figure.limited,
            }
        )
    return {
        "made_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": _machine(),
        "data": report.data,
        "options": report.options,
        "settings": report.settings,
        "missing": report.missing,
        "figures": rows,
        "goals": [asdict(outcome) for outcome in outcomes(report.figures, report.on_sqlite)],
    }


def as_text(report: Report) -> str:
    """The report as a table, with the settings above it and the goals below it."""
    lines = [f"{report.data}; {report.options}; {_machine()}.", ""]
    lines += [f"{name}: {settings}" for name, settings in report.settings.items()]
    lines += ["", *_aligned([HEADS, *_rows(report.figures)]), ""]
    lines.append("service: how many times as much the service does (of ms, s and MiB: it takes).")
    lines.append("by CPU: how many times as much processor time an answer takes there.")
    lines.append("others: what part of the machine neither server nor generator used meanwhile.")
    shared = middle(figure.middle("others") for figure in report.figures)
    if shared is not None and shared > SHARED:
        lines.append(
            f"Others used {shared:.0%} of the machine: look at CPU rather than at figures."
        )
    if any(figure.limited for figure in report.figures):
        lines.append(f"*: {_LIMITED}.")
    lines += ["", *_aligned([("goal", "came out", ""), *_goals(report)])]
    faults = [figure for figure in report.figures if figure.fault is not None]
    for figure in faults:
        lines += ["", f"{figure.job}, {figure.contestant}: {figure.fault}"]
    for name, advice in report.missing.items():
        lines += ["", f"{name} was left out: {advice}"]
    return "\n".join(lines)


def _machine() -> str:
    return (
        f"{processors()} processors ({model()}), {platform.system()} {platform.machine()},"
        f" Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}"
    )


def _rows(figures: Sequence[Figure]) -> Iterator[tuple[str, ...]]:
    jobs = dict.fromkeys(figure.job for figure in figures)
    for job in jobs:
        shown = job
        for figure in (one for one in figures if one.job == job):
            yield (shown, *_cells(figure, figures))
            shown = ""


def _cells(figure: Figure, figures: Sequence[Figure]) -> tuple[str, ...]:
    if figure.value is None:
        return figure.contestant, "no figure" if figure.fault is None else "fault", *[""] * 6
    ours = comparable(figures, figure)
    compared = None if ours is None else ratio(ours, figure)
    others = figure.middle("others")
    return (
        figure.contestant,
        f"{_number(figure.value)} {figure.unit}{'*' if figure.limited else ''}",
        "" if compared is None else f"{_number(compared)} ×",
        _by_processor(ours, figure),
        _scaled(figure.middle("p50"), 1000),
        _scaled(figure.middle("p99"), 1000),
        _scaled(figure.middle("processor"), 1e6),
        "" if others is None else f"{others:.0%}",
    )


def _by_processor(ours: Figure | None, figure: Figure) -> str:
    """How many times as much as the service the other works for one answer."""
    used = None if ours is None else ours.middle("processor")
    other = figure.middle("processor")
    return "" if not used or not other else f"{_number(other / used)} ×"


def _goals(report: Report) -> Iterator[tuple[str, ...]]:
    for outcome in outcomes(report.figures, report.on_sqlite):
        met = "met" if outcome.met else "missed"
        found = "fault" if outcome.found is None else _number(outcome.found)
        yield f"{outcome.job}: {outcome.goal}", found, met


def _scaled(value: float | None, factor: float) -> str:
    return "" if value is None else _number(value * factor)


def _number(value: float) -> str:
    """Three digits that count, or all of those before the point."""
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def _aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """Rows in columns: the first two from the left, others from the right."""
    widths = [max(len(row[at]) for row in rows) for at in range(len(rows[0]))]
    lines = []
    for row in rows:
        cells = [
            cell.ljust(width) if (at < 2 and len(row) > 3) or at == 0 else cell.rjust(width)
            for at, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append("  ".join(cells).rstrip())
    return lines
