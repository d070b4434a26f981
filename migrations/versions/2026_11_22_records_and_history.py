"""The records, the code lists and the change log.

Revision: 20261122_records, after nothing.
"""

import sqlalchemy as sa
from alembic import op

from app.core.databases import types
from app.engine.record import descending

revision = "20261122_records"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "change",
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("at", types.Instant(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column(
            "action",
            sa.Enum(
                "create",
                "update",
                "replace",
                "delete",
                "restore",
                name="action",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("record_id", types.Id(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("changes", types.JsonText(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_change")),
    )
    with op.batch_alter_table("change", schema=None) as batch_op:
        batch_op.create_index("ix_change_record", ["kind", "record_id", "seq"], unique=False)

    op.create_table(
        "change_counter",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_change_counter_one_row")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_change_counter")),
    )
    op.execute("INSERT INTO change_counter (id, seq) VALUES (1, 0)")
    op.create_table(
        "country",
        sa.Column("code", sa.String(length=32), nullable=False),
        sa.Column("parent", sa.String(length=32), nullable=True),
        sa.Column("en", sa.Text(), nullable=False),
        sa.Column("ru", sa.Text(), nullable=True),
        sa.Column("kk", sa.Text(), nullable=True),
        sa.Column("aliases", types.CodeList(), nullable=False),
        sa.Column("retired", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_country")),
    )
    op.create_table(
        "currency",
        sa.Column("decimals", sa.Integer(), nullable=True),
        sa.Column("code", sa.String(length=32), nullable=False),
        sa.Column("parent", sa.String(length=32), nullable=True),
        sa.Column("en", sa.Text(), nullable=False),
        sa.Column("ru", sa.Text(), nullable=True),
        sa.Column("kk", sa.Text(), nullable=True),
        sa.Column("aliases", types.CodeList(), nullable=False),
        sa.Column("retired", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_currency")),
    )
    op.create_table(
        "language",
        sa.Column("code", sa.String(length=32), nullable=False),
        sa.Column("parent", sa.String(length=32), nullable=True),
        sa.Column("en", sa.Text(), nullable=False),
        sa.Column("ru", sa.Text(), nullable=True),
        sa.Column("kk", sa.Text(), nullable=True),
        sa.Column("aliases", types.CodeList(), nullable=False),
        sa.Column("retired", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_language")),
    )
    op.create_table(
        "person",
        sa.Column("full_name", sa.Text(), nullable=False),
        sa.Column("full_name_en", sa.Text(), nullable=True),
        sa.Column("other_names", types.CodeList(), server_default=sa.text("'[]'"), nullable=False),
        sa.Column("id", types.Id(), nullable=False),
        sa.Column("ref", sa.String(length=120), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", types.Instant(), nullable=False),
        sa.Column("updated_at", types.Instant(), nullable=False),
        sa.Column("deleted_at", types.Instant(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_person")),
        sa.UniqueConstraint("ref", name=op.f("uq_person_ref")),
    )
    op.create_table(
        "sector",
        sa.Column("parent", sa.String(length=32), nullable=True),
        sa.Column("code", sa.String(length=32), nullable=False),
        sa.Column("en", sa.Text(), nullable=False),
        sa.Column("ru", sa.Text(), nullable=True),
        sa.Column("kk", sa.Text(), nullable=True),
        sa.Column("aliases", types.CodeList(), nullable=False),
        sa.Column("retired", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["parent"], ["sector.code"], name=op.f("fk_sector_parent")),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_sector")),
    )
    with op.batch_alter_table("sector", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_sector_parent"), ["parent"], unique=False)

    op.create_table(
        "term",
        sa.Column("list", sa.String(length=32), nullable=False),
        sa.Column("code", sa.String(length=32), nullable=False),
        sa.Column("parent", sa.String(length=32), nullable=True),
        sa.Column("en", sa.Text(), nullable=False),
        sa.Column("ru", sa.Text(), nullable=True),
        sa.Column("kk", sa.Text(), nullable=True),
        sa.Column("aliases", types.CodeList(), nullable=False),
        sa.Column("retired", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("list", "code", name=op.f("pk_term")),
    )
    op.create_table(
        "exchange_rate",
        sa.Column("base", sa.String(length=32), nullable=False),
        sa.Column("quote", sa.String(length=32), nullable=False),
        sa.Column("rate", types.Exact(18, 8), nullable=False),
        sa.Column("date", sa.Date(), nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("id", types.Id(), nullable=False),
        sa.Column("ref", sa.String(length=120), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", types.Instant(), nullable=False),
        sa.Column("updated_at", types.Instant(), nullable=False),
        sa.Column("deleted_at", types.Instant(), nullable=True),
        sa.CheckConstraint("base <> quote", name=op.f("ck_exchange_rate_two_currencies")),
        sa.CheckConstraint("rate > 0", name=op.f("ck_exchange_rate_rate_positive")),
        sa.ForeignKeyConstraint(["base"], ["currency.code"], name=op.f("fk_exchange_rate_base")),
        sa.ForeignKeyConstraint(["quote"], ["currency.code"], name=op.f("fk_exchange_rate_quote")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_exchange_rate")),
        sa.UniqueConstraint("ref", name=op.f("uq_exchange_rate_ref")),
    )
    with op.batch_alter_table("exchange_rate", schema=None) as batch_op:
        batch_op.create_index(
            "uq_exchange_rate_quoted",
            ["base", "quote", "date", "provider"],
            unique=True,
            sqlite_where=sa.text("deleted_at IS NULL"),
            postgresql_where=sa.text("deleted_at IS NULL"),
        )

    op.create_table(
        "legal_form",
        sa.Column("parent", sa.String(length=32), nullable=False),
        sa.Column("elf", sa.Text(), nullable=True),
        sa.Column("code", sa.String(length=32), nullable=False),
        sa.Column("en", sa.Text(), nullable=False),
        sa.Column("ru", sa.Text(), nullable=True),
        sa.Column("kk", sa.Text(), nullable=True),
        sa.Column("aliases", types.CodeList(), nullable=False),
        sa.Column("retired", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["parent"], ["country.code"], name=op.f("fk_legal_form_parent")),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_legal_form")),
    )
    op.create_table(
        "region",
        sa.Column("parent", sa.String(length=32), nullable=False),
        sa.Column("code", sa.String(length=32), nullable=False),
        sa.Column("en", sa.Text(), nullable=False),
        sa.Column("ru", sa.Text(), nullable=True),
        sa.Column("kk", sa.Text(), nullable=True),
        sa.Column("aliases", types.CodeList(), nullable=False),
        sa.Column("retired", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["parent"], ["country.code"], name=op.f("fk_region_parent")),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_region")),
        sa.UniqueConstraint("code", "parent", name=op.f("uq_region_code_parent")),
    )
    with op.batch_alter_table("region", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_region_parent"), ["parent"], unique=False)

    op.create_table(
        "mission",
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("title_en", sa.Text(), nullable=True),
        sa.Column(
            "kind",
            sa.Enum(
                "outward_mission",
                "inward_mission",
                "reverse_mission",
                "trade_fair",
                "investment_forum",
                "official_visit",
                "virtual_mission",
                name="kind",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column(
            "status",
            sa.Enum(
                "planned",
                "held",
                "postponed",
                "cancelled",
                name="status",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("sending_country", sa.String(length=32), nullable=True),
        sa.Column("host_country", sa.String(length=32), nullable=True),
        sa.Column("host_region", sa.String(length=32), nullable=True),
        sa.Column("host_city", sa.Text(), nullable=True),
        sa.Column("dates", types.StatedDate(), nullable=True),
        sa.Column("dates_earliest", sa.Date(), nullable=True),
        sa.Column("dates_latest", sa.Date(), nullable=True),
        sa.Column("sectors", types.CodeList(), server_default=sa.text("'[]'"), nullable=False),
        sa.Column("summary", sa.Text(), nullable=True),
        sa.Column("parent_id", types.Id(), nullable=True),
        sa.Column("cost_amount", types.Exact(18, 4), nullable=True),
        sa.Column("cost_currency", sa.String(length=32), nullable=True),
        sa.Column("id", types.Id(), nullable=False),
        sa.Column("ref", sa.String(length=120), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", types.Instant(), nullable=False),
        sa.Column("updated_at", types.Instant(), nullable=False),
        sa.Column("deleted_at", types.Instant(), nullable=True),
        sa.CheckConstraint(
            "(cost_amount IS NULL) = (cost_currency IS NULL)",
            name=op.f("ck_mission_cost_amount_with_currency"),
        ),
        sa.CheckConstraint("cost_amount >= 0", name=op.f("ck_mission_cost_amount_not_negative")),
        sa.CheckConstraint(
            "dates_earliest <= dates_latest", name=op.f("ck_mission_dates_in_order")
        ),
        sa.CheckConstraint(
            "host_region IS NULL OR host_country IS NOT NULL",
            name=op.f("ck_mission_region_with_country"),
        ),
        sa.ForeignKeyConstraint(
            ["cost_currency"], ["currency.code"], name=op.f("fk_mission_cost_currency")
        ),
        sa.ForeignKeyConstraint(
            ["host_country"], ["country.code"], name=op.f("fk_mission_host_country")
        ),
        sa.ForeignKeyConstraint(
            ["host_region", "host_country"],
            ["region.code", "region.parent"],
            name=op.f("fk_mission_host_region_host_country"),
        ),
        sa.ForeignKeyConstraint(
            ["host_region"], ["region.code"], name=op.f("fk_mission_host_region")
        ),
        sa.ForeignKeyConstraint(["parent_id"], ["mission.id"], name=op.f("fk_mission_parent_id")),
        sa.ForeignKeyConstraint(
            ["sending_country"], ["country.code"], name=op.f("fk_mission_sending_country")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mission")),
        sa.UniqueConstraint("ref", name=op.f("uq_mission_ref")),
    )
    with op.batch_alter_table("mission", schema=None) as batch_op:
        batch_op.create_index("ix_mission_dates", ["dates_earliest", "id"], unique=False)
        batch_op.create_index(batch_op.f("ix_mission_parent_id"), ["parent_id"], unique=False)

    op.create_table(
        "organization",
        sa.Column(
            "kind",
            sa.Enum(
                "company",
                "government",
                "subnational_government",
                "ministry",
                "diplomatic_mission",
                "chamber_of_commerce",
                "export_agency",
                "news_agency",
                "unknown",
                name="kind",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("name_en", sa.Text(), nullable=True),
        sa.Column("other_names", types.CodeList(), server_default=sa.text("'[]'"), nullable=False),
        sa.Column("legal_form", sa.String(length=32), nullable=True),
        sa.Column("country", sa.String(length=32), nullable=True),
        sa.Column("region", sa.String(length=32), nullable=True),
        sa.Column("city", sa.Text(), nullable=True),
        sa.Column("sectors", types.CodeList(), server_default=sa.text("'[]'"), nullable=False),
        sa.Column("parent_id", types.Id(), nullable=True),
        sa.Column("is_named", sa.Boolean(), nullable=False),
        sa.Column("merged_into_id", types.Id(), nullable=True),
        sa.Column("id", types.Id(), nullable=False),
        sa.Column("ref", sa.String(length=120), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", types.Instant(), nullable=False),
        sa.Column("updated_at", types.Instant(), nullable=False),
        sa.Column("deleted_at", types.Instant(), nullable=True),
        sa.CheckConstraint(
            "merged_into_id <> id", name=op.f("ck_organization_not_merged_into_itself")
        ),
        sa.CheckConstraint(
            "region IS NULL OR country IS NOT NULL",
            name=op.f("ck_organization_region_with_country"),
        ),
        sa.ForeignKeyConstraint(
            ["country"], ["country.code"], name=op.f("fk_organization_country")
        ),
        sa.ForeignKeyConstraint(
            ["legal_form"], ["legal_form.code"], name=op.f("fk_organization_legal_form")
        ),
        sa.ForeignKeyConstraint(
            ["merged_into_id"], ["organization.id"], name=op.f("fk_organization_merged_into_id")
        ),
        sa.ForeignKeyConstraint(
            ["parent_id"], ["organization.id"], name=op.f("fk_organization_parent_id")
        ),
        sa.ForeignKeyConstraint(
            ["region", "country"],
            ["region.code", "region.parent"],
            name=op.f("fk_organization_region_country"),
        ),
        sa.ForeignKeyConstraint(["region"], ["region.code"], name=op.f("fk_organization_region")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_organization")),
        sa.UniqueConstraint("ref", name=op.f("uq_organization_ref")),
    )
    with op.batch_alter_table("organization", schema=None) as batch_op:
        batch_op.create_index("ix_organization_kind", ["kind", "id"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_organization_merged_into_id"), ["merged_into_id"], unique=False
        )
        batch_op.create_index("ix_organization_name", ["name", "id"], unique=False)
        batch_op.create_index(batch_op.f("ix_organization_parent_id"), ["parent_id"], unique=False)

    op.create_table(
        "delegate",
        sa.Column("mission_id", types.Id(), nullable=False),
        sa.Column("person_id", types.Id(), nullable=False),
        sa.Column("organization_id", types.Id(), nullable=True),
        sa.Column("position", sa.Text(), nullable=True),
        sa.Column("position_en", sa.Text(), nullable=True),
        sa.Column(
            "side",
            sa.Enum(
                "delegation",
                "host",
                "third",
                name="side",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column(
            "capacity",
            sa.Enum(
                "head_of_delegation",
                "delegate",
                "host_official",
                "organizer_representative",
                "company_representative",
                "speaker",
                name="capacity",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column(
            "certainty",
            sa.Enum(
                "certain",
                "probable",
                "ambiguous",
                name="certainty",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("id", types.Id(), nullable=False),
        sa.Column("ref", sa.String(length=120), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", types.Instant(), nullable=False),
        sa.Column("updated_at", types.Instant(), nullable=False),
        sa.Column("deleted_at", types.Instant(), nullable=True),
        sa.ForeignKeyConstraint(
            ["mission_id"], ["mission.id"], name=op.f("fk_delegate_mission_id")
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organization.id"], name=op.f("fk_delegate_organization_id")
        ),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_delegate_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_delegate")),
        sa.UniqueConstraint("ref", name=op.f("uq_delegate_ref")),
    )
    with op.batch_alter_table("delegate", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_delegate_mission_id"), ["mission_id"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_delegate_organization_id"), ["organization_id"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_delegate_person_id"), ["person_id"], unique=False)

    op.create_table(
        "event",
        sa.Column("mission_id", types.Id(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "round_table",
                "presentation",
                "signing_ceremony",
                "office_opening",
                "site_visit",
                "meeting",
                name="kind",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("title_en", sa.Text(), nullable=True),
        sa.Column("dates", types.StatedDate(), nullable=True),
        sa.Column("dates_earliest", sa.Date(), nullable=True),
        sa.Column("dates_latest", sa.Date(), nullable=True),
        sa.Column("place_city", sa.Text(), nullable=True),
        sa.Column("place_country", sa.String(length=32), nullable=True),
        sa.Column("place_region", sa.String(length=32), nullable=True),
        sa.Column("id", types.Id(), nullable=False),
        sa.Column("ref", sa.String(length=120), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", types.Instant(), nullable=False),
        sa.Column("updated_at", types.Instant(), nullable=False),
        sa.Column("deleted_at", types.Instant(), nullable=True),
        sa.CheckConstraint("dates_earliest <= dates_latest", name=op.f("ck_event_dates_in_order")),
        sa.CheckConstraint(
            "place_region IS NULL OR place_country IS NOT NULL",
            name=op.f("ck_event_region_with_country"),
        ),
        sa.ForeignKeyConstraint(["mission_id"], ["mission.id"], name=op.f("fk_event_mission_id")),
        sa.ForeignKeyConstraint(
            ["place_country"], ["country.code"], name=op.f("fk_event_place_country")
        ),
        sa.ForeignKeyConstraint(
            ["place_region", "place_country"],
            ["region.code", "region.parent"],
            name=op.f("fk_event_place_region_place_country"),
        ),
        sa.ForeignKeyConstraint(
            ["place_region"], ["region.code"], name=op.f("fk_event_place_region")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_event")),
        sa.UniqueConstraint("ref", name=op.f("uq_event_ref")),
    )
    with op.batch_alter_table("event", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_event_mission_id"), ["mission_id"], unique=False)

    op.create_table(
        "organization_identifier",
        sa.Column("organization_id", types.Id(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column(
            "scheme",
            sa.Enum(
                "kz_bin",
                "ru_inn",
                "ru_ogrn",
                "ru_ogrnip",
                "lei",
                name="scheme",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("is_live", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organization.id"],
            name=op.f("fk_organization_identifier_organization_id"),
        ),
        sa.PrimaryKeyConstraint(
            "organization_id", "position", name=op.f("pk_organization_identifier")
        ),
    )
    with op.batch_alter_table("organization_identifier", schema=None) as batch_op:
        batch_op.create_index(
            "uq_organization_identifier_value",
            ["scheme", "value"],
            unique=True,
            sqlite_where=sa.text("is_live"),
            postgresql_where=sa.text("is_live"),
        )

    op.create_table(
        "participation",
        sa.Column("mission_id", types.Id(), nullable=False),
        sa.Column("organization_id", types.Id(), nullable=False),
        sa.Column(
            "role",
            sa.Enum(
                "organizer",
                "co_organizer",
                "host",
                "sponsor",
                "participant",
                "informant",
                name="role",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("id", types.Id(), nullable=False),
        sa.Column("ref", sa.String(length=120), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", types.Instant(), nullable=False),
        sa.Column("updated_at", types.Instant(), nullable=False),
        sa.Column("deleted_at", types.Instant(), nullable=True),
        sa.ForeignKeyConstraint(
            ["mission_id"], ["mission.id"], name=op.f("fk_participation_mission_id")
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organization.id"], name=op.f("fk_participation_organization_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_participation")),
        sa.UniqueConstraint("ref", name=op.f("uq_participation_ref")),
    )
    with op.batch_alter_table("participation", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_participation_mission_id"), ["mission_id"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_participation_organization_id"), ["organization_id"], unique=False
        )

    op.create_table(
        "reported_total",
        sa.Column("mission_id", types.Id(), nullable=False),
        sa.Column(
            "measure",
            sa.Enum(
                "companies",
                "participants",
                "agreements",
                "amount",
                "meetings",
                "jobs",
                "projected_sales_12m",
                name="measure",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("value", types.Exact(18, 4), nullable=False),
        sa.Column("currency", sa.String(length=32), nullable=True),
        sa.Column(
            "bound",
            sa.Enum(
                "exact",
                "at_least",
                "at_most",
                "approximately",
                name="bound",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("id", types.Id(), nullable=False),
        sa.Column("ref", sa.String(length=120), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", types.Instant(), nullable=False),
        sa.Column("updated_at", types.Instant(), nullable=False),
        sa.Column("deleted_at", types.Instant(), nullable=True),
        sa.CheckConstraint(
            "(currency IS NOT NULL) = (measure IN ('amount', 'projected_sales_12m'))",
            name=op.f("ck_reported_total_currency_with_money"),
        ),
        sa.CheckConstraint("value >= 0", name=op.f("ck_reported_total_value_not_negative")),
        sa.ForeignKeyConstraint(
            ["currency"], ["currency.code"], name=op.f("fk_reported_total_currency")
        ),
        sa.ForeignKeyConstraint(
            ["mission_id"], ["mission.id"], name=op.f("fk_reported_total_mission_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reported_total")),
        sa.UniqueConstraint("ref", name=op.f("uq_reported_total_ref")),
    )
    with op.batch_alter_table("reported_total", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_reported_total_mission_id"), ["mission_id"], unique=False
        )

    op.create_table(
        "source",
        sa.Column("publisher", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("url", sa.Text(), nullable=True),
        sa.Column("language", sa.String(length=32), nullable=True),
        sa.Column("published", types.StatedDate(), nullable=True),
        sa.Column("published_earliest", sa.Date(), nullable=True),
        sa.Column("published_latest", sa.Date(), nullable=True),
        sa.Column("dateline", sa.Text(), nullable=True),
        sa.Column("reported_by_id", types.Id(), nullable=True),
        sa.Column("sha256", sa.Text(), nullable=True),
        sa.Column("char_count", sa.Integer(), nullable=True),
        sa.Column("text", sa.Text(), nullable=True),
        sa.Column("id", types.Id(), nullable=False),
        sa.Column("ref", sa.String(length=120), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", types.Instant(), nullable=False),
        sa.Column("updated_at", types.Instant(), nullable=False),
        sa.Column("deleted_at", types.Instant(), nullable=True),
        sa.CheckConstraint("char_count >= 0", name=op.f("ck_source_char_count_not_negative")),
        sa.CheckConstraint(
            "published_earliest <= published_latest", name=op.f("ck_source_published_in_order")
        ),
        sa.ForeignKeyConstraint(["language"], ["language.code"], name=op.f("fk_source_language")),
        sa.ForeignKeyConstraint(
            ["reported_by_id"], ["organization.id"], name=op.f("fk_source_reported_by_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_source")),
        sa.UniqueConstraint("ref", name=op.f("uq_source_ref")),
    )
    with op.batch_alter_table("source", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_source_reported_by_id"), ["reported_by_id"], unique=False
        )

    op.create_table(
        "agreement",
        sa.Column("mission_id", types.Id(), nullable=True),
        sa.Column("event_id", types.Id(), nullable=True),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("title_en", sa.Text(), nullable=True),
        sa.Column("subject", sa.Text(), nullable=True),
        sa.Column("subject_en", sa.Text(), nullable=True),
        sa.Column(
            "instrument",
            sa.Enum(
                "supply_contract",
                "sale_contract",
                "distribution_agreement",
                "service_contract",
                "investment_agreement",
                "loan_agreement",
                "licence_agreement",
                "founding_agreement",
                "framework_agreement",
                "memorandum_of_understanding",
                "letter_of_intent",
                "interregional_agreement",
                "intergovernmental_agreement",
                "announced_plan",
                "office_opening",
                "other",
                name="instrument",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column(
            "bindingness",
            sa.Enum(
                "binding",
                "non_binding",
                "announcement",
                "accomplished",
                "unknown",
                name="bindingness",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column(
            "status",
            sa.Enum(
                "announced",
                "negotiated",
                "signed",
                "in_force",
                "completed",
                "cancelled",
                "expired",
                "superseded",
                name="status",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("signed", types.StatedDate(), nullable=True),
        sa.Column("signed_earliest", sa.Date(), nullable=True),
        sa.Column("signed_latest", sa.Date(), nullable=True),
        sa.Column("due", types.StatedDate(), nullable=True),
        sa.Column("due_earliest", sa.Date(), nullable=True),
        sa.Column("due_latest", sa.Date(), nullable=True),
        sa.Column("amount", types.Exact(18, 4), nullable=True),
        sa.Column("currency", sa.String(length=32), nullable=True),
        sa.Column(
            "amount_bound",
            sa.Enum(
                "exact",
                "at_least",
                "at_most",
                "approximately",
                name="amount_bound",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=True,
        ),
        sa.Column(
            "amount_kind",
            sa.Enum(
                "contract_value",
                "expected_sales",
                "investment",
                "loan",
                "part_of_total",
                name="amount_kind",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=True,
        ),
        sa.Column(
            "amount_period",
            sa.Enum(
                "one_off",
                "per_year",
                "over_years",
                name="amount_period",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=True,
        ),
        sa.Column("amount_years", sa.Integer(), nullable=True),
        sa.Column("amount_text", sa.Text(), nullable=True),
        sa.Column("sectors", types.CodeList(), server_default=sa.text("'[]'"), nullable=False),
        sa.Column(
            "certainty",
            sa.Enum(
                "certain",
                "probable",
                "ambiguous",
                name="certainty",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("readings", types.CodeList(), server_default=sa.text("'[]'"), nullable=False),
        sa.Column("place_city", sa.Text(), nullable=True),
        sa.Column("place_country", sa.String(length=32), nullable=True),
        sa.Column("place_region", sa.String(length=32), nullable=True),
        sa.Column("id", types.Id(), nullable=False),
        sa.Column("ref", sa.String(length=120), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", types.Instant(), nullable=False),
        sa.Column("updated_at", types.Instant(), nullable=False),
        sa.Column("deleted_at", types.Instant(), nullable=True),
        sa.CheckConstraint(
            "(amount_years IS NOT NULL) = (amount_period IS NOT NULL AND amount_period = 'over_years')",
            name=op.f("ck_agreement_years_with_period"),
        ),
        sa.CheckConstraint(
            "instrument <> 'announced_plan' OR (signed IS NULL AND status IN ('announced', 'cancelled'))",
            name=op.f("ck_agreement_plan_not_signed"),
        ),
        sa.CheckConstraint(
            "(amount IS NULL) = (currency IS NULL)", name=op.f("ck_agreement_amount_with_currency")
        ),
        sa.CheckConstraint("amount >= 0", name=op.f("ck_agreement_amount_not_negative")),
        sa.CheckConstraint(
            "amount IS NOT NULL OR (amount_bound IS NULL AND amount_kind IS NULL AND amount_period IS NULL AND amount_years IS NULL)",
            name=op.f("ck_agreement_amount_details_with_amount"),
        ),
        sa.CheckConstraint("amount_years > 0", name=op.f("ck_agreement_years_positive")),
        sa.CheckConstraint("due_earliest <= due_latest", name=op.f("ck_agreement_due_in_order")),
        sa.CheckConstraint(
            "place_region IS NULL OR place_country IS NOT NULL",
            name=op.f("ck_agreement_region_with_country"),
        ),
        sa.CheckConstraint(
            "signed_earliest <= signed_latest", name=op.f("ck_agreement_signed_in_order")
        ),
        sa.ForeignKeyConstraint(
            ["currency"], ["currency.code"], name=op.f("fk_agreement_currency")
        ),
        sa.ForeignKeyConstraint(["event_id"], ["event.id"], name=op.f("fk_agreement_event_id")),
        sa.ForeignKeyConstraint(
            ["mission_id"], ["mission.id"], name=op.f("fk_agreement_mission_id")
        ),
        sa.ForeignKeyConstraint(
            ["place_country"], ["country.code"], name=op.f("fk_agreement_place_country")
        ),
        sa.ForeignKeyConstraint(
            ["place_region", "place_country"],
            ["region.code", "region.parent"],
            name=op.f("fk_agreement_place_region_place_country"),
        ),
        sa.ForeignKeyConstraint(
            ["place_region"], ["region.code"], name=op.f("fk_agreement_place_region")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_agreement")),
        sa.UniqueConstraint("ref", name=op.f("uq_agreement_ref")),
    )
    with op.batch_alter_table("agreement", schema=None) as batch_op:
        batch_op.create_index(
            "ix_agreement_amount", [descending("amount"), descending("id", filled=True)]
        )
        batch_op.create_index(
            "ix_agreement_status_amount",
            ["status", descending("amount"), descending("id", filled=True)],
        )
        batch_op.create_index(batch_op.f("ix_agreement_event_id"), ["event_id"], unique=False)
        batch_op.create_index("ix_agreement_instrument", ["instrument", "id"], unique=False)
        batch_op.create_index(batch_op.f("ix_agreement_mission_id"), ["mission_id"], unique=False)
        batch_op.create_index("ix_agreement_signed", ["signed_earliest", "id"], unique=False)

    op.create_table(
        "citation",
        sa.Column("source_id", types.Id(), nullable=False),
        sa.Column(
            "record_kind",
            sa.Enum(
                "mission",
                "person",
                "delegate",
                "organization",
                "participation",
                "event",
                "agreement",
                "outcome",
                "statement",
                "reported_total",
                "source",
                "citation",
                "exchange_rate",
                name="record_kind",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("record_id", types.Id(), nullable=False),
        sa.Column("field", sa.Text(), nullable=True),
        sa.Column("start", sa.Integer(), nullable=False),
        sa.Column("end", sa.Integer(), nullable=False),
        sa.Column(
            "assertion",
            sa.Enum(
                "stated",
                "inferred",
                "external",
                name="assertion",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("id", types.Id(), nullable=False),
        sa.Column("ref", sa.String(length=120), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", types.Instant(), nullable=False),
        sa.Column("updated_at", types.Instant(), nullable=False),
        sa.Column("deleted_at", types.Instant(), nullable=True),
        sa.CheckConstraint('"start" >= 0 AND "start" < "end"', name=op.f("ck_citation_span")),
        sa.ForeignKeyConstraint(["source_id"], ["source.id"], name=op.f("fk_citation_source_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_citation")),
        sa.UniqueConstraint("ref", name=op.f("uq_citation_ref")),
    )
    with op.batch_alter_table("citation", schema=None) as batch_op:
        batch_op.create_index("ix_citation_record", ["record_kind", "record_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_citation_source_id"), ["source_id"], unique=False)

    op.create_table(
        "source_sentence",
        sa.Column("source_id", types.Id(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("start", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["source_id"], ["source.id"], name=op.f("fk_source_sentence_source_id")
        ),
        sa.PrimaryKeyConstraint("source_id", "number", name=op.f("pk_source_sentence")),
    )
    op.create_table(
        "statement",
        sa.Column("mission_id", types.Id(), nullable=True),
        sa.Column("speaker_id", types.Id(), nullable=True),
        sa.Column("person_id", types.Id(), nullable=True),
        sa.Column("subject_id", types.Id(), nullable=True),
        sa.Column("subject_description", sa.Text(), nullable=True),
        sa.Column(
            "predicate",
            sa.Enum(
                "supplies_to",
                "cooperates_with",
                "builds",
                "plans",
                "values",
                "calls_for",
                name="predicate",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("object_id", types.Id(), nullable=True),
        sa.Column("object_description", sa.Text(), nullable=True),
        sa.Column("paraphrase", sa.Text(), nullable=False),
        sa.Column("is_quote", sa.Boolean(), nullable=False),
        sa.Column(
            "modality",
            sa.Enum(
                "fact",
                "design_capacity",
                "plan",
                "wish",
                "assessment",
                name="modality",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("quantity", types.Exact(18, 4), nullable=True),
        sa.Column(
            "quantity_bound",
            sa.Enum(
                "exact",
                "at_least",
                "at_most",
                "approximately",
                name="quantity_bound",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=True,
        ),
        sa.Column(
            "unit",
            sa.Enum(
                "piece",
                "vehicle",
                "tonne",
                "kilogram",
                "litre",
                "square_metre",
                "kilometre",
                "megawatt_hour",
                "percent",
                "share",
                name="unit",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=True,
        ),
        sa.Column("id", types.Id(), nullable=False),
        sa.Column("ref", sa.String(length=120), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", types.Instant(), nullable=False),
        sa.Column("updated_at", types.Instant(), nullable=False),
        sa.Column("deleted_at", types.Instant(), nullable=True),
        sa.CheckConstraint(
            "(quantity IS NULL) = (unit IS NULL)", name=op.f("ck_statement_quantity_with_unit")
        ),
        sa.CheckConstraint(
            "speaker_id IS NULL OR person_id IS NULL", name=op.f("ck_statement_one_speaker")
        ),
        sa.ForeignKeyConstraint(
            ["mission_id"], ["mission.id"], name=op.f("fk_statement_mission_id")
        ),
        sa.ForeignKeyConstraint(
            ["object_id"], ["organization.id"], name=op.f("fk_statement_object_id")
        ),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_statement_person_id")),
        sa.ForeignKeyConstraint(
            ["speaker_id"], ["delegate.id"], name=op.f("fk_statement_speaker_id")
        ),
        sa.ForeignKeyConstraint(
            ["subject_id"], ["organization.id"], name=op.f("fk_statement_subject_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_statement")),
        sa.UniqueConstraint("ref", name=op.f("uq_statement_ref")),
    )
    with op.batch_alter_table("statement", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_statement_mission_id"), ["mission_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_statement_object_id"), ["object_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_statement_person_id"), ["person_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_statement_speaker_id"), ["speaker_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_statement_subject_id"), ["subject_id"], unique=False)

    op.create_table(
        "agreement_party",
        sa.Column("agreement_id", types.Id(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("organization_id", types.Id(), nullable=True),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column(
            "role",
            sa.Enum(
                "supplier",
                "buyer",
                "distributor",
                "founder",
                "investor",
                "licensor",
                "licensee",
                "contractor",
                "customer",
                "lender",
                "borrower",
                "announcer",
                "signatory",
                name="role",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("share_percent", types.Exact(7, 4), nullable=True),
        sa.CheckConstraint(
            "organization_id IS NOT NULL OR description IS NOT NULL",
            name=op.f("ck_agreement_party_named_or_described"),
        ),
        sa.CheckConstraint(
            "share_percent >= 0", name=op.f("ck_agreement_party_share_not_negative")
        ),
        sa.ForeignKeyConstraint(
            ["agreement_id"], ["agreement.id"], name=op.f("fk_agreement_party_agreement_id")
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organization.id"],
            name=op.f("fk_agreement_party_organization_id"),
        ),
        sa.PrimaryKeyConstraint("agreement_id", "position", name=op.f("pk_agreement_party")),
    )
    with op.batch_alter_table("agreement_party", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_agreement_party_organization_id"), ["organization_id"], unique=False
        )

    op.create_table(
        "outcome",
        sa.Column("agreement_id", types.Id(), nullable=False),
        sa.Column("date", types.StatedDate(), nullable=True),
        sa.Column("date_earliest", sa.Date(), nullable=True),
        sa.Column("date_latest", sa.Date(), nullable=True),
        sa.Column(
            "status",
            sa.Enum(
                "announced",
                "negotiated",
                "signed",
                "in_force",
                "completed",
                "cancelled",
                "expired",
                "superseded",
                name="status",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=True,
        ),
        sa.Column("actual_amount", types.Exact(18, 4), nullable=True),
        sa.Column("currency", sa.String(length=32), nullable=True),
        sa.Column("jobs", sa.Integer(), nullable=True),
        sa.Column("confirmed_by_id", types.Id(), nullable=True),
        sa.Column("id", types.Id(), nullable=False),
        sa.Column("ref", sa.String(length=120), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", types.Instant(), nullable=False),
        sa.Column("updated_at", types.Instant(), nullable=False),
        sa.Column("deleted_at", types.Instant(), nullable=True),
        sa.CheckConstraint(
            "(actual_amount IS NULL) = (currency IS NULL)",
            name=op.f("ck_outcome_actual_amount_with_currency"),
        ),
        sa.CheckConstraint(
            "actual_amount >= 0", name=op.f("ck_outcome_actual_amount_not_negative")
        ),
        sa.CheckConstraint("date_earliest <= date_latest", name=op.f("ck_outcome_date_in_order")),
        sa.CheckConstraint("jobs >= 0", name=op.f("ck_outcome_jobs_not_negative")),
        sa.ForeignKeyConstraint(
            ["agreement_id"], ["agreement.id"], name=op.f("fk_outcome_agreement_id")
        ),
        sa.ForeignKeyConstraint(
            ["confirmed_by_id"], ["organization.id"], name=op.f("fk_outcome_confirmed_by_id")
        ),
        sa.ForeignKeyConstraint(["currency"], ["currency.code"], name=op.f("fk_outcome_currency")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outcome")),
        sa.UniqueConstraint("ref", name=op.f("uq_outcome_ref")),
    )
    with op.batch_alter_table("outcome", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_outcome_agreement_id"), ["agreement_id"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_outcome_confirmed_by_id"), ["confirmed_by_id"], unique=False
        )


def downgrade() -> None:
    with op.batch_alter_table("outcome", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_outcome_confirmed_by_id"))
        batch_op.drop_index(batch_op.f("ix_outcome_agreement_id"))

    op.drop_table("outcome")
    with op.batch_alter_table("agreement_party", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_agreement_party_organization_id"))

    op.drop_table("agreement_party")
    with op.batch_alter_table("statement", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_statement_subject_id"))
        batch_op.drop_index(batch_op.f("ix_statement_speaker_id"))
        batch_op.drop_index(batch_op.f("ix_statement_person_id"))
        batch_op.drop_index(batch_op.f("ix_statement_object_id"))
        batch_op.drop_index(batch_op.f("ix_statement_mission_id"))

    op.drop_table("statement")
    op.drop_table("source_sentence")
    with op.batch_alter_table("citation", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_citation_source_id"))
        batch_op.drop_index("ix_citation_record")

    op.drop_table("citation")
    with op.batch_alter_table("agreement", schema=None) as batch_op:
        batch_op.drop_index("ix_agreement_status_amount")
        batch_op.drop_index("ix_agreement_amount")
        batch_op.drop_index("ix_agreement_signed")
        batch_op.drop_index(batch_op.f("ix_agreement_mission_id"))
        batch_op.drop_index("ix_agreement_instrument")
        batch_op.drop_index(batch_op.f("ix_agreement_event_id"))

    op.drop_table("agreement")
    with op.batch_alter_table("source", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_source_reported_by_id"))

    op.drop_table("source")
    with op.batch_alter_table("reported_total", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_reported_total_mission_id"))

    op.drop_table("reported_total")
    with op.batch_alter_table("participation", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_participation_organization_id"))
        batch_op.drop_index(batch_op.f("ix_participation_mission_id"))

    op.drop_table("participation")
    with op.batch_alter_table("organization_identifier", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_organization_identifier_value",
            sqlite_where=sa.text("is_live"),
            postgresql_where=sa.text("is_live"),
        )

    op.drop_table("organization_identifier")
    with op.batch_alter_table("event", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_event_mission_id"))

    op.drop_table("event")
    with op.batch_alter_table("delegate", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_delegate_person_id"))
        batch_op.drop_index(batch_op.f("ix_delegate_organization_id"))
        batch_op.drop_index(batch_op.f("ix_delegate_mission_id"))

    op.drop_table("delegate")
    with op.batch_alter_table("organization", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_organization_parent_id"))
        batch_op.drop_index("ix_organization_name")
        batch_op.drop_index(batch_op.f("ix_organization_merged_into_id"))
        batch_op.drop_index("ix_organization_kind")

    op.drop_table("organization")
    with op.batch_alter_table("mission", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_mission_parent_id"))
        batch_op.drop_index("ix_mission_dates")

    op.drop_table("mission")
    with op.batch_alter_table("region", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_region_parent"))

    op.drop_table("region")
    op.drop_table("legal_form")
    with op.batch_alter_table("exchange_rate", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_exchange_rate_quoted",
            sqlite_where=sa.text("deleted_at IS NULL"),
            postgresql_where=sa.text("deleted_at IS NULL"),
        )

    op.drop_table("exchange_rate")
    op.drop_table("term")
    with op.batch_alter_table("sector", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_sector_parent"))

    op.drop_table("sector")
    op.drop_table("person")
    op.drop_table("language")
    op.drop_table("currency")
    op.drop_table("country")
    op.drop_table("change_counter")
    with op.batch_alter_table("change", schema=None) as batch_op:
        batch_op.drop_index("ix_change_record")

    op.drop_table("change")
