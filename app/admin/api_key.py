"""API keys over HTTP: whoever has the scope `admin` makes, lists and revokes them."""

from datetime import datetime
from functools import cache
from typing import Annotated
from uuid import UUID

from fastapi import Body, Path, Query, Request
from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints
from sqlalchemy import Dialect, String, Text, bindparam, cast, select
from sqlalchemy.orm import Session
from starlette.responses import Response

from app.admin.bound_address import check_bound_address
from app.core import json_codec
from app.core.auth.api_keys import (
    ApiKey,
    NewKey,
    create_key,
    find_key,
    has_admin,
    hold_admins,
    is_named,
    is_reference,
    new_secret,
    no_key,
    revoke_key,
)
from app.core.auth.key_names import MAX_NAME, hidden_character, key_name, looks_of
from app.core.auth.principals import ANONYMOUS, OIDC_PREFIX, Permission, Scope
from app.core.databases.expressions import AnyTable, Expression
from app.core.databases.interface import CompiledQuery, compile_query
from app.core.databases.types import now
from app.core.errors import (
    BadRequest,
    Conflict,
    Invalid,
    NotFound,
    TooLarge,
    UnsupportedMediaType,
)
from app.core.http.app_state import state_of
from app.core.http.dispatch import Route
from app.core.http.operation import Answer, Operation, with_example
from app.core.http.responses import JsonResponse
from app.core.loose_types import Fields
from app.core.validation import Example
from app.engine.query.cursor import cursor_scope
from app.engine.query.parameters import Cursor, Limit
from app.engine.query.render import as_json, object_of
from app.engine.query.values import parse_instant
from app.engine.schemas import Page, Prose, Schema, Timestamp
from app.rest.handlers import database_of
from app.rest.pages import answer_page, current_page
from app.rest.table_lists import TableList, read_page
from app.rest.transactions import actor_of

#: Whom history names besides the callers of the service: what `seed` has stored is known by it.
_OTHERS = {
    looks_of(name) for name in (ANONYMOUS.name, "seed", "import", "generate", "command line")
}
#: What the first key is called, and what readers take for the service itself: no name looks like
#: one of them and is another.
_OWN = {looks_of(name): name for name in ("admin", "system")}


def _no_other(name: str) -> str:
    if hidden := hidden_character(name):
        raise ValueError(f"it holds {hidden}, which nobody sees where the name is shown")
    name = key_name(name)
    if len(name) > MAX_NAME:
        raise ValueError(f"written out it has {len(name)} characters; {MAX_NAME} are the most")
    looks = looks_of(name)
    if looks in _OTHERS or looks.startswith(looks_of(OIDC_PREFIX)):
        raise ValueError("history calls others so, or what looks the same")
    own = _OWN.get(looks, name)
    if name != own:
        raise ValueError(f"it looks like {own!r} and is another name: take a different one")
    if is_reference(name):
        raise ValueError("a key is named by its id or its prefix too, and this looks like one")
    return name


def _as_text(value: object) -> object:
    if not isinstance(value, str | datetime):
        raise ValueError("must be a moment as ISO 8601 writes it: 2027-01-31T00:00:00Z")
    return parse_instant(value) if isinstance(value, str) else value


class ApiKeyFields(Schema):
    """What is asked of a new key."""

    # No Line, in which a line break is made a blank: here it is refused.
    name: Annotated[Prose, StringConstraints(max_length=MAX_NAME), AfterValidator(_no_other)]
    """Who it is for. History names the key by it, so no name is given twice, and none that looks
    the same, even after the first key was revoked."""
    scope: Scope = Scope.READ
    """What it may do; each scope includes those before it: `read`, `write`, `admin`."""
    path: Annotated[str, Example("/agreements.csv")] | None = Field(
        None, max_length=500, pattern='^/[!"$&->@-~]*$'
    )
    """The one address that it opens, for reading: `/agreements.csv`, for a spreadsheet. Without
    parameters: the key opens it with any."""
    expires_at: Annotated[Timestamp, BeforeValidator(_as_text)] | None = None
    """When it ends; never when left out."""


_SHEET = {"name": "Sheet of agreements", "scope": "read", "path": "/agreements.csv"}


class ApiKeyShown(Schema):
    """A key, without its secret."""

    id: UUID
    name: str
    prefix: str
    """The part of the key that can be seen, to tell one from another."""
    scope: Scope
    path: str | None
    created_at: Timestamp
    created_by: str
    expires_at: Timestamp | None
    revoked_at: Timestamp | None
    last_used_at: Timestamp | None
    """When it was last used, to the minute or so."""


class ApiKeyCreated(ApiKeyShown):
    """A new key, with what cannot be seen again."""

    key: str
    """The key itself. It is stored as a digest: keep it now, it is shown this once."""


class ApiKeyList(Schema):
    """Keys, the oldest first."""

    data: list[ApiKeyShown]
    page: Page


class ApiKeyQuery(Schema):
    """Parameters of the list of keys."""

    limit: Limit = 50
    """The most keys to answer with; more than 1000 is taken for 1000."""
    cursor: Cursor | None = None
    """`next_cursor` or `prev_cursor` of a page of the list, to go on from there."""


KeyName = Annotated[str, Path(description="The key's id, its prefix or its name.")]


def _fields(table: AnyTable) -> dict[str, Expression]:
    return {name: as_json(getattr(table, name)) for name in ApiKeyShown.model_fields}


_KEYS = TableList(ApiKey, _fields)


@cache
def _one_statement(dialect: Dialect) -> CompiledQuery:
    """Reads `(json,)` of the key that `key` names."""
    return compile_query(
        select(object_of(_fields(ApiKey))).where(
            is_named(bindparam("key", type_=String()), bindparam("form", type_=String()))
        ),
        dialect,
    )


def _stored_json(session: Session, key: ApiKey) -> str:
    shown = cast(object_of(_fields(ApiKey)), Text)
    body: str = session.execute(select(shown).where(ApiKey.id == key.id)).scalar_one()
    return body


async def list_api_keys(request: Request, query: Annotated[ApiKeyQuery, Query()]) -> Response:
    """All keys there are and were, the oldest first, without their secrets."""
    at = await current_page(request, query.limit, query.cursor, cursor_scope("api-keys"))
    return answer_page(at, await read_page(at, _KEYS, {}))


async def create_api_key(request: Request, body: Annotated[ApiKeyFields, Body()]) -> Response:
    """A new key. It is shown in this answer and never again: the service keeps a digest."""
    if body.expires_at is not None and body.expires_at <= now():
        raise Invalid.at("/expires_at", "past", "A key ends in the future.")
    secret, by = new_secret(), actor_of(request)
    wanted = NewKey(body.name, body.scope, body.path, body.expires_at)

    def work(session: Session) -> str:
        if wanted.path is not None:
            check_bound_address(session, request.app.router.routes, wanted.path)
        return _stored_json(session, create_key(session, wanted, by, secret))

    made = json_codec.loads(await database_of(request).write(work))
    headers = {"Location": f"/api-keys/{made['id']}", "Cache-Control": "no-store"}
    return JsonResponse(json_codec.dumps({**made, "key": secret}), 201, headers)


async def get_api_key(request: Request, name: KeyName) -> Response:
    """One key, without its secret."""
    database = database_of(request)
    rows = await database.read(
        _one_statement(database.dialect), {"key": name, "form": key_name(name)}
    )
    if not rows:
        raise no_key(name)
    return JsonResponse(rows[0][0].encode())


async def revoke_api_key(request: Request, name: KeyName) -> Response:
    """Take a key out of use for good. It stays listed, as history names it. The last admin key
    cannot be revoked here: `trade-missions keys revoke` can."""
    by = actor_of(request)

    def work(session: Session) -> None:
        hold_admins(session)
        found = find_key(session, name)
        if found.scope is Scope.ADMIN and not has_admin(session, but=found.id):
            raise Conflict("This is the last admin key: make another one before it is revoked.")
        revoke_key(session, found, by)

    await database_of(request).write(work)
    state_of(request).authorizer.forget()
    return Response(status_code=204)


#: Why no answer is given again.
_NOT_KEPT = (
    "A new key is not kept to be shown again. If the answer was lost, revoke the key by its name"
    " and make another."
)


def api_key_routes() -> list[Route]:
    """The operations on keys, for admins."""
    said: Fields = {"tag": "api-keys", "needs": Permission.ADMIN}
    return [
        Operation(
            path="/api-keys",
            name="list_api_keys",
            summary="List the API keys",
            answers=(Answer(model=ApiKeyList, headers=("Link",)),),
            **said,
        ).route(list_api_keys),
        Operation(
            method="POST",
            path="/api-keys",
            name="create_api_key",
            summary="Create one API key",
            body=with_example(_SHEET),
            not_repeated=_NOT_KEPT,
            answers=(Answer(status=201, model=ApiKeyCreated),),
            refusals=(BadRequest, Conflict, TooLarge, UnsupportedMediaType, Invalid),
            **said,
        ).route(create_api_key),
        Operation(
            path="/api-keys/{name}",
            name="get_api_key",
            summary="Get one API key",
            answers=(Answer(model=ApiKeyShown),),
            refusals=(BadRequest, NotFound),
            **said,
        )
        .route(get_api_key)
        .take_slashes(),
        Operation(
            method="DELETE",
            path="/api-keys/{name}",
            name="revoke_api_key",
            not_repeated="a key that is revoked stays so, however often it is asked.",
            summary="Revoke one API key",
            answers=(Answer(status=204),),
            refusals=(BadRequest, NotFound, Conflict),
            **said,
        )
        .route(revoke_api_key)
        .take_slashes(),
    ]
