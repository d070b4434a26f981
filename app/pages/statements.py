"""What somebody said, as pages show it."""

from collections.abc import Sequence
from dataclasses import dataclass

from app.core.loose_types import Value
from app.pages.context import PageContext

_SHOWN = (
    (
        "fields",
        "id,ref,withheld,paraphrase,modality,is_quote,date,speaker.description,speaker.person.id,"
        "speaker.person.full_name,speaker.person.full_name_en,person.id,person.full_name,"
        "person.full_name_en,on_behalf_of.id,on_behalf_of.name,on_behalf_of.name_en",
    ),
    ("expand", "speaker.person,person,on_behalf_of"),
    ("limit", "200"),
)
_SPEAKERS = ("speaker_id", "person_id", "on_behalf_of_id")


@dataclass(frozen=True, slots=True)
class Said:
    """A statement."""

    text: str
    modality: str
    speaker: str | None
    #: What is said where nobody is told.
    speaker_missing: str
    speaker_address: str | None
    date: str | None
    address: str


async def statements_of(context: PageContext, path: str, **steps: str) -> Sequence[Said]:
    """The statements that are listed at an address."""
    return [_said(context, row) for row in await context.rows(path, _SHOWN, **steps)]


def _said(context: PageContext, row: Value) -> Said:
    speaker = row.get("speaker") or {}
    told: str | None
    address: str | None
    person = row.get("person") or speaker.get("person")
    if person:
        told, address = context.title(person, "full_name"), context.record("person", person)
    elif organization := row.get("on_behalf_of"):
        told = context.title(organization, "name")
        address = context.record("organization", organization)
    else:
        told, address = speaker.get("description"), None
    return Said(
        text=str(row["paraphrase"] or context.say("withheld")),
        modality=context.name("modalities", row["modality"]),
        speaker=told,
        speaker_missing=context.say(
            "withheld"
            if context.is_withheld("statement", row, *_SPEAKERS)
            else "speaker_not_stated"
        ),
        speaker_address=address,
        date=context.date(row.get("date")),
        address=context.api(f"/statements/{row['id']}"),
    )
