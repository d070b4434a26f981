"""Which datasets there are: the grain of each, and what its columns show."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from app.core.databases.expressions import AnyTable, Expression, Selection
from app.datasets.derived import party_names, reason_left_out
from app.engine.query.conditions import Path
from app.engine.resource import Resource
from app.insights.journey import missions_of_journey
from app.insights.presence import missions_with, organizations_in
from app.resources.agreement import agreement
from app.resources.delegate import delegate
from app.resources.mission import mission
from app.resources.organization import company
from app.resources.outcome import outcome
from app.resources.participation import participation
from app.resources.reported_total import reported_total


@dataclass(frozen=True, eq=False)
class Derived:
    """A column of text that is worked out: `value` makes its SQL, given the record's table; `reads`
    are the relations by which it shows something of others."""

    about: str
    value: Callable[[AnyTable], Expression]
    reads: tuple[Path, ...] = ()


@dataclass(frozen=True)
class MoneyColumns:
    """Which columns are amounts that can be converted: one, at `most` so much, in a `currency`."""

    amount: str
    currency: str
    most: str | None = None


@dataclass(frozen=True, eq=False)
class Dataset:
    """A flat table: a row for each record, or with `row_of` for each part in this list of it.

    `columns` are dotted paths of fields; `units` names for columns of numbers those that say what
    they are counted in; `counts` are the collections under a record that are counted, by the name
    of the column, and `lists` those whose records are named; `ways` read the ids of a collection's
    records, given the id of the one that they are under, where its own condition would look through
    all of them each time; `counted` are the kinds whose changes can change the counts and lists of
    any record; `derived` are columns that are worked out otherwise.
    """

    name: str
    grain: str
    resource: Resource
    columns: tuple[str, ...]
    row_of: str | None = None
    units: Mapping[str, str] = field(default_factory=dict)
    counts: Mapping[str, str] = field(default_factory=dict)
    lists: Mapping[str, str] = field(default_factory=dict)
    ways: Mapping[str, Callable[[Expression], list[Selection]]] = field(default_factory=dict)
    counted: tuple[Resource, ...] = ()
    derived: Mapping[str, Derived] = field(default_factory=dict)
    money: MoneyColumns | None = None


_STAMPS = ("created_at", "updated_at")
_AMOUNT = {"amount": "currency", "amount_max": "currency"}
_AGREEMENT = ("id", "ref", "title", "mission_id", "mission.title")
_DATES = ("earliest", "latest")


def _dated(name: str) -> tuple[str, ...]:
    """A date as stated, and the first and last day that it can mean."""
    return (name, *(f"{name}_{bound}" for bound in _DATES))


def _in_journey(mission_id: Expression) -> list[Selection]:
    """The ids of the organizations that were in a mission or in what is part of it."""
    return organizations_in(lambda column: column.in_(missions_of_journey(mission_id)))


DATASETS: tuple[Dataset, ...] = (
    Dataset(
        "agreements",
        "a row for each agreement",
        agreement,
        (
            *_AGREEMENT,
            *("title_en", "event_id", "event.title", "instrument", "bindingness", "status"),
            *("firmness", "was_signed", *_dated("signed"), *_dated("due"), "stands_for"),
            *("amount", "amount_max", "currency", "amount_bound", "amount_kind"),
            *("amount_period", "amount_years", "sectors", "place_country"),
            *("place_region", "place_city", "certainty", "parties_complete", *_STAMPS),
            *("mission.host_country", "mission.dates_earliest"),
        ),
        units=_AMOUNT,
        money=MoneyColumns("amount", "currency", "amount_max"),
        derived={
            "parties": Derived(
                "Who the parties are, by name or as described, with semicolons between them.",
                party_names,
                reads=(("parties", "organization"),),
            ),
            "left_out": Derived(
                "Why its amount is not to be added to the others of its currency, its class and"
                " its `amount_period`: it is part of one of them (`parts`), or another took its"
                " place (`replaced`). Without where it is added.",
                reason_left_out,
            ),
        },
    ),
    Dataset(
        "agreement_parties",
        "a row for each party of each agreement",
        agreement,
        (
            *_AGREEMENT,
            *("parties.position", "parties.role", "parties.organization_id"),
            *("parties.organization.ref", "parties.organization.name"),
            *("parties.organization.country", "parties.description", "parties.share_percent"),
            *("parties.signed_by_id", "parties.signed_by.full_name", "parties.signed_as"),
            *("status", "firmness", "was_signed", *_dated("signed"), "stands_for", "updated_at"),
        ),
        row_of="parties",
        units={"parties.share_percent": "percent"},
    ),
    Dataset(
        "missions",
        "a row for each mission, those that nothing came of too",
        mission,
        (
            *("id", "ref", "title", "title_en", "kind", "status", "attendance"),
            *("sending_country", "sending_region", "sending_city"),
            *("host_country", "host_region", "host_city", *_dated("dates"), "sectors"),
            *("parent_id", "parent.title", "cost_amount", "cost_currency", *_STAMPS),
        ),
        units={"cost_amount": "cost_currency"},
        money=MoneyColumns("cost_amount", "cost_currency"),
        counts={
            "delegates_count": "delegates",
            "companies_count": "companies",
            "agreements_count": "agreements",
            "outcomes_count": "outcomes",
        },
        ways={"companies": _in_journey},
        counted=(agreement, company, delegate, mission, outcome, participation),
    ),
    Dataset(
        "mission_stops",
        "a row for each stop of each mission",
        mission,
        (
            *("id", "ref", "title", "stops.position", "stops.country", "stops.region"),
            *("stops.city", "stops.dates", "updated_at"),
        ),
        row_of="stops",
    ),
    Dataset(
        "delegates",
        "a row for each person, or number of persons, on a mission",
        delegate,
        (
            *("id", "ref", "mission_id", "mission.title", "person_id", "person.full_name"),
            *("description", "organization_id", "organization.name", "position", "position_en"),
            *("side", "capacity", "certainty", *_STAMPS),
        ),
    ),
    Dataset(
        "companies",
        "a row for each company",
        company,
        (
            *("id", "ref", "name", "name_en", "legal_form", "country", "region", "city"),
            *("sectors", "parent_id", "parent.name", "is_named", *_STAMPS),
        ),
        counts={"missions_count": "missions", "agreements_count": "agreements"},
        lists={"missions": "missions"},
        ways={"missions": missions_with},
        counted=(agreement, delegate, mission, participation),
    ),
    Dataset(
        "outcomes",
        "a row for each thing that came of an agreement",
        outcome,
        (
            *("id", "ref", "agreement_id", "agreement.title", "agreement.mission_id"),
            *(*_dated("date"), "status", "actual_amount", "currency", "amount_scope", "jobs"),
            *("confirmed_by_id", "confirmed_by.name", *_STAMPS),
        ),
        units={"actual_amount": "currency", "jobs": "jobs"},
        money=MoneyColumns("actual_amount", "currency"),
    ),
    Dataset(
        "targets",
        "a row for each target of each agreement",
        agreement,
        (
            *_AGREEMENT,
            *("targets.position", "targets.measure", "targets.quantity"),
            *("targets.quantity_max", "targets.unit", "targets.per", "targets.bound"),
            *("targets.due", "updated_at"),
        ),
        row_of="targets",
        units={"targets.quantity": "targets_unit", "targets.quantity_max": "targets_unit"},
    ),
    Dataset(
        "claims",
        "a row for each figure that somebody stated in total",
        reported_total,
        (
            *("id", "ref", "mission_id", "mission.title", "claimed_by_id", "claimed_by.name"),
            *("claimed_by_person_id", "claimed_by_person.full_name"),
            *("measure", "scope", "value", "value_max", "of_value", "bound", "currency"),
            *("amount_kind", "amount_period", "amount_years", "rank", *_dated("as_of"), *_STAMPS),
        ),
        money=MoneyColumns("value", "currency", "value_max"),
    ),
)
