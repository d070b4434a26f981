"""The application: wiring only."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from starlette.exceptions import HTTPException

from app import api
from app.core.database import open_database
from app.core.docs import add_docs
from app.core.gate import Gate, hand_on
from app.core.installation import secret_of
from app.core.routing import Dispatch
from app.document import describe
from app.guide.page import add_guide
from app.settings import Settings
from app.settings import settings as current_settings


def create_app(settings: Settings | None = None) -> FastAPI:
    """The ASGI application on the database of the settings, which must be migrated."""
    settings = settings or current_settings()
    database = open_database(settings.database_url)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        await database.start()
        app.state.secret = await secret_of(database)
        yield
        await database.stop()

    app = FastAPI(
        lifespan=lifespan,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        exception_handlers={HTTPException: hand_on},
    )
    app.state.database = database
    app.state.max_body, app.state.max_import = settings.max_body, settings.max_import
    app.state.require_if_match = settings.require_if_match
    #: The codes of each list as last read, and the idempotency keys of requests under way.
    app.state.codes, app.state.running = {}, set()
    routes = api.routes()
    app.router.routes.extend(routes)
    describe(app, api.RESOURCES, routes)
    add_docs(app)
    add_guide(app)
    # The last one added is the outermost.
    app.add_middleware(Dispatch, routes=routes)
    app.add_middleware(Gate, access_log=settings.access_log)
    return app
