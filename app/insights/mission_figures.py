"""Missions with what came of each: a list that is filtered and sorted by its figures."""

from collections.abc import Callable, Mapping
from typing import Annotated, Literal
from uuid import UUID

from fastapi import Query, Request
from sqlalchemy import CTE, ColumnElement, FromClause, case, func, select
from sqlalchemy.orm import aliased
from starlette.responses import Response

from app.core.databases.expressions import AnyTable, Expression, Selection
from app.core.http.dispatch import Route
from app.engine.query.withheld import withheld_of
from app.engine.schemas import Edtf, Page, Schema
from app.insights.agreement_columns import (
    OUTCOME_COLUMNS,
    OutcomeFigures,
    date_columns,
    outcome_columns,
)
from app.insights.amounts import AmountFigures, amounts, given_currency
from app.insights.figure_answers import (
    FigureFileQuery,
    FigurePageQuery,
    answer_figures,
    answer_figures_file,
    file_operation,
    list_operation,
)
from app.insights.figure_lists import FigureGroup, FigureList, FigureShape, Parts
from app.insights.journey import journeys
from app.insights.presence import is_of_part, organizations_by, people
from app.resources.agreement import Agreement, agreement
from app.resources.code import CurrencyCode
from app.resources.delegate import Delegate
from app.resources.event import Event
from app.resources.mission import MissionKind, MissionStatus, mission
from app.resources.organization import Organization, OrganizationKind
from app.resources.outcome import Outcome
from app.resources.participation import Participation


class _WhatItHad(Schema):
    id: UUID
    """The mission's id."""
    ref: str | None
    """The mission's ref."""
    title: str
    """The mission's title."""
    kind: MissionKind
    """What sort of mission it is."""
    status: MissionStatus
    """Whether it took place."""
    dates: Edtf | None
    """When it took place, as stated, in EDTF."""
    sending_country: str | None
    """The country that the delegation comes from."""
    host_country: str | None
    """The country visited, of the first stop."""
    parent_id: UUID | None
    """The mission that this one is a part of: its figures are in those of that one, too."""
    legs: int
    """How many missions are part of it."""
    events: int
    """Items of its programme on record."""
    delegates: int
    """People on record who took part, named or described."""
    participations: int
    """Organizations on record that took part by themselves, in each role."""
    organizations: int
    """Organizations that took part, sent a delegate or are party to an agreement, once each."""
    companies: int
    """Those of them that are companies."""
    outcomes: int
    """Follow-ups of its agreements on record."""
    undated: int
    """How many agreements have no date of signing, or none with a year."""
    withheld_dates: int
    """How many agreements are shown without when they were signed, which is withheld."""
    withheld: int
    """How many records are withheld: counted in `agreements`, and in nothing else."""


class MissionFigures(AmountFigures, OutcomeFigures, _WhatItHad):
    """A mission with what came of it and of the missions that are part of it."""


class MissionFiguresList(Schema):
    """A page of missions with their figures."""

    data: list[MissionFigures]
    """The missions."""
    page: Page
    """Where this page lies within all of them."""
    withheld: dict[str, int]
    """How many records are withheld and in no figure, of each kind as a whole, whatever the filters
    and the page."""


class _MissionFigures(Schema):
    parts: Literal["include", "exclude"] = "include"
    """Whether what came of the missions that are part of a mission counts with it."""
    currency: CurrencyCode | None = None
    """The currency of the amounts, ISO 4217: amounts in others are not told."""


class MissionFiguresQuery(_MissionFigures, FigurePageQuery):
    """Parameters of the missions with their figures."""


class MissionFiguresFileQuery(_MissionFigures, FigureFileQuery):
    """Parameters of the missions with their figures as CSV."""


def _parts(keys: CTE, shape: FigureShape) -> Parts:
    """`(mission_id, part_id)`: each mission with those whose figures are its own, too; of `every`
    those that are withheld are among them."""
    (with_parts,) = shape.options

    def pairs(name: str, *, with_withheld: bool) -> FromClause:
        if not with_parts:
            found = select(keys.c.id.label("mission_id"), keys.c.id.label("part_id"))
        else:
            of = journeys(with_withheld=with_withheld)
            found = select(of.c.mission_id, of.c.part_id).where(of.c.mission_id == keys.c.id)
        return found.cte(f"{name}_of_{keys.name}").prefix_with("MATERIALIZED")

    return {
        "missions": pairs("parts", with_withheld=False),
        "every": pairs("every_part", with_withheld=True),
    }


def _group(names: tuple[str, ...], count: Callable[[FromClause], FromClause]) -> FigureGroup:
    """Columns that are counted from the missions with their parts."""
    return FigureGroup(names, lambda parts, shape, dialect: count(parts["missions"]))


def _count_of(
    name: str, table: AnyTable, number: Callable[[AnyTable], Expression] = lambda of: func.count()
) -> FigureGroup:
    """How many records of a kind belong to a mission, or what else their number is."""

    def count(parts: FromClause) -> FromClause:
        of: AnyTable = aliased(table)
        found = _select(parts, {name: number(of)})
        found = found.where(of.mission_id == parts.c.part_id, of.deleted_at.is_(None))
        return _grouped(found, parts)

    return _group((name,), count)


def _select(parts: FromClause, columns: Mapping[str, Expression]) -> Selection:
    made = (column.label(name) for name, column in columns.items())
    return select(parts.c.mission_id.label("record_id"), *made)


def _grouped(found: Selection, parts: FromClause) -> FromClause:
    return found.group_by(parts.c.mission_id).subquery()


def _legs(parts: FromClause) -> FromClause:
    # Each mission is one of its own parts.
    return _grouped(_select(parts, {"legs": func.count() - 1}), parts)


def _organizations(parts: FromClause) -> FromClause:
    there = organizations_by(parts).subquery("there")
    once = select(there.c.mission_id, there.c.organization_id).distinct().subquery("once")
    of: AnyTable = aliased(Organization)
    is_company = case((of.kind == OrganizationKind.company, 1))
    found = _select(once, {"organizations": func.count(), "companies": func.count(is_company)})
    found = found.where(of.id == once.c.organization_id, of.deleted_at.is_(None))
    return _grouped(found, once)


#: What is told of agreements, those that are withheld counted in all of them.
_AGREEMENTS = (*OUTCOME_COLUMNS, "undated", "withheld_dates", "withheld")


def _agreements(parts: Parts, shape: FigureShape, dialect: str) -> FromClause:
    of: AnyTable = aliased(Agreement)
    missions, every = parts["missions"], parts["every"]
    shown = _select(missions, outcome_columns(of) | date_columns(of))
    shown = shown.where(*is_of_part(of, missions), of.deleted_at.is_(None))
    count, conditions = withheld_of(Agreement, every.c.part_id, "mission_id")
    hidden = _select(every, {"withheld": count}).where(*conditions)
    own, gone = _grouped(shown, missions), _grouped(hidden, every).alias("gone")
    # A mission may have agreements of one sort alone.
    keys = select(missions.c.mission_id).distinct().subquery("counting")
    columns: dict[str, Expression] = {
        name: func.coalesce(own.c[name], 0) for name in _AGREEMENTS if name in own.c
    }
    columns["withheld"] = func.coalesce(gone.c.withheld, 0)
    columns["agreements"] += columns["withheld"]
    found = _select(keys, columns).select_from(
        keys.outerjoin(own, own.c.record_id == keys.c.mission_id).outerjoin(
            gone, gone.c.record_id == keys.c.mission_id
        )
    )
    return found.subquery()


def _outcomes(parts: FromClause) -> FromClause:
    of: AnyTable = aliased(Agreement)
    outcome: AnyTable = aliased(Outcome)
    found = _select(parts, {"outcomes": func.count()}).where(
        *is_of_part(of, parts),
        of.deleted_at.is_(None),
        outcome.agreement_id == of.id,
        outcome.deleted_at.is_(None),
    )
    return _grouped(found, parts)


def _of_parts(parts: Parts, of: AnyTable) -> tuple[Expression, list[ColumnElement[bool]]]:
    missions = parts["missions"]
    return missions.c.mission_id, is_of_part(of, missions)


MISSION_FIGURES = FigureList(
    name="missions",
    resource=mission,
    row=MissionFigures,
    groups=(
        _group(("legs",), _legs),
        _count_of("events", Event),
        _count_of("delegates", Delegate, people),
        _count_of("participations", Participation),
        _group(("organizations", "companies"), _organizations),
        FigureGroup(_AGREEMENTS, _agreements),
        _group(("outcomes",), _outcomes),
        amounts(_of_parts),
    ),
    parts=_parts,
    sort="id",
    withholding=(mission, agreement),
)
mission.counted_at = ("/insights/missions", frozenset(MISSION_FIGURES.figures))


def mission_figures_routes() -> tuple[Route, ...]:
    """GET /insights/missions, as JSON and as CSV"""

    async def list_mission_figures(
        request: Request, query: Annotated[MissionFiguresQuery, Query()]
    ) -> Response:
        """Missions with counts of what came of each, those with nothing among them. Besides the
        filters of missions each figure is one: `agreements__gte=5`, with `eq`, `ne`, `gt`, `gte`,
        `lt` and `lte`."""
        given = await given_currency(request, query.currency)
        options = (query.parts == "include",)
        return await answer_figures(request, MISSION_FIGURES, query, options, given)

    async def export_mission_figures(
        request: Request, query: Annotated[MissionFiguresFileQuery, Query()]
    ) -> Response:
        given = await given_currency(request, query.currency)
        options = (query.parts == "include",)
        return await answer_figures_file(request, MISSION_FIGURES, query, options, given)

    path, name, summary = (
        "/insights/missions",
        "mission_figures",
        "List missions with their figures",
    )
    about, model = list_mission_figures.__doc__, MissionFiguresList
    paged = list_operation(mission, path, name, summary, about, model)
    whole = file_operation(mission, path, name, summary)
    return paged.route(list_mission_figures), whole.route(export_mission_figures)
