"""Missions with what came of each: a list that is filtered and sorted by its figures."""

from collections.abc import Mapping
from typing import Annotated, Literal
from uuid import UUID

from fastapi import Query, Request
from sqlalchemy import CTE, BigInteger, FromClause, Subquery, case, cast, func, select
from sqlalchemy.orm import aliased
from starlette.responses import Response

from app.core.databases.expressions import AnyTable, Expression
from app.core.http.dispatch import Route
from app.core.http.operation import Answer
from app.engine.schemas import Edtf, Page, Schema
from app.insights.figure_lists import (
    FigureFileQuery,
    FigureList,
    FigurePageQuery,
    FigureShape,
    answer_figures,
    answer_figures_file,
)
from app.insights.journey import journeys
from app.insights.presence import presences
from app.resources.agreement import Agreement
from app.resources.delegate import Delegate
from app.resources.event import Event
from app.resources.mission import Mission, MissionKind, MissionStatus, mission
from app.resources.organization import Organization, OrganizationKind
from app.resources.outcome import Outcome
from app.resources.participation import Participation
from app.resources.status import AgreementStatus
from app.rest.operations import IF_NONE_MATCH, NOT_MODIFIED, TAGGED, RecordsOperation

_CSV = "text/csv"


class MissionFigures(Schema):
    """A mission with what came of it and of the missions that are part of it."""

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
    agreements: int
    """All agreements and announced outcomes, each as many as its record stands for."""
    signed: int
    """Of these, how many were ever signed, whatever became of them."""
    signed_binding: int
    """How many are signed and bind."""
    signed_not_binding: int
    """How many are signed and do not bind, or are not known to."""
    accomplished: int
    """How many acts were done already, such as an office opened."""
    announced: int
    """How many are only announced or negotiated, which binds nobody."""
    replaced: int
    """How many another agreement took the place of."""
    fallen_through: int
    """How many were cancelled or have expired."""
    in_force: int
    """How many are in force."""
    completed: int
    """How many are completed."""
    without_amount: int
    """How many state no amount, which counts as unknown and not as zero."""
    undated: int
    """How many have no date of signing, or none with a year."""
    outcomes: int
    """Follow-ups of its agreements on record."""


class MissionFiguresList(Schema):
    """A page of missions with their figures."""

    data: list[MissionFigures]
    """The missions."""
    page: Page
    """Where this page lies within all of them."""


class _MissionFigures(Schema):
    parts: Literal["include", "exclude"] = "include"
    """Whether what came of the missions that are part of a mission counts with it."""


class MissionFiguresQuery(_MissionFigures, FigurePageQuery):
    """Parameters of the missions with their figures."""


class MissionFiguresFileQuery(_MissionFigures, FigureFileQuery):
    """Parameters of the missions with their figures as CSV."""


_SHOWN = (
    *("id", "ref", "title", "kind", "status", "dates", "sending_country", "host_country"),
    "parent_id",
)


def _rows(shape: FigureShape, dialect: str) -> FromClause:
    """A row for each mission that is asked for, those with nothing among them."""
    columns = (getattr(Mission, name) for name in _SHOWN)
    chosen = select(*columns).where(*shape.choice.conditions(mission)).cte("chosen")
    (with_parts,) = shape.options
    parts = _parts(chosen, with_parts=with_parts)
    counted = (
        _counted(parts, "legs", Mission, "id"),
        _counted(parts, "events", Event),
        _counted(parts, "delegates", Delegate),
        _counted(parts, "participations", Participation),
        _organizations(parts),
        _agreements(parts),
        _outcomes(parts),
    )
    source: FromClause = chosen
    found: dict[str, Expression] = {name: chosen.c[name] for name in _SHOWN}
    for each in counted:
        source = source.outerjoin(each, each.c.mission_id == chosen.c.id)
        found |= {
            column.key: func.coalesce(column, 0)
            for column in each.c
            if column.key not in (None, "mission_id")
        }
    # Each mission is one of its own parts.
    found["legs"] = found["legs"] - 1
    return (
        select(*(value.label(name) for name, value in found.items()))
        .select_from(source)
        .subquery("figures")
    )


def _parts(chosen: CTE, *, with_parts: bool) -> CTE:
    """`(mission_id, part_id)`: each mission that is asked for, with those whose figures are its."""
    if not with_parts:
        return select(chosen.c.id.label("mission_id"), chosen.c.id.label("part_id")).cte("parts")
    pairs = journeys()
    found = select(pairs.c.mission_id, pairs.c.part_id)
    return found.where(pairs.c.mission_id == chosen.c.id).cte("parts")


def _counted(parts: CTE, name: str, table: AnyTable, key: str = "mission_id") -> Subquery:
    of: AnyTable = aliased(table)
    found = select(parts.c.mission_id, func.count().label(name))
    found = found.where(getattr(of, key) == parts.c.part_id, of.deleted_at.is_(None))
    return found.group_by(parts.c.mission_id).subquery(name)


def _organizations(parts: CTE) -> Subquery:
    there = presences().subquery("there")
    of: AnyTable = aliased(Organization)
    each = select(parts.c.mission_id, there.c.organization_id).distinct()
    each = each.where(there.c.mission_id == parts.c.part_id)
    once = each.subquery("each")
    is_company = of.kind == OrganizationKind.company
    found = select(
        once.c.mission_id,
        func.count().label("organizations"),
        func.count(case((is_company, 1))).label("companies"),
    )
    found = found.where(of.id == once.c.organization_id, of.deleted_at.is_(None))
    return found.group_by(once.c.mission_id).subquery("organizations")


def _agreements(parts: CTE) -> Subquery:
    of: AnyTable = aliased(Agreement)
    counted: Mapping[str, Expression | None] = {
        "agreements": None,
        "signed": of.was_signed,
        **{name: of.firmness == name for name in _CLASSES},
        "in_force": of.status == AgreementStatus.in_force,
        "completed": of.status == AgreementStatus.completed,
        "without_amount": of.amount.is_(None),
        "undated": of.signed_earliest.is_(None),
    }
    columns = (
        func.sum(of.stands_for if met is None else case((met, of.stands_for), else_=0))
        for met in counted.values()
    )
    found = select(
        parts.c.mission_id,
        *(cast(column, BigInteger).label(n) for n, column in zip(counted, columns, strict=True)),
    )
    found = found.where(of.mission_id == parts.c.part_id, of.deleted_at.is_(None))
    return found.group_by(parts.c.mission_id).subquery("agreements")


_CLASSES = (
    *("signed_binding", "signed_not_binding", "accomplished", "announced", "replaced"),
    "fallen_through",
)


def _outcomes(parts: CTE) -> Subquery:
    of: AnyTable = aliased(Agreement)
    outcome: AnyTable = aliased(Outcome)
    found = select(parts.c.mission_id, func.count().label("outcomes"))
    found = found.where(
        of.mission_id == parts.c.part_id,
        of.deleted_at.is_(None),
        outcome.agreement_id == of.id,
        outcome.deleted_at.is_(None),
    )
    return found.group_by(parts.c.mission_id).subquery("outcomes")


MISSION_FIGURES = FigureList("missions", mission, MissionFigures, _rows, sort="id")


def mission_figures_routes() -> tuple[Route, ...]:
    """GET /insights/missions, as JSON and as CSV"""

    async def list_mission_figures(
        request: Request, query: Annotated[MissionFiguresQuery, Query()]
    ) -> Response:
        """Missions with counts of what came of each, those with nothing among them. Besides the
        filters of missions each figure is one: `agreements__gte=5`, with `eq`, `ne`, `gt`, `gte`,
        `lt` and `lte`."""
        return await answer_figures(request, MISSION_FIGURES, query, (query.parts == "include",))

    async def export_mission_figures(
        request: Request, query: Annotated[MissionFiguresFileQuery, Query()]
    ) -> Response:
        """As GET /insights/missions, all of them."""
        options = (query.parts == "include",)
        return await answer_figures_file(request, MISSION_FIGURES, query, options)

    return (
        RecordsOperation(
            resource=mission,
            path="/insights/missions",
            name="list_mission_figures",
            summary="List missions with their figures",
            description=list_mission_figures.__doc__,
            tag="insights",
            parameters=(IF_NONE_MATCH,),
            answers=(Answer(model=MissionFiguresList, headers=(*TAGGED, "Link")), NOT_MODIFIED),
        ).route(list_mission_figures),
        RecordsOperation(
            resource=mission,
            path="/insights/missions.csv",
            name="export_mission_figures",
            summary="List missions with their figures, as CSV",
            description=export_mission_figures.__doc__,
            tag="insights",
            parameters=(IF_NONE_MATCH,),
            answers=(
                Answer(
                    description="The missions.",
                    content={_CSV: {"schema": {"type": "string"}}},
                    headers=(*TAGGED, "Content-Disposition"),
                ),
                NOT_MODIFIED,
            ),
        ).route(export_mission_figures),
    )
