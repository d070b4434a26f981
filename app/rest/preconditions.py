"""If-Match and If-None-Match of writes (RFC 9110, 13.1), and the entity tag of what was written."""

from collections.abc import Callable

from sqlalchemy.orm import Session
from starlette.requests import Request

from app.core.errors import (
    PreconditionFailed,
    PreconditionRequired,
)
from app.core.http.app_state import state_of
from app.core.http.conditional import tags_in, weakened
from app.core.instance_secret import epoch_within
from app.engine.record import Record
from app.engine.resource import Resource
from app.engine.writes.store import Guard, Stored, no_guard
from app.rest.decimals import without_form
from app.rest.handlers import tag_of

#: What makes a guard for the records of one transaction.
GuardWithin = Callable[[Session], Guard]


def guard_of(request: Request, resource: Resource) -> GuardWithin:
    """What If-Match and If-None-Match ask of a record before it is changed; PreconditionRequired
    (428) when the service is set to ask for the former and it is not there."""
    tags, others = tags_in(request, "if-match"), tags_in(request, "if-none-match")
    tags = tags and [without_form(_uncoded(tag)) for tag in tags]
    others = others and [without_form(_uncoded(tag)) for tag in others]
    if tags is None and state_of(request).require_if_match:
        raise PreconditionRequired("Send If-Match with the ETag of the record as you have read it.")
    if tags in (None, ["*"]) and others is None:
        return lambda session: no_guard
    return lambda session: _guard(resource, tags or ["*"], others or [], epoch_within(session))


def _guard(resource: Resource, tags: list[str], others: list[str], epoch: str) -> Guard:
    def guard(record: Record) -> None:
        tag = tag_of(resource, record.id, record.version, epoch)
        # The last part of some tags is the state of other records, which a write does not change.
        known = {_core(each) for each in tags} if resource.derived_elsewhere else set(tags)
        if tags != ["*"] and (_core(tag) if resource.derived_elsewhere else tag) not in known:
            raise PreconditionFailed(
                _weak_detail(resource, record)
                if _core(tag) in {_core(weakened(each)) for each in tags}
                else _other_detail(resource, record, tags, epoch),
                headers={} if resource.derived_elsewhere else {"ETag": tag},
            )
        if others == ["*"] or _core(tag) in {_core(each.removeprefix("W/")) for each in others}:
            raise PreconditionFailed(f"The {resource.singular} is as If-None-Match says.")

    return guard


def _weak_detail(resource: Resource, record: Record) -> str:
    """The 412 of a tag that is the present one but for being weak, as compressing proxies make it;
    by RFC 9110 (13.1.1) a weak one matches nothing."""
    return (
        f"The {resource.singular} has not changed: it is at version {record.version} as you have"
        ' read it. But a weak tag, W/"…", guards nothing: send it without W/. A proxy that'
        " compresses answers may have put that there."
    )


def _other_detail(resource: Resource, record: Record, tags: list[str], epoch: str) -> str:
    """The 412 of a tag that is not the present one: an older one of the record, or of something
    else, of which it would be wrong to say that the record has changed."""
    own = [core for core in map(_core, map(weakened, tags)) if core[1:2] == (_tail(record),)]
    if not own:
        return (
            f"If-Match has no tag of this {resource.singular}: it may be that of a list or of"
            f" another record. Read the {resource.singular}, which is at version {record.version},"
            " and send its ETag."
        )
    if all(core[-1] != epoch for core in own):
        return (
            "The database was restored since the tag was given out. Read the"
            f" {resource.singular} again, which is at version {record.version}, and send its"
            " present ETag."
        )
    return (
        f"The {resource.singular} has changed since: it is at version {record.version}. Read it"
        " again, and send its present ETag."
    )


def _tail(record: Record) -> str:
    """What tags have of the record's id."""
    return str(record.id)[-12:]


def _uncoded(tag: str) -> str:
    """A tag without what a proxy has added; a weak one stays weak."""
    return ("W/" if tag.startswith("W/") else "") + weakened(tag)


def _core(tag: str) -> tuple[str, ...]:
    """What a tag says of the record itself: its version, its id and the epoch."""
    version, *others = tag.strip('"').split("-")
    return version, *others[:1], *others[-1:]


def headers_of(resource: Resource, stored: Stored, epoch: str) -> dict[str, str]:
    """The ETag of a record that was written, where it is known before the commit."""
    if resource.derived_elsewhere:
        return {}
    return {"ETag": tag_of(resource, stored.id, stored.version, epoch)}
