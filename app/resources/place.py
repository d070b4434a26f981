"""Places: where an event is held or an agreement signed."""

from sqlalchemy import CheckConstraint, ForeignKeyConstraint
from sqlalchemy.orm import Mapped, declared_attr

from app.engine.record import code, region_of, rule
from app.engine.schemas import Line, Schema
from app.resources.code import CountryCode, RegionCode


class Place:
    """The columns of a place."""

    place_city: Mapped[str | None]

    @declared_attr
    def place_country(cls) -> Mapped[str | None]:
        return code("country.code")

    @declared_attr
    def place_region(cls) -> Mapped[str | None]:
        return code("region.code")


def place_rules() -> tuple[ForeignKeyConstraint, CheckConstraint]:
    """A region lies in its country."""
    return (
        region_of("place_country", "place_region"),
        rule(
            "region_with_country",
            "place_region IS NULL OR place_country IS NOT NULL",
            "place_country is missing: a region lies in its country",
            "/place_country",
        ),
    )


class PlaceFields(Schema):
    place_country: CountryCode | None = None
    """Country of the place, ISO 3166-1 alpha-2."""
    place_region: RegionCode | None = None
    """Region of the place, ISO 3166-2; it lies in `place_country`."""
    place_city: Line | None = None
    """City of the place."""
