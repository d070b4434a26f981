"""The query dialect of lists: typed parameters made from the schemas, and what they ask for."""

import re
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BeforeValidator, Field, WithJsonSchema, create_model
from pydantic.fields import FieldInfo
from sqlalchemy import null

from app.core.errors import BadRequest, Fault, did_you_mean
from app.core.types import CodeList
from app.crud.resource import Part, Resource
from app.crud.schemas import Digits, Schema

MAX_LIMIT = 1000
MAX_EXPAND_DEPTH = 3

Deleted = Literal["exclude", "include", "only"]


def _whole(value: Any) -> Any:
    if isinstance(value, str) and not re.fullmatch(r"-?[0-9]{1,19}", value):
        raise ValueError("must be a whole number")
    return value


Natural = Annotated[int, Field(ge=0, le=2**53), BeforeValidator(_whole)]
Limit = Annotated[int, Field(ge=1, le=2**53), BeforeValidator(_whole)]


class ItemQuery(Schema):
    """Parameters of reading one record."""

    expand: str | None = None
    deleted: Literal["exclude", "include"] = "exclude"
    """`include` also finds a record in the trash."""


class ListQuery(Schema):
    """Parameters that every list has, besides its filters."""

    sort: str | None = None
    limit: Limit = 50
    """The most records to answer with; more than 1000 is taken for 1000."""
    offset: Natural = 0
    """How many records to pass over."""
    count: Literal["none", "exact"] = "none"
    """`exact` also counts all records that match, which takes longer."""
    deleted: Deleted = "exclude"
    """Whether records in the trash are shown: not, too, or alone."""
    expand: str | None = None


@dataclass(frozen=True, slots=True)
class Shape:
    """What makes two lists the same statement; values apart."""

    filters: tuple[str, ...] = ()
    sort: tuple[tuple[str, bool], ...] = (("id", False),)
    deleted: Deleted = "exclude"
    expand: tuple[str, ...] = ()


@cache
def list_query(resource: Resource) -> type[ListQuery]:
    """The typed parameters of a resource's lists: equality on each field, then the common ones."""
    fields: dict[str, Any] = {}
    for name in filterable(resource):
        annotation, info = resource.shown[name]
        text = f"Only records whose `{name}` is this. {info.description or ''}".strip()
        fields[name] = (_optional(annotation, info), Field(None, description=text))
    text = (
        "Fields to sort by, separated by commas, `-` before one for descending; records without a"
        " value come last, and `id` breaks ties. Example: `-updated_at,ref`."
    )
    fields["sort"] = (str | None, Field(None, max_length=200, description=text))
    fields["expand"] = _expand_field(resource)
    return create_model(f"{resource.name}Query", __base__=ListQuery, **fields)


@cache
def item_query(resource: Resource) -> type[ItemQuery]:
    """The parameters of reading one record of the resource."""
    fields: dict[str, Any] = {"expand": _expand_field(resource)}
    return create_model(f"{resource.name}ItemQuery", __base__=ItemQuery, **fields)


def _expand_field(resource: Resource) -> Any:
    names = ", ".join(f"`{name}`" for name in relations(resource))
    text = (
        "Relations to show in full beside their ids, separated by commas; a dot goes on into the"
        f" related record (at most {MAX_EXPAND_DEPTH} steps). Here: {names}."
    )
    return (str | None, Field(None, max_length=500, description=text))


def relations(at: Resource | Part) -> dict[str, Resource | Part]:
    """What can be expanded: relation → what it leads to; a part is passed through by its name."""
    if isinstance(at, Part):
        return {**at.one}
    inner = {name: part for name, part in at.parts.items() if part.one}
    return {**at.one, **inner, **{name: c.child for name, c in at.many.items()}}


def filterable(resource: Resource) -> list[str]:
    """The fields that hold one value of the record's own, to filter and sort lists by."""
    return [
        name
        for name in resource.columns
        if name not in resource.borrowed
        and not isinstance(resource.table.__table__.c.get(name, null()).type, CodeList)
    ]


def _alternatives(annotation: Any) -> tuple[Any, ...]:
    if get_origin(annotation) in (Union, UnionType):
        return get_args(annotation)
    return (annotation,)


def _optional(annotation: Any, info: FieldInfo) -> Any:
    """The field's type as a parameter takes it: from text, and possibly not there."""
    kept = tuple(t for t in _alternatives(annotation) if t is not NoneType)
    inner: Any = Union[kept] if len(kept) > 1 else kept[0]  # noqa: UP007
    metadata = (*getattr(inner, "__metadata__", ()), *info.metadata)
    plain = inner.__origin__ if get_origin(inner) is Annotated else inner
    if plain is Decimal:
        digits = next(item for item in metadata if isinstance(item, Digits))
        limits = Field(max_digits=digits.digits, decimal_places=digits.scale, allow_inf_nan=False)
        return Annotated[Decimal, limits, WithJsonSchema({"type": "number"})] | None
    if plain is bool:
        return bool | None
    if plain is int:
        limits = Field(ge=-(2**31), le=2**31 - 1)
        return Annotated[int, limits, BeforeValidator(_whole)] | None
    if plain in (date, datetime):
        return Annotated[inner, *info.metadata, BeforeValidator(_iso)] | None
    return (Annotated[plain, *metadata] if metadata else plain) | None


def _iso(value: Any) -> Any:
    """Only ISO 8601: Pydantic would take a bare number for seconds since 1970."""
    # In a query `+` means a space; a zone such as +05:00 often comes without its encoding.
    text = value.replace(" ", "+")
    if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(T[0-9:.]+(Z|[+-][0-9:]+)?)?", text):
        raise ValueError("must be a date in ISO 8601, such as 2016-04-12")
    return text


def expand_paths(resource: Resource, text: str | None) -> tuple[str, ...]:
    """The paths of an `expand` parameter, checked and in one order; 400 for one that is not."""
    if not text:
        return ()
    paths = sorted({path.strip() for path in text.split(",")})
    for path in paths:
        _check_path(resource, path)
    return tuple(paths)


def _check_path(resource: Resource, path: str) -> None:
    at: Resource | Part = resource
    steps = path.split(".")
    if len(steps) > MAX_EXPAND_DEPTH:
        raise _wrong("expand", "too_deep", f"{path!r} has more than {MAX_EXPAND_DEPTH} steps.")
    for step in steps:
        known = relations(at)
        if step not in known:
            allowed = ", ".join(known) or "nothing"
            raise _wrong(
                "expand",
                "unknown",
                f"{path!r}: there is no relation {step!r} to expand.{did_you_mean(step, known)}"
                f" Possible here: {allowed}.",
            )
        at = known[step]


def sort_keys(resource: Resource, text: str | None) -> tuple[tuple[str, bool], ...]:
    """`-amount,title` as fields with "descending?"; `id` is always the last and only key."""
    keys: dict[str, bool] = {}
    allowed = filterable(resource)
    for word in (text or "").split(",") if text else ():
        name = word.strip().removeprefix("-")
        if name not in allowed:
            raise _wrong(
                "sort",
                "unknown",
                f"There is no field {name!r} to sort by.{did_you_mean(name, allowed)}",
            )
        keys.setdefault(name, word.strip().startswith("-"))
    # The tie-break runs with the first key, so that one index serves both directions.
    keys.setdefault("id", next(iter(keys.values()), False))
    return tuple(keys.items())


def _wrong(parameter: str, code: str, detail: str) -> BadRequest:
    return BadRequest(f"{parameter}: {detail}", [Fault(code, detail, parameter=parameter)])


def shape_of(resource: Resource, query: ListQuery) -> tuple[Shape, dict[str, Any]]:
    """The statement a list query asks for, and its filters' values by name."""
    common = ListQuery.model_fields
    values = {
        name: getattr(query, name)
        for name in query.model_fields_set
        if name not in common and getattr(query, name) is not None
    }
    shape = Shape(
        filters=tuple(sorted(values)),
        sort=sort_keys(resource, query.sort),
        deleted=query.deleted,
        expand=expand_paths(resource, query.expand),
    )
    return shape, values
