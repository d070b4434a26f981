"""Column types that mean the same on SQLite and PostgreSQL, and how each looks in JSON."""

import re
import secrets
import threading
import time
import unicodedata
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

from sqlalchemy import (
    CHAR,
    JSON,
    BigInteger,
    Boolean,
    Date,
    DateTime,
    Dialect,
    Enum,
    Integer,
    Numeric,
    String,
    Text,
)
from sqlalchemy.dialects import postgresql
from sqlalchemy.types import TypeDecorator

from app.core.databases.expressions import SqlType
from app.core.loose_types import Value


class _Clock:
    """The time of the newest UUID that this process has made, in units of 1/4096 ms."""

    def __init__(self) -> None:
        self._last = 0
        self._lock = threading.Lock()

    def next(self) -> int:
        """The present time, or the next unit where it does not get on or was set back."""
        with self._lock:
            self._last = max((time.time_ns() << 12) // 1_000_000, self._last + 1)
            return self._last


_clock = _Clock()


def uuid7() -> UUID:
    """A new UUID version 7 (RFC 9562): 48 bits of Unix milliseconds, 12 bits of the fraction of the
    millisecond (its method 3) which count on where time stands still, 62 random bits. What is made
    later in a process is greater.
    """
    milliseconds, fraction = divmod(_clock.next(), 1 << 12)
    return uuid7_of(milliseconds, fraction << 62 | secrets.randbits(62))


def uuid7_of(milliseconds: int, noise: int) -> UUID:
    """The UUID version 7 with this time and these 74 bits (12 before the variant, 62 after)."""
    high, low = noise >> 62, noise & ((1 << 62) - 1)
    return UUID(int=(milliseconds << 80) | (0x7 << 76) | (high << 64) | (0b10 << 62) | low)


def now() -> datetime:
    """The present time, aware, in UTC."""
    return datetime.now(UTC)


def simple_lower(text: str) -> str:
    """Lower case letter by letter, as PostgreSQL's lower() does: the length never changes.

    The small letter of `İ` is `i`, without the dot above that Python adds.
    """
    return "".join(letter.lower()[0] for letter in text)


def caseless(text: str) -> str:
    """The text in small letters as searches compare them: with one sigma, and without the dot that
    `İ` leaves above its small letter in other programs. PostgreSQL has it as `contains_folded`."""
    return simple_lower(text).replace("i\u0307", "i").replace("ς", "σ")


#: Blanks of any sort and length, as both Python and PostgreSQL read it.
BLANKS = r"[\t-\r \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+"


def line_key(text: str) -> str:
    """What lines have in common that differ in capitals and blanks alone. Statements have it as the
    function of this name."""
    return re.sub(BLANKS, " ", caseless(text)).strip(" ")


def composed(text: str) -> str:
    """The text in the one form in which texts are stored and asked for: NFC."""
    return text if text.isascii() else unicodedata.normalize("NFC", text)


class Id(TypeDecorator[UUID]):
    """A UUID: native on PostgreSQL, its 36 characters on SQLite, so that JSON needs no work."""

    impl = CHAR(36)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> SqlType:
        if dialect.name == "postgresql":
            return dialect.type_descriptor(postgresql.UUID(as_uuid=True))
        return dialect.type_descriptor(CHAR(36))

    def __repr__(self) -> str:
        return "Id()"

    def process_bind_param(self, value: UUID | None, dialect: Dialect) -> Value:
        return value if value is None or dialect.name == "postgresql" else str(value)

    def process_result_value(self, value: Value, dialect: Dialect) -> UUID | None:
        return value if value is None or isinstance(value, UUID) else UUID(value)


class Instant(TypeDecorator[datetime]):
    """A moment in UTC: timestamptz on PostgreSQL, its sortable ISO 8601 text on SQLite."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> SqlType:
        if dialect.name == "postgresql":
            return dialect.type_descriptor(DateTime(timezone=True))
        return dialect.type_descriptor(CHAR(27))

    def __repr__(self) -> str:
        return "Instant()"

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Value:
        return value if value is None or dialect.name == "postgresql" else instant_text(value)

    def process_result_value(self, value: Value, dialect: Dialect) -> datetime | None:
        return datetime.fromisoformat(value) if isinstance(value, str) else value


def instant_text(value: datetime) -> str:
    """The one way a moment is written: `2016-04-12T09:30:00.000000Z`, always six decimals."""
    # Not strftime: it writes the year 1 without its zeros, and texts must sort as moments do.
    if value.tzinfo is not UTC:
        value = value.astimezone(UTC)
    return f"{value.replace(tzinfo=None).isoformat(timespec='microseconds')}Z"


class Exact(TypeDecorator[Decimal]):
    """A decimal with `digits` in all and `scale` after the point, exact on both databases.

    SQLite has no decimals and would store a REAL: it gets the integer of the smallest units.
    """

    impl = Numeric
    cache_ok = True

    def __init__(self, digits: int, scale: int) -> None:
        if digits > 18:
            raise ValueError("an integer of SQLite holds 18 digits")
        super().__init__(digits, scale)
        self.digits, self.scale = digits, scale

    def __repr__(self) -> str:
        return f"Exact({self.digits}, {self.scale})"

    def load_dialect_impl(self, dialect: Dialect) -> SqlType:
        if dialect.name == "postgresql":
            return dialect.type_descriptor(Numeric(self.digits, self.scale))
        return dialect.type_descriptor(BigInteger())

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> Value:
        if value is None or dialect.name == "postgresql":
            return value
        return int(Decimal(value).scaleb(self.scale).to_integral_exact())

    def process_result_value(self, value: Value, dialect: Dialect) -> Decimal | None:
        if value is None:
            return None
        return (
            Decimal(value) if dialect.name == "postgresql" else Decimal(value).scaleb(-self.scale)
        )

    def coerce_compared_value(self, op: object, value: Value) -> SqlType:
        return self


class StatedDate(TypeDecorator[str]):
    """A date as a source states it, in EDTF; `<name>_earliest` and `<name>_latest` stand beside."""

    impl = String(64)
    cache_ok = True

    def __repr__(self) -> str:
        return "StatedDate()"


class CodeList(TypeDecorator[list[str]]):
    """A list of texts; with `of` (`"sector.code"`) each of them is a value of that column."""

    impl = JSON
    cache_ok = True

    def __init__(self, of: str | None = None) -> None:
        super().__init__(none_as_null=True)
        self.of = of

    def __repr__(self) -> str:
        return "CodeList()"

    def load_dialect_impl(self, dialect: Dialect) -> SqlType:
        if dialect.name == "postgresql":
            return dialect.type_descriptor(postgresql.JSONB(none_as_null=True))
        return dialect.type_descriptor(JSON(none_as_null=True))


class JsonText(TypeDecorator[str]):
    """Finished JSON, kept as the text it was written as: digits and order of names stay."""

    impl = Text
    cache_ok = True

    def __repr__(self) -> str:
        return "JsonText()"


def choice(values: type[StrEnum], name: str) -> Enum:
    """A column of one of these values, stored by value and held by a CHECK with this name."""
    return Enum(
        values,
        name=name,
        native_enum=False,
        create_constraint=True,
        validate_strings=True,
        length=32,
        values_callable=lambda members: [member.value for member in members],
    )


class ListedName(TypeDecorator[str]):
    """One of the names that a function lists, for a list that is known only when all is loaded.

    No CHECK holds it to them, so that a new name changes no table; `schema` is what the document
    calls the list, `meant` finds the name that somebody means who writes it otherwise.
    """

    impl = String(32)
    cache_ok = True

    def __init__(
        self,
        names: Callable[[], tuple[str, ...]] = tuple,
        schema: str = "",
        meant: Callable[[str], str] = str,
    ) -> None:
        super().__init__(32)
        self.names, self.schema, self.meant = names, schema, meant

    def __repr__(self) -> str:
        return "ListedName()"


def _decimal_json(sql: str, scale: int) -> str:
    """SQLite: the digits of an integer of smallest units, without trailing zeros."""
    unit = 10**scale
    return (
        f"CASE WHEN {sql} IS NULL THEN NULL WHEN {sql} % {unit} = 0 THEN {sql} / {unit} ELSE"
        f" json(rtrim(printf('%s%d.%0{scale}d', CASE WHEN {sql} < 0 THEN '-' ELSE '' END,"
        f" abs({sql} / {unit}), abs({sql} % {unit})), '0')) END"
    )


def sqlite_json(kind: SqlType, sql: str) -> str:
    """The SQL of a value of this type as SQLite's `json_object` takes it."""
    if isinstance(kind, Exact):
        return _decimal_json(sql, kind.scale)
    if isinstance(kind, Boolean):
        return f"json(CASE {sql} WHEN 1 THEN 'true' WHEN 0 THEN 'false' END)"
    if isinstance(kind, JSON | CodeList | JsonText):
        return f"json({sql})"
    return sql


def postgresql_json(kind: SqlType, sql: str) -> str:
    """The SQL of a value of this type as PostgreSQL's `json_build_object` takes it."""
    if isinstance(kind, Exact):
        return f"trim_scale({sql})"
    if isinstance(kind, JsonText):
        return f"({sql})::json"
    if isinstance(kind, Instant):
        return f"to_char({sql} AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')"
    return sql


JSON_FORMS: dict[str, Callable[[SqlType, str], str]] = {
    "sqlite": sqlite_json,
    "postgresql": postgresql_json,
}


def sqlite_cell(kind: SqlType, sql: str) -> str:
    """The SQL of a value of this type as it stands in a cell of a table: text or an integer."""
    if isinstance(kind, Exact):
        unit = 10**kind.scale
        digits = f"printf('%s%d.%0{kind.scale}d', iif({sql} < 0, '-', ''),"
        digits += f" abs({sql} / {unit}), abs({sql} % {unit}))"
        return (
            f"CASE WHEN {sql} IS NULL THEN NULL WHEN {sql} % {unit} = 0"
            f" THEN CAST({sql} / {unit} AS TEXT) ELSE rtrim({digits}, '0') END"
        )
    if isinstance(kind, Boolean):
        return f"CASE {sql} WHEN 1 THEN 'true' WHEN 0 THEN 'false' END"
    if isinstance(kind, CodeList) and kind.of is not None:
        return f"(SELECT group_concat(value, ';') FROM json_each({sql}))"  # noqa: S608
    if isinstance(kind, JSON | CodeList | JsonText):
        return f"nullif({sql}, '[]')"
    return sql


def postgresql_cell(kind: SqlType, sql: str) -> str:
    """The SQL of a value of this type as it stands in a cell of a table: text or an integer."""
    if isinstance(kind, Exact):
        return f"CAST(trim_scale({sql}) AS TEXT)"
    if isinstance(kind, Instant):
        return postgresql_json(kind, sql)
    if isinstance(kind, Date):
        return f"to_char({sql}, 'YYYY-MM-DD')"
    if isinstance(kind, CodeList) and kind.of is not None:
        items = f"jsonb_array_elements_text({sql}) WITH ORDINALITY AS items(item, place)"
        return f"(SELECT string_agg(item, ';' ORDER BY place) FROM {items})"  # noqa: S608
    if isinstance(kind, JSON | CodeList | JsonText):
        return f"nullif(CAST({sql} AS TEXT), '[]')"
    return sql if isinstance(kind, Integer) else f"CAST({sql} AS TEXT)"


CELL_FORMS: dict[str, Callable[[SqlType, str], str]] = {
    "sqlite": sqlite_cell,
    "postgresql": postgresql_cell,
}
