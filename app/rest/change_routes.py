"""The HTTP operation that reads the log of all changes."""

from typing import Annotated

from fastapi import Query, Request
from starlette.responses import Response

from app.core.http.dispatch import Route
from app.core.http.operation import Answer, Operation
from app.engine.resource import Resource
from app.rest.changes import ChangeList, ChangesQuery, answer_feed


def changes_route(resources: tuple[Resource, ...]) -> Route:
    """GET /changes"""

    async def list_changes(request: Request, query: Annotated[ChangesQuery, Query()]) -> Response:
        """Every write there was, in the order in which they were committed, without a gap. To
        follow the feed, ask again with `since` set to the `seq` that you have read last."""
        return await answer_feed(request, query, resources)

    return Operation(
        path="/changes",
        name="list_changes",
        summary="List the changes of all records",
        tag="changes",
        answers=(Answer(model=ChangeList, headers=("Link",)),),
    ).route(list_changes)
