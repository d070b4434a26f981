"""What cohorts are grouped by: a field of the agreement, or what its mission or parties have."""

from enum import StrEnum

from sqlalchemy import CTE, FromClause, Text, case, cast, null, select
from sqlalchemy.orm import aliased

from app.core.databases.expressions import AnyTable, Expression, Selection
from app.insights.days import year_of
from app.insights.journey import journeys
from app.resources.mission import Mission
from app.resources.organization import Organization
from app.resources.participation import Participation, ParticipationRole
from app.resources.party import AgreementParty
from app.resources.stop import MissionStop

_ORGANIZERS = (ParticipationRole.organizer, ParticipationRole.co_organizer)


class CohortGroup(StrEnum):
    """What a cohort is grouped by."""

    instrument = "instrument"
    bindingness = "bindingness"
    year = "year"
    sending_country = "sending_country"
    host_country = "host_country"
    party_country = "party_country"
    organizer = "organizer"


def group_keys(placed: CTE, group: CohortGroup) -> tuple[FromClause, Expression, Expression]:
    """What began with the key of each of its groups, once each, and the name of that; null where
    there is none."""
    no_name: Expression = cast(null(), Text)
    if group in (CohortGroup.instrument, CohortGroup.bindingness):
        return placed, placed.c[group.value], no_name
    if group is CohortGroup.year:
        first, last = year_of(placed.c.first), year_of(placed.c.last)
        return placed, cast(case((first == last, first)), Text), no_name
    keys = _KEYS[group]().subquery("keys")
    own = placed.c.id if "agreement_id" in keys.c else placed.c.mission_id
    source = placed.outerjoin(keys, next(iter(keys.c)) == own)
    if group is not CohortGroup.organizer:
        return source, keys.c.key, no_name
    organization: AnyTable = aliased(Organization)
    source = source.outerjoin(organization, organization.id == keys.c.key)
    return source, cast(keys.c.key, Text), organization.name


def _sending_countries() -> Selection:
    mission: AnyTable = aliased(Mission)
    return select(mission.id.label("mission_id"), mission.sending_country.label("key"))


def _host_countries() -> Selection:
    stop: AnyTable = aliased(MissionStop)
    found = select(stop.mission_id, stop.country.label("key"))
    return found.where(stop.country.is_not(None)).distinct()


def _party_countries() -> Selection:
    party: AnyTable = aliased(AgreementParty)
    organization: AnyTable = aliased(Organization)
    found = select(party.agreement_id, organization.country.label("key"))
    found = found.join(organization, organization.id == party.organization_id)
    return found.where(organization.country.is_not(None)).distinct()


def _organizers() -> Selection:
    """Who organized a mission, or the journey that it is a leg of."""
    pairs = journeys()
    part: AnyTable = aliased(Participation)
    found = select(pairs.c.part_id.label("mission_id"), part.organization_id.label("key"))
    found = found.join(pairs, pairs.c.mission_id == part.mission_id)
    return found.where(part.deleted_at.is_(None), part.role.in_(_ORGANIZERS)).distinct()


_KEYS = {
    CohortGroup.sending_country: _sending_countries,
    CohortGroup.host_country: _host_countries,
    CohortGroup.party_country: _party_countries,
    CohortGroup.organizer: _organizers,
}
