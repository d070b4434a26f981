"""Organizations that were in several missions: in which roles, and with what outcome."""

from collections.abc import Callable
from datetime import date
from typing import Annotated
from uuid import UUID

from fastapi import Query, Request
from sqlalchemy import (
    CTE,
    ColumnElement,
    Date,
    FromClause,
    Text,
    and_,
    bindparam,
    case,
    distinct,
    exists,
    func,
    literal_column,
    or_,
    select,
)
from sqlalchemy.orm import aliased
from starlette.responses import Response

from app.core.databases.expressions import AnyTable, Expression, Selection
from app.core.databases.interface import table_of
from app.core.http.dispatch import Route
from app.core.loose_types import Fields, Value
from app.engine.query.filter_reader import CodeUsed, ParsedFilter
from app.engine.query.parameters import VersionNumber
from app.engine.schemas import Page, Schema
from app.insights.agreement_columns import OUTCOME_COLUMNS, OutcomeFigures, outcome_columns
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
from app.insights.periods import period_of, with_period
from app.insights.presence import PresenceRole, is_one_of, roles_of
from app.resources.agreement import Agreement, agreement
from app.resources.code import Country, CountryCode, CurrencyCode
from app.resources.mission import Mission, mission
from app.resources.organization import OrganizationKind, organization
from app.resources.party import AgreementParty
from app.resources.stop import MissionStop
from app.rest.handlers import check_codes
from app.rest.past import answered_at


class _WhereItWas(Schema):
    id: UUID
    """The organization's id."""
    ref: str | None
    """The organization's ref."""
    name: str
    """Its name."""
    name_en: str | None
    """Its name in English."""
    kind: OrganizationKind
    """What sort of organization it is."""
    country: str | None
    """The country of its seat."""
    missions: int
    """In how many missions it was: it took part, sent a delegate, or is party to an agreement. A
    mission and those that are part of it are one."""
    perhaps: int
    """Where a period is asked for: in how many it was that may lie in it, and may not, their dates
    having no year or being wider."""
    as_organizer: int
    """Of how many it was an organizer."""
    as_co_organizer: int
    """Of how many it was a co-organizer."""
    as_host: int
    """Of how many it was a host."""
    as_sponsor: int
    """Of how many it was a sponsor."""
    as_participant: int
    """In how many it took part."""
    as_informant: int
    """Of how many it told."""
    as_employer: int
    """To how many it sent a delegate."""
    as_party: int
    """In how many it is party to an agreement."""
    as_speaker: int
    """In how many something was said in its name: by that alone it was not there."""


class OrganizationFigures(AmountFigures, OutcomeFigures, _WhereItWas):
    """An organization with the missions that it was in and what came of them for it."""


class OrganizationFiguresList(Schema):
    """A page of organizations with their figures."""

    data: list[OrganizationFigures]
    """The organizations."""
    page: Page
    """Where this page lies within all of them."""
    withheld: dict[str, int]
    """How many records are withheld and in no figure, of each kind as a whole, whatever the filters
    and the page: of which organizations they are would tell what is withheld."""


class _OrganizationFigures(Schema):
    min_missions: VersionNumber = 2
    """In how many missions it was at least."""
    mission_country: CountryCode | None = None
    """Only of missions that went to this country, with any stop."""
    currency: CurrencyCode | None = None
    """The currency of the amounts, ISO 4217: amounts in others are not told."""


class _PageQuery(_OrganizationFigures, FigurePageQuery):
    pass


class _FileQuery(_OrganizationFigures, FigureFileQuery):
    pass


OrganizationFiguresQuery = with_period(
    "OrganizationFiguresQuery", "Parameters of the organizations with their figures.", _PageQuery
)
OrganizationFiguresFileQuery = with_period(
    "OrganizationFiguresFileQuery",
    "Parameters of the organizations with their figures as CSV.",
    _FileQuery,
)


def _parts(keys: CTE, shape: FigureShape) -> Parts:
    """Of the missions that are asked for, `there`: `(record_id, journey_id, role, is_meant)` for
    each way in which an organization was in one, and `agreements`: `(record_id, agreement_id)` of
    those that it is a party to."""
    missions = _missions(shape).cte(f"missions_of_{keys.name}").prefix_with("MATERIALIZED")
    ways = roles_of(keys).subquery("ways")
    there = select(
        ways.c.organization_id.label("record_id"),
        missions.c.journey_id,
        ways.c.role,
        missions.c.is_meant,
    ).join(missions, missions.c.mission_id == ways.c.mission_id)
    party: AnyTable = aliased(AgreementParty)
    of: AnyTable = aliased(Agreement)
    agreements = (
        select(party.organization_id.label("record_id"), party.agreement_id)
        .where(
            *is_one_of(party.organization_id, keys),
            of.id == party.agreement_id,
            of.deleted_at.is_(None),
            missions.c.mission_id == of.mission_id,
            missions.c.is_meant == 1,
        )
        .distinct()
    )
    return {
        "there": there.cte(f"there_of_{keys.name}"),
        "agreements": agreements.cte(f"agreements_of_{keys.name}").prefix_with("MATERIALIZED"),
    }


def _missions(shape: FigureShape) -> Selection:
    """The missions that are asked for, each with the journey that it is of; `is_meant` is 1 but
    for those that only may lie in the period, and 0 for these."""
    (has_country, has_period) = shape.options
    pairs = journeys()
    top: AnyTable = aliased(Mission)
    own: AnyTable = aliased(Mission)
    first, last = (bindparam(name, type_=Date) for name in ("since", "until"))
    earliest, latest = own.dates_earliest, own.dates_latest
    within = and_(earliest >= first, latest <= last)
    is_meant = case((within, 1), else_=0) if has_period else literal_column("1")
    found = select(
        own.id.label("mission_id"),
        pairs.c.mission_id.label("journey_id"),
        is_meant.label("is_meant"),
    ).where(top.id == pairs.c.mission_id, top.parent_id.is_(None), own.id == pairs.c.part_id)
    if has_country:
        stop: AnyTable = aliased(MissionStop)
        country = bindparam("mission_country", type_=Text)
        went = exists(select(1).where(stop.mission_id == own.id, stop.country == country))
        found = found.where(went)
    if has_period:
        not_before = or_(latest.is_(None), latest >= first)
        found = found.where(not_before, or_(earliest.is_(None), earliest <= last))
    return found


def _count_journeys(names: dict[str, Callable[[FromClause], ColumnElement[bool]]]) -> FigureGroup:
    """In how many journeys an organization was in such a way."""

    def count(parts: Parts, shape: FigureShape, dialect: str) -> FromClause:
        there = parts["there"]
        columns = (
            func.count(distinct(case((is_so(there), there.c.journey_id)))).label(name)
            for name, is_so in names.items()
        )
        record_id = there.c.record_id
        return select(record_id, *columns).group_by(record_id).subquery()

    return FigureGroup(tuple(names), count)


def _was_there(there: FromClause) -> ColumnElement[bool]:
    return and_(there.c.is_meant == 1, there.c.role != PresenceRole.speaker.value)


def _was_there_perhaps(there: FromClause) -> ColumnElement[bool]:
    return and_(there.c.is_meant == 0, there.c.role != PresenceRole.speaker.value)


def _was_there_as(role: PresenceRole) -> Callable[[FromClause], ColumnElement[bool]]:
    return lambda there: and_(there.c.is_meant == 1, there.c.role == role.value)


def _is_party(parts: Parts, other: AnyTable) -> tuple[Expression, list[ColumnElement[bool]]]:
    of = parts["agreements"].c
    return of.record_id, [other.id == of.agreement_id]


def _agreements(parts: Parts, shape: FigureShape, dialect: str) -> FromClause:
    of: AnyTable = aliased(Agreement)
    record_id, conditions = _is_party(parts, of)
    columns = (each.label(name) for name, each in outcome_columns(of).items())
    found = select(record_id.label("record_id"), *columns).where(*conditions)
    return found.group_by(record_id).subquery("agreements")


ORGANIZATION_FIGURES = FigureList(
    name="organizations",
    resource=organization,
    row=OrganizationFigures,
    groups=(
        _count_journeys({"missions": _was_there}),
        _count_journeys(
            {
                "perhaps": _was_there_perhaps,
                **{f"as_{role.value}": _was_there_as(role) for role in PresenceRole},
            }
        ),
        FigureGroup(OUTCOME_COLUMNS, _agreements),
        amounts(_is_party),
    ),
    parts=_parts,
    sort="-missions",
    withholding=(organization, mission, agreement),
)
organization.counted_at = ("/insights/organizations", frozenset(ORGANIZATION_FIGURES.figures))


async def _asked(request: Request, query: _OrganizationFigures) -> tuple[tuple[Value, ...], Fields]:
    """Which missions are asked for, and the values of the statement."""
    period = period_of(query, await answered_at(request))
    given = await given_currency(request, query.currency)
    if query.mission_country is not None:
        used = CodeUsed("mission_country", table_of(Country).c.code, query.mission_country)
        await check_codes(request, ParsedFilter(codes=[used]))
        given["mission_country"] = query.mission_country
    if period is not None:
        first, last = period
        given |= {"since": first or date.min, "until": last or date.max}
    return (query.mission_country is not None, period is not None), given


def organization_figures_routes() -> tuple[Route, ...]:
    """GET /insights/organizations, as JSON and as CSV"""

    async def list_organization_figures(
        request: Request,
        query: Annotated[OrganizationFiguresQuery, Query()],  # type: ignore[valid-type]
    ) -> Response:
        asked: _PageQuery = query
        options, given = await _asked(request, asked)
        limits = (("missions__gte", str(asked.min_missions)),)
        return await answer_figures(request, ORGANIZATION_FIGURES, asked, options, given, limits)

    async def export_organization_figures(
        request: Request,
        query: Annotated[OrganizationFiguresFileQuery, Query()],  # type: ignore[valid-type]
    ) -> Response:
        asked: _FileQuery = query
        options, given = await _asked(request, asked)
        limits = (("missions__gte", str(asked.min_missions)),)
        return await answer_figures_file(
            request, ORGANIZATION_FIGURES, asked, options, given, limits
        )

    path, name = "/insights/organizations", "organization_figures"
    summary = "List organizations that were in several missions"
    about = (
        "Organizations with the missions that they were in, in which roles, and what came of their"
        " agreements there. Each figure is a filter: `as_party__gte=2`."
    )
    model = OrganizationFiguresList
    paged = list_operation(organization, path, name, summary, about, model)
    whole = file_operation(organization, path, name, summary)
    return paged.route(list_organization_figures), whole.route(export_organization_figures)
