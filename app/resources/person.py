"""People: their names as printed, and nothing private."""

from typing import Annotated

from pydantic import Field
from sqlalchemy.orm import Mapped

from app.core.text.alike_names import words_keys
from app.engine.record import Record, code_list
from app.engine.resource import Resource, Similarity
from app.engine.schemas import Line, Noted, RecordFields

OtherNames = Annotated[
    list[Line], Field(max_length=50, description="Further names and spellings, as printed.")
]


class Person(Record):
    __tablename__ = "person"

    full_name: Mapped[str]
    full_name_en: Mapped[str | None]
    other_names: Mapped[list[str]] = code_list()


class PersonFields(RecordFields, Noted):
    """A person, no private data."""

    full_name: Line
    """The name as printed."""
    full_name_en: Line | None = None
    """The name in English spelling."""
    other_names: OtherNames = []


person = Resource(
    name="Person",
    path="people",
    table=Person,
    fields=PersonFields,
    about="A person who takes part in missions or is quoted: names only, no private data.",
    body_of_name=lambda _, name: {"full_name": name},
    similarity=Similarity(
        names=("full_name", "full_name_en", "other_names"), keys=words_keys, in_sheets=False
    ),
)
