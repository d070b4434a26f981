"""The addresses of the pages; what makes them is loaded with the first one that is asked for."""

from collections.abc import Callable, Sequence
from functools import cache, partial
from typing import TYPE_CHECKING

from fastapi import Request
from starlette.responses import RedirectResponse, Response

from app.core.auth.principals import Permission
from app.core.errors import NotFound, Problem
from app.core.http.app_state import state_of
from app.core.http.dispatch import Handler, Route
from app.core.http.moved import located
from app.pages.receipt_form import ReceiptFormRoute
from app.rest.past import answer_as_of

if TYPE_CHECKING:
    from app.pages.making import Pages

#: The pages by their templates.
_PATHS = {
    "/pages/missions": "missions",
    "/pages/missions/{key}": "mission",
    "/pages/agreements/{key}": "agreement",
    "/pages/organizations/{key}": "organization",
    "/pages/organizations/{key}/compare/{other}": "organizations_compared",
    "/pages/companies/{key}": "organization",
    "/pages/people/{key}": "person",
    "/pages/people/{key}/compare/{other}": "people_compared",
    "/pages/search": "search",
    "/pages/receipts/{id}": "receipt",
}
_HTML = "text/html"
#: An address that changes with its content.
_FOR_EVER = {"Cache-Control": "public, max-age=31536000, immutable"}


class PageRoute(Route):
    """A page, of any parameters: what is wrong with them is told as a page, too."""

    def __init__(self, path: str, template: str | None, pages: Callable[[], "Pages"]) -> None:
        self._template, self._pages = template, pages
        super().__init__(path, self._show, needs=Permission.READ_OR_PUBLIC, several_forms=True)

    def get_route_handler(self) -> Handler:
        async def handle(request: Request) -> Response:
            request.scope["route_path"] = self.path
            authorizer = state_of(request).authorizer
            try:
                headers = await authorizer.authorize(request.scope, self.needs, is_file=False)
                response = await answer_as_of(self._show, request)
            except Problem as problem:
                from app.pages.shell import problem_page

                return problem_page(request, located(request, self.path, problem))
            response.raw_headers += headers
            return response

        return handle

    async def _show(self, request: Request) -> Response:
        if self._template is None:
            raise NotFound(f"There is no page {request.scope['path'][:100]!r}.")
        return await self._pages().answer(request, self._template, request.path_params)


class FirstPageRoute(PageRoute):
    """`/`: the first page for who asks for HTML; a program is led to the documentation."""

    def get_route_handler(self) -> Handler:
        page = super().get_route_handler()

        async def handle(request: Request) -> Response:
            if _asks_for_html(request):
                return await page(request)
            return RedirectResponse("docs", headers={"Vary": "Accept"})

        return handle


def unknown_address(request: Request, problem: NotFound) -> Response | None:
    """A page that tells whoever asks for HTML of an address that is not there; a program gets the
    problem."""
    if request.method != "GET" or not _asks_for_html(request):
        return None
    from app.pages.shell import problem_page

    return problem_page(request, problem)


def _asks_for_html(request: Request) -> bool:
    return _HTML in request.headers.get("accept", "")


def page_routes(routes: Sequence[Route]) -> tuple[Route, ...]:
    """All pages, of what these routes answer."""

    @cache
    def pages() -> "Pages":
        from app.pages.making import Pages

        return Pages(routes)

    made = partial(PageRoute, pages=pages)
    return (
        FirstPageRoute("/", "overview", pages),
        *(made(path, template) for path, template in _PATHS.items()),
        ReceiptFormRoute(routes),
        Route("/pages/assets/{file}", _asset, needs=Permission.PUBLIC),
        made("/pages/{path}", None).take_slashes(),
    )


async def _asset(request: Request, file: str) -> Response:
    from app.pages import assets

    for kind, media in assets.MEDIA_TYPES.items():
        if file == assets.name_of(kind):
            return Response(assets.content_of(kind), headers=_FOR_EVER, media_type=media)
    raise NotFound(f"There is no file {file[:100]!r} of the pages.")
