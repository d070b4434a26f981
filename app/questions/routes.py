"""The HTTP operations of saved questions."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Annotated, Final

from fastapi import Body, Path, Query, Request
from pydantic import Field
from sqlalchemy import Dialect, Text, bindparam, select
from sqlalchemy.orm import Session
from starlette.responses import Response

from app.core import json_codec
from app.core.databases.expressions import AnyTable
from app.core.databases.interface import CompiledQuery, compile_query
from app.core.errors import BadRequest, Invalid, NotFound, PreconditionFailed
from app.core.http.conditional import tags_in
from app.core.http.dispatch import Route
from app.core.http.operation import Answer, Operation, with_example
from app.core.http.responses import JsonResponse
from app.core.loose_types import Json, Value, Values
from app.core.public_path import public_path, public_root, without_root
from app.engine.query.cursor import cursor_scope
from app.engine.query.render import as_json, object_of
from app.engine.schemas import REF_PATTERN, Schema
from app.questions import writes
from app.questions.answering import FORMS, Answerer
from app.questions.schemas import (
    Question,
    QuestionEntry,
    QuestionFields,
    QuestionList,
    QuestionUpdate,
)
from app.questions.tables import SavedQuestion
from app.rest.changes import HistoryQuery
from app.rest.handlers import database_of
from app.rest.operations import IF_MATCH, IF_NONE_MATCH, NOT_MODIFIED, REPEATABLE, WRONG_BODY
from app.rest.pages import answer_page, current_page
from app.rest.table_lists import TableList, read_page, with_public_url, with_public_urls
from app.rest.transactions import WriteResult, actor_of
from app.rest.write_handlers import WriteQuery, answer_write

Name = Annotated[
    str,
    Path(description="What the question is called.", json_schema_extra={"pattern": REF_PATTERN}),
]
Form = Annotated[
    str,
    Path(
        description="In which form it is answered; which ones it has depends on what it asks.",
        json_schema_extra={"enum": list(FORMS)},
    ),
]
EXAMPLE: Final = {
    "name": "signed-deals",
    "url": "/agreements?status=signed&sort=-amount",
    "note": "The table on the ministry's page",
}
_CHANGE: Final = {"url": "/agreements?status__in=signed,in_force&sort=-amount", "note": None}


class AnswerQuery(Schema):
    """Parameters of a question's answer."""

    version: int | None = Field(None, ge=1)
    """The version of the question to answer; the newest when left out."""


def _entry(table: AnyTable) -> Values:
    return {name: as_json(getattr(table, name)) for name in QuestionEntry.model_fields}


QUESTIONS = TableList(SavedQuestion, _entry, key="name")


@lru_cache(maxsize=4)
def _one_statement(dialect: Dialect) -> CompiledQuery:
    """Reads `(json,)` of the question `:name`."""
    fields = {**_entry(SavedQuestion), "earlier": as_json(SavedQuestion.earlier)}
    named = SavedQuestion.name == bindparam("name", type_=Text())
    return compile_query(select(object_of(fields)).where(named), dialect)


async def _stored(request: Request, name: str) -> Json:
    database = database_of(request)
    statement = _one_statement(database.dialect)
    rows = await database.read(statement, {"name": name}, point_lookup=True)
    if not rows:
        raise writes.missing(name)
    found: Json = json_codec.loads_stored(rows[0][0])
    found["earlier"] = [with_public_url(each) for each in found["earlier"]]
    return with_public_url(found)


def question_routes(routes: Sequence[Route], kinds: Sequence[str]) -> list[Route]:
    """All operations of questions, of what these routes answer."""
    answerer = Answerer(routes, kinds)
    return [*_questions(answerer), *_one_question(answerer)]


def _questions(answerer: Answerer) -> list[Route]:
    async def list_questions(request: Request, query: Annotated[HistoryQuery, Query()]) -> Response:
        """By name. Whoever reads may see what a question asks, and of the answer what is theirs to
        see."""
        at = await current_page(request, query.limit, query.cursor, cursor_scope("questions"))
        return answer_page(at, with_public_urls(await read_page(at, QUESTIONS, {})))

    async def create_question(
        request: Request,
        query: Annotated[WriteQuery, Query()],
        body: Annotated[QuestionFields, Body()],
    ) -> Response:
        """Gives an address of this service a name that stays: `/questions/{name}.csv` answers what
        is asked there, whoever asks, with what they may see. It is asked once to see that it is
        answered."""
        await answerer.check(request, body.url)
        values = _values(request, body)

        def work(session: Session) -> WriteResult:
            question = writes.create(session, values)
            headers = {"Location": f"/questions/{question.name}", "ETag": writes.tag_of(question)}
            return WriteResult(_written(question), 201, headers)

        return await answer_write(request, work, query)

    return [
        _operation(
            name="list_questions",
            summary="List the saved questions",
            answers=(Answer(model=QuestionList, headers=("Link",)),),
        ).route(list_questions),
        _operation(
            method="POST",
            name="create_question",
            summary="Save a question",
            body=with_example(EXAMPLE),
            answers=(
                Answer(status=201, model=QuestionEntry, headers=("Location", "ETag", *REPEATABLE)),
            ),
            refusals=(*WRONG_BODY, NotFound),
        ).route(create_question),
    ]


def _one_question(answerer: Answerer) -> list[Route]:
    async def get_question(request: Request, name: Name) -> Response:
        """What it asks, what it asked before, and where it is answered."""
        found = await _stored(request, name)
        forms = {
            form: public_path(f"/questions/{name}.{form}") for form in answerer.forms(found["url"])
        }
        return JsonResponse(json_codec.dumps(found | {"forms": forms}))

    async def update_question(
        request: Request,
        name: Name,
        query: Annotated[WriteQuery, Query()],
        body: Annotated[QuestionUpdate, Body()],
    ) -> Response:
        """The next version of the question; those before it can still be asked, by `version`."""
        await _stored(request, name)
        await answerer.check(request, body.url)
        values, tags = _values(request, body), tags_in(request, "if-match")

        def work(session: Session) -> WriteResult:
            question = writes.update(session, name, values, tags)
            return WriteResult(_written(question), 200, {"ETag": writes.tag_of(question)})

        return await answer_write(request, work, query)

    async def delete_question(request: Request, name: Name) -> Response:
        """For good, with all versions: whoever asks it finds nothing there."""
        await _stored(request, name)
        await database_of(request).write(lambda session: writes.delete(session, name))
        return Response(status_code=204)

    return [
        _answer_route(answerer),
        _operation(
            path="/{name}",
            name="get_question",
            summary="Read one saved question",
            answers=(Answer(model=Question),),
            refusals=(BadRequest, NotFound),
        ).route(get_question),
        _operation(
            method="PUT",
            path="/{name}",
            name="update_question",
            summary="Change one saved question",
            parameters=(IF_MATCH,),
            body=with_example(_CHANGE),
            answers=(Answer(model=QuestionEntry, headers=("ETag", *REPEATABLE)),),
            refusals=(*WRONG_BODY, NotFound, PreconditionFailed),
        ).route(update_question),
        _operation(
            method="DELETE",
            path="/{name}",
            name="delete_question",
            summary="Delete one saved question",
            not_repeated="deleting a question once more changes nothing.",
            answers=(Answer(status=204),),
            refusals=(BadRequest, NotFound),
        ).route(delete_question),
    ]


def _answer_route(answerer: Answerer) -> Route:
    async def answer_question(
        request: Request, name: Name, format: Form, query: Annotated[AnswerQuery, Query()]
    ) -> Response:
        """What is answered now at the address that the question names, in any form that it has:
        `/questions/signed-deals.csv`."""
        found = await _stored(request, name)
        versions = {each["version"]: each for each in (*found["earlier"], found)}
        version = query.version or found["version"]
        if version not in versions:
            raise NotFound(f"The question has no version {version}: the newest is {len(versions)}.")
        return await answerer.answer(request, versions[version]["url"], format)

    return _operation(
        path="/{name}.{format}",
        name="answer_question",
        summary="Answer one saved question",
        parameters=(IF_NONE_MATCH,),
        answers=(
            Answer(
                description="The answer.",
                content={"*/*": {"schema": {}}},
                headers=("ETag", "Vary", "Link", "Content-Disposition", "Content-Location"),
            ),
            NOT_MODIFIED,
        ),
        refusals=(BadRequest, NotFound, Invalid),
    ).route(answer_question)


def _values(request: Request, body: QuestionUpdate) -> Values:
    """What is stored: the address as it is here, wherever the service is shown."""
    url = without_root(body.url, public_root())
    return body.model_dump() | {"url": url, "made_by": actor_of(request)}


def _written(question: SavedQuestion) -> str:
    shown = {name: getattr(question, name) for name in QuestionEntry.model_fields}
    return QuestionEntry(**with_public_url(shown)).model_dump_json()


def _operation(path: str = "", **said: Value) -> Operation:
    return Operation(path=f"/questions{path}", tag="questions", **said)
