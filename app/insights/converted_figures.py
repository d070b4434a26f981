"""Aggregates in one currency: what was asked for, by currency and day, converted and put together.

The database adds what has one currency and one day, by the rules of all aggregates; these sums are
converted, each with the rate of its day, and added up. So no record is converted by itself, and no
digit is lost before the end.
"""

import re
from collections.abc import Callable, Hashable
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from functools import cached_property
from typing import Any, Final

from fastapi import Request
from sqlalchemy import Table
from starlette.responses import Response

from app.core import json_codec
from app.core.errors import Fault, Invalid
from app.core.http.accept import preferred
from app.core.http.app_state import state_of
from app.core.http.responses import JsonResponse
from app.core.loose_types import Json, JsonValue
from app.engine.aggregates.empty_groups import empty_keys, values_of_keys
from app.engine.aggregates.query import MAX_LIMIT, Aggregate, read_aggregate
from app.engine.aggregates.shape import UNDATED, Function, Grouping, GroupKey, Metric, Output
from app.engine.aggregates.statement import aggregate_statement
from app.engine.aggregates.units import units_of
from app.engine.query.filter_reader import CodeUsed, ParsedFilter, bad_parameter
from app.engine.record import bound_names
from app.engine.resource import Resource
from app.engine.search.hits import with_query
from app.insights.converted_money import Conversions, Converted, Money, Original, Rate
from app.insights.rates_of_days import check_providers, find_rates
from app.resources.code import Currency
from app.rest.audience import audience_tag, reading_dialect
from app.rest.conversion import ConversionAsked, ConvertingQuery, refuse_in_files
from app.rest.decimals import text_of, wants_texts
from app.rest.handlers import check_codes, database_of
from app.rest.past import answered_at

#: The date whose day the rate of an amount is of, of each kind that has amounts.
DATED_BY: Final = {
    "agreement": "signed",
    "mission": "dates",
    "outcome": "date",
    "reported_total": "as_of",
    "statement": "date",
}
#: How many sums of one currency and day are converted at most, and how many rates are told.
MAX_SUMS, MAX_RATES = 20_000, 200
#: What of finer groups can be put together.
_SUMS: Final = (Function.SUM, Function.AT_LEAST, Function.AT_MOST)
_COUNTS: Final = (Function.COUNT, Function.NOT_EXACT)
_CURRENCY: Final = Currency.__table__
_IN_BRACKETS: Final = re.compile(r"\(\s*(\w+)\s*\)")

_Key = tuple[JsonValue, ...]
Shown = Callable[[Decimal], JsonValue]


async def answer_converted(
    request: Request, resource: Resource, query: ConvertingQuery, asked: ConversionAsked
) -> Response:
    """The figures that the query asks for, its sums in one currency."""
    _refuse_other_forms(request, resource, query)
    plan = _planned(resource, query, await answered_at(request))
    parsed = plan.aggregate.parsed
    await check_codes(request, ParsedFilter(codes=[*parsed.codes, currency_used(asked.currency)]))
    database = database_of(request)
    await refuse_unknown_providers(request, asked)
    values = with_query(parsed.values, query.q, database.dialect)
    values["limit"] = MAX_SUMS
    dialect = reading_dialect(request)
    statement = await aggregate_statement.beside_loop(resource, plan.grouping, dialect)
    ((body, position),) = await database.read(statement, values)
    found = json_codec.loads(body)
    _refuse_too_many(found["groups_in_all"])
    several = [money for group in found["data"] if (money := plan.money(group)) is not None]
    conversions = Conversions(asked.currency, asked.rate_date)
    table = await find_rates(
        database,
        reading_dialect(request),
        conversions.wanted(several),
        asked.currency,
        asked.providers,
        asked.max_age,
    )
    converted, used = conversions.convert(several, table)
    shown = shown_to(request)
    answer = {
        **plan.answer(found, converted, query.limit, shown),
        "conversion": told(asked, used, shown),
    }
    headers = {"ETag": audience_tag(request, f'W/"{position}-{asked.currency.lower()}"')}
    return JsonResponse(json_codec.dumps(answer), headers=headers)


async def refuse_unknown_providers(request: Request, asked: ConversionAsked) -> None:
    """Refuse (400) a provider that is asked for and has no rates."""
    used = state_of(request).rate_providers
    await check_providers(database_of(request), reading_dialect(request), asked.providers, used)


def shown_to(request: Request) -> Shown:
    """How the request wants decimals: as texts, or as they are."""
    return text_of if wants_texts(request) else lambda value: value


def currency_used(currency: str) -> CodeUsed:
    """What money is converted into, for `check_codes`."""
    assert isinstance(_CURRENCY, Table)
    return CodeUsed("convert_to", _CURRENCY.c.code, currency)


def _refuse_other_forms(request: Request, resource: Resource, query: ConvertingQuery) -> None:
    forms = ("application/json", "text/csv")
    if preferred(request.headers.get("accept", "*/*"), forms) != forms[0]:
        refuse_in_files(resource, {"convert_to"})
    if query.having is not None:
        text = "Conditions on groups know nothing of converted sums: leave having out."
        raise bad_parameter("having", "both", text)


def _refuse_too_many(sums: int) -> None:
    if sums > MAX_SUMS:
        text = (
            f"There are {sums:,} sums of a group, a currency and a day, at most {MAX_SUMS:,} are"
            " converted: narrow the records by filters."
        )
        raise Invalid(text, [Fault("too_many", text, parameter="convert_to")])


def told(asked: ConversionAsked, used: list[Rate], shown: Shown) -> Json:
    """What was converted into and by which rates, shape `ConversionTold`."""
    return {
        "currency": asked.currency,
        "rate_date": asked.rate_date,
        "max_rate_age": asked.max_age,
        "providers": asked.providers,
        "rates": [{**rate._asdict(), "rate": shown(rate.rate)} for rate in used[:MAX_RATES]],
        "rates_in_all": len(used),
    }


def _planned(resource: Resource, query: ConvertingQuery, asked_at: datetime) -> "_Plan":
    """What is converted, and the aggregate that finds it; Invalid (422) where nothing can be."""
    currency, several = _currency_of(resource, query)
    first, last = bound_names(DATED_BY[resource.record_type])
    plain = read_aggregate(resource, query, asked_at, ((currency,), (first,), (last,)))
    for metric in plain.grouping.metrics:
        if metric.function not in (*_SUMS, *_COUNTS):
            text = f"{metric.written} cannot be converted: convert_to is of sums, and of counts."
            raise Invalid(text, [Fault("metric", text, parameter="metrics")])
    of_keys = query.model_copy(update={"metrics": "count", "sort": None})
    keys = read_aggregate(resource, of_keys, asked_at)
    return _Plan(resource, plain, len(keys.grouping.keys), several, currency, first, last)


def _currency_of(resource: Resource, query: ConvertingQuery) -> tuple[str, tuple[str, ...]]:
    """The field with the currency of the amounts that are asked for, and these."""
    columns = resource.table.__table__.columns
    known = {
        name: unit
        for name in resource.columns
        for unit in units_of(resource, name)
        if any(key.column.table is _CURRENCY for key in columns[unit].foreign_keys)
    }
    several = [name for name in _IN_BRACKETS.findall(query.metrics) if name in known]
    units = {known[name] for name in several}
    if len(units) != 1:
        example = ",".join(f"sum({name})" for name in list(known)[:1])
        text = f"convert_to is of sums of amounts in one field's currencies: metrics={example}."
        raise Invalid(text, [Fault("metrics", text, parameter="metrics")])
    return units.pop(), tuple(dict.fromkeys(several))


@dataclass
class _Plan:
    """The aggregate of which the first `keys` group keys are those of the answer; `amounts` are
    converted from the `currency` of each record, on the day between `first` and `last`."""

    resource: Resource
    aggregate: Aggregate
    keys: int
    amounts: tuple[str, ...]
    currency: str
    first: str
    last: str

    @cached_property
    def grouping(self) -> Grouping:
        """The finer groups, with the number of amounts in each, and what they come to: a sum of
        something that has no limit has none, one of nothing is not there."""
        asked = self.aggregate.grouping
        sums = map(_sum_of, self.converted)
        metrics = dict.fromkeys((*asked.metrics, self._counted, *sums))
        return replace(asked, metrics=tuple(metrics), empty_groups=False)

    @property
    def _counted(self) -> Metric:
        return Metric(Function.COUNT, (self.amounts[0],), of_added=True)

    @cached_property
    def shown_keys(self) -> tuple[GroupKey, ...]:
        return self.aggregate.grouping.keys[: self.keys]

    @cached_property
    def converted(self) -> tuple[Metric, ...]:
        """The metrics that are converted; all others are added up."""
        asked = self.aggregate.grouping.metrics
        return tuple(m for m in asked if m.function in _SUMS and m.path[-1] in self.amounts)

    def key(self, group: Json) -> _Key:
        return tuple(group[key.name] for key in self.shown_keys)

    def money(self, group: Json) -> Money | None:
        """What a finer group has in its currency, if it has any amount."""
        if group[self.currency] is None:
            return None
        days = (group[self.first], group[self.last])
        first, last = (None if day is None else date.fromisoformat(day) for day in days)
        amounts: dict[str, Decimal | None] = {}
        added = {m.path for m in self.converted if group[_sum_of(m).name] is not None}
        if not added:
            # What others of its group have in them already is in no sum.
            return None
        for metric in self.converted:
            value = group[metric.name]
            is_open = metric.function is Function.AT_MOST
            is_there = metric.path in added
            if value is not None:
                amounts[metric.name] = Decimal(value)
            elif is_open and is_there:
                amounts[metric.name] = None
        records = group[self._counted.name]
        return Money(self.key(group), group[self.currency], first, last, amounts, records)

    def _empty(self, seen: set[_Key]) -> list[_Key]:
        """The keys of the groups of the answer that no record is in, where they are asked for."""
        asked = self.aggregate
        if not (asked.grouping.empty_groups and self.shown_keys):
            return []
        values = values_of_keys(self.resource, self.shown_keys, asked.parsed, seen, asked.zone)
        return empty_keys(values, seen)

    def answer(
        self, found: Json, converted: dict[Hashable, Converted], limit: int, shown: Shown
    ) -> Json:
        """The answer in place of that of the finer groups, shape `Aggregate`."""
        rows: dict[_Key, dict[str, Any]] = {}
        added = [m.name for m in self.aggregate.grouping.metrics if m not in self.converted]
        for group in found["data"]:
            row = rows.setdefault(self.key(group), dict.fromkeys(added))
            for name in added:
                if group[name] is not None:
                    row[name] = (row[name] or 0) + group[name]
        for key in self._empty(set(rows)):
            rows[key] = dict.fromkeys(added, 0)
        groups = [self._group(key, row, converted.get(key), shown) for key, row in rows.items()]
        for output, descending in reversed(self.aggregate.grouping.sort):
            self._sort(groups, output, descending)
        limit = min(limit, MAX_LIMIT)
        finer = {self.currency, self.first, self.last} - {key.name for key in self.shown_keys}
        told = {
            name: {n: count for n, count in found[name].items() if n not in finer}
            for name in ("missing", "withheld_values")
        }
        counts = {"groups": min(limit, len(groups)), "groups_in_all": len(groups)}
        return {**found, "data": groups[:limit], **counts, **told}

    def _group(
        self, key: _Key, row: dict[str, Any], converted: Converted | None, shown: Shown
    ) -> Json:
        names = (each.name for each in self.shown_keys)
        result = converted or Converted()
        group: Json = {**dict(zip(names, key, strict=True)), **row}
        for metric in self.converted:
            amount = result.amounts.get(metric.name)
            group[metric.name] = None if amount is None else shown(amount)
        return group | origin_told(result, shown)

    @staticmethod
    def _sort(groups: list[Json], output: Output, descending: bool) -> None:
        """Sort by an output, groups without a value last; the others stay in their order."""
        name = output.name
        if groups and name not in groups[0]:
            return
        none = (None, UNDATED) if isinstance(output, GroupKey) and output.part else (None,)
        with_value = [group for group in groups if group[name] not in none]
        without = [group for group in groups if group[name] in none]
        with_value.sort(key=lambda group: group[name], reverse=descending)
        groups[:] = [*with_value, *without]


def _sum_of(metric: Metric) -> Metric:
    return Metric(Function.SUM, metric.path)


def origin_told(converted: Converted, shown: Shown) -> Json:
    """What converted sums were before, what is left out of them, and how many had no day."""
    return {
        "original": [
            {"currency": currency, **_original_told(original, shown)}
            for currency, original in sorted(converted.original.items())
        ],
        "not_converted": [
            {**why._asdict(), **_original_told(original, shown)}
            for why, original in sorted(converted.not_converted.items())
        ],
        "by_rate_date": converted.by_rate_date,
    }


def _original_told(original: Original, shown: Shown) -> Json:
    """What some records have in a currency, as the answer tells it."""
    amounts = {n: None if a is None else shown(a) for n, a in original.amounts.items()}
    return {"records": original.records, **amounts}
