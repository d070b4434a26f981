"""Code lists: countries, regions, currencies, sectors and more, and our own terms."""

import csv
from collections.abc import Callable
from datetime import date
from functools import cache
from typing import Annotated

from pydantic import AfterValidator, Field, StringConstraints
from sqlalchemy import ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.core.data_files import seeds_folder
from app.core.databases.interface import Base
from app.core.databases.types import CodeList
from app.core.validation import Example
from app.engine.labels import spellings
from app.engine.schemas import distinct


class CodeRow(Base):
    """What every code has: labels in English, Russian and Kazakh, where they are known."""

    __abstract__ = True

    code: Mapped[str] = mapped_column(String(32), primary_key=True)
    parent: Mapped[str | None] = mapped_column(String(32))
    en: Mapped[str]
    ru: Mapped[str | None]
    kk: Mapped[str | None]
    aliases: Mapped[list[str]] = mapped_column(CodeList, default=list)
    #: Kept for the records that use it, refused for new ones that are not as old.
    retired: Mapped[bool] = mapped_column(default=False)
    #: The last day on which it held, and the code that came after it; several stand with `;`.
    valid_until: Mapped[date | None]
    successor: Mapped[str | None] = mapped_column(String(32))


class Country(CodeRow):
    """ISO 3166-1 alpha-2."""

    __tablename__ = "country"
    __table_args__ = ({"info": {"list": "countries"}},)


class Region(CodeRow):
    """ISO 3166-2, and macro-regions of our own (`RU-X-…`); the parent is the country."""

    __tablename__ = "region"
    # What the pair of a record's region and country refers to.
    __table_args__ = (
        UniqueConstraint("code", "parent"),
        {"info": {"list": "regions", "canonical": lambda text: canonical_region(text)}},
    )

    parent: Mapped[str] = mapped_column(ForeignKey("country.code"), index=True)


class Currency(CodeRow):
    """ISO 4217, with the number of decimals of the smallest unit; those withdrawn since 1990 are
    retired, with the last day on which they were legal tender, and what came after them."""

    __tablename__ = "currency"
    __table_args__ = ({"info": {"list": "currencies"}},)

    decimals: Mapped[int | None]


class Sector(CodeRow):
    """ISIC Rev. 4 with the letter of its section: C, C10, C105, C1050; the parent is the wider."""

    __tablename__ = "sector"
    # A code begins with that of the wider sector: how long those of each level are.
    __table_args__ = (
        {
            "info": {
                "list": "sectors",
                "levels": {"section": 1, "division": 3, "group": 4, "class": 5},
            }
        },
    )

    parent: Mapped[str | None] = mapped_column(ForeignKey("sector.code"), index=True)


class LegalForm(CodeRow):
    """ISO 20275 (ELF) where it has the form, else a code of our own; the parent is the country."""

    __tablename__ = "legal_form"
    __table_args__ = ({"info": {"list": "legal-forms"}},)

    parent: Mapped[str] = mapped_column(ForeignKey("country.code"))
    elf: Mapped[str | None]


class Language(CodeRow):
    """ISO 639-1."""

    __tablename__ = "language"
    __table_args__ = ({"info": {"list": "languages"}},)


class Term(CodeRow):
    """A value of one of our own enumerations."""

    __tablename__ = "term"

    list: Mapped[str] = mapped_column(String(32), primary_key=True)


@cache
def _by_alias(name: str) -> dict[str, str]:
    """The codes of a seeded list by their aliases."""
    with (seeds_folder() / "codes" / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return {
            alias: row["code"]
            for row in csv.DictReader(file)
            for alias in row["aliases"].split(";")
            if alias
        }


@cache
def term_lists() -> tuple[str, ...]:
    """The names of the seeded lists of terms."""
    with (seeds_folder() / "codes" / "terms.csv").open(encoding="utf-8", newline="") as file:
        return tuple(dict.fromkeys(row["list"] for row in csv.DictReader(file)))


def canonical_region(text: str) -> str:
    """The region's code of today, where the text is an older one; else the text."""
    return _by_alias("regions").get(text, text)


@cache
def _by_any_name(name: str) -> dict[str, str]:
    """The codes in use of a seeded list by what only one of them is called, or what people usually
    mean by it, in small letters."""
    found: dict[str, set[str]] = {}
    with (seeds_folder() / "codes" / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            called = (*row.get("aliases", "").split(";"), row["en"], row["ru"], row["kk"])
            for each in called if row["retired"] == "false" else ():
                found.setdefault(each.casefold(), set()).add(row["code"])
    only = {each: min(codes) for each, codes in found.items() if len(codes) == 1}
    spelled = {t.casefold(): code for code, texts in spellings(name).items() for t in texts}
    return spelled | only


def _meant(name: str) -> Callable[[str], str | None]:
    """What finds the code of a list that somebody means who writes an alias or a label."""
    return lambda text: _by_any_name(name).get(text.strip().casefold())


CountryCode = Annotated[
    str, StringConstraints(pattern=r"^[A-Z]{2}$"), Example("KZ", _meant("countries"), "countries")
]
RegionCode = Annotated[
    str,
    StringConstraints(pattern=r"^[A-Z]{2}-[A-Z0-9][A-Z0-9-]{0,20}$"),
    Example("RU-NVS", _meant("regions"), "regions"),
    AfterValidator(canonical_region),
]
CurrencyCode = Annotated[
    str,
    StringConstraints(pattern=r"^[A-Z]{3}$"),
    Example("USD", _meant("currencies"), "currencies"),
]
SectorCode = Annotated[
    str,
    StringConstraints(pattern=r"^[A-U]([0-9]{2,4})?$"),
    Example("C21", _meant("sectors"), "sectors"),
]
LegalFormCode = Annotated[
    str,
    StringConstraints(pattern=r"^[A-Za-z0-9-]{3,32}$"),
    Example("kz-llp", _meant("legal-forms"), "legal-forms"),
]
Sectors = Annotated[
    list[SectorCode],
    Field(max_length=50, json_schema_extra={"uniqueItems": True}),
    AfterValidator(distinct),
]
