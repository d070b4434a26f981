"""Whether the process lives and whether it can serve, for whoever watches over it."""

import asyncio
import logging
import time
from collections.abc import Coroutine, Mapping
from enum import StrEnum
from typing import TypeVar
from weakref import WeakKeyDictionary

from fastapi import Request
from pydantic import BaseModel, Field
from sqlalchemy import update
from sqlalchemy.orm import Session
from starlette.responses import Response

from app.core import json_codec
from app.core.auth.principals import Permission
from app.core.databases.interface import Database
from app.core.databases.schema_revision import newest, revision_statement
from app.core.errors import Fault, Problem, Unavailable
from app.core.http.app_state import state_of
from app.core.http.dispatch import Route
from app.core.http.operation import Answer, Operation
from app.core.http.responses import JsonResponse
from app.core.instance_secret import Installation
from app.core.loose_types import Fields

log = logging.getLogger("trade_missions")

T = TypeVar("T")

_NEVER_KEPT = {"Cache-Control": "no-store"}
#: Whoever watches over a service waits for a few seconds and then takes a slow answer for none.
CHECK_TIMEOUT_SECONDS = 2.0
#: How often it is tried to write, however often is asked: anybody may ask.
WRITE_CHECK_SECONDS = 5.0
#: What came of it and when, by database.
_written: WeakKeyDictionary[Database, tuple[float, "Check"]] = WeakKeyDictionary()


class CheckState(StrEnum):
    """How a check went."""

    OK = "ok"
    #: Something is amiss, but requests are served.
    DEGRADED = "degraded"
    FAILED = "failed"


class Check(BaseModel):
    """One thing that was looked at."""

    name: str = Field(
        description="What was looked at: `database`, `migrations`, `writing` or `replica`."
    )
    state: CheckState = Field(description="`ok`; `degraded`: it serves all the same; or `failed`.")
    detail: str = Field(description="What was found, and what to do where it is not ok.")


class Health(BaseModel):
    """That the service is well, and what was looked at."""

    status: str = Field(
        description="`alive`, `ready`, or `reading`: it reads, and no write succeeds. 503: neither."
    )
    checks: list[Check] = Field(description="What was looked at; nothing at all for `alive`.")


class NotReady(Unavailable):
    """The 503 of a service that cannot serve: a problem with the checks as `checks` beside it."""

    def __init__(self, checks: list[Check]) -> None:
        failed = [check for check in checks if check.state is CheckState.FAILED]
        faults = [Fault(check.name, check.detail) for check in failed]
        super().__init__(
            f"Not ready: {' '.join(check.detail for check in failed)}",
            faults,
            {"Retry-After": "5"},
        )
        self.checks = checks

    def body(self, instance: str, request_id: str) -> bytes:
        members = json_codec.loads(super().body(instance, request_id))
        return json_codec.dumps(members | {"checks": [check.model_dump() for check in self.checks]})


def health_routes() -> list[Route]:
    """GET /health/live and GET /health/ready, open to everybody."""
    alive = json_codec.dumps(Health(status="alive", checks=[]).model_dump())

    async def get_health_live(request: Request) -> Response:
        """Answers as long as the process does, and looks at nothing else: for deciding whether to
        start it anew. A database that is away is no reason for that."""
        return JsonResponse(alive, headers=_NEVER_KEPT)

    async def get_health_ready(request: Request) -> Response:
        """Looks whether requests can be served: the database is reached within two seconds and its
        tables are at the revision that this version needs. For deciding whether to send requests
        here; 503 tells what is amiss, in `errors` and in `checks`."""
        checks = await find_checks(state_of(request).database)
        if any(check.state is CheckState.FAILED for check in checks):
            raise NotReady(checks)
        writes = all(check.name != "writing" or check.state is CheckState.OK for check in checks)
        status = "ready" if writes else "reading"
        body = json_codec.dumps(Health(status=status, checks=checks).model_dump())
        return JsonResponse(body, headers=_NEVER_KEPT)

    said: Fields = {
        "tag": "operation",
        "answers": (Answer(model=Health),),
        "needs": Permission.PUBLIC,
    }
    live, ready = "Tell whether the process lives", "Tell whether requests can be served"
    return [
        Operation(path="/health/live", name="get_health_live", summary=live, **said).route(
            get_health_live
        ),
        Operation(path="/health/ready", name="get_health_ready", summary=ready, **said).route(
            get_health_ready
        ),
    ]


async def find_checks(database: Database) -> list[Check]:
    """All checks, within `CHECK_TIMEOUT_SECONDS` seconds and a little."""
    needed = await asyncio.to_thread(newest)
    found = await _revision(database)
    if isinstance(found, Check):
        return [found, *_replica(database.gauges())]
    reached = Check(name="database", state=CheckState.OK, detail="The database answers.")
    migrations = _migrations(needed, found[0])
    if migrations.state is CheckState.FAILED:
        return [reached, migrations, *_replica(database.gauges())]
    return [reached, migrations, await _writing(database), *_replica(database.gauges())]


async def _writing(database: Database) -> Check:
    """Whether a write succeeds, tried at most every `WRITE_CHECK_SECONDS`."""
    known = _written.get(database)
    if known is None or known[0] < time.monotonic() - WRITE_CHECK_SECONDS:
        known = _written[database] = (time.monotonic(), await _try_to_write(database))
    return known[1]


async def _try_to_write(database: Database) -> Check:
    try:
        await within_timeout(database.write(_write_nothing_new))
    except TimeoutError:
        detail = f"A write was not done within {CHECK_TIMEOUT_SECONDS:g} seconds."
    except Problem as problem:
        return _not_writing(_first_sentence(problem))
    except Exception as error:
        log.error("writing could not be checked", exc_info=error)
        detail = "Writing failed; the log tells how."
    else:
        return Check(name="writing", state=CheckState.OK, detail="The database stores.")
    return _not_writing(detail)


def note_full(database: Database, problem: Problem) -> None:
    """Tell from now on, until it is tried again, that a write has found no room."""
    _written[database] = (time.monotonic(), _not_writing(_first_sentence(problem)))


def _not_writing(detail: str) -> Check:
    return Check(name="writing", state=CheckState.DEGRADED, detail=f"Reading works. {detail}")


def _first_sentence(problem: Problem) -> str:
    return problem.detail.partition(". ")[0].removesuffix(".") + "."


def _write_nothing_new(session: Session) -> None:
    """A write that goes to the disk and changes nothing."""
    session.execute(update(Installation).values(id=Installation.id))


async def _revision(database: Database) -> tuple[str | None] | Check:
    """The revision of the database, or the check that failed."""
    try:
        return (await within_timeout(_read_revision(database)),)
    except TimeoutError:
        return _failed(f"The database did not answer within {CHECK_TIMEOUT_SECONDS:g} seconds.")
    except Problem as problem:
        return _failed(_first_sentence(problem))
    except Exception as error:
        # What the driver says may name hosts and users, which is for the log alone.
        log.error("the database could not be checked", exc_info=error)
        return _failed("Looking at the database failed; the log tells how.")


async def _read_revision(database: Database) -> str | None:
    rows = await database.read(revision_statement(database.dialect), {}, point_lookup=True)
    return str(rows[0][0]) if rows else None


def _failed(detail: str) -> Check:
    return Check(name="database", state=CheckState.FAILED, detail=detail)


def _migrations(needed: str, found: str | None) -> Check:
    if found == needed:
        return Check(
            name="migrations", state=CheckState.OK, detail=f"The tables are at revision {found}."
        )
    return Check(
        name="migrations",
        state=CheckState.FAILED,
        detail=f"The tables are at revision {found or 'none'}; this version needs {needed}."
        " Run: trade-missions migrate",
    )


def _replica(gauges: Mapping[str, float]) -> list[Check]:
    """How reads from a replica fare; nothing where none is set up."""
    if "replica_in_use" not in gauges:
        return []
    lag = gauges.get("replica_lag_seconds", -1)
    if gauges["replica_in_use"]:
        behind = f", {lag:.1f} seconds behind" if lag >= 0 else ""
        detail, state = f"Reads go to the replica{behind}.", CheckState.OK
    else:
        detail = "The replica is away or too far behind; reads go to the main database."
        state = CheckState.DEGRADED
    return [Check(name="replica", state=state, detail=detail)]


async def within_timeout(reading: Coroutine[object, object, T]) -> T:
    """What the reading gives; TimeoutError after `CHECK_TIMEOUT_SECONDS`, whatever it does then.

    Not `asyncio.timeout`: a driver that is told to stop waits for the server once more.
    """
    task = asyncio.ensure_future(reading)
    done, _ = await asyncio.wait([task], timeout=CHECK_TIMEOUT_SECONDS)
    if done:
        return task.result()
    task.add_done_callback(_forget)
    task.cancel()
    raise TimeoutError(f"no answer within {CHECK_TIMEOUT_SECONDS:g} seconds")


def _forget(task: "asyncio.Future[T]") -> None:
    if not task.cancelled():
        task.exception()
