"""GET /charts: which charts there are, and each as SVG, PNG or Vega-Lite."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Literal
from urllib.parse import urlencode

from fastapi import Path, Query, Request
from pydantic import Field
from starlette.responses import Response

from app.charts.cohorts import CONVERSION
from app.charts.counts import COUNTS
from app.charts.drawing import Asked, Chart, ChartQuery, Drawing, Pairs
from app.charts.money import MONEY
from app.charts.partners import PARTNERS
from app.charts.pictures import Style, Words
from app.charts.png import png_of
from app.charts.reading import FigureReader, labels_of
from app.charts.timeline import TIMELINES
from app.charts.vega import colours, spec
from app.charts.words import ONLY, SOURCE
from app.core import json_codec
from app.core.databases.types import now
from app.core.errors import BadRequest, NotFound, did_you_mean
from app.core.http.conditional import is_known, not_modified
from app.core.http.dispatch import Route
from app.core.http.operation import Answer, Operation
from app.core.http.requests import parameters
from app.core.http.responses import JsonResponse
from app.core.loose_types import Json
from app.core.public_path import public_path
from app.engine.aggregates.query import AggregateQuery
from app.engine.history.undo import PARAMETER
from app.engine.labels import Language
from app.engine.query.filter_reader import bad_parameter
from app.engine.schemas import Schema
from app.rest.audience import audience_tag
from app.rest.handlers import position_of
from app.rest.operations import IF_NONE_MATCH, NOT_MODIFIED, TAGGED
from app.rest.past import read_as_of, with_past

CHARTS: tuple[Chart, ...] = (*COUNTS, MONEY, *TIMELINES, CONVERSION, PARTNERS)
_BY_NAME = {chart.name: chart for chart in CHARTS}
_SVG, _PNG, _JSON = "image/svg+xml", "image/png", "application/vnd.vegalite.v5+json"
_FORMS = {"svg": _SVG, "png": _PNG, "json": _JSON}
#: What an aggregate takes that would make another picture of it.
_NOT_TAKEN = {"group_by", "metrics", "having", "sort", "limit", "deleted", "timezone"}
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
    reader = FigureReader(routes, {chart.path for chart in CHARTS})

    async def list_charts(request: Request, query: Annotated[ChartsQuery, Query()]) -> Response:
        """Each chart with its title, its source, and what it takes."""
        return JsonResponse(json_codec.dumps({"data": [_entry(c, query.lang) for c in CHARTS]}))

    async def get_chart(
        request: Request, file: ChartFile, query: Annotated[ChartQuery, Query()]
    ) -> Response:
        return await _answer(request, reader, file, query)

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
    own = ["level"] if chart.name == "sectors" else []
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


async def _answer(request: Request, reader: FigureReader, file: str, query: ChartQuery) -> Response:
    chart, form = _found(file)
    position = await position_of(request)
    # How long ago something was is counted from today, and so are `today` and `-30d` in filters.
    tag = audience_tag(request, f'W/"{position}-{now():%Y%m%d}-{form}"')
    if is_known(request, tag):
        return not_modified(tag)
    drawing, asked, source = await _drawn(request, reader, chart, query, position)
    headers = {
        "ETag": tag,
        "Vary": "Accept-Encoding",
        "Content-Disposition": f'inline; filename="{file}"',
    }
    if form == "json":
        body = json_codec.dumps(_specification(chart, drawing, asked, query))
        return Response(body, headers=headers, media_type=_JSON)
    picture = _picture(chart, drawing, asked, query, source)
    if form == "png":
        return Response(await png_of(picture, asked.language), headers=headers, media_type=_PNG)
    return Response(picture, headers=headers, media_type=_SVG)


def _given(chart: Chart, query: ChartQuery) -> Pairs:
    """What the query hands on to the read that the chart draws."""
    for name, _ in query.others:
        is_own = name in _NOT_TAKEN or name in AggregateQuery.model_fields
        if is_own and name not in chart.options:
            raise bad_parameter(
                name, "unknown", f"A chart takes no {name!r}: the read that it draws does."
            )
    given = list(query.others)
    given += [("q", query.q)] if query.q is not None else []
    given += [("filter", query.filter)] if query.filter is not None else []
    return given


def _moment(request: Request) -> str | None:
    sent = parameters(request.scope["query_string"])
    return next((value for name, value in sent if name == PARAMETER), None)


async def _drawn(
    request: Request, reader: FigureReader, chart: Chart, query: ChartQuery, position: str
) -> tuple[Drawing, Asked, str]:
    """The chart with its figures, and what is said of where they come from."""
    given, moment = _given(chart, query), _moment(request)
    at = None if moment is None else read_as_of(moment)
    today = (at if isinstance(at, datetime) else now()).date()
    asked = Asked(query.lang, query.level, today, await labels_of(request, chart, query.lang))
    names = {name for name, _ in given}
    pairs = [*(pair for pair in chart.pairs(asked) if pair[0] not in names), *given]
    if chart.read is not None:
        answer = await chart.read(request, query)
    else:
        answer = await reader.read(request, chart.path, pairs)
    drawing = chart.compose(answer, asked)
    shown = urlencode([pair for pair in pairs if pair[0] != "limit"], safe="(),.$'")
    address = public_path(f"{chart.path}?{shown}" if shown else chart.path)
    source = asked.say(SOURCE, address=address, moment=moment or position)
    return drawing, asked, source


def _said(chart: Chart, drawing: Drawing, asked: Asked, query: ChartQuery) -> str:
    """What is shown, with the filters in it."""
    said = f"{drawing.subtitle or chart.subtitle(asked.language)}."
    given = _given(chart, query)
    if given:
        filters = ", ".join(f"{name}={value}" for name, value in given)
        said += f" {asked.say(ONLY, filters=filters[:300])}"
    return said


def _picture(chart: Chart, drawing: Drawing, asked: Asked, query: ChartQuery, source: str) -> str:
    words = Words(
        title=chart.title(asked.language),
        subtitle=_said(chart, drawing, asked, query),
        axis=asked.say(drawing.axis),
        nothing=asked.say(drawing.nothing),
        source=source,
        notes=drawing.notes,
    )
    style = Style(
        chart.name,
        asked.language,
        query.theme,
        query.width,
        drawing.marks,
        drawing.legend,
        drawing.is_of_lines,
    )
    return drawing.draw(words, style)


def _specification(chart: Chart, drawing: Drawing, asked: Asked, query: ChartQuery) -> Json:
    title = [chart.title(asked.language), _said(chart, drawing, asked, query), *drawing.notes]
    scale = colours(drawing.legend, drawing.marks, query.theme)
    axis = asked.say(drawing.axis)
    return spec(drawing.vega, drawing.rows, scale, title, query.width, axis)
