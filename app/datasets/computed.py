"""Datasets that are no list of records: what was changed when, and sums."""

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import FromClause, Text, select

from app.core.databases.expressions import Expression, Selection
from app.core.databases.types import Id
from app.core.sheets.sheet import CellKind
from app.engine.aggregates.sql import Sql
from app.engine.history.change_log import Change
from app.engine.paths import RecordField, find_field
from app.insights.totals import exact_sum, number_sum, totals_of_all, totals_of_missions
from app.resources.agreement import agreement
from app.resources.mission import mission

#: Makes of the rows of a dataset one of its values.
Form = Callable[[FromClause, str], Expression]


@dataclass(frozen=True, eq=False)
class ComputedColumn:
    """A column: `codes` is the field that has the same codes; `cell` and `number` make its value
    as text and as a number of the database where it is not in the rows as it is."""

    name: str
    kind: CellKind
    about: str
    nullable: bool = False
    unit: str | None = None
    codes: RecordField | None = None
    cell: Form | None = None
    number: Form | None = None


@dataclass(frozen=True, eq=False)
class ComputedDataset:
    """A flat table of what `rows` reads on a dialect, in the order of the column `key`, which tells
    the rows apart; `since` is the column of when a row was written, None where all are worked out
    when they are read."""

    name: str
    grain: str
    columns: tuple[ComputedColumn, ...]
    rows: Callable[[str], Selection]
    key: str
    since: str | None = None


def is_id(dataset: ComputedDataset, name: str) -> bool:
    """Whether a column has the ids of records, as the database has them."""
    stored = dataset.rows("sqlite").subquery().c.get(name)
    # Sums are made of several.
    return stored is not None and isinstance(stored.type, Id)


_TEXT, _INTEGER = CellKind.text, CellKind.integer
#: The names of the fields of a change, with semicolons between them.
_FIELDS = {
    "sqlite": "SELECT group_concat(key, ';') FROM json_each({0})",
    "postgresql": "SELECT string_agg(key, ';' ORDER BY place) FROM"
    " json_object_keys(CAST({0} AS json)) WITH ORDINALITY AS named(key, place)",
}


def _changes(dialect: str) -> Selection:
    names = Sql(_FIELDS[dialect], Change.__table__.c.changes, kind=Text()).label("fields")
    return select(
        Change.seq, Change.at, Change.kind, Change.record_id, Change.action, Change.version, names
    )


def _sum(name: str, about: str, *, nullable: bool) -> ComputedColumn:
    return ComputedColumn(
        name,
        CellKind.decimal,
        about,
        nullable,
        "currency",
        cell=exact_sum,
        number=number_sum,
    )


CHANGES = ComputedDataset(
    "changes",
    "a row for each change of a record",
    (
        ComputedColumn("seq", _INTEGER, "The number of the change in the change log."),
        ComputedColumn("at", CellKind.instant, "When it was made."),
        ComputedColumn("kind", _TEXT, "What kind of record was changed."),
        ComputedColumn("record_id", _TEXT, "Which record was changed."),
        ComputedColumn("action", _TEXT, "What was done: create, update, delete or restore."),
        ComputedColumn("version", _INTEGER, "The version of the record that it made."),
        ComputedColumn(
            "fields",
            _TEXT,
            "The names of the fields that were changed, without those that are withheld.",
            nullable=True,
        ),
    ),
    _changes,
    key="seq",
    since="at",
)

#: Of rows of sums: what they are of, and what they come to.
_TOTALS = (
    ComputedColumn(
        "firmness",
        _TEXT,
        "How firm the agreements are: what is of different classes is not to be added up.",
        codes=find_field(agreement, ("firmness",)),
    ),
    ComputedColumn(
        "currency",
        _TEXT,
        "What the sums are in.",
        nullable=True,
        codes=find_field(agreement, ("currency",)),
    ),
    ComputedColumn("per", _TEXT, "`year` of amounts that are those of each year.", True),
    ComputedColumn("agreements", _INTEGER, "How many agreements are added.", unit="agreements"),
    _sum("amount", "The sum of their amounts, each counted once.", nullable=True),
    _sum("at_least", "What the sum is at least, as far as that is certain.", nullable=True),
    _sum("at_most", "What it is at most; without where that is open.", nullable=True),
    ComputedColumn(
        "not_exact",
        _INTEGER,
        "Of how many the amount is a limit or about so.",
        unit="agreements",
    ),
    ComputedColumn(
        "left_out",
        _INTEGER,
        "How many are not added, since they are part of others or were replaced.",
        unit="agreements",
    ),
)
TOTALS = ComputedDataset(
    "totals",
    "a row for each currency and class of all agreements with an amount, of no mission too",
    (ComputedColumn("id", _TEXT, "The currency and the class in one."), *_TOTALS),
    totals_of_all,
    key="id",
)
MISSION_TOTALS = ComputedDataset(
    "mission_totals",
    "a row for each mission, and for what belongs to none, by currency and class of agreements with"
    " an amount, as the summary of the mission has it, with those of the missions that are part of"
    " it: not to be added up over missions, as what is of a part, or part of a deal of another"
    " mission, is in both; the sums over all are in `totals`",
    (
        ComputedColumn("id", _TEXT, "The mission, the currency and the class in one."),
        ComputedColumn("mission_id", _TEXT, "The mission; without for what is of none.", True),
        ComputedColumn("mission_title", _TEXT, "What the mission is called.", nullable=True),
        ComputedColumn(
            "mission_host_country",
            _TEXT,
            "The country that the mission went to.",
            nullable=True,
            codes=find_field(mission, ("host_country",)),
        ),
        ComputedColumn(
            "mission_dates_earliest",
            CellKind.date,
            "The first day that its dates can mean; without where they have no year.",
            nullable=True,
        ),
        *_TOTALS,
    ),
    totals_of_missions,
    key="id",
)

COMPUTED = (CHANGES, TOTALS, MISSION_TOTALS)
