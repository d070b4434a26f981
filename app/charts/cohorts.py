"""The chart of conversion: of what was announced or signed, what had become of it later."""

from collections.abc import Iterator
from functools import partial

from app.charts import words
from app.charts.bars import draw_bars
from app.charts.counts import rows_of
from app.charts.drawing import Asked, Chart, Drawing
from app.charts.marks import STATE_MARKS
from app.charts.numbers import number_text
from app.charts.pictures import Bar, Segment
from app.charts.vega import stacked
from app.core.loose_types import Json
from app.resources.agreement import agreement

_MAX_COHORTS = 12


def _bars(cohort: Json, asked: Asked) -> Iterator[Bar]:
    """A bar for each number of months, under the name of the cohort."""
    count = number_text(cohort["agreements"], asked.language)
    heading = asked.say(words.STAGES[cohort["stage"]], count=count)
    group = cohort["name"] or cohort["group"]
    heading = f"{group} — {heading}" if group else heading
    for at, after in enumerate(cohort["after"]):
        segments = [
            Segment(state, after[state], asked.say(words.STATES[state])) for state in STATE_MARKS
        ]
        key = f"{cohort['stage']}-{group}-{after['months']}" if group else ""
        yield Bar(
            key or f"{cohort['stage']}-{after['months']}",
            asked.say(words.AFTER, months=after["months"]),
            segments,
            heading=heading if at == 0 else None,
        )


def _conversion(answer: Json, asked: Asked) -> Drawing:
    cohorts = answer["data"]
    if any(cohort["group"] for cohort in cohorts):
        cohorts = sorted(cohorts, key=lambda c: (c["group"] or "", c["stage"]), reverse=True)
    cohorts = [cohort for cohort in cohorts if cohort["agreements"]]
    bars = [bar for cohort in cohorts[:_MAX_COHORTS] for bar in _bars(cohort, asked)]
    there = {s.mark for bar in bars for s in bar.segments if s.value}
    legend = [(s, asked.say(words.STATES[s])) for s in STATE_MARKS if s in there]
    left = {
        k: number_text(answer["left_out"][k], asked.language) for k in ("undated", "accomplished")
    }
    notes = [asked.say(words.CONVERSION_LEFT_OUT, **left)]
    if rest := cohorts[_MAX_COHORTS:]:
        count = number_text(sum(cohort["agreements"] for cohort in rest), asked.language)
        groups = number_text(len(rest), asked.language)
        notes.insert(0, asked.say(words.CUT, groups=groups, count=count))
    return Drawing(
        draw=partial(draw_bars, bars),
        marks=STATE_MARKS,
        legend=legend,
        rows=rows_of(bars, legend),
        vega=stacked(),
        axis=words.AXIS,
        nothing=words.NO_COHORTS,
        notes=notes,
    )


CONVERSION = Chart(
    "conversion",
    agreement,
    "/insights/conversion",
    lambda asked: [("today", asked.today.isoformat())],
    (),
    _conversion,
    options=("today", "months", "from", "to", "group_by"),
)
