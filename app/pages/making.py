"""How each page is made: what its template takes, and the answer with its headers."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial

from starlette.requests import Request
from starlette.responses import Response

from app.core.http.conditional import is_known, not_modified
from app.core.http.dispatch import Route
from app.core.http.requests import edition_asked
from app.core.http.security_headers import page_headers
from app.core.loose_types import Value
from app.pages import assets
from app.pages.agreement import agreement_page
from app.pages.comparing import organizations_compared, people_compared
from app.pages.context import PageContext, language_of
from app.pages.filters import sent_pairs
from app.pages.inline_charts import InlineCharts
from app.pages.labels import LabelReader
from app.pages.mission import mission_page
from app.pages.missions import missions_page
from app.pages.overview import overview
from app.pages.party import organization_page, person_page
from app.pages.reading import PageReader
from app.pages.receipt import receipt_page
from app.pages.rendering import render
from app.pages.search import search_page
from app.pages.shell import shell_values
from app.pages.words import Words
from app.rest.audience import audience_tag
from app.rest.kept_answers import known_position

#: Makes what a template takes, of what the request is made with and the steps of its path.
Maker = Callable[..., Awaitable[dict[str, Value]]]


#: The templates of pages that share one.
_TEMPLATES = {"organizations_compared": "compared", "people_compared": "compared"}


class Pages:
    """All pages, of what routes answer."""

    def __init__(self, routes: Sequence[Route]) -> None:
        self._reader, self._labels = PageReader(routes), LabelReader()
        charts = InlineCharts(routes)
        self._makers: Mapping[str, Maker] = {
            "overview": partial(overview, charts=charts),
            "missions": missions_page,
            "mission": mission_page,
            "agreement": agreement_page,
            "organization": organization_page,
            "person": person_page,
            "organizations_compared": organizations_compared,
            "people_compared": people_compared,
            "search": search_page,
            "receipt": receipt_page,
        }

    async def answer(self, request: Request, template: str, steps: Mapping[str, str]) -> Response:
        """The page; 304 where the reader has it."""
        tag = await _tag(request)
        headers = page_headers("") | {
            "ETag": tag,
            "Vary": "Accept, Accept-Encoding, Accept-Language",
        }
        if is_known(request, tag):
            return not_modified(tag, headers)
        context = await self._context(request)
        values = await self._makers[template](context, **steps)
        html = render(_TEMPLATES.get(template, template), shell_values(context) | values)
        return Response(html, headers=headers, media_type="text/html; charset=utf-8")

    async def _context(self, request: Request) -> PageContext:
        language = language_of(request)
        pairs, kept = sent_pairs(request.scope["query_string"])
        labels = await self._labels.read(request, language)
        return PageContext(request, self._reader, Words(language), labels, pairs, kept)


async def _tag(request: Request) -> str:
    # Dates are counted from today.
    parts = (await known_position(request), edition_asked(request), assets.version())
    return audience_tag(request, f'W/"{"-".join(parts)}-{language_of(request)}"')
