"""All rules of its kind that a record breaks, where the database names but the first."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from decimal import Decimal
from functools import cache

from sqlalchemy import CheckConstraint, Table
from sqlalchemy.dialects import sqlite

from app.core.databases.interface import table_of
from app.core.errors import Fault, Invalid
from app.core.loose_types import Fields
from app.core.validation import summary
from app.engine.record import Record
from app.engine.resource import Resource

_DIALECT = sqlite.dialect()


@contextmanager
def with_all_rules(resource: Resource, records: Sequence[Record]) -> Iterator[None]:
    """A problem of one rule tells of all others that the record breaks too."""
    try:
        yield
    except Invalid as problem:
        broken = next(filter(None, (broken_rules(resource, each) for each in records)), [])
        if broken:
            faults = [fault for fault in problem.errors if fault.code != "rule"] + broken
            text = summary(faults) if len(faults) > 1 else faults[0].detail
            raise Invalid(text, faults) from problem
        raise


def broken_rules(resource: Resource, record: Record) -> list[Fault]:
    """A fault for each `rule(…)` of its tables that a record breaks as it is to be stored.

    The rules are SQL that both databases read alike, and they are asked of an empty SQLite: within
    the transaction that PostgreSQL has refused nothing can be asked any more.
    """
    with closing(sqlite3.connect(":memory:")) as database:
        return [
            Fault("rule", f"{says}.", pointer=pointer or rule.info["pointer"])
            for table, pointer, row in _rows(resource, record)
            for rule, says in _broken(database, table, row)
        ]


def _rows(resource: Resource, record: Record) -> Iterator[tuple[Table, str, Fields]]:
    """The rows of a record, each with its table and, of a part, its place in the body."""
    yield table_of(resource.table), "", record.__dict__
    for name, part in resource.embedded.items():
        for at, row in enumerate(getattr(record, name)):
            yield table_of(part.table), f"/{name}/{at}", row.__dict__


def _broken(
    database: sqlite3.Connection, table: Table, row: Fields
) -> list[tuple[CheckConstraint, str]]:
    """The rules that a row breaks, each with what it says."""
    rules = _rules(table)
    if not rules:
        return []
    found = _asked(database, table, row, _conditions(table))
    # What is neither true nor false, since a value is missing, breaks no rule.
    broken = [rule for rule, holds in zip(rules, found, strict=True) if holds == 0]
    return [(rule, _says(database, table, row, rule)) for rule in broken]


def _says(database: sqlite3.Connection, table: Table, row: Fields, rule: CheckConstraint) -> str:
    """What a rule says of the case that a row is."""
    cases = rule.info["cases"]
    found = _asked(database, table, row, list(cases)) if cases else []
    values = {name: f"{v:f}" if isinstance(v, Decimal) else v for name, v in row.items()}
    says = (case for case, holds in zip(cases.values(), found, strict=True) if holds)
    case = next(says, None)
    return str(rule.info["says"]) if case is None else str(case).format_map(values)


def _asked(
    database: sqlite3.Connection, table: Table, row: Fields, conditions: Sequence[str]
) -> Sequence[object]:
    """What each of the conditions comes to for a row."""
    columns = [column for column in table.columns if column.key in row]
    names = ", ".join(f'? AS "{column.name}"' for column in columns)
    missing = ", ".join(f'NULL AS "{c.name}"' for c in table.columns if c.key not in row)
    given = f"SELECT {', '.join(filter(None, (names, missing)))}"
    asked = ", ".join(f"({condition})" for condition in conditions)
    values = []
    for column in columns:
        stored = column.type.dialect_impl(_DIALECT).bind_processor(_DIALECT)
        value = row[column.key]
        values.append(stored(value) if stored is not None else value)
    # Rules and names of columns are the program's own.
    found: Sequence[object] = database.execute(
        f"SELECT {asked} FROM ({given})",  # noqa: S608
        values,
    ).fetchone()
    return found


@cache
def _rules(table: Table) -> tuple[CheckConstraint, ...]:
    checks = (c for c in table.constraints if isinstance(c, CheckConstraint) and "says" in c.info)
    return tuple(sorted(checks, key=lambda check: str(check.name)))


@cache
def _conditions(table: Table) -> tuple[str, ...]:
    """The SQL of its rules."""
    return tuple(str(rule.sqltext) for rule in _rules(table))
