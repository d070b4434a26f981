"""Quantities: what they are in, and in what time."""

from enum import StrEnum


class Unit(StrEnum):
    """What a quantity counts."""

    piece = "piece"
    vehicle = "vehicle"
    tonne = "tonne"
    kilogram = "kilogram"
    litre = "litre"
    square_metre = "square_metre"
    hectare = "hectare"
    kilometre = "kilometre"
    megawatt = "megawatt"
    megawatt_hour = "megawatt_hour"
    percent = "percent"
    share = "share"
    person = "person"
    job = "job"
    company = "company"


class TimeUnit(StrEnum):
    """In what time a quantity comes or an amount is paid."""

    year = "year"
    month = "month"
