"""SQL that the two databases write differently: parts of dates, exact sums and averages."""

from typing import Any

from sqlalchemy import BigInteger, Boolean, DateTime, Numeric, Text, bindparam, case
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.expression import FunctionElement

from app.core.databases.expressions import Expression, SqlType
from app.core.databases.types import Instant, JsonText
from app.engine.aggregates.having import AVG_DECIMALS, AVG_PART, SUM_PART
from app.engine.aggregates.shape import DatePart


class Sql(FunctionElement[Any]):
    """SQL with its operands at `{0}`, `{1}`, …; values are never put into the text."""

    inherit_cache = False

    def __init__(self, template: str, *operands: Expression, kind: SqlType | None = None) -> None:
        super().__init__(*operands)
        self.template, self.type = template, kind or BigInteger()


@compiles(Sql)
def _compile(element: Sql, compiler: SQLCompiler, **kw: object) -> str:
    operands = [compiler.process(clause, **kw) for clause in element.clauses]
    return f"({element.template.format(*operands)})"


_SQLITE_PARTS = {
    DatePart.year: "substr({0}, 1, 4)",
    DatePart.quarter: "substr({0}, 1, 4) || '-Q' || ((substr({0}, 6, 2) + 2) / 3)",
    DatePart.month: "substr({0}, 1, 7)",
    # The year of a week is that of its Thursday, and the week's number how many there were. SQLite
    # has %G and %V since 3.46 only.
    DatePart.week: (
        "strftime('%Y-W', {0}, '-3 days', 'weekday 4') ||"
        " printf('%02d', (strftime('%j', {0}, '-3 days', 'weekday 4') + 6) / 7)"
    ),
    DatePart.day: "substr({0}, 1, 10)",
}
_POSTGRESQL_PARTS = {
    DatePart.year: "YYYY",
    DatePart.quarter: 'YYYY"-Q"Q',
    DatePart.month: "YYYY-MM",
    DatePart.week: 'IYYY"-W"IW',
    DatePart.day: "YYYY-MM-DD",
}


def part_of(part: DatePart, column: Expression, dialect: str) -> Expression:
    """The part of a date, or of a moment in UTC, as text: `2016-W15`."""
    if dialect == "sqlite":
        return Sql(_SQLITE_PARTS[part], column, kind=Text())
    zone = " AT TIME ZONE 'UTC'" if isinstance(column.type, Instant) else ""
    return Sql(f"to_char({{0}}{zone}, '{_POSTGRESQL_PARTS[part]}')", column, kind=Text())


def local_time(column: Expression, dialect: str) -> Expression:
    """The time of a moment in the zone of the parameter `:zone`; on SQLite the day of it."""
    zone = bindparam("zone", type_=Text)
    if dialect == "sqlite":
        return Sql("local_day({0}, {1})", column, zone, kind=Text())
    return Sql("{0} AT TIME ZONE {1}", column, zone, kind=DateTime())


#: When the beginning of an interval `{0}`, with `{1}` characters before its `/`, is no wider than
#: the part. The month of a season is 21 to 24, and of a quarter 33 to 36; what is not stated is X.
_BEGINS = {
    DatePart.year: "{1} > 0 AND substr({0}, 4, 1) <> 'X'",
    DatePart.quarter: "{1} > 6 AND substr({0}, 6, 2) <> 'XX' AND"
    " substr({0}, 6, 2) NOT BETWEEN '21' AND '24'",
    DatePart.month: "{1} > 6 AND substr({0}, 6, 2) <= '12'",
    DatePart.week: "{1} > 9 AND substr({0}, 9, 2) <> 'XX'",
    DatePart.day: "{1} > 9 AND substr({0}, 9, 2) <> 'XX'",
}
_SLASH = {"sqlite": "(instr({0}, '/') - 1)", "postgresql": "(strpos({0}, '/') - 1)"}


def part_of_stated(
    part: DatePart, stated: Expression, earliest: Expression, latest: Expression, dialect: str
) -> Expression:
    """The part that all days of a date as stated have; of an interval, that of its first day,
    unless what it begins with is wider than the part. Else null."""
    first = part_of(part, earliest, dialect)
    # Most dates are days: their part is worked out once.
    same = first == part_of(part, latest, dialect)
    begins = Sql(_BEGINS[part].format("{0}", _SLASH[dialect]), stated, kind=Boolean())
    return case((earliest == latest, first), (same, first), (begins, first))


class Number:
    """A sum or an average, exact: NUMERIC on PostgreSQL, two integers on SQLite.

    Those are `high * part + low` smallest units, both of the same sign, so that numbers are in the
    order of their parts.
    """

    def __init__(self, parts: list[Expression], part: int, scale: int) -> None:
        self.parts, self.part, self.scale = parts, part, scale

    @classmethod
    def sum(cls, parts: list[Expression], scale: int) -> "Number":
        """A sum of values with so many decimals."""
        return cls(parts, SUM_PART, scale)

    def json(self) -> Expression:
        """The number as JSON, with all its digits and no trailing zeros."""
        if len(self.parts) == 1:
            return Sql("trim_scale({0})", *self.parts, kind=Numeric())
        front, back = self._average_digits() if self.part == AVG_PART else self._sum_digits()
        text = (
            "iif({0} < 0 OR {1} < 0, '-', '')"
            f" || coalesce(nullif({front}, ''), '0') || rtrim(rtrim('.' || {back}, '0'), '.')"
        )
        return Sql(f"json(iif({{0}} IS NULL, NULL, {text}))", *self.parts, kind=JsonText())

    # The digits before and after the point are texts, because together they can exceed 64 bits.

    def _sum_digits(self) -> tuple[str, str]:
        """Nine digits are in the low integer, and `scale` of these after the point."""
        unit, before = 10**self.scale, 9 - self.scale
        front = f"ltrim(abs({{0}}) || printf('%0{before}d', abs({{1}}) / {unit}), '0')"
        return front, f"printf('%0{self.scale}d', abs({{1}}) % {unit})" if self.scale else "''"

    def _average_digits(self) -> tuple[str, str]:
        """The low integer are the last four digits after the point."""
        own = self.scale - AVG_DECIMALS
        last = "printf('%04d', abs({1}))"
        back = f"printf('%0{own}d', abs({{0}}) % {10**own}) || {last}" if own else last
        return f"abs({{0}}) / {10**own}", back


def split_sums(column: Expression, dialect: str) -> list[Expression]:
    """Aggregates: the sum of a number; on SQLite of its high and its low nine digits."""
    if dialect != "sqlite":
        return [Sql("CAST(sum({0}) AS numeric)", column, kind=Numeric())]
    return [Sql(f"sum({{0}} {sign} {SUM_PART})", column) for sign in "/%"]


def normalize_carry(raw: list[Expression]) -> list[Expression]:
    """The sum of `split_sums`: what the low digits amount to is carried to the high ones, and both
    get the same sign."""
    if len(raw) == 1:
        return raw
    high, low = f"({{0}} + {{1}} / {SUM_PART})", f"({{1}} % {SUM_PART})"
    lent = (
        f"(CASE WHEN {high} > 0 AND {low} < 0 THEN 1"
        f" WHEN {high} < 0 AND {low} > 0 THEN -1 ELSE 0 END)"
    )
    return [Sql(f"{high} - {lent}", *raw), Sql(f"{low} + {lent} * {SUM_PART}", *raw)]


def avg_number(total: Number, count: Expression) -> Number:
    """The sum divided by the count, rounded half away from zero to four decimals more.

    On SQLite it is a long division, nine digits at a time: nothing exceeds 64 bits as long as
    there are fewer than 10^9 records.
    """
    scale = total.scale + AVG_DECIMALS
    if len(total.parts) == 1:
        # Whole numbers alone are divided, since numeric division rounds where it likes.
        unit = f"0.{'0' * (scale - 1)}1"
        quotient = f"div(2 * abs({{0}}) * 1{'0' * scale} + {{1}}, 2 * {{1}})"
        half = Sql(
            f"CASE WHEN {{1}} > 0 THEN sign({{0}}) * {quotient} * {unit} END",
            *total.parts,
            count,
            kind=Numeric(),
        )
        return Number([half], AVG_PART, scale)
    rest = f"(abs({{0}}) % {{2}} * {SUM_PART} + abs({{1}}))"
    more = f"(({rest} % {{2}} * {2 * AVG_PART} + {{2}}) / (2 * {{2}}))"
    sign = "iif({0} < 0 OR {1} < 0, -1, 1)"
    whole = f"(abs({{0}}) / {{2}} * {SUM_PART} + {rest} / {{2}} + {more} / {AVG_PART})"
    parts: list[Expression] = [
        Sql(f"{sign} * {whole}", *total.parts, count),
        Sql(f"{sign} * ({more} % {AVG_PART})", *total.parts, count),
    ]
    return Number(parts, AVG_PART, scale)
