"""The base of all schemas, and the constrained types that fields are made of, each named once."""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Annotated
from uuid import UUID

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    PlainSerializer,
    StrictBool,
    StringConstraints,
    WithJsonSchema,
    create_model,
)
from pydantic.fields import FieldInfo
from pydantic_core import PydanticCustomError, core_schema
from typing_extensions import TypeAliasType

from app.core.databases.types import composed, instant_text
from app.core.edtf import EDTF_PATTERN, parse_edtf
from app.core.loose_types import Fields, Json, TypeForm, Values
from app.core.validation import Example


class Schema(BaseModel):
    """What a client sends or receives; a name that is not declared is refused."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)


def derived_schema(
    name: str, doc: str, fields: Values, base: type[Schema] = Schema
) -> type[Schema]:
    """A schema made of others' fields: `fields` as `pydantic.create_model` takes them.

    It has no source that could hold docstrings, and looking for one takes longer than the rest.
    """
    made: type[Schema] = create_model(
        name,
        __base__=base,
        __doc__=doc,
        __cls_kwargs__={"use_attribute_docstrings": False},
        **fields,
    )
    return made


def patch_schema(name: str, doc: str, fields: type[Schema]) -> type[Schema]:
    """The schema of a JSON merge patch (RFC 7396): every field may be absent, and null only where
    the record allows it."""
    may_be_absent: Fields = {
        name: (type_of(info), Field(default_factory=absent, description=info.description))
        for name, info in fields.model_fields.items()
    }
    return derived_schema(name, doc, may_be_absent)


def absent() -> None:
    """The value of a field that is not there; never read."""


def type_of(info: FieldInfo) -> TypeForm:
    """The field's type with its constraints."""
    return Annotated[info.annotation, *info.metadata] if info.metadata else info.annotation


# Text holds something that can be seen, and no NUL, which PostgreSQL cannot store.
_FILLED = r"^[^\u0000]*[^\s\u0000\u200b-\u200f\u2060\ufeff][^\u0000]*$"
_text = {"strip_whitespace": True, "min_length": 1, "pattern": _FILLED}


def _composed(text: object) -> object:
    return composed(text) if isinstance(text, str) else text


#: Blanks, line breaks and tabs beside each other.
_GAPS = re.compile("[ \\t-\\r\\x85\\u2028\\u2029]+")


def _gap(found: re.Match[str]) -> str:
    return found[0] if found[0].strip(" ") == "" else " "


#: Controls, what turns the direction of the text around it (with U+202E `gpj.exe` is shown as
#: `exe.jpg`), and what is no character, U+FFFE and the like, which no XML can hold. Joiners and
#: marks (U+200C to U+200F) are part of how names are written. NUL is refused by the pattern.
_UNSEEN = re.compile("[\x01-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ufdd0-\ufdef\ufffe\uffff]")


def _one_line(text: object) -> object:
    """Line breaks and tabs, which cells of sheets and copied titles have by accident, are a blank:
    a list or a sheet would be torn by them. Other characters that nobody sees are refused and not
    dropped: somebody means them, or does not know of them."""
    if not isinstance(text, str):
        return text
    line = _GAPS.sub(_gap, composed(text))
    if (found := _UNSEEN.search(line)) is not None:
        where = f"U+{ord(found[0]):04X} is character {found.start() + 1} of it"
        raise ValueError(f"Holds a character that nobody sees: {where}")
    return line


Line = Annotated[str, BeforeValidator(_one_line), StringConstraints(max_length=500, **_text)]
#: A line that many records have in common, such as who published them: no search looks into it.
SharedLine = Annotated[str, BeforeValidator(_one_line), StringConstraints(max_length=120, **_text)]
Prose = Annotated[str, BeforeValidator(_composed), StringConstraints(max_length=20_000, **_text)]

#: What stands in addresses where a ref could.
_RESERVED = ("aggregate", "bulk", "import", "search")
#: What stands in an address for a record; all else is another address, or a 404.
KEY_PATTERN = rf"^(?!({'|'.join(_RESERVED)})$)[A-Za-z0-9]+(-[A-Za-z0-9]+)*$"


def _no_id(ref: str) -> str:
    if ref in _RESERVED:
        raise ValueError(f"{ref!r} stands for something else in addresses")
    if re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", ref):
        raise ValueError("a ref cannot look like an id")
    return ref


#: How refs are written; ids are written so too.
REF_PATTERN = r"^[a-z0-9]+(-[a-z0-9]+)*$"
Ref = Annotated[
    str,
    StringConstraints(max_length=120, pattern=REF_PATTERN),
    Example("novosibirsk-april"),
    AfterValidator(_no_id),
    Field(
        description="Lower-case words joined by hyphens. It can stand wherever the id can in an"
        " address, and stays the same across imports."
    ),
]


def distinct(items: list[str]) -> list[str]:
    """The list, or ValueError when an item stands in it twice."""
    for item in items:
        if items.count(item) > 1:
            raise ValueError(f"{item!r} stands in the list twice")
    return items


#: Names of fields; one schema, as every kind has a list of them.
FieldNames = TypeAliasType(
    "FieldNames",
    Annotated[
        list[Annotated[str, StringConstraints(max_length=40, pattern=r"^[a-z][a-z0-9_]*$")]],
        # The length first: of an endless list each item would be looked at, and each fault told.
        Field(max_length=50),
        AfterValidator(distinct),
    ],
)


def _edtf(text: str) -> str:
    parse_edtf(text)
    return text


Edtf = Annotated[
    str,
    StringConstraints(max_length=64),
    AfterValidator(_edtf),
    WithJsonSchema({"type": "string", "maxLength": 64, "pattern": EDTF_PATTERN, "format": "edtf"}),
]


#: A decimal as text, in which no client loses a digit.
_DECIMAL = re.compile(r"-?[0-9]{1,100}(\.[0-9]{1,100})?", re.ASCII)


#: A single comma can begin decimals as well.
_GROUPED = re.compile(
    r"[0-9]{1,3}(?:(?:[ _'\u00a0\u202f][0-9]{3})+|(?:,[0-9]{3}){2,})(?:\.[0-9]{1,4})?"
)
_GROUPS = re.compile(r"[ ,_'\u00a0\u202f]")


def _only_numbers(value: object) -> object:
    # Other text and booleans would be taken for numbers: "1e3" is no amount anybody meant to send.
    if isinstance(value, str) and _DECIMAL.fullmatch(value):
        return Decimal(value)
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        meant = _meant_number(value) if isinstance(value, str) else ""
        raise ValueError(f'must be a number, or one as text, such as "1250.5"{meant}')
    return value


def _meant_number(text: str) -> str:
    """`. Write 5000000` for digits in groups, such as `5 000 000` or `5,000,000`."""
    return f". Write {_GROUPS.sub('', text)}" if _GROUPED.fullmatch(text) else ""


def _written(value: Decimal) -> int | float:
    return int(value) if value == value.to_integral_value() else float(value)


@dataclass(frozen=True)
class Digits:
    """Annotates a Decimal: at most `digits` digits, `scale` of them decimals; a JSON number."""

    digits: int
    scale: int
    minimum: Decimal | None = Decimal(0)
    maximum: Decimal | None = None

    def limits(self) -> tuple[Decimal, Decimal]:
        """The least and the greatest value."""
        # Whole, so that the document can state it: a float has no 18 digits.
        largest = Decimal(10 ** (self.digits - self.scale) - 1)
        least = -largest if self.minimum is None else self.minimum
        return least, largest if self.maximum is None else self.maximum

    def __get_pydantic_core_schema__(
        self, source: TypeForm, handler: GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        least, greatest = self.limits()
        number = core_schema.decimal_schema(
            max_digits=self.digits, decimal_places=self.scale, ge=least, le=greatest
        )
        written = core_schema.plain_serializer_function_ser_schema(_written, when_used="json")
        return core_schema.no_info_before_validator_function(
            _only_numbers, number, serialization=written
        )

    def __get_pydantic_json_schema__(
        self, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> Json:
        least, greatest = (_written(limit) for limit in self.limits())
        number = {"type": "number", "format": "decimal", "minimum": least, "maximum": greatest}
        if handler.mode == "serialization":
            return number
        sign = "-?" if least < 0 else ""
        pattern = f"^{sign}[0-9]{{1,{self.digits - self.scale}}}(\\.[0-9]{{1,{self.scale}}})?$"
        return {"anyOf": [number, {"type": "string", "format": "decimal", "pattern": pattern}]}


def _flag(value: object) -> object:
    # Pydantic alone would take yes, on, 1, t and more for true.
    if isinstance(value, str) and value not in ("true", "false"):
        raise PydanticCustomError("bool_parsing", "Must be true or false")
    return value


#: A parameter that is true or false, and is written so.
Flag = Annotated[bool, BeforeValidator(_flag)]


def _iso_day(value: object) -> object:
    if isinstance(value, str) and re.fullmatch(r"[+-]?[0-9]{5,}-[0-9]{2}-[0-9]{2}", value):
        raise ValueError("must lie in the years 0001 to 9999")
    if not isinstance(value, str) or not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value):
        raise ValueError("must be a date in ISO 8601, such as 2016-04-12")
    return value


#: A day of the calendar; Pydantic alone would take a number for seconds since 1970.
Day = Annotated[date, BeforeValidator(_iso_day)]
Count = Annotated[int, Field(ge=0, le=2**31 - 1, strict=True)]


def _in_utc(value: datetime) -> datetime:
    try:
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
    except OverflowError:
        raise ValueError("is beyond the years 1 to 9999 in UTC") from None


Timestamp = Annotated[
    datetime,
    AfterValidator(_in_utc),
    PlainSerializer(instant_text, return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]


class RecordFields(Schema):
    """What clients may write of every record."""

    ref: Ref | None = None
    """Your own name for it, unique within the kind."""
    confidential: StrictBool = False
    """True shows it to nobody but those who may write."""
    withheld: FieldNames = []
    """Fields that others read as null or empty."""


class Noted(Schema):
    note: Prose | None = None
    """Whatever no other field holds."""


class Identity(Schema):
    id: UUID
    """UUID version 7."""


class Stamps(Schema):
    """What the server keeps of every record."""

    version: int = Field(ge=1)
    """1 when created, one more with every change."""
    created_at: Timestamp
    """When the record was entered, UTC."""
    updated_at: Timestamp
    """When it last changed, UTC."""
    deleted_at: Timestamp | None
    """Since when it lies in the trash, or null."""


class Page(Schema):
    """Where a list's answer lies within the whole list."""

    limit: int
    """The most records one answer holds."""
    next_cursor: str | None
    """What to send as `cursor` for the records that follow; null at the end of the list."""
    prev_cursor: str | None
    """What to send as `cursor` for the records before these; null at the list's beginning."""
    total: int | None
    """How many records match in all, when `count` asks for it; else null."""
    total_is_estimate: bool
    """True when `total` was estimated and not counted."""
