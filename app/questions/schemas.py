"""Saved questions as they are written and read."""

from typing import Annotated

from pydantic import Field, StringConstraints

from app.core.validation import Example
from app.engine.schemas import Line, Page, Ref, Schema, Timestamp


class QuestionUpdate(Schema):
    """What a question asks from now on."""

    url: Annotated[
        str,
        StringConstraints(max_length=4000, pattern=r"^/[^/#\s][^#\s]*$"),
        Example("/agreements?status=signed"),
    ]
    """The path and query of a read of this service: a list, an aggregate, a summary, a dataset, a
    chart. How it ends (`.csv`) does not matter: that is chosen by whoever asks."""
    note: Line | None = None
    """What it is for, in your own words."""


class QuestionFields(QuestionUpdate):
    """A new question."""

    name: Ref
    """What it is called in its address."""


class QuestionVersion(Schema):
    """A question as it is or was."""

    version: int
    """Counted from 1; each change makes the next one."""
    url: str
    """What is asked."""
    note: str | None
    """What it is for."""
    made_at: Timestamp
    """When this version was made, UTC."""
    made_by: str
    """Who made it."""


class QuestionEntry(QuestionVersion):
    """A question in a list, as it is now."""

    name: str
    """What it is called in its address."""


class QuestionList(Schema):
    """A page of questions."""

    data: list[QuestionEntry]
    """The questions, by name."""
    page: Page
    """Where this page lies within all of them."""


class Question(QuestionEntry):
    """A question, as it is and as it was."""

    earlier: list[QuestionVersion]
    """What it was before, oldest first."""
    forms: dict[str, str] = Field(json_schema_extra={"additionalProperties": {"type": "string"}})
    """Where it is answered, by form: `csv`, `xlsx`, `json`, or `svg` and `png` of a chart."""
