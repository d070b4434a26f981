"""Charts of how many agreements there are: bars by group, with a segment for each class."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial

from app.charts import words
from app.charts.bars import draw_bars
from app.charts.drawing import Asked, Chart, Drawing, Pairs
from app.charts.marks import AGE_MARKS, CLASS_MARKS, STATUSES, Mark
from app.charts.numbers import number_text
from app.charts.pictures import Bar, Segment
from app.charts.vega import stacked
from app.core.loose_types import Json, JsonValue
from app.engine.labels import Told
from app.resources.agreement import agreement
from app.resources.status import FALLEN_THROUGH

MAX_BARS = 20
#: What stands for no value among the keys of bars.
NONE = "null"
AGGREGATE = "/agreements/aggregate"
Filters = tuple[tuple[str, str], ...]
#: The most that an aggregate answers.
_ALL_GROUPS = ("limit", "10000")


def grouped(group_by: str, *filters: tuple[str, str]) -> Callable[[Asked], Pairs]:
    """The parameters of an aggregate of these groups, with filters that hold unless others of their
    names are given."""
    return lambda _: [("group_by", group_by), ("metrics", "count"), _ALL_GROUPS, *filters]


def class_segments(
    groups: Iterable[Json], asked: Asked, chosen_by: Filters | None = ()
) -> list[Segment]:
    """The segments of groups that each have a class, from firm to loose; `chosen_by` are the
    filters of them all, where these are known."""
    order = list(CLASS_MARKS)
    found = [
        Segment(
            mark := group["firmness"],
            group["count"],
            asked.name("firmness", mark),
            chosen_by=() if chosen_by is None else (*chosen_by, ("firmness", mark)),
        )
        for group in groups
    ]
    return sorted(found, key=lambda segment: order.index(segment.mark))


def by_key(answer: Json, name: str) -> dict[JsonValue, list[Json]]:
    """The groups of an answer by what they have in a column."""
    found: dict[JsonValue, list[Json]] = {}
    for group in answer["data"]:
        found.setdefault(group[name], []).append(group)
    return found


def class_legend(bars: Sequence[Bar], asked: Asked) -> list[tuple[str, str]]:
    """The classes that are among the bars, from firm to loose."""
    there = {segment.mark for bar in bars for segment in bar.segments if segment.value}
    return [(key, asked.name("firmness", key)) for key in CLASS_MARKS if key in there]


def rows_of(bars: Sequence[Bar], legend: Sequence[tuple[str, str]]) -> list[Json]:
    """The figures of bars, one by one."""
    names, places = dict(legend), [key for key, _ in legend]
    return [
        {
            "group": f"{bar.heading}, {bar.label}" if bar.heading else bar.label,
            "key": bar.key,
            "class": names[segment.mark],
            "class_key": segment.mark,
            "place": places.index(segment.mark),
            **({"detail": segment.key} if segment.key else {}),
            "value": segment.value,
        }
        for bar in bars
        for segment in bar.segments
        if segment.mark in names
    ]


def largest_first(bars: Iterable[Bar], asked: Asked) -> tuple[list[Bar], list[str]]:
    """The largest bars and after them those that stand apart, and what is said of the others."""
    found = sorted(bars, key=lambda bar: (bar.is_apart, -bar.total, bar.label))
    apart = [bar for bar in found if bar.is_apart]
    others = [bar for bar in found if not bar.is_apart]
    rest = others[MAX_BARS:]
    if not rest:
        return found, []
    groups = number_text(len(rest), asked.language)
    count = number_text(sum(bar.total for bar in rest), asked.language)
    return [*others[:MAX_BARS], *apart], [asked.say(words.CUT, groups=groups, count=count)]


def _class_bars(
    answer: Json,
    asked: Asked,
    *,
    column: str,
    path: str,
    is_of_several: bool = False,
    none: Told = words.NOT_STATED,
) -> Drawing:
    """Bars by the codes of a column, of which an agreement can have several; what has none is
    called `none`."""
    found = (
        Bar(
            NONE if key is None else key,
            asked.say(none) if key is None else asked.name(path, key),
            class_segments(groups, asked, _filters(path, key)),
            is_apart=key is None,
        )
        for key, groups in by_key(answer, column).items()
    )
    bars, notes = largest_first(found, asked)
    records = number_text(answer["records"], asked.language)
    said = words.SEVERAL if is_of_several else words.RECORDS
    notes += withheld_notes(answer, path, asked)
    return _drawn(bars, asked, [*notes, asked.say(said, records=records)])


def withheld_notes(answer: Json, name: str, asked: Asked) -> list[str]:
    """That among what is drawn as not stated there is what is withheld, where there is."""
    count = answer["withheld_values"].get(name, 0)
    told = number_text(count, asked.language)
    return [asked.say(words.WITHHELD_AMONG, count=told)] if count else []


def _filters(path: str, key: str | None) -> Filters | None:
    """What chooses the records of a group: of levels of codes there is no filter."""
    if path == "sectors":
        return None
    name = path.replace(".", "__")
    return ((f"{name}__isnull", "true"),) if key is None else ((name, key),)


def bars_drawing(
    bars: Sequence[Bar],
    marks: Mapping[str, Mark],
    legend: Sequence[tuple[str, str]],
    notes: Sequence[str],
    nothing: Told = words.NOTHING,
) -> Drawing:
    """Bars with segments of these marks, of which those that are there have a legend."""
    return Drawing(
        draw=partial(draw_bars, bars),
        marks=marks,
        legend=legend,
        rows=rows_of(bars, legend),
        vega=stacked(),
        axis=words.AXIS,
        nothing=nothing,
        notes=notes,
    )


def _drawn(bars: Sequence[Bar], asked: Asked, notes: Sequence[str]) -> Drawing:
    return bars_drawing(bars, CLASS_MARKS, class_legend(bars, asked), notes)


def _firmness(answer: Json, asked: Asked) -> Drawing:
    segments = class_segments(answer["data"], asked)
    bars = [Bar("all", asked.say(words.ALL), segments)] if segments else []
    records = number_text(answer["records"], asked.language)
    return _drawn(bars, asked, [asked.say(words.RECORDS, records=records)])


def _instruments(answer: Json, asked: Asked) -> Drawing:
    classes, statuses = list(CLASS_MARKS), list(STATUSES)

    def segments(groups: Iterable[Json]) -> list[Segment]:
        ordered = sorted(
            groups, key=lambda g: (classes.index(g["firmness"]), statuses.index(g["status"]))
        )
        return [
            Segment(
                g["firmness"],
                g["count"],
                f"{asked.name('firmness', g['firmness'])} · {asked.name('status', g['status'])}",
                g["status"],
                tuple((name, g[name]) for name in ("instrument", "status", "firmness")),
            )
            for g in ordered
        ]

    found = (
        Bar(key, asked.name("instrument", key), segments(groups))
        for key, groups in by_key(answer, "instrument").items()
    )
    bars, notes = largest_first(found, asked)
    records = number_text(answer["records"], asked.language)
    return _drawn(bars, asked, [*notes, asked.say(words.RECORDS, records=records)])


def _sectors(answer: Json, asked: Asked) -> Drawing:
    column = f"sectors_{asked.level}"
    none = words.NOT_STATED if asked.level == "section" else words.NO_SECTOR
    return _class_bars(answer, asked, column=column, path="sectors", is_of_several=True, none=none)


def _age(year: JsonValue, asked: Asked) -> str:
    """How long ago a year was, as `group_by=year(…)` tells it."""
    if year is None or year == "undated":
        return "no_year"
    years = asked.today.year - int(year)
    if years < 1:
        return "this_year"
    return "last_year" if years == 1 else "few_years" if years < 5 else "long_ago"


def _funnel(answer: Json, asked: Asked) -> Drawing:
    """A bar for each status in the order of a life, and the exits apart."""
    found = by_key(answer, "status")
    bars: list[Bar] = []
    for status in STATUSES if found else ():
        counts = dict.fromkeys(AGE_MARKS, 0)
        for group in found.get(status, ()):
            counts[_age(group["year_mission_dates"], asked)] += group["count"]
        segments = [
            Segment(age, count, asked.say(words.AGES[age])) for age, count in counts.items()
        ]
        label = asked.name("status", status)
        bars.append(Bar(status, label, segments, is_apart=status in FALLEN_THROUGH))
    there = {s.mark for bar in bars for s in bar.segments if s.value}
    legend = [(age, asked.say(words.AGES[age])) for age in AGE_MARKS if age in there]
    records = number_text(answer["records"], asked.language)
    notes = [asked.say(words.RECORDS, records=records)]
    return bars_drawing(bars, AGE_MARKS, legend, notes)


def _chart(
    name: str,
    group_by: str,
    fields: Sequence[str],
    compose: Callable[[Json, Asked], Drawing],
) -> Chart:
    return Chart(name, agreement, AGGREGATE, grouped(group_by), fields, compose)


COUNTS: tuple[Chart, ...] = (
    _chart("firmness", "firmness", ("firmness",), _firmness),
    _chart(
        "instruments",
        "instrument,status,firmness",
        ("instrument", "status", "firmness"),
        _instruments,
    ),
    Chart(
        "sectors",
        agreement,
        AGGREGATE,
        lambda asked: grouped(f"sector(sectors,{asked.level}),firmness")(asked),
        ("sectors", "firmness"),
        _sectors,
    ),
    _chart(
        "host-countries",
        "mission.host_country,firmness",
        ("mission.host_country", "firmness"),
        partial(_class_bars, column="mission_host_country", path="mission.host_country"),
    ),
    _chart(
        "party-countries",
        "parties.organization.country,firmness",
        ("parties.organization.country", "firmness"),
        partial(
            _class_bars,
            column="parties_organization_country",
            path="parties.organization.country",
            is_of_several=True,
        ),
    ),
    _chart("funnel", "status,year(mission.dates)", ("status",), _funnel),
)
