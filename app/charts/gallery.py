"""All charts, and how each is made of a request: its figures read, composed and drawn."""

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from starlette.requests import Request

from app.charts.cohorts import CONVERSION
from app.charts.counts import COUNTS
from app.charts.drawing import Asked, Chart, ChartQuery, Drawing, Pairs
from app.charts.money import MONEY
from app.charts.partners import PARTNERS
from app.charts.pictures import Style, Words
from app.charts.reading import FigureReader, labels_of
from app.charts.timeline import TIMELINES
from app.charts.vega import colours, spec
from app.charts.words import ONLY, SOURCE
from app.core import json_codec
from app.core.http.dispatch import Route
from app.core.http.requests import parameters
from app.core.loose_types import Json
from app.core.public_path import public_path
from app.engine.aggregates.query import AggregateQuery
from app.engine.history.undo import PARAMETER
from app.engine.query.filter_reader import bad_parameter
from app.rest.kept_answers import kept_answer, known_position
from app.rest.past import answered_at

CHARTS: tuple[Chart, ...] = (*COUNTS, MONEY, *TIMELINES, CONVERSION, PARTNERS)


@dataclass(frozen=True, slots=True)
class MadeChart:
    """A chart with the figures that a request asks for."""

    chart: Chart
    query: ChartQuery
    drawing: Drawing
    asked: Asked
    #: Where its figures come from, in words.
    source: str

    def svg(self, *, has_links: bool = False, is_alone: bool = True) -> str:
        """The picture; for a page with links from what is counted to the list of it, and without
        the filters, which the page tells in words."""
        words = Words(
            title=self.chart.title(self.asked.language),
            subtitle=self._subtitle() if is_alone else self._about(),
            axis=self.asked.say(self.drawing.axis),
            nothing=self.asked.say(self.drawing.nothing),
            source=self.source,
            notes=self.drawing.notes,
        )
        style = Style(
            self.chart.name,
            self.asked.language,
            self.query.theme,
            self.query.width,
            self.drawing.marks,
            self.drawing.legend,
            self.drawing.is_of_lines,
            self._listed if has_links else None,
        )
        return self.drawing.draw(words, style)

    def specification(self) -> Json:
        """The same as Vega-Lite."""
        drawing, title = self.drawing, self.chart.title(self.asked.language)
        return spec(
            drawing.vega,
            drawing.rows,
            colours(drawing.legend, drawing.marks, self.query.theme),
            [title, self._subtitle(), *drawing.notes],
            self.query.width,
            self.asked.say(drawing.axis),
        )

    def _listed(self, chosen_by: Sequence[tuple[str, str]]) -> str:
        """The list of what the filters of the request and these choose."""
        pairs = urlencode([*given_pairs(self.chart, self.query), *chosen_by])
        return public_path(f"/{self.chart.resource.path}?{pairs}")

    def _about(self) -> str:
        return f"{self.drawing.subtitle or self.chart.subtitle(self.asked.language)}."

    def _subtitle(self) -> str:
        """What is shown, with the filters in it."""
        said = self._about()
        if given := given_pairs(self.chart, self.query):
            filters = ", ".join(f"{name}={value}" for name, value in given)
            said += f" {self.asked.say(ONLY, filters=filters[:300])}"
        return said


class ChartMaker:
    """Makes charts of what routes answer."""

    def __init__(self, routes: Sequence[Route]) -> None:
        self._reader = FigureReader(routes, {chart.path for chart in CHARTS})

    async def make(self, request: Request, chart: Chart, query: ChartQuery) -> MadeChart:
        """The chart with its figures, as the caller of the request may see them; raises the
        problem of a parameter that is wrong."""
        given, moment = given_pairs(chart, query), _moment(request)
        today = (await answered_at(request)).date()
        asked = Asked(query.lang, query.level, today, await labels_of(request, chart, query.lang))
        names = {name for name, _ in given}
        pairs = [*(pair for pair in chart.pairs(asked) if pair[0] not in names), *given]
        answer = await self._figures(request, chart, query, pairs)
        shown = urlencode([pair for pair in pairs if pair[0] != "limit"], safe="(),.$'")
        address = public_path(f"{chart.path}?{shown}" if shown else chart.path)
        source = asked.say(SOURCE, address=address, moment=moment or await known_position(request))
        return MadeChart(chart, query, chart.compose(answer, asked), asked, source)

    async def _figures(
        self, request: Request, chart: Chart, query: ChartQuery, pairs: Pairs
    ) -> Json:
        """What it draws: kept, as it is the same in each language, form and width."""

        async def ask() -> str:
            if chart.read is not None:
                return json_codec.dumps(await chart.read(request, query)).decode()
            return (await self._reader.body(request, chart.path, pairs)).decode()

        # What no address answers has the name of its chart.
        what = chart.path if chart.read is None else f"figures of {chart.name}"
        found: Json = json_codec.loads(await kept_answer(request, (what,), pairs, ask))
        return found


def given_pairs(chart: Chart, query: ChartQuery) -> Pairs:
    """What the query hands on to the read that the chart draws."""
    # The documentation page sends what is so by default.
    is_asked = query.level != type(query).model_fields["level"].default
    if is_asked and not chart.has_levels:
        raise bad_parameter("level", "unknown", "Only the chart sectors has levels: leave it out.")
    for name, _ in query.others:
        if name in AggregateQuery.model_fields and name not in chart.options:
            text = f"A chart takes no {name!r}: the read that it draws does."
            raise bad_parameter(name, "unknown", text)
    given = list(query.others)
    given += [("q", query.q)] if query.q is not None else []
    given += [("filter", query.filter)] if query.filter is not None else []
    return given


def _moment(request: Request) -> str | None:
    sent = parameters(request.scope["query_string"])
    return next((value for name, value in sent if name == PARAMETER), None)
