"""GET /charts: which charts there are, and each as SVG, PNG or Vega-Lite."""

from collections.abc import Sequence
from typing import Annotated, Literal
from urllib.parse import urlencode

from fastapi import Path, Query, Request
from pydantic import Field
from starlette.responses import Response

from app.charts.drawing import Asked, Chart, ChartQuery
from app.charts.gallery import CHARTS, ChartMaker
from app.charts.png import Drawer
from app.core import json_codec
from app.core.databases.reader_turns import ReaderTurns
from app.core.databases.types import now
from app.core.errors import BadRequest, NotFound, did_you_mean
from app.core.http.conditional import is_known, not_modified
from app.core.http.dispatch import Route
from app.core.http.operation import Answer, Operation
from app.core.http.requests import edition_asked
from app.core.http.responses import JsonResponse
from app.core.loose_types import Json
from app.core.public_path import public_path
from app.engine.labels import Language
from app.engine.schemas import Schema
from app.rest.audience import audience_tag
from app.rest.kept_answers import kept_answer, known_position
from app.rest.operations import IF_NONE_MATCH, NOT_MODIFIED, TAGGED
from app.rest.past import with_past

_BY_NAME = {chart.name: chart for chart in CHARTS}
_SVG, _PNG, _JSON = "image/svg+xml", "image/png", "application/vnd.vegalite.v5+json"
_FORMS = {"svg": _SVG, "png": _PNG, "json": _JSON}
#: How many charts of one reader may wait: four times as many as there are.
_MOST_WAITING = 44
ChartFile = Annotated[
    str, Path(description="A chart and its form: `.svg`, `.png` or `.json`, such as `money.svg`.")
]


class ChartsQuery(Schema):
    """Parameters of the list of charts."""

    lang: Language = "en"
    """The language of the titles."""


class ChartEntry(Schema):
    """A chart that there is."""

    name: str
    """Its name."""
    title: str
    """Its title."""
    subtitle: str
    """What it shows."""
    filters_of: str
    """The list whose filters it takes."""
    parameters: list[str] = Field(description="What else it takes.")
    source: str
    """The read whose figures it draws."""
    svg: str
    """Its address as SVG."""
    png: str
    """Its address as PNG."""
    json_: str = Field(alias="json", description="Its address as Vega-Lite, with its data.")


class ChartList(Schema):
    """The charts."""

    data: list[ChartEntry]
    """The charts."""


def charts_routes(routes: Sequence[Route]) -> tuple[Route, ...]:
    """GET /charts and GET /charts/{file}, which draw what these routes answer."""
    maker, drawer = (
        ChartMaker(routes),
        Drawer(ReaderTurns(_MOST_WAITING, "charts of yours wait to be drawn")),
    )

    async def list_charts(request: Request, query: Annotated[ChartsQuery, Query()]) -> Response:
        """Each chart with its title, its source, and what it takes."""
        return JsonResponse(json_codec.dumps({"data": [_entry(c, query.lang) for c in CHARTS]}))

    async def get_chart(
        request: Request, file: ChartFile, query: Annotated[ChartQuery, Query()]
    ) -> Response:
        return await _answer(request, maker, drawer, file, query)

    return (
        Operation(
            path="/charts",
            name="list_charts",
            summary="List the charts",
            tag="insights",
            answers=(Answer(model=ChartList),),
        ).route(list_charts),
        with_past(
            Operation(
                path="/charts/{file}",
                name="get_chart",
                summary="Draw one chart",
                description="A picture (`.svg`, `.png`) or its Vega-Lite specification with the"
                " figures in it (`.json`). Besides these parameters it takes the filters of its"
                " list, which `GET /charts` names: `/charts/instruments.svg?status=signed`.",
                tag="insights",
                parameters=(IF_NONE_MATCH,),
                answers=(
                    Answer(
                        description="The chart.",
                        content={
                            _SVG: {"schema": {"type": "string"}},
                            _PNG: {"schema": {"type": "string", "format": "binary"}},
                            _JSON: {"schema": {"type": "object"}},
                        },
                        headers=(*TAGGED, "Content-Disposition"),
                    ),
                    NOT_MODIFIED,
                ),
                refusals=(BadRequest, NotFound),
            )
        ).route(get_chart),
    )


def _entry(chart: Chart, language: Language) -> Json:
    asked = Asked(language, "division", now().date())
    address = f"/charts/{chart.name}"
    pairs = urlencode(chart.pairs(asked), safe="(),.")
    own = ["level"] if chart.has_levels else []
    return {
        "name": chart.name,
        "title": chart.title(language),
        "subtitle": chart.subtitle(language),
        "filters_of": public_path(f"/{chart.resource.path}"),
        "parameters": ["lang", "theme", "width", *own, *chart.options, "as_of", "q", "filter"],
        "source": public_path(f"{chart.path}?{pairs}" if pairs else chart.path),
        **{form: public_path(f"{address}.{form}") for form in _FORMS},
    }


def _found(file: str) -> tuple[Chart, Literal["svg", "png", "json"]]:
    """The chart and the form that a name is of; NotFound for what there is not."""
    name, dot, form = file.rpartition(".")
    if form not in _FORMS or not dot:
        text = f"A chart is had as .svg, .png or .json: {public_path('/charts/money.svg')}."
        raise NotFound(f"There is no chart {file[:100]!r}. {text}")
    if name not in _BY_NAME:
        near = did_you_mean(name, _BY_NAME)
        known = f" There are {', '.join(_BY_NAME)}."
        raise NotFound(f"There is no chart {name[:100]!r}.{near or known}")
    return _BY_NAME[name], form  # type: ignore[return-value]


async def _answer(
    request: Request, maker: ChartMaker, drawer: Drawer, file: str, query: ChartQuery
) -> Response:
    chart, form = _found(file)
    position = await known_position(request)
    # How long ago something was is counted from today, and so are `today` and `-30d` in filters.
    tag = audience_tag(request, f'W/"{position}-{edition_asked(request)}-{form}"')
    if is_known(request, tag):
        return not_modified(tag)
    as_text = "json" if form == "json" else "svg"
    drawn = await _drawn(request, maker, drawer.turns, chart, as_text, query)
    headers = {
        "ETag": tag,
        "Vary": "Accept, Accept-Encoding",
        "Content-Disposition": f'inline; filename="{file}"',
    }
    if form == "png":
        content = await drawer.png_of(drawn)
        return Response(content, headers=headers, media_type=_PNG)
    return Response(drawn, headers=headers, media_type=_FORMS[form])


async def _drawn(
    request: Request,
    maker: ChartMaker,
    turns: ReaderTurns,
    chart: Chart,
    form: str,
    query: ChartQuery,
) -> str:
    """The chart as text, which is kept as long as its figures."""

    async def draw() -> str:
        made = await maker.make(request, chart, query)
        return made.svg() if form == "svg" else json_codec.dumps(made.specification()).decode()

    own = [(name, str(value)) for name, value in query.model_dump(exclude_none=True).items()]
    return await kept_answer(request, (form, chart.name), (*own, *query.others), draw, turns.taken)
