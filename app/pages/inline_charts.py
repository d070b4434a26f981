"""Charts inside a page: each drawn once for light and dark, with the colours of the stylesheet."""

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import cast
from urllib.parse import urlencode

from markupsafe import Markup
from starlette.requests import Request

from app.charts.drawing import Chart, ChartQuery
from app.charts.gallery import CHARTS, ChartMaker
from app.charts.marks import Theme
from app.core.http.dispatch import Route
from app.core.http.requests import read_query
from app.engine.labels import Language
from app.pages.assets import colour
from app.pages.reading import Pairs
from app.rest.kept_answers import kept_answer

_BY_NAME = {chart.name: chart for chart in CHARTS}
#: Up to so many marks lead to the lists of what they count.
_MAX_LINKS = 40
_COLOUR = re.compile(r"#[0-9a-f]{6}")


class InlineCharts:
    """Draws charts of what routes answer, and keeps them as long as their figures."""

    def __init__(self, routes: Sequence[Route]) -> None:
        self._maker = ChartMaker(routes)

    async def svg(
        self, request: Request, name: str, pairs: Pairs, language: Language, width: int
    ) -> Markup:
        """The chart of the records that the filters choose, with links from what it counts
        where these are few."""
        asked = (*pairs, ("lang", language), ("width", str(width)))

        async def draw() -> str:
            return await self._drawn(request, _BY_NAME[name], asked)

        made = await kept_answer(request, (f"chart {name}",), asked, draw)
        return Markup(made)  # noqa: S704 (the charts escape what they show)

    async def _drawn(self, request: Request, chart: Chart, asked: Pairs) -> str:
        query = cast("ChartQuery", read_query(ChartQuery, urlencode(asked).encode()))
        made = await self._maker.make(request, chart, query)
        in_dark = replace(made, query=query.model_copy(update={"theme": Theme.dark}))
        # Hundreds of links, each with all the filters, weigh more than the picture.
        has_links = len(made.drawing.rows) <= _MAX_LINKS
        light, dark = (
            _made_in(each.svg(has_links=has_links, is_alone=False), theme)
            for each, theme in ((made, Theme.light), (in_dark, Theme.dark))
        )
        return merged(light, dark)


def _made_in(svg: str, theme: Theme) -> str:
    """The picture without the theme in its ids, so that both are alike but for colours."""
    return re.sub(rf"([\"#][a-z]+)-{theme}\b", r"\1", svg)


def merged(light: str, dark: str) -> str:
    """The light picture, its colours replaced by properties that are those of the dark one on a
    dark page."""
    others = iter(_COLOUR.findall(dark))
    return _COLOUR.sub(lambda found: f"var({colour(found[0], next(others))})", light)
