"""Pages for people: the documentation without the internet, and what each problem means."""

from html import escape
from importlib.resources import files

from fastapi import FastAPI
from fastapi.openapi.docs import get_swagger_ui_html
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.staticfiles import StaticFiles

from app.core.errors import PROBLEMS, NotFound, Problem, did_you_mean

_STYLE = "body{font:16px/1.5 system-ui,sans-serif;max-width:44rem;margin:3rem auto;padding:0 1rem}"


def add_docs(app: FastAPI) -> None:
    """Serve `/docs` with files of our own, `/problems/…`, and lead `/` to the documentation."""

    async def root(request: Request) -> Response:
        return RedirectResponse("docs")

    async def docs(request: Request) -> Response:
        return get_swagger_ui_html(
            openapi_url="openapi.json",
            title=app.title,
            # Relative, so that they are found behind a proxy's prefix and on a closed network.
            swagger_js_url="docs/assets/swagger-ui-bundle.js",
            swagger_css_url="docs/assets/swagger-ui.css",
            swagger_favicon_url="docs/assets/favicon-32x32.png",
            swagger_ui_parameters={
                "docExpansion": "none",
                "filter": True,
                "tryItOutEnabled": True,
                "displayRequestDuration": True,
                "defaultModelsExpandDepth": 0,
                # Models refer to each other in circles; the example says more.
                "defaultModelExpandDepth": 1,
                "validatorUrl": None,
            },
        )

    async def problems(request: Request) -> Response:
        items = "".join(
            f'<li><a href="problems/{kind.slug()}">{kind.status} {escape(kind.title)}</a></li>'
            for kind in PROBLEMS
        )
        return _page("Problems", f"<p>Every error is one of these (RFC 9457):</p><ul>{items}</ul>")

    async def problem(request: Request) -> Response:
        kind = _kind(request.path_params["slug"])
        text = f"<p>Status {kind.status}.</p><p>{escape(kind.about)}</p>"
        return _page(kind.title, text + '<p><a href="../docs">Documentation</a></p>')

    app.router.add_route("/", root, include_in_schema=False)
    app.router.add_route("/docs", docs, include_in_schema=False)
    app.router.add_route("/problems", problems, include_in_schema=False)
    app.router.add_route("/problems/{slug}", problem, include_in_schema=False)
    assets = str(files("fastapi_swagger").joinpath("resources"))
    app.mount("/docs/assets", StaticFiles(directory=assets), name="docs-assets")


def _page(title: str, body: str) -> HTMLResponse:
    head = f"<!doctype html><html lang=en><meta charset=utf-8><title>{escape(title)}</title>"
    return HTMLResponse(f"{head}<style>{_STYLE}</style><h1>{escape(title)}</h1>{body}")


def _kind(slug: str) -> type[Problem]:
    kinds = {kind.slug(): kind for kind in PROBLEMS}
    if slug not in kinds:
        raise NotFound(f"There is no kind of problem {slug!r}.{did_you_mean(slug, kinds)}")
    return kinds[slug]
