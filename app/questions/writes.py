"""What is written of saved questions, each a function of a Session within its transaction."""

from datetime import datetime
from typing import Final

from sqlalchemy import delete as sql_delete
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.core import json_codec
from app.core.databases.types import instant_text, now
from app.core.errors import Conflict, NotFound, PreconditionFailed
from app.core.loose_types import Json, Values
from app.core.public_path import public_path
from app.questions.tables import SavedQuestion

#: How many questions there can be, and how many versions of each.
MAX_QUESTIONS: Final = 1000
MAX_VERSIONS: Final = 200


def create(session: Session, values: Values) -> SavedQuestion:
    """Store a question; Conflict (409) when its name is taken or there are too many."""
    name = values["name"]
    if session.get(SavedQuestion, name) is not None:
        raise Conflict(
            f"There is a question {name!r} already: PUT {public_path(f'/questions/{name}')} changes"
            " what it asks, or choose another name."
        )
    if (session.scalar(select(func.count()).select_from(SavedQuestion)) or 0) >= MAX_QUESTIONS:
        raise Conflict(f"There are {MAX_QUESTIONS:,} questions already: delete what nobody asks.")
    question = SavedQuestion(**values)
    session.add(question)
    session.flush()
    return question


def update(session: Session, name: str, values: Values, tags: list[str] | None) -> SavedQuestion:
    """Make the next version of a question. NotFound (404) without one, PreconditionFailed (412)
    where it is not at a version that the tags name."""
    question = session.get(SavedQuestion, name, with_for_update=True)
    if question is None:
        raise missing(name)
    if tags is not None and tags != ["*"] and tag_of(question) not in tags:
        text = (
            f"The question has changed since: it is at version {question.version}."
            if _earlier_tags(question).intersection(tags)
            else "If-Match has no tag of this question: read it, and send its ETag."
        )
        raise PreconditionFailed(
            text,
            headers={"ETag": tag_of(question)},
        )
    if (question.url, question.note) == (values["url"], values["note"]):
        return question
    earlier: list[Json] = json_codec.loads_stored(question.earlier)
    if len(earlier) + 1 >= MAX_VERSIONS:
        raise Conflict(
            f"The question has {MAX_VERSIONS} versions already: save it under another name."
        )
    names = ("version", "url", "note", "made_by")
    was = {each: getattr(question, each) for each in names}
    earlier.append(was | {"made_at": instant_text(question.made_at)})
    question.earlier = json_codec.dumps(earlier).decode()
    question.version += 1
    question.made_at = now()
    for each, value in values.items():
        setattr(question, each, value)
    session.flush()
    return question


def delete(session: Session, name: str) -> None:
    """Delete a question for good; NotFound (404) without one."""
    gone = session.execute(
        sql_delete(SavedQuestion).where(SavedQuestion.name == name).returning(SavedQuestion.name)
    )
    if gone.first() is None:
        raise missing(name)


def tag_of(question: SavedQuestion) -> str:
    """The entity tag of a question: also of one that was deleted and made anew."""
    return _tag(question.version, question.made_at)


def _earlier_tags(question: SavedQuestion) -> set[str]:
    earlier: list[Json] = json_codec.loads_stored(question.earlier)
    return {_tag(each["version"], datetime.fromisoformat(each["made_at"])) for each in earlier}


def _tag(version: int, made_at: datetime) -> str:
    return f'"{version}-{int(made_at.timestamp() * 1_000_000)}"'


def missing(name: str) -> NotFound:
    """The 404 of a question that is not there."""
    return NotFound(f"There is no question {name[:100]!r}: see {public_path('/questions')}.")
