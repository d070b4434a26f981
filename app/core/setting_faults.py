"""Says which setting is wrong and what would be right, in the words of whoever sets it."""

import re
from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from typing import Any, get_args, get_origin

from pydantic import ValidationError
from pydantic.fields import FieldInfo

from app.core.loose_types import Fields

#: The longest part of a value that is shown.
SHOWN_CHARACTERS = 60
#: Settings whose value may hold a password: it is not shown.
SECRET = {"admin_key", "database_url", "database_read_url", "secret_keys"}
#: What is needed of settings whose type does not say it.
NEEDED = {
    "host": "an address or a name to listen on",
    "rate_limit": "a rate like 600/minute (second, minute, hour or day), or nothing,",
    "rate_limit_key": "a rate like 600/minute (second, minute, hour or day), or nothing,",
    "oidc_roles": "role=scope, separated by commas, with the scopes read, write and admin,",
}
#: What Kubernetes sets in a container for each service of its namespace, as `name=value`: those of
#: a service `trade-missions` begin as settings do.
SERVICE_LINK = re.compile(
    r"_SERVICE_HOST=|_SERVICE_PORT(_\w+)?=|_PORT=\w+://|_PORT_\d+_(TCP|UDP|SCTP)(_\w+)?="
)


class InvalidSettings(ValueError):
    """Settings that cannot be worked with: a sentence a line."""


def misspelt(variables: Mapping[str, str], prefix: str, known: Iterable[str]) -> Iterator[str]:
    """Variables that begin as settings do and are none, each with the nearest that is one."""
    names = [name.removeprefix(prefix) for name in known]
    for variable, value in sorted(variables.items()):
        # Settings are found in any case, as on Windows, which has no other.
        name = variable.upper().removeprefix(prefix)
        if name == variable.upper() or name in names:
            continue
        if SERVICE_LINK.search(f"_{name}={value}"):
            continue
        near = get_close_matches(name, names, 1, 0.6)
        hint = (
            f"did you mean {prefix}{near[0]}?"
            if near
            else "docs/operations.md lists those there are."
        )
        yield f"{variable} is no setting; {hint}"


def sentences(
    error: ValidationError, fields: Mapping[str, FieldInfo], names: Mapping[str, str]
) -> Iterator[str]:
    """A sentence for each fault that was found; `names` says how a setting was given."""
    for fault in error.errors(include_url=False):
        message = str(fault.get("ctx", {}).get("error", ""))
        if not fault["loc"]:
            yield message
            continue
        field = str(fault["loc"][0])
        name = names.get(field, field)
        needed = message or _needed(field, fields)
        if field in SECRET:
            # What is wrong with an address is a sentence already.
            whole = message[:1].isupper()
            yield f"{name}: {message}" if whole else f"{name} is not right: {needed} is needed."
            continue
        # The whole is at fault, or an item of a list.
        verb = "is" if len(fault["loc"]) == 1 else "holds"
        yield f"{name} {verb} {_shown(fault['input'])}: {needed} is needed."


def _shown(value: object) -> str:
    text = str(value)
    return repr(text if len(text) <= SHOWN_CHARACTERS else f"{text[:SHOWN_CHARACTERS]}…")


def _needed(name: str, fields: Mapping[str, FieldInfo]) -> str:
    if name in NEEDED or name not in fields:
        return NEEDED.get(name, "text")
    field = fields[name]
    if field.annotation is bool:
        return "true or false"
    if field.annotation in (int, float):
        word = "a whole number" if field.annotation is int else "a number"
        return word + _range(field)
    if choices := _choices(field.annotation):
        *others, last = choices
        return f"{', '.join(others)} or {last}"
    return "text in UTF-8"


def _range(field: FieldInfo) -> str:
    limits: Fields = {}
    for item in field.metadata:
        for limit in ("ge", "gt", "le"):
            if hasattr(item, limit):
                limits[limit] = getattr(item, limit)
    low = f"from {limits['ge']}" if "ge" in limits else f"above {limits.get('gt')}"
    if "le" not in limits:
        return f" of at least {limits['ge']}" if "ge" in limits else f" {low}"
    return f" {low} to {limits['le']}" if "ge" in limits else f" {low}, at most {limits['le']},"


def _choices(annotation: Any) -> list[str]:
    """The words of a Literal, alone or within a tuple."""
    inner = get_args(annotation)[0] if get_origin(annotation) is tuple else annotation
    return [str(word) for word in get_args(inner) if isinstance(word, str)]
