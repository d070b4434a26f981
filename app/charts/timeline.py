"""Charts over time: signings and missions by month, or by year where that is many."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial

from app.charts import words
from app.charts.columns import draw_columns
from app.charts.counts import (
    AGGREGATE,
    class_legend,
    class_segments,
    grouped,
    rows_of,
    withheld_notes,
)
from app.charts.drawing import Asked, Chart, Drawing
from app.charts.marks import CLASS_MARKS, PLAIN_MARKS, Mark
from app.charts.numbers import number_text
from app.charts.pictures import Bar, Segment
from app.charts.vega import stacked
from app.core.loose_types import Json
from app.engine.labels import Told
from app.resources.agreement import agreement
from app.resources.mission import mission

#: What has no month is in a group of its own.
UNDATED = "undated"
#: Above so many months, those of a year are one column.
_MAX_MONTHS = 36
#: Above so many years, those before are one column.
_MAX_YEARS = 30
_MONTHS_OF_YEAR = 12


def _segments_of(answer: Json, column: str) -> dict[str, list[Json]]:
    found: dict[str, list[Json]] = {}
    for group in answer["data"]:
        found.setdefault(group[column] or UNDATED, []).append(group)
    return found


def _columns(
    groups: Mapping[str, Sequence[Json]],
    segments: Callable[[Sequence[Json]], Sequence[Segment]],
    asked: Asked,
) -> list[Bar]:
    """A column for each month from the first to the last, those with nothing among them; and the
    strip."""
    months = sorted(key for key in groups if key != UNDATED)
    bars: list[Bar] = []
    if months:
        numbers = [_number(month) for month in months]
        is_yearly = numbers[-1] - numbers[0] >= _MAX_MONTHS
        for key, label, inside in _periods(numbers[0], numbers[-1], asked, is_yearly=is_yearly):
            rows = [row for month in inside for row in groups.get(month, ())]
            bars.append(Bar(key, label, segments(rows)))
    if UNDATED in groups:
        label = asked.say(words.NO_MONTH)
        bars.append(Bar(UNDATED, label, segments(groups[UNDATED]), is_apart=True))
    return bars


def _number(month: str) -> int:
    year, _, of_year = month.rpartition("-")
    return int(year) * _MONTHS_OF_YEAR + int(of_year) - 1


def _month(number: int) -> str:
    year, of_year = divmod(number, _MONTHS_OF_YEAR)
    return f"{year:04}-{of_year + 1:02}"


def _periods(
    first: int, last: int, asked: Asked, *, is_yearly: bool
) -> Iterator[tuple[str, str, list[str]]]:
    """The columns: the key, the name, and the months in it."""
    names = words.MONTHS[asked.language].split()
    if not is_yearly:
        for number in range(first, last + 1):
            year, of_year = divmod(number, _MONTHS_OF_YEAR)
            yield _month(number), f"{names[of_year]} {year}", [_month(number)]
        return
    years = range(first // _MONTHS_OF_YEAR, last // _MONTHS_OF_YEAR + 1)
    early, years = years[:-_MAX_YEARS], years[-_MAX_YEARS:]
    if early:
        label = f"…{early[-1]}"
        yield label, label, [month for year in early for month in _months_of(year)]
    for year in years:
        yield f"{year:04}", f"{year}", _months_of(year)


def _months_of(year: int) -> list[str]:
    return [_month(year * _MONTHS_OF_YEAR + at) for at in range(_MONTHS_OF_YEAR)]


def _merged(segments: Sequence[Segment]) -> list[Segment]:
    """Segments of several months, those of a class as one."""
    found: dict[str, Segment] = {}
    for each in segments:
        before = found[each.mark].value if each.mark in found else 0
        found[each.mark] = Segment(each.mark, each.value + before, each.label)
    return list(found.values())


def _drawing(
    bars: Sequence[Bar],
    legend: Sequence[tuple[str, str]],
    marks: Mapping[str, Mark],
    told: tuple[Told, Told],
    notes: Sequence[str],
) -> Drawing:
    axis, nothing = told
    return Drawing(
        draw=partial(draw_columns, bars),
        marks=marks,
        legend=legend,
        rows=rows_of(bars, legend),
        vega=stacked(is_upright=True),
        axis=axis,
        nothing=nothing,
        notes=notes,
    )


def _signings(answer: Json, asked: Asked) -> Drawing:
    groups = _segments_of(answer, "month_signed")
    bars = _columns(groups, lambda rows: _merged(class_segments(rows, asked)), asked)
    records = number_text(answer["records"], asked.language)
    notes = [asked.say(words.SIGNED_RECORDS, records=records)]
    notes += withheld_notes(answer, "signed", asked)
    legend = class_legend(bars, asked)
    return _drawing(bars, legend, CLASS_MARKS, (words.AXIS, words.NOTHING), notes)


def _missions(answer: Json, asked: Asked) -> Drawing:
    name = asked.say(words.MISSIONS)
    groups = _segments_of(answer, "month_dates")

    def segments(rows: Sequence[Json]) -> list[Segment]:
        return [Segment("missions", sum(row["count"] for row in rows), name)]

    bars = _columns(groups, segments, asked)
    records = number_text(answer["records"], asked.language)
    notes = [asked.say(words.MISSION_RECORDS, records=records)]
    notes += withheld_notes(answer, "dates", asked)
    told = (words.MISSIONS_AXIS, words.NO_MISSIONS)
    return _drawing(bars, [("missions", name)], PLAIN_MARKS, told, notes)


TIMELINES: tuple[Chart, ...] = (
    Chart(
        "missions",
        mission,
        "/missions/aggregate",
        grouped("month(dates)"),
        (),
        _missions,
    ),
    Chart(
        "signings",
        agreement,
        AGGREGATE,
        # A plan or an act done was not signed, and has no place in time here.
        grouped("month(signed),firmness", ("was_signed", "true")),
        ("firmness",),
        _signings,
    ),
)
