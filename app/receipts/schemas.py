"""Receipts as they are written and read."""

from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import Field, StringConstraints

from app.core.loose_types import Json, JsonValue
from app.core.validation import Example
from app.engine.schemas import Line, Page, Schema, Timestamp


class ReceiptFields(Schema):
    """A new receipt."""

    url: Annotated[
        str,
        StringConstraints(max_length=2000, pattern=r"^/[^/#\s][^#\s]*$"),
        Example("/missions/…/summary"),
    ]
    """What to ask: the path and query of a read of this service that answers JSON of records: one
    record, a list, an aggregate, a summary."""
    note: Line | None = None
    """What it is for, in your own words: where the figure is quoted."""


class ReceiptEntry(Schema):
    """A receipt in a list."""

    id: UUID
    """UUID version 7."""
    url: str
    """What was asked."""
    note: str | None
    """What it is for."""
    position: str
    """How far the change log had come, for `as_of` and for `since` of the changes."""
    made_at: Timestamp
    """When it was made, UTC."""
    made_by: str
    """Who made it."""
    record_count: int
    """How many records are kept as standing behind the answer."""
    is_traced: bool
    """Whether it is known which records stand behind the answer."""
    is_cut: bool
    """Whether there are more records or passages behind the answer than are kept."""


class ReceiptList(Schema):
    """A page of receipts."""

    data: list[ReceiptEntry]
    """The receipts, newest first."""
    page: Page
    """Where this page lies within all of them."""


class RecordVersion(Schema):
    """A record as it stood behind an answer."""

    kind: str
    """The kind of record."""
    id: UUID
    """The record's id."""
    version: int
    """Its version."""


class Difference(StrEnum):
    """What has become of a record behind an answer."""

    ADDED = "added"
    CHANGED = "changed"
    GONE = "gone"
    UNKNOWN = "unknown"


class RecordDifference(Schema):
    """A record that stands behind the answer otherwise than it did."""

    kind: str
    """The kind of record."""
    id: UUID
    """The record's id."""
    difference: Difference
    """`added` and `gone` tell that it has come to count, or does not any more; `unknown` that it
    was purged or is withheld."""
    version_then: int | None
    """The version that stood behind the answer."""
    version_now: int | None
    """The record's present version, in the trash or not."""
    changes: dict[str, list[JsonValue]] = Field(json_schema_extra={"additionalProperties": {}})
    """For each field that has changed since, `[then, now]`."""


class RateDifference(Schema):
    """An exchange rate of one provider, day and pair of currencies in both answers."""

    then: Json | None
    """The rate as it was; null where none of these was used."""
    now: Json | None
    """The rate as it is; null where none of these is used."""


class Receipt(ReceiptEntry):
    """A receipt, compared with what is answered now."""

    url: str | None  # type: ignore[assignment]
    """What was asked; null where what stands behind the answer is withheld by now."""
    then: Json | None
    """The answer as it was, without what is withheld by now; null while a record behind it is
    purged or withheld."""
    now: Json | None
    """What is answered now; null where that is a problem."""
    problem: str | None
    """Why nothing is answered now."""
    differs: bool
    """Whether the two answers say different things; the cursors of a page do not count."""
    position_now: str
    """How far the change log has come."""
    records: list[RecordVersion]
    """The records behind the answer as it was."""
    passages: list[RecordVersion]
    """The citations of these records."""
    rates: list[JsonValue] = Field(json_schema_extra={"items": {}})
    """The exchange rates that the answer tells of."""
    differences: list[RecordDifference]
    """The records and passages that have changed, have come to count, or do not any more."""
    differences_count: int
    """How many these are in all."""
    rate_differences: list[RateDifference]
    """The exchange rates that are not the same in both answers."""
