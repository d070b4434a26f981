"""The application: wiring only."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from starlette.exceptions import HTTPException

from app import api
from app.changes.stream import StreamRules
from app.core.auth.authorizer import Authorizer
from app.core.auth.rate_limits import RateLimits
from app.core.databases.interface import Database
from app.core.databases.opening import open_database
from app.core.http.app_state import set_state
from app.core.http.compression import Compression
from app.core.http.cors import add_cors
from app.core.http.dispatch import Dispatch
from app.core.http.docs import add_docs
from app.core.http.middleware import ErrorAndLogMiddleware, hand_on
from app.core.http.pretty import Readable
from app.core.http.root_path import RootPath
from app.core.instance_secret import secret_of
from app.core.observability.logs import LogFormat, access_log, configure_logs
from app.core.observability.metrics_route import note_gauges
from app.guide.page import add_guide
from app.odata.errors import ODataErrors
from app.odata.routes import odata_routes
from app.openapi_document import describe
from app.pages.routes import page_routes, unknown_address
from app.settings import Settings, encryption_of
from app.settings import settings as current_settings
from app.webhooks.app_state import WebhookingState
from app.webhooks.lifespan import following
from app.webhooks.tables import Rules


def create_app(settings: Settings | None = None) -> FastAPI:
    """The ASGI application on the database of the settings, which must be migrated."""
    if settings is None:
        # Called by a server, in a process that serves and does nothing else.
        settings = current_settings()
        configure_logs(LogFormat(settings.log_format))
    database = open_database(
        settings.database_url,
        read_url=settings.database_read_url,
        max_seconds=settings.max_query_seconds,
        max_lag=settings.max_replica_lag,
    )
    authorizer = _authorizer(settings, database)
    state = WebhookingState(
        database=database,
        authorizer=authorizer,
        max_body=settings.max_body,
        max_import=settings.max_import,
        rate_providers=tuple(settings.rate_providers),
        require_if_match=settings.require_if_match,
        stream_rules=StreamRules(settings.max_streams),
        webhook_rules=Rules(
            settings.webhooks_private,
            settings.mode == "production",
            encryption=encryption_of(settings),
        ),
    )

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[dict[str, asyncio.Event]]:
        await database.start()
        state.secret = await secret_of(database)
        noting = asyncio.create_task(authorizer.store_last_use_forever())
        measuring = asyncio.create_task(note_gauges(database))
        state.stopping = asyncio.Event()
        async with following(state, api.RESOURCES):
            # The server sets it.
            yield {"stopping": state.stopping}
        noting.cancel()
        measuring.cancel()
        await authorizer.store_last_use()
        await database.stop()

    app = FastAPI(
        lifespan=lifespan,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        exception_handlers={HTTPException: hand_on},
        # Ours, when it is configured: see app/core/observability/tracing.py.
        telemetry={"tracing": False, "metrics": False, "logs": False},
    )
    set_state(app, state)
    routes = api.routes()
    # What the document leaves to OData's own.
    served = (*routes, *odata_routes(api.RESOURCES))
    app.router.routes.extend(served)
    describe(app, api.RESOURCES, routes)
    add_docs(app)
    add_guide(app)
    # The last one added is the outermost.
    app.add_middleware(Dispatch, routes=(*served, *page_routes(routes)), unknown=unknown_address)
    app.add_middleware(ODataErrors)
    app.add_middleware(Readable)
    if settings.database_read_url:
        from app.core.http.replica_reads import ReplicaReads

        app.add_middleware(ReplicaReads)
    app.add_middleware(
        ErrorAndLogMiddleware,
        metrics=state.metrics,
        access_log=access_log(LogFormat(settings.log_format)) if settings.access_log else None,
        public_reading=settings.public_reading,
    )
    if settings.cors_origins:
        add_cors(app, settings.cors_origins)
    app.add_middleware(Compression)
    if settings.telemetry_endpoint:
        _trace(app, database, settings.telemetry_endpoint)
    app.add_middleware(RootPath)
    return app


def _trace(app: FastAPI, database: Database, endpoint: str) -> None:
    from app.core.observability.tracing import Tracing, trace_database, tracer_provider

    provider = tracer_provider(endpoint, app.version)
    trace_database(database, provider)
    app.add_middleware(Tracing, provider=provider)


def _authorizer(settings: Settings, database: Database) -> Authorizer:
    issuer = None
    if settings.oidc_issuer and settings.oidc_audience:
        # Imported where it is used: the libraries of tokens take longer to load than most of us.
        from app.core.auth.oidc import Issuer

        issuer = Issuer(
            url=settings.oidc_issuer,
            audience=settings.oidc_audience,
            algorithms=settings.oidc_algorithms,
            roles_claim=settings.oidc_roles_claim,
            roles=settings.oidc_roles,
            jwks_url=settings.oidc_jwks_url,
        )
    limits = RateLimits(settings.rate_limit, settings.rate_limit_key)
    return Authorizer(database, limits, public_reading=settings.public_reading, issuer=issuer)
