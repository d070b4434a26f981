"""Codes of their time: one that holds no longer is right for what is as old, and nothing else."""

from collections.abc import Callable, Iterator, Mapping
from datetime import date
from functools import cache, partial
from time import monotonic
from typing import Final, NamedTuple
from weakref import WeakKeyDictionary

from sqlalchemy import Engine, Table, literal, select, union_all
from sqlalchemy.orm import Session

from app.core.databases.expressions import AnyTable
from app.core.databases.interface import Base, table_of
from app.core.databases.types import CodeList
from app.core.errors import Fault, Invalid
from app.core.loose_types import Value, Values
from app.engine.record import Record, bound_names, bound_values
from app.engine.resource import Embedded, Resource

#: How long the codes of a database are remembered: they change where a new release seeds them.
_KNOWN_SECONDS: Final = 60
_TABLES: Final = ("country", "region", "currency", "sector", "legal_form", "language")


class Lapsed(NamedTuple):
    """Until when a code held, and the one that came after it; several are separated by `;`."""

    valid_until: date
    successor: str | None


#: The codes that hold no longer, by table and code.
LapsedCodes = Mapping[tuple[str, str], Lapsed]


class _Used(NamedTuple):
    """A code that a record has: where, and of which list."""

    pointer: str
    table: str
    code: str
    #: The field of the row that it stands in, and the day that the row has of its own.
    place: tuple[str, ...]
    day: date | None


_known: WeakKeyDictionary[Engine, tuple[float, LapsedCodes]] = WeakKeyDictionary()


def lapsed_codes(session: Session) -> LapsedCodes:
    """The codes of the database that hold no longer, as they were a minute ago at most."""
    engine = session.get_bind().engine
    until, found = _known.get(engine, (0.0, {}))
    if monotonic() >= until:
        found = _read_lapsed(session)
        _known[engine] = (monotonic() + _KNOWN_SECONDS, found)
    return found


def _read_lapsed(session: Session) -> LapsedCodes:
    tables = [Base.metadata.tables[name] for name in _TABLES if name in Base.metadata.tables]
    several = [
        select(literal(table.name), table.c.code, table.c.valid_until, table.c.successor).where(
            table.c.valid_until.is_not(None)
        )
        for table in tables
    ]
    rows = session.execute(union_all(*several)) if several else ()
    return {(table, code): Lapsed(day, successor) for table, code, day, successor in rows}


def check_codes_of_time(
    session: Session, resource: Resource, record: Record, before: Values | None
) -> None:
    """Refuse (422) codes that had ceased to hold on the day that the record, or the row of it that
    they stand in, is of. What is stored stays, as long as neither the code nor the day is new."""
    lapsed = lapsed_codes(session)
    used = [
        each
        for each in _used(resource, partial(getattr, record))
        if (each.table, each.code) in lapsed
    ]
    if not used:
        return
    of_day = resource.of_day
    if before is not None and (of_day is None or _is_as_before(record, before, of_day.fields)):
        stored = {each[1:] for each in _used(resource, before.__getitem__)}
        used = [each for each in used if each[1:] not in stored]
    day = of_day.find(session, record) if used and of_day is not None else None
    faults = [_fault(each, each.day or day, lapsed) for each in used]
    told = [fault for fault in faults if fault is not None]
    if told:
        raise Invalid(f"{told[0].pointer}: {told[0].detail}", told)


def _is_as_before(record: Record, before: Values, names: tuple[str, ...]) -> bool:
    now = ((name, getattr(record, name)) for name in names)
    return all(before[name] == (None if value is None else str(value)) for name, value in now)


def _fault(used: _Used, day: date | None, lapsed: LapsedCodes) -> Fault | None:
    valid_until = lapsed[used.table, used.code].valid_until
    if day is not None and day <= valid_until:
        return None
    found = f"this is of {day}" if day else "nothing here says that this is so old"
    text = f"{used.code} was withdrawn after {valid_until}, and {found}."
    instead = _in_use(used, day, lapsed)
    if instead:
        *others, last = instead
        named = f"{', '.join(others)} and {last}" if others else last
        text += f" Its successor is {named}." if not others else f" Its successors are {named}."
    return Fault("withdrawn", text, pointer=used.pointer)


def _in_use(used: _Used, day: date | None, lapsed: LapsedCodes) -> list[str]:
    """The first in each line of successors that held on the day, or still do."""
    found: list[str] = []
    waiting = [used.code]
    while waiting:
        code = waiting.pop(0)
        gone = lapsed.get((used.table, code))
        if gone is None or (day is not None and day <= gone.valid_until):
            found.append(code)
        elif gone.successor:
            waiting += gone.successor.split(";")
    return list(dict.fromkeys(found))


class _Column(NamedTuple):
    """A field that holds a code, or a list of them, and the table of these."""

    name: str
    table: str
    is_list: bool


@cache
def _columns(table: Table) -> tuple[_Column, ...]:
    """The fields of a table that hold codes."""
    found = {}
    for column in table.c:
        of = column.type.of if isinstance(column.type, CodeList) else None
        # A region's country refers to that of the region, too.
        keys = [key.column for key in column.foreign_keys if key.column.name == "code"]
        for name in [of.partition(".")[0]] if of else [key.table.name for key in keys]:
            if name in _TABLES:
                found[column.name] = _Column(column.name, name, of is not None)
    return tuple(found.values())


def _used(resource: Resource, get: Callable[[str], Value]) -> Iterator[_Used]:
    """The codes of a record, whose fields and lists `get` gives; what is of the first row of a list
    comes once, as the record's own unless the row has a day."""
    of_dated = set[str]()
    for name, part in resource.embedded.items():
        table = table_of(part.table)
        rows = [_getter(row) for row in get(name)] if _columns(table) else ()
        for at, row in enumerate(rows):
            day, same = _own_day(part, row), dict[str, str]()
            if at == 0:
                same = {inner: own for own, (of, inner) in resource.first_of.items() if of == name}
            of_dated |= set(same.values()) if day is not None else set()
            for used in _of_row(table, row, f"/{name}/{at}", (name,), day):
                if day is not None or used.place[-1] not in same:
                    yield used
    own_codes = _of_row(table_of(resource.table), get, "", (), None)
    yield from (used for used in own_codes if used.place[0] not in of_dated)


def _of_row(
    table: Table, get: Callable[[str], Value], at: str, place: tuple[str, ...], day: date | None
) -> Iterator[_Used]:
    for name, codes, is_list in _columns(table):
        value = get(name)
        for n, code in enumerate(value or ()) if is_list else ():
            yield _Used(f"{at}/{name}/{n}", codes, code, (*place, name), day)
        if value is not None and not is_list:
            yield _Used(f"{at}/{name}", codes, value, (*place, name), day)


def _own_day(part: Embedded, get: Callable[[str], Value]) -> date | None:
    """The first day that the date of a row can mean, where rows have one."""
    for name in part.edtf_dates[:1]:
        return bound_values(name, get(name))[bound_names(name)[0]]
    return None


def _getter(row: AnyTable) -> Callable[[str], Value]:
    """What gives the fields of a record, a row of it, or the JSON of one."""
    return row.__getitem__ if isinstance(row, dict) else partial(getattr, row)
