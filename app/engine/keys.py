"""What names a record in an address or in a file: its id, its ref, or a name that it goes by."""

import re
from functools import cache
from uuid import UUID

from app.core.errors import NotFound
from app.core.public_path import public_path
from app.engine.resource import Resource
from app.engine.search.searched import searched

_ID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


def as_id(key: str) -> UUID | None:
    """The UUID that a key of an address is, or None when it is a ref."""
    return UUID(key) if _ID.fullmatch(key) else None


def is_askable(key: str) -> bool:
    """Whether a record can have the key at all: PostgreSQL would not even take some texts."""
    return key.isascii() and key.isprintable()


def missing(resource: Resource, key: str) -> NotFound:
    """The 404 of a record that never was."""
    return NotFound(f"There is no {resource.singular} with the id or ref {key!r}.")


def in_trash(resource: Resource, key: str) -> NotFound:
    """The 404 of a record in the trash."""
    return NotFound(
        f"The {resource.singular} {key!r} is in the trash. Read it with ?deleted=include, or bring"
        f" it back with POST {public_path(f'/{resource.path}/{key}/restore')}."
    )


@cache
def names_of(resource: Resource) -> tuple[str, ...]:
    """The fields that say what a record is called: those lines of text that it must have, and the
    same in English."""
    fields = resource.fields.model_fields
    own = [name for name in searched(resource).names if fields[name].is_required()]
    return tuple(name for word in own for name in (word, f"{word}_en") if name in fields)
