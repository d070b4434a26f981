"""The HTTP operations of receipts."""

import csv
import io
from collections.abc import Sequence
from functools import lru_cache
from typing import Annotated
from uuid import UUID

from fastapi import Body, Path, Query, Request
from sqlalchemy import Dialect, bindparam, select
from sqlalchemy.orm import Session
from starlette.responses import Response

from app.core import json_codec
from app.core.auth.principals import Permission
from app.core.databases.expressions import AnyTable
from app.core.databases.interface import CompiledQuery, compile_query
from app.core.databases.types import Id, uuid7
from app.core.errors import BadRequest, Invalid, NotFound, Unavailable
from app.core.http.dispatch import Route
from app.core.http.operation import Answer, Operation, with_example
from app.core.http.responses import JsonResponse
from app.core.loose_types import Json, Value, Values
from app.core.public_path import public_url
from app.core.sheets.sheet import neutralise
from app.engine.query.cursor import cursor_scope
from app.engine.query.render import as_json, object_of
from app.engine.resource import Resource
from app.receipts import writes
from app.receipts.asking import Asker, Question, at_position
from app.receipts.behind import Behind, Key, Tracer, rates_in
from app.receipts.comparing import Comparer
from app.receipts.schemas import Receipt as ReceiptShown
from app.receipts.schemas import ReceiptEntry, ReceiptFields, ReceiptList
from app.receipts.tables import Receipt
from app.rest.changes import HistoryQuery
from app.rest.handlers import database_of, position_of
from app.rest.operations import REPEATABLE, WRONG_BODY
from app.rest.pages import answer_page, current_page
from app.rest.table_lists import (
    TableList,
    find_rows,
    read_page,
    with_public_url,
    with_public_urls,
)
from app.rest.transactions import WriteResult, actor_of
from app.rest.write_handlers import WriteQuery, answer_write

ReceiptId = Annotated[UUID, Path(description="The receipt's id.")]
EXAMPLE = {
    "url": "/missions/novosibirsk-april/summary",
    "note": "Annual report, page 12: what came of the mission",
}
#: How often an answer is asked for, while others write, until it is of one moment.
_ATTEMPTS = 5
_CSV = "text/csv"


def _entry(table: AnyTable) -> Values:
    return {name: as_json(getattr(table, name)) for name in ReceiptEntry.model_fields}


RECEIPTS = TableList(Receipt, _entry, newest_first=True)


@lru_cache(maxsize=4)
def _one_statement(dialect: Dialect) -> CompiledQuery:
    """Reads `(json,)` of the receipt `:key`."""
    names = ("answer", "records", "passages", "rates")
    fields = {**_entry(Receipt), **{name: as_json(getattr(Receipt, name)) for name in names}}
    statement = select(object_of(fields)).where(Receipt.id == bindparam("key", type_=Id()))
    return compile_query(statement, dialect)


async def _stored(request: Request, key: UUID) -> Json:
    database = database_of(request)
    rows = await database.read(_one_statement(database.dialect), {"key": key}, point_lookup=True)
    if not rows:
        raise writes.missing(key)
    found: Json = json_codec.loads_stored(rows[0][0])
    return with_public_url(found)


def receipt_routes(
    routes: Sequence[Route], resources: Sequence[Resource], citation: Resource
) -> list[Route]:
    """All operations of receipts, of what these routes answer."""
    asker = Asker(routes, resources)
    tracer = Tracer(asker, citation)
    return [*_receipts(asker, tracer), *_one_receipt(Comparer(asker, tracer))]


def _receipts(asker: Asker, tracer: Tracer) -> list[Route]:
    async def list_receipts(request: Request, query: Annotated[HistoryQuery, Query()]) -> Response:
        """Newest first, with what they ask: for whoever may see what is withheld."""
        at = await current_page(request, query.limit, query.cursor, cursor_scope("receipts"))
        return answer_page(at, with_public_urls(await read_page(at, RECEIPTS, {})))

    async def export_receipts(request: Request) -> Response:
        """All of them, newest first, without the answers."""
        rows = await find_rows(database_of(request), RECEIPTS, {}, writes.MAX_RECEIPTS)
        entries = (with_public_url(json_codec.loads_stored(row[0])) for row in rows)
        return Response(_table(list(entries)), media_type=_CSV)

    async def create_receipt(
        request: Request,
        query: Annotated[WriteQuery, Query()],
        body: Annotated[ReceiptFields, Body()],
    ) -> Response:
        """Keeps what is answered at an address now, to whoever may read and no more, with the
        position of the log and the records behind it."""
        question = asker.question(body.url)
        made = await _made(request, question, asker, tracer)
        values = {**made, "id": uuid7(), "note": body.note, "made_by": actor_of(request)}

        def work(session: Session) -> WriteResult:
            writes.create(session, values)
            shown = {name: values.get(name) for name in ReceiptEntry.model_fields}
            stored = session.get_one(Receipt, values["id"])
            shown |= {"made_at": stored.made_at, "url": public_url(stored.url)}
            entry = ReceiptEntry(**shown)
            location = {"Location": f"/receipts/{stored.id}"}
            return WriteResult(entry.model_dump_json(), 201, location)

        return await answer_write(request, work, query)

    return [
        _operation(
            name="list_receipts",
            summary="List the receipts",
            needs=Permission.WRITE,
            answers=(Answer(model=ReceiptList, headers=("Link",)),),
        ).route(list_receipts),
        _operation(
            path=".csv",
            name="export_receipts",
            summary="Export the receipts, as CSV",
            needs=Permission.WRITE,
            answers=(
                Answer(description="The receipts.", content={_CSV: {"schema": {"type": "string"}}}),
            ),
        ).route(export_receipts),
        _operation(
            method="POST",
            name="create_receipt",
            summary="Keep an answer",
            body=with_example(EXAMPLE),
            answers=(Answer(status=201, model=ReceiptEntry, headers=("Location", *REPEATABLE)),),
            refusals=(*WRONG_BODY, NotFound),
        ).route(create_receipt),
    ]


def _one_receipt(comparer: Comparer) -> list[Route]:
    async def get_receipt(request: Request, id: ReceiptId) -> Response:
        """The answer then and now, and what has changed of the records behind it."""
        receipt = await _stored(request, _id(id))
        return JsonResponse(json_codec.dumps(await comparer.compare(request, receipt)))

    async def delete_receipt(request: Request, id: ReceiptId) -> Response:
        """For good: whoever quotes it finds nothing there."""
        key = _id(id)
        await database_of(request).write(lambda session: writes.delete(session, key))
        return Response(status_code=204)

    return [
        _operation(
            path="/{id}",
            name="get_receipt",
            summary="Compare one receipt with the present",
            answers=(Answer(model=ReceiptShown),),
            refusals=(BadRequest, NotFound),
        ).route(get_receipt),
        _operation(
            method="DELETE",
            path="/{id}",
            name="delete_receipt",
            summary="Delete one receipt",
            needs=Permission.ADMIN,
            not_repeated="deleting a receipt once more changes nothing.",
            answers=(Answer(status=204),),
            refusals=(BadRequest, NotFound),
        ).route(delete_receipt),
    ]


async def _made(request: Request, question: Question, asker: Asker, tracer: Tracer) -> Values:
    """What is kept of the answer to a question, all of it of one moment: the present, or where
    others write meanwhile that of a position, as far as it can be asked for."""
    asked = question
    for _ in range(_ATTEMPTS):
        position = await position_of(request)
        if asked is not question:
            asked = at_position(question, position)
        answer = await asker.body(request, asked)
        if len(answer) > writes.MAX_ANSWER_BYTES:
            text = (
                f"The answer has {len(answer):,} bytes, and a receipt keeps at most"
                f" {writes.MAX_ANSWER_BYTES:,}: narrow it by filters, fields or a limit."
            )
            raise Invalid.at("/url", "too_large", text)
        behind = await tracer.trace(request, asked)
        if asked is not question or await position_of(request) == position:
            return _values(question, position, answer, behind)
        asked = at_position(question, position)
    raise Unavailable(
        "Others write all the time: the answer and what stands behind it could not be read at one"
        " moment. Nothing was stored; try again shortly.",
        headers={"Retry-After": "5"},
    )


def _values(question: Question, position: str, answer: bytes, behind: Behind) -> Values:
    return {
        "url": question.url,
        "position": position,
        "answer": answer.decode(),
        "records": _listed(behind.records),
        "passages": _listed(behind.passages),
        "rates": json_codec.dumps(rates_in(json_codec.loads(answer))).decode(),
        "record_count": len(behind.records),
        "is_traced": behind.is_traced,
        "is_cut": behind.is_cut,
    }


def _listed(records: dict[Key, int]) -> str:
    return json_codec.dumps(
        [
            {"kind": kind, "id": record_id, "version": version}
            for (kind, record_id), version in sorted(records.items())
        ]
    ).decode()


def _table(receipts: list[Json]) -> str:
    """The receipts as CSV (RFC 4180) with a header."""
    file = io.StringIO(newline="")
    writer = csv.writer(file)
    writer.writerow(ReceiptEntry.model_fields)
    for receipt in receipts:
        writer.writerow([_cell(receipt[name]) for name in ReceiptEntry.model_fields])
    return file.getvalue()


def _cell(value: Value) -> Value:
    if isinstance(value, bool):
        return "true" if value else "false"
    return neutralise(value) if isinstance(value, str) else value


def _id(text: object) -> UUID:
    try:
        return UUID(str(text))
    except ValueError:
        raise writes.missing(text) from None


def _operation(path: str = "", **said: Value) -> Operation:
    return Operation(path=f"/receipts{path}", tag="receipts", **said)
