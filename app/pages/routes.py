"""The addresses of the pages."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial

from fastapi import Request
from starlette.responses import RedirectResponse, Response

from app.core.auth.principals import Permission
from app.core.databases.types import now
from app.core.errors import NotFound, Problem
from app.core.http.app_state import state_of
from app.core.http.conditional import is_known, not_modified
from app.core.http.dispatch import Handler, Route
from app.core.http.security_headers import page_headers
from app.core.loose_types import Value
from app.pages import assets
from app.pages.agreement import agreement_page
from app.pages.context import PageContext, language_of
from app.pages.filters import sent_pairs
from app.pages.inline_charts import InlineCharts
from app.pages.labels import LabelReader
from app.pages.mission import mission_page
from app.pages.missions import missions_page
from app.pages.overview import overview
from app.pages.party import organization_page, person_page
from app.pages.reading import PageReader, page_position
from app.pages.receipt import receipt_page
from app.pages.rendering import render
from app.pages.search import search_page
from app.pages.shell import problem_page, shell_values
from app.pages.words import Words
from app.rest.audience import audience_tag
from app.rest.past import answer_as_of

_HTML = "text/html"
#: An address that changes with its content.
_FOR_EVER = {"Cache-Control": "public, max-age=31536000, immutable"}

#: Makes what a template takes, of the request and the steps of its path.
Maker = Callable[..., Awaitable[dict[str, Value]]]


@dataclass(frozen=True, slots=True)
class Pages:
    """What all pages are made with."""

    reader: PageReader
    charts: InlineCharts
    labels: LabelReader

    async def context(self, request: Request) -> PageContext:
        """What one request is made with."""
        language = language_of(request)
        sent = request.scope["query_string"]
        pairs, kept = sent_pairs(sent)
        labels = await self.labels.read(request, language)
        return PageContext(request, self.reader, Words(language), labels, pairs, kept)

    async def answer(self, request: Request, template: str, make: Maker, **steps: str) -> Response:
        """The page; 304 where the reader has it."""
        tag = await self._tag(request)
        headers = page_headers("") | {
            "ETag": tag,
            "Vary": "Accept, Accept-Encoding, Accept-Language",
        }
        if is_known(request, tag):
            return not_modified(tag, headers)
        context = await self.context(request)
        values = await make(context, **steps)
        html = render(template, shell_values(context) | values)
        return Response(html, headers=headers, media_type="text/html; charset=utf-8")

    async def _tag(self, request: Request) -> str:
        # Dates are counted from today.
        parts = (await page_position(request), f"{now():%Y%m%d}", assets.version())
        return audience_tag(request, f'W/"{"-".join(parts)}-{language_of(request)}"')


class PageRoute(Route):
    """A page, of any parameters: what is wrong with them is told as a page, too."""

    def __init__(self, path: str, endpoint: Callable[..., Awaitable[Response]]) -> None:
        self.shown = endpoint
        super().__init__(path, endpoint, needs=Permission.READ_OR_PUBLIC, several_forms=True)

    def get_route_handler(self) -> Handler:
        async def call(request: Request) -> Response:
            return await self.shown(request, **request.path_params)

        async def handle(request: Request) -> Response:
            request.scope["route_path"] = self.path
            try:
                authorizer = state_of(request).authorizer
                headers = await authorizer.authorize(request.scope, self.needs, is_file=False)
                response = await answer_as_of(call, request)
            except Problem as problem:
                return problem_page(request, problem)
            response.raw_headers += headers
            return response

        return handle


def wants_html(request: Request) -> bool:
    """Whether a page is asked for: by a browser, and not by a program."""
    return _HTML in request.headers.get("accept", "")


def page_routes(routes: Sequence[Route]) -> tuple[Route, ...]:
    """All pages, of what these routes answer."""
    reader = PageReader(routes)
    pages = Pages(reader, InlineCharts(routes, reader), LabelReader())

    async def first_page(request: Request) -> Response:
        if not wants_html(request):
            return RedirectResponse("docs", headers={"Vary": "Accept"})
        return await pages.answer(request, "overview", partial(overview, charts=pages.charts))

    async def asset(request: Request, file: str) -> Response:
        for kind, media in assets.MEDIA_TYPES.items():
            if file == assets.name_of(kind):
                content = assets.content_of(kind)
                return Response(content, headers=_FOR_EVER, media_type=media)
        raise NotFound(f"There is no file {file[:100]!r} of the pages.")

    def page(path: str, template: str, make: Maker) -> Route:
        async def show(request: Request, **steps: str) -> Response:
            return await pages.answer(request, template, make, **steps)

        return PageRoute(path, show)

    async def unknown(request: Request, path: str) -> Response:
        raise NotFound(f"There is no page {path[:100]!r}.")

    return (
        PageRoute("/", first_page),
        page("/pages/missions", "missions", missions_page),
        page("/pages/missions/{key}", "mission", mission_page),
        page("/pages/agreements/{key}", "agreement", agreement_page),
        page("/pages/organizations/{key}", "organization", organization_page),
        page("/pages/companies/{key}", "organization", organization_page),
        page("/pages/people/{key}", "person", person_page),
        page("/pages/search", "search", search_page),
        page("/pages/receipts/{id}", "receipt", receipt_page),
        PageRoute("/pages/{path}", unknown).take_slashes(),
        Route(f"{assets.FOLDER}/{{file}}", asset, needs=Permission.PUBLIC),
    )
