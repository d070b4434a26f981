"""Cohorts of agreements, and where those of each stood so many months later: the statement.

An agreement begins a stage on a day: it was `signed` on that of its signature, and `announced` when
people met, which is the day of its event, else of its mission. Days may be known to the year alone,
so each is a first and a last day that it can be, and what they do not tell is `unknown`. What has
become of an agreement only ever gets further, by `_RANKS`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import (
    CTE,
    BigInteger,
    ColumnElement,
    CompoundSelect,
    Date,
    Dialect,
    FromClause,
    Text,
    and_,
    bindparam,
    case,
    cast,
    func,
    literal,
    literal_column,
    not_,
    null,
    or_,
    select,
    union_all,
)
from sqlalchemy.orm import aliased

from app.core.databases.expressions import AnyTable, Expression, Selection
from app.core.databases.interface import CompiledQuery, compile_query
from app.core.databases.made_once import made_once
from app.engine.query.render import as_json, json_array, json_list, object_of
from app.engine.query.withheld import withheld_in_all
from app.insights.choice import Choice
from app.insights.cohort_groups import CohortGroup, group_keys
from app.insights.days import MONTH, bounds_of
from app.insights.figures import was_ever_signed
from app.resources.agreement import Agreement, agreement
from app.resources.event import Event
from app.resources.firmness import Firmness
from app.resources.instrument import Bindingness
from app.resources.mission import Mission
from app.resources.outcome import Outcome
from app.resources.related import AgreementRelationship, RelatedAgreement
from app.resources.replacing import stands
from app.resources.status import AgreementStatus


class Stage(StrEnum):
    """How an agreement begins."""

    announced = "announced"
    signed = "signed"


class CohortState(StrEnum):
    """Where an agreement stands."""

    announced = "announced"
    signed = "signed"
    in_force = "in_force"
    completed = "completed"
    replaced = "replaced"
    fallen_through = "fallen_through"


class Membership(StrEnum):
    """Whether an agreement belongs to a cohort."""

    member = "member"
    perhaps = "perhaps"
    undated = "undated"


#: The states by their ranks. What a contract replaced has not fallen through, and what was
#: completed has been whatever came later.
STATES: Mapping[int, CohortState] = {
    0: CohortState.announced,
    1: CohortState.signed,
    2: CohortState.in_force,
    3: CohortState.fallen_through,
    4: CohortState.replaced,
    5: CohortState.completed,
}
#: Stand for a state that the dates do not tell, and for one whose time has not come.
UNKNOWN, NOT_YET = -1, -2
_OPEN = (AgreementStatus.announced, AgreementStatus.negotiated)
_RANKS = {
    AgreementStatus.signed: 1,
    AgreementStatus.in_force: 2,
    AgreementStatus.cancelled: 3,
    AgreementStatus.expired: 3,
    AgreementStatus.superseded: 4,
    AgreementStatus.completed: 5,
}
_BEGINS = {Stage.announced: 0, Stage.signed: 1}
_AS_REPLACED = 4
_NO_DAY: Expression = cast(null(), Date)


@dataclass(frozen=True, slots=True)
class CohortShape:
    """What makes two conversions the same statement, without values."""

    choice: Choice
    group: CohortGroup | None
    #: After how many numbers of months is looked; their numbers are parameters.
    horizons: int


@made_once(256)
def cohort_statement(shape: CohortShape, dialect: Dialect) -> CompiledQuery:
    """Reads `(json,)`: `{"groups": […], "total": […], "accomplished": n, "withheld": n}`, without
    `groups` where nothing is grouped by. A row of the first is `[stage, group, name, membership,
    is a day, state after each horizon …, agreements, records]`.

    Parameters are the values of the filters, and as numbers of days `since`, `until`, `today`, and
    of months `after0, after1, …`.
    """
    name = dialect.name
    chosen = _chosen(shape.choice)
    moved = _moved(chosen, name)
    begun = _begun(chosen, moved, name)
    placed = _placed(begun, moved, shape.horizons)
    accomplished = select(func.coalesce(func.sum(chosen.c.stands_for), 0)).where(
        chosen.c.bindingness == Bindingness.accomplished
    )
    groups = {} if shape.group is None else {"groups": _cells(placed, shape, shape.group)}
    values = {
        **groups,
        "total": _cells(placed, shape, None),
        "accomplished": cast(accomplished.scalar_subquery(), BigInteger),
        "withheld": withheld_in_all(agreement),
    }
    return compile_query(select(object_of(values)), dialect)


def _chosen(choice: Choice) -> CTE:
    names = (
        *("id", "mission_id", "event_id", "instrument", "bindingness", "status", "stands_for"),
        *("firmness", "was_signed", "signed", "signed_earliest", "signed_latest"),
    )
    columns = (getattr(Agreement, each) for each in names)
    return select(*columns).where(*choice.conditions(agreement)).cte("chosen")


def _moves(chosen: CTE) -> CompoundSelect[tuple[object]]:
    """Each rank that an agreement is known to have reached, and when if that was told."""
    newer: AnyTable = aliased(Agreement)
    outcome: AnyTable = Outcome
    return union_all(
        # It has come so far, whenever that was.
        _move(chosen.c.id, _rank(chosen.c.status), _NO_DAY, _NO_DAY).where(
            chosen.c.status.not_in(_OPEN)
        ),
        _move(
            chosen.c.id,
            literal(_BEGINS[Stage.signed]),
            chosen.c.signed_earliest,
            chosen.c.signed_latest,
        ).where(chosen.c.signed.is_not(None), chosen.c.was_signed),
        _move(chosen.c.id, _rank(outcome.status), outcome.date_earliest, outcome.date_latest).where(
            outcome.agreement_id == chosen.c.id,
            outcome.deleted_at.is_(None),
            outcome.status.not_in(_OPEN),
        ),
        _move(chosen.c.id, literal(_AS_REPLACED), newer.signed_earliest, newer.signed_latest).where(
            RelatedAgreement.agreement_id == chosen.c.id,
            RelatedAgreement.relation == AgreementRelationship.replaces,
            RelatedAgreement.owner_id == newer.id,
            newer.deleted_at.is_(None),
            stands(newer),
        ),
    )


def _rank(status: Expression) -> Expression:
    return case(*((status == each, rank) for each, rank in _RANKS.items()))


def _move(key: Expression, rank: Expression, earliest: Expression, latest: Expression) -> Selection:
    names = ("agreement_id", "rank", "earliest", "latest")
    return select(*(e.label(n) for n, e in zip(names, (key, rank, earliest, latest), strict=True)))


def _moved(chosen: CTE, dialect: str) -> CTE:
    """A row an agreement: whether it `reached` each rank, and the `first` and `last` day that this
    can have been; it was on the earliest of several."""
    moves = _moves(chosen).subquery("moves")
    first, last = bounds_of(moves.c.earliest, moves.c.latest, dialect)
    columns: list[Expression] = [moves.c.agreement_id]
    for rank in sorted({*_RANKS.values()}):
        is_this = moves.c.rank == rank
        columns += [
            func.count(case((is_this, 1))).label(f"reached{rank}"),
            func.min(case((is_this, first))).label(f"first{rank}"),
            func.min(case((is_this, last))).label(f"last{rank}"),
        ]
    return select(*columns).group_by(moves.c.agreement_id).cte("moved")


def _begun(chosen: CTE, moved: CTE, dialect: str) -> CTE:
    """A row for each stage that an agreement began, with the days on which that can have been."""
    event: AnyTable = aliased(Event)
    mission: AnyTable = aliased(Mission)
    event_days = bounds_of(event.dates_earliest, event.dates_latest, dialect)
    mission_days = bounds_of(mission.dates_earliest, mission.dates_latest, dialect)
    met: list[Expression] = [
        func.coalesce(*both) for both in zip(event_days, mission_days, strict=True)
    ]
    signature: list[Expression] = [
        moved.c[f"{name}{_BEGINS[Stage.signed]}"] for name in ("first", "last")
    ]
    was_signed = was_ever_signed(chosen.c)
    was_open = or_(
        chosen.c.firmness == Firmness.announced,
        # It never got so far.
        and_(not_(was_signed), chosen.c.firmness.in_((Firmness.fallen_through, Firmness.replaced))),
        # It was signed only after people had met.
        signature[0] > met[1],
    )
    source = (
        chosen.outerjoin(moved, moved.c.agreement_id == chosen.c.id)
        .outerjoin(event, event.id == chosen.c.event_id)
        .outerjoin(mission, mission.id == chosen.c.mission_id)
    )

    def stage(which: Stage, began: ColumnElement[bool], days: list[Expression]) -> Selection:
        columns = (
            *(chosen.c[name] for name in ("id", "mission_id", "instrument", "bindingness")),
            chosen.c.stands_for,
            literal(which.value, Text).label("stage"),
            literal(_BEGINS[which]).label("begins"),
            days[0].label("first"),
            days[1].label("last"),
        )
        acts = chosen.c.bindingness != Bindingness.accomplished
        return select(*columns).select_from(source).where(acts, began)

    return union_all(
        stage(Stage.announced, was_open, met), stage(Stage.signed, was_signed, signature)
    ).cte("begun")


def _placed(begun: CTE, moved: CTE, horizons: int) -> CTE:
    """What began, with its place in the period and its state after each horizon."""
    since, until, today = (bindparam(n, type_=BigInteger) for n in ("since", "until", "today"))
    first, last = begun.c.first, begun.c.last
    membership = case(
        (first.is_(None), Membership.undated),
        (and_(first >= since, last <= until), Membership.member),
        else_=Membership.perhaps,
    )
    columns: list[Expression] = [
        *begun.c,
        membership.label("membership"),
        case((first == last, 1), else_=0).label("is_day"),
    ]
    for at in range(horizons):
        after = bindparam(f"after{at}", type_=BigInteger)
        by = [_latest_rank(begun, moved, after, surely=each) for each in (True, False)]
        state = case(
            (today - first < after, NOT_YET),
            (today - last < after, UNKNOWN),
            (by[0] == by[1], by[0]),
            else_=UNKNOWN,
        )
        columns.append(case((membership == Membership.member, state)).label(f"state{at}"))
    return (
        select(*columns)
        .select_from(begun.outerjoin(moved, moved.c.agreement_id == begun.c.id))
        .where(or_(first.is_(None), and_(last >= since, first <= until)))
        .cte("placed")
    )


def _latest_rank(begun: CTE, moved: CTE, after: Expression, *, surely: bool) -> Expression:
    """The highest rank that an agreement has reached so long after it began: surely, or perhaps."""
    reached: list[tuple[ColumnElement[bool], int]] = []
    for rank in sorted({*_RANKS.values()}, reverse=True):
        if surely:
            is_by = moved.c[f"last{rank}"] - begun.c.first <= after
        else:
            at_the_earliest = moved.c[f"first{rank}"] - begun.c.last <= after
            is_undated = moved.c[f"first{rank}"].is_(None)
            is_by = and_(moved.c[f"reached{rank}"] > 0, or_(is_undated, at_the_earliest))
        reached.append((is_by, rank))
    # A case of what is null is not met.
    found = case(*reached, else_=literal_column("0"))
    return case((found > begun.c.begins, found), else_=begun.c.begins)


def _cells(placed: CTE, shape: CohortShape, group: CohortGroup | None) -> Expression:
    """The JSON list of how many there are of each kind in each group."""
    source: FromClause = placed
    key: Expression = cast(null(), Text)
    name: Expression = cast(null(), Text)
    if group is not None:
        source, key, name = group_keys(placed, group)
    states = [placed.c[f"state{at}"] for at in range(shape.horizons)]
    kinds = (placed.c.stage, key, name, placed.c.membership, placed.c.is_day, *states)
    names = [f"c{at}" for at in range(len(kinds))]
    counted = (
        select(
            *(each.label(label) for each, label in zip(kinds, names, strict=True)),
            cast(func.sum(placed.c.stands_for), BigInteger).label("agreements"),
            func.count().label("records"),
        )
        .select_from(source)
        .group_by(*kinds)
        .subquery("counted" if group is None else "counted_by_group")
    )
    row = json_array(*(as_json(column) for column in counted.c))
    return select(json_list(row)).select_from(counted).scalar_subquery()


def months_number(months: int) -> int:
    """Of how long a time so many months are."""
    return months * MONTH
