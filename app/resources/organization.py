"""Organizations: companies, authorities, chambers and whatever else can act."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import AfterValidator, Field, StrictBool, model_validator
from sqlalchemy import ForeignKey, Index, select
from sqlalchemy import text as sql_text
from sqlalchemy.orm import Mapped, Session, mapped_column, relationship

from app.core.databases.types import choice
from app.core.loose_types import Fields, Values
from app.core.text.alike_names import words_keys
from app.core.text.name_keys import without_quotes
from app.engine.record import Part, Record, code, code_list, reference, region_of, rule
from app.engine.resource import Embedded, Resource, Similarity
from app.engine.schemas import Line, Noted, RecordFields, Schema, distinct
from app.resources.code import CountryCode, LegalForm, LegalFormCode, RegionCode, Sectors
from app.resources.identifier import IdentifierScheme, check_identifier
from app.resources.legal_form import check_legal_form
from app.resources.money import differs
from app.resources.person import OtherNames


class OrganizationKind(StrEnum):
    """What sort of organization it is."""

    company = "company"
    government = "government"
    subnational_government = "subnational_government"
    ministry = "ministry"
    diplomatic_mission = "diplomatic_mission"
    chamber_of_commerce = "chamber_of_commerce"
    export_agency = "export_agency"
    news_agency = "news_agency"
    investment_agency = "investment_agency"
    association = "association"
    bank = "bank"
    state_corporation = "state_corporation"
    university = "university"
    research_institute = "research_institute"
    foundation = "foundation"
    international_organization = "international_organization"
    unknown = "unknown"


class Organization(Record):
    __tablename__ = "organization"
    __table_args__ = (
        region_of("country", "region"),
        rule(
            "region_with_country",
            "region IS NULL OR country IS NOT NULL",
            "country is missing: a region lies in its country",
            "/country",
        ),
        rule(
            "not_merged_into_itself",
            "merged_into_id <> id",
            "an organization cannot be merged into itself",
            "/merged_into_id",
        ),
        Index("ix_organization_kind", "kind", "id"),
        Index("ix_organization_name", "name", "id"),
    )

    kind: Mapped[OrganizationKind] = mapped_column(choice(OrganizationKind, "kind"))
    name: Mapped[str]
    name_en: Mapped[str | None]
    other_names: Mapped[list[str]] = code_list()
    legal_form: Mapped[str | None] = code("legal_form.code")
    country: Mapped[str | None] = code("country.code")
    region: Mapped[str | None] = code("region.code")
    city: Mapped[str | None]
    sectors: Mapped[list[str]] = code_list("sector.code")
    parent_id: Mapped[UUID | None] = reference("organization.id")
    is_named: Mapped[bool] = mapped_column(default=True)
    merged_into_id: Mapped[UUID | None] = reference("organization.id")
    identifiers: Mapped[list["OrganizationIdentifier"]] = relationship(
        cascade="all, delete-orphan",
        order_by="OrganizationIdentifier.position",
    )


class OrganizationIdentifier(Part):
    """A registration number; one live organization at most has it."""

    __tablename__ = "organization_identifier"
    __table_args__ = (
        Index(
            "uq_organization_identifier_value",
            "scheme",
            "value",
            unique=True,
            sqlite_where=sql_text("is_live"),
            postgresql_where=sql_text("is_live"),
            info={"says": "another organization has this identifier", "pointer": "/identifiers"},
        ),
    )

    organization_id: Mapped[UUID] = mapped_column(ForeignKey("organization.id"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    scheme: Mapped[IdentifierScheme] = mapped_column(choice(IdentifierScheme, "scheme"))
    value: Mapped[str]
    #: False while the organization lies in the trash, where it is too when it was merged.
    is_live: Mapped[bool] = mapped_column(default=True)


class IdentifierFields(Schema):
    """A registration number."""

    scheme: IdentifierScheme
    """Whose number it is: KZ BIN, RU INN, RU OGRN, RU OGRNIP or LEI (ISO 17442)."""
    value: Line
    """The number; its check digits are verified."""

    @model_validator(mode="after")
    def verified(self) -> Self:
        self.value = check_identifier(self.scheme, self.value)
        return self


def _distinct(identifiers: list[IdentifierFields]) -> list[IdentifierFields]:
    distinct([f"{identifier.scheme} {identifier.value}" for identifier in identifiers])
    return identifiers


class OrganizationFields(RecordFields, Noted):
    """An organization."""

    kind: OrganizationKind
    """What sort of organization it is."""
    name: Line
    """The name as printed, without legal form and quotation marks."""
    name_en: Line | None = None
    """The name in English or Latin letters."""
    other_names: OtherNames = []
    legal_form: LegalFormCode | None = None
    """Legal form: ISO 20275 (ELF) or a code of our own, see /codes/legal-forms."""
    country: CountryCode | None = None
    """Country of its seat, ISO 3166-1 alpha-2."""
    region: RegionCode | None = None
    """Region of its seat, ISO 3166-2; it lies in `country`."""
    city: Line | None = None
    """City of its seat."""
    sectors: Sectors = []
    """What it does: codes of ISIC Rev. 4."""
    identifiers: Annotated[
        list[IdentifierFields], Field(max_length=20), AfterValidator(_distinct)
    ] = []
    """Registration numbers; no two live organizations share one."""
    parent_id: UUID | None = None
    """The organization that this one is a part of."""
    is_named: StrictBool = True
    """False for one that a source describes without naming."""


class Merged(Schema):
    merged_into_id: UUID | None
    """The organization that this one turned out to be, or null."""


class CompanyFields(OrganizationFields):
    """A company."""

    kind: Literal["company"] = "company"  # type: ignore[assignment]
    """Always `company`."""


def _check(session: Session, record: Organization, before: Values | None) -> None:
    for identifier in record.identifiers:
        identifier.is_live = record.deleted_at is None
    if differs(record, before, "legal_form", "country"):
        check_legal_form(session, record.legal_form, record.country)


def _from_name(session: Session, text: str) -> Fields:
    """What a name as people write it says: its legal form, if any, and the name without that."""
    bare = without_quotes(text)
    folded = bare.casefold()
    for form, codes in _legal_forms(session).items():
        name = ""
        if folded.startswith(f"{form} "):
            name = bare[len(form) :]
        elif folded.endswith((f" {form}", f",{form}")):
            name = bare[: -len(form)]
        if name := name.strip(" ,"):
            return {
                "kind": OrganizationKind.company.value,
                "name": name,
                "legal_form": codes[0] if len(codes) == 1 else None,
                "other_names": [text],
            }
    kind = OrganizationKind.unknown.value
    return {"kind": kind, "name": bare or text, "other_names": [] if bare == text else [text]}


def _legal_forms(session: Session) -> Mapping[str, list[str]]:
    """The codes of legal forms by how they are written before or behind a name, longest first; read
    once in a transaction."""
    known: dict[str, list[str]] = session.info.setdefault("legal_forms_by_alias", {})
    if not known:
        found: dict[str, list[str]] = {}
        for form, aliases in session.execute(select(LegalForm.code, LegalForm.aliases)):
            for alias in aliases:
                found.setdefault(alias.casefold(), []).append(form)
        known |= {alias: found[alias] for alias in sorted(found, key=len, reverse=True)}
    return known


def _declare(name: str, path: str, fields: type[OrganizationFields], about: str) -> Resource:
    return Resource(
        name=name,
        path=path,
        table=Organization,
        fields=fields,
        read_only=Merged,
        embedded={
            "identifiers": Embedded(
                table=OrganizationIdentifier,
                fields=IdentifierFields,
                owner="organization_id",
                sheet_columns=("scheme", "value"),
            )
        },
        about=about,
        check=_check,
        body_of_name=_from_name,
        # Many have one name: their registration numbers tell them apart.
        similarity=Similarity(
            names=("name", "name_en", "other_names"),
            keys=words_keys,
            unless=("country",),
            members=("identifiers", "value"),
            in_sheets=False,
        ),
    )


organization = _declare(
    "Organization",
    "organizations",
    OrganizationFields,
    "Anything that can act: a company, an authority, a chamber, an agency.",
)
company = _declare(
    "Company",
    "companies",
    CompanyFields,
    "An organization of kind company: the same record, with the same id, at its own address.",
)
company.row_filter = lambda table: table.kind == OrganizationKind.company
for _resource in (organization, company):
    _resource.to_one |= {"parent": organization, "merged_into": organization}
