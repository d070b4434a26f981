"""Stops: the places that a mission went to, in order."""

from uuid import UUID

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from app.engine.record import Part, code, region_of, rule, stated
from app.engine.schemas import Edtf, Line, Schema
from app.resources.code import CountryCode, RegionCode


class MissionStop(Part):
    """One stop of a mission."""

    __tablename__ = "mission_stop"
    __table_args__ = (
        region_of("country", "region"),
        rule(
            "region_with_country",
            "region IS NULL OR country IS NOT NULL",
            "country is missing: a region lies in its country",
            "/stops",
        ),
        rule(
            "somewhere",
            "country IS NOT NULL OR city IS NOT NULL",
            "country is missing, or the city",
            "/stops",
        ),
        Index("ix_mission_stop_country", "country", "mission_id"),
    )

    mission_id: Mapped[UUID] = mapped_column(ForeignKey("mission.id"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    country: Mapped[str | None] = code("country.code")
    region: Mapped[str | None] = code("region.code")
    city: Mapped[str | None]
    dates: Mapped[str | None] = stated()


class StopFields(Schema):
    """One stop of a mission."""

    country: CountryCode | None = None
    """The country, ISO 3166-1 alpha-2."""
    region: RegionCode | None = None
    """The region, ISO 3166-2; it lies in `country`."""
    city: Line | None = None
    """The city."""
    dates: Edtf | None = None
    """When the mission was there, as stated, in EDTF."""
