"""What stands around deals.

Revision: 20261129_around_deals, after 20261129_withdrawn_currencies.
"""

import sqlalchemy as sa
from alembic import op

from app.core.databases import types

revision = "20261129_around_deals"
down_revision = "20261129_withdrawn_currencies"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "mission_stop",
        sa.Column("mission_id", types.Id(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("country", sa.String(length=32), nullable=True),
        sa.Column("region", sa.String(length=32), nullable=True),
        sa.Column("city", sa.Text(), nullable=True),
        sa.Column("dates", types.StatedDate(), nullable=True),
        sa.Column("dates_earliest", sa.Date(), nullable=True),
        sa.Column("dates_latest", sa.Date(), nullable=True),
        sa.CheckConstraint(
            "country IS NOT NULL OR city IS NOT NULL", name=op.f("ck_mission_stop_somewhere")
        ),
        sa.CheckConstraint(
            "dates_earliest <= dates_latest", name=op.f("ck_mission_stop_dates_in_order")
        ),
        sa.CheckConstraint(
            "region IS NULL OR country IS NOT NULL",
            name=op.f("ck_mission_stop_region_with_country"),
        ),
        sa.ForeignKeyConstraint(
            ["country"], ["country.code"], name=op.f("fk_mission_stop_country")
        ),
        sa.ForeignKeyConstraint(
            ["mission_id"], ["mission.id"], name=op.f("fk_mission_stop_mission_id")
        ),
        sa.ForeignKeyConstraint(
            ["region", "country"],
            ["region.code", "region.parent"],
            name=op.f("fk_mission_stop_region_country"),
        ),
        sa.ForeignKeyConstraint(["region"], ["region.code"], name=op.f("fk_mission_stop_region")),
        sa.PrimaryKeyConstraint("mission_id", "position", name=op.f("pk_mission_stop")),
    )
    with op.batch_alter_table("mission_stop", schema=None) as batch_op:
        batch_op.create_index("ix_mission_stop_country", ["country", "mission_id"], unique=False)

    op.create_table(
        "source_basis",
        sa.Column("owner_id", types.Id(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("source_id", types.Id(), nullable=False),
        sa.CheckConstraint("source_id <> owner_id", name=op.f("ck_source_basis_not_itself")),
        sa.ForeignKeyConstraint(["owner_id"], ["source.id"], name=op.f("fk_source_basis_owner_id")),
        sa.ForeignKeyConstraint(
            ["source_id"], ["source.id"], name=op.f("fk_source_basis_source_id")
        ),
        sa.PrimaryKeyConstraint("owner_id", "position", name=op.f("pk_source_basis")),
    )
    with op.batch_alter_table("source_basis", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_source_basis_source_id"), ["source_id"], unique=False)

    op.create_table(
        "agreement_amount_of_year",
        sa.Column("agreement_id", types.Id(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("amount", types.Exact(18, 4), nullable=False),
        sa.CheckConstraint(
            "amount >= 0", name=op.f("ck_agreement_amount_of_year_amount_not_negative")
        ),
        sa.ForeignKeyConstraint(
            ["agreement_id"],
            ["agreement.id"],
            name=op.f("fk_agreement_amount_of_year_agreement_id"),
        ),
        sa.PrimaryKeyConstraint(
            "agreement_id", "position", name=op.f("pk_agreement_amount_of_year")
        ),
    )
    op.create_table(
        "agreement_related",
        sa.Column("owner_id", types.Id(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("agreement_id", types.Id(), nullable=False),
        sa.Column(
            "relation",
            sa.Enum(
                "part_of",
                "implements",
                "replaces",
                "amends",
                "follows",
                name="relation",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.CheckConstraint(
            "agreement_id <> owner_id", name=op.f("ck_agreement_related_not_itself")
        ),
        sa.ForeignKeyConstraint(
            ["agreement_id"], ["agreement.id"], name=op.f("fk_agreement_related_agreement_id")
        ),
        sa.ForeignKeyConstraint(
            ["owner_id"], ["agreement.id"], name=op.f("fk_agreement_related_owner_id")
        ),
        sa.PrimaryKeyConstraint("owner_id", "position", name=op.f("pk_agreement_related")),
    )
    with op.batch_alter_table("agreement_related", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_agreement_related_agreement_id"), ["agreement_id"], unique=False
        )

    op.create_table(
        "agreement_target",
        sa.Column("agreement_id", types.Id(), nullable=False),
        sa.Column("quantity_max", types.Exact(18, 4), nullable=True),
        sa.Column(
            "bound",
            sa.Enum(
                "exact",
                "at_least",
                "more_than",
                "at_most",
                "approximately",
                name="bound",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("due", types.StatedDate(), nullable=True),
        sa.Column("due_earliest", sa.Date(), nullable=True),
        sa.Column("due_latest", sa.Date(), nullable=True),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("quantity", types.Exact(18, 4), nullable=False),
        sa.Column(
            "measure",
            sa.Enum(
                "jobs",
                "output",
                "capacity",
                "area",
                "companies",
                "other",
                name="measure",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
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
                "hectare",
                "kilometre",
                "megawatt",
                "megawatt_hour",
                "percent",
                "share",
                "person",
                "job",
                "company",
                name="unit",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=True,
        ),
        sa.Column(
            "per",
            sa.Enum(
                "year", "month", name="per", native_enum=False, create_constraint=True, length=32
            ),
            nullable=True,
        ),
        sa.CheckConstraint(
            "measure IN ('jobs', 'companies') OR unit IS NOT NULL",
            name=op.f("ck_agreement_target_unit_of_measure"),
        ),
        sa.CheckConstraint(
            "due_earliest <= due_latest", name=op.f("ck_agreement_target_due_in_order")
        ),
        sa.CheckConstraint(
            "quantity <= quantity_max", name=op.f("ck_agreement_target_range_in_order")
        ),
        sa.CheckConstraint("quantity >= 0", name=op.f("ck_agreement_target_quantity_not_negative")),
        sa.ForeignKeyConstraint(
            ["agreement_id"], ["agreement.id"], name=op.f("fk_agreement_target_agreement_id")
        ),
        sa.PrimaryKeyConstraint("agreement_id", "position", name=op.f("pk_agreement_target")),
    )
    op.create_table(
        "outcome_achievement",
        sa.Column("outcome_id", types.Id(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("quantity", types.Exact(18, 4), nullable=False),
        sa.Column(
            "measure",
            sa.Enum(
                "jobs",
                "output",
                "capacity",
                "area",
                "companies",
                "other",
                name="measure",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
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
                "hectare",
                "kilometre",
                "megawatt",
                "megawatt_hour",
                "percent",
                "share",
                "person",
                "job",
                "company",
                name="unit",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=True,
        ),
        sa.Column(
            "per",
            sa.Enum(
                "year", "month", name="per", native_enum=False, create_constraint=True, length=32
            ),
            nullable=True,
        ),
        sa.CheckConstraint(
            "measure IN ('jobs', 'companies') OR unit IS NOT NULL",
            name=op.f("ck_outcome_achievement_unit_of_measure"),
        ),
        sa.CheckConstraint(
            "quantity >= 0", name=op.f("ck_outcome_achievement_quantity_not_negative")
        ),
        sa.ForeignKeyConstraint(
            ["outcome_id"], ["outcome.id"], name=op.f("fk_outcome_achievement_outcome_id")
        ),
        sa.PrimaryKeyConstraint("outcome_id", "position", name=op.f("pk_outcome_achievement")),
    )
    with op.batch_alter_table("agreement", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("ck_agreement_amount_bound"), type_="check")
        batch_op.drop_constraint(batch_op.f("ck_agreement_amount_with_currency"), type_="check")
        batch_op.drop_constraint(batch_op.f("ck_agreement_years_with_period"), type_="check")
        batch_op.add_column(sa.Column("signed_text", sa.Text(), nullable=True))
        batch_op.add_column(sa.Column("due_text", sa.Text(), nullable=True))
        batch_op.add_column(
            sa.Column("stands_for", sa.Integer(), server_default=sa.text("1"), nullable=False)
        )
        batch_op.add_column(sa.Column("amount_max", types.Exact(18, 4), nullable=True))
        batch_op.add_column(
            sa.Column("parties_complete", sa.Boolean(), server_default=sa.true(), nullable=False)
        )
        batch_op.create_check_constraint(
            batch_op.f("ck_agreement_amount_bound"),
            "amount_bound IN ('exact', 'at_least', 'more_than', 'at_most', 'approximately')",
        )
        batch_op.create_check_constraint(
            batch_op.f("ck_agreement_amount_with_currency"),
            "amount IS NULL OR currency IS NOT NULL",
        )
        batch_op.create_check_constraint(
            batch_op.f("ck_agreement_currency_with_amount"),
            "currency IS NULL OR amount IS NOT NULL",
        )
        batch_op.create_check_constraint(
            batch_op.f("ck_agreement_period_with_years"),
            "amount_years IS NULL OR (amount_period IS NOT NULL AND amount_period IN ('over_years', 'per_year'))",
        )
        batch_op.create_check_constraint(
            batch_op.f("ck_agreement_range_with_amount"),
            "amount_max IS NULL OR (amount IS NOT NULL AND amount_max >= amount)",
        )
        batch_op.create_check_constraint(
            batch_op.f("ck_agreement_stands_for_some"), "stands_for >= 1"
        )
        batch_op.create_check_constraint(
            batch_op.f("ck_agreement_years_with_period"),
            "amount_period IS NULL OR amount_period <> 'over_years' OR amount_years IS NOT NULL",
        )

    with op.batch_alter_table("agreement_party", schema=None) as batch_op:
        batch_op.add_column(sa.Column("signed_by_id", types.Id(), nullable=True))
        batch_op.add_column(sa.Column("signed_as", sa.Text(), nullable=True))
        batch_op.create_index(
            batch_op.f("ix_agreement_party_signed_by_id"), ["signed_by_id"], unique=False
        )
        batch_op.create_foreign_key(
            batch_op.f("fk_agreement_party_signed_by_id"), "person", ["signed_by_id"], ["id"]
        )

    with op.batch_alter_table("delegate", schema=None) as batch_op:
        batch_op.add_column(sa.Column("description", sa.Text(), nullable=True))
        batch_op.alter_column("person_id", existing_type=types.Id(), nullable=True)
        batch_op.create_check_constraint(
            batch_op.f("ck_delegate_named_or_described"),
            "person_id IS NOT NULL OR description IS NOT NULL",
        )

    with op.batch_alter_table("event", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("ck_event_kind"), type_="check")
        batch_op.add_column(sa.Column("attendance", sa.String(length=32), nullable=True))
        batch_op.add_column(sa.Column("dates_text", sa.Text(), nullable=True))
        batch_op.alter_column("mission_id", existing_type=types.Id(), nullable=True)
        batch_op.create_check_constraint(
            batch_op.f("ck_event_attendance"), "attendance IN ('in_person', 'online', 'hybrid')"
        )
        batch_op.create_check_constraint(
            batch_op.f("ck_event_kind"),
            "kind IN ('round_table', 'presentation', 'signing_ceremony', 'office_opening', 'site_visit', 'meeting', 'b2b_matchmaking', 'briefing', 'negotiations', 'forum', 'conference', 'exhibition')",
        )

    with op.batch_alter_table("mission", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("ck_mission_cost_amount_with_currency"), type_="check")
        batch_op.drop_constraint(batch_op.f("ck_mission_kind"), type_="check")
        batch_op.add_column(
            sa.Column(
                "other_names", types.CodeList(), server_default=sa.text("'[]'"), nullable=False
            )
        )
        batch_op.add_column(sa.Column("attendance", sa.String(length=32), nullable=True))
        batch_op.add_column(sa.Column("sending_region", sa.String(length=32), nullable=True))
        batch_op.add_column(sa.Column("sending_city", sa.Text(), nullable=True))
        batch_op.add_column(sa.Column("dates_text", sa.Text(), nullable=True))
        batch_op.add_column(sa.Column("at_event_id", types.Id(), nullable=True))
        batch_op.create_index(batch_op.f("ix_mission_at_event_id"), ["at_event_id"], unique=False)
        batch_op.create_foreign_key(
            batch_op.f("fk_mission_at_event_id"), "event", ["at_event_id"], ["id"], use_alter=True
        )
        batch_op.create_foreign_key(
            batch_op.f("fk_mission_sending_region"), "region", ["sending_region"], ["code"]
        )
        batch_op.create_foreign_key(
            batch_op.f("fk_mission_sending_region_sending_country"),
            "region",
            ["sending_region", "sending_country"],
            ["code", "parent"],
        )
        batch_op.create_check_constraint(
            batch_op.f("ck_mission_attendance"), "attendance IN ('in_person', 'online', 'hybrid')"
        )
        batch_op.create_check_constraint(
            batch_op.f("ck_mission_cost_amount_with_currency"),
            "cost_amount IS NULL OR cost_currency IS NOT NULL",
        )
        batch_op.create_check_constraint(
            batch_op.f("ck_mission_cost_currency_with_cost_amount"),
            "cost_currency IS NULL OR cost_amount IS NOT NULL",
        )
        batch_op.create_check_constraint(
            batch_op.f("ck_mission_kind"),
            "kind IN ('outward_mission', 'inward_mission', 'reverse_mission', 'trade_fair', 'investment_forum', 'official_visit', 'virtual_mission', 'forum', 'conference', 'exhibition', 'negotiations')",
        )
        batch_op.create_check_constraint(
            batch_op.f("ck_mission_sending_region_with_country"),
            "sending_region IS NULL OR sending_country IS NOT NULL",
        )

    with op.batch_alter_table("organization", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("ck_organization_kind"), type_="check")
        batch_op.create_check_constraint(
            batch_op.f("ck_organization_kind"),
            "kind IN ('company', 'government', 'subnational_government', 'ministry', 'diplomatic_mission', 'chamber_of_commerce', 'export_agency', 'news_agency', 'investment_agency', 'association', 'bank', 'state_corporation', 'university', 'research_institute', 'foundation', 'international_organization', 'unknown')",
        )

    with op.batch_alter_table("outcome", schema=None) as batch_op:
        batch_op.drop_constraint(
            batch_op.f("ck_outcome_actual_amount_with_currency"), type_="check"
        )
        batch_op.add_column(sa.Column("amount_scope", sa.String(length=32), nullable=True))
        batch_op.add_column(sa.Column("date_text", sa.Text(), nullable=True))
        batch_op.create_check_constraint(
            batch_op.f("ck_outcome_actual_amount_with_currency"),
            "actual_amount IS NULL OR currency IS NOT NULL",
        )
        batch_op.create_check_constraint(
            batch_op.f("ck_outcome_amount_scope"), "amount_scope IN ('period', 'to_date')"
        )
        batch_op.create_check_constraint(
            batch_op.f("ck_outcome_amount_scope_with_amount"),
            "amount_scope IS NULL OR actual_amount IS NOT NULL",
        )
        batch_op.create_check_constraint(
            batch_op.f("ck_outcome_currency_with_actual_amount"),
            "currency IS NULL OR actual_amount IS NOT NULL",
        )

    with op.batch_alter_table("reported_total", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("ck_reported_total_bound"), type_="check")
        batch_op.drop_constraint(batch_op.f("ck_reported_total_currency_with_money"), type_="check")
        batch_op.add_column(sa.Column("value_max", types.Exact(18, 4), nullable=True))
        batch_op.add_column(sa.Column("of_value", types.Exact(18, 4), nullable=True))
        batch_op.add_column(sa.Column("amount_kind", sa.String(length=32), nullable=True))
        batch_op.add_column(sa.Column("amount_period", sa.String(length=32), nullable=True))
        batch_op.add_column(sa.Column("amount_years", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("scope", sa.Text(), nullable=True))
        batch_op.add_column(sa.Column("as_of", types.StatedDate(), nullable=True))
        batch_op.add_column(sa.Column("as_of_earliest", sa.Date(), nullable=True))
        batch_op.add_column(sa.Column("as_of_latest", sa.Date(), nullable=True))
        batch_op.add_column(sa.Column("claimed_by_id", types.Id(), nullable=True))
        batch_op.add_column(sa.Column("claimed_by_person_id", types.Id(), nullable=True))
        batch_op.add_column(sa.Column("part_of_id", types.Id(), nullable=True))
        batch_op.add_column(
            sa.Column(
                "rank", sa.String(length=32), server_default=sa.text("'normal'"), nullable=False
            )
        )
        batch_op.create_index(
            batch_op.f("ix_reported_total_claimed_by_id"), ["claimed_by_id"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_reported_total_claimed_by_person_id"),
            ["claimed_by_person_id"],
            unique=False,
        )
        batch_op.create_index(
            batch_op.f("ix_reported_total_part_of_id"), ["part_of_id"], unique=False
        )
        batch_op.create_foreign_key(
            batch_op.f("fk_reported_total_claimed_by_id"), "organization", ["claimed_by_id"], ["id"]
        )
        batch_op.create_foreign_key(
            batch_op.f("fk_reported_total_claimed_by_person_id"),
            "person",
            ["claimed_by_person_id"],
            ["id"],
        )
        batch_op.create_foreign_key(
            batch_op.f("fk_reported_total_part_of_id"), "reported_total", ["part_of_id"], ["id"]
        )
        batch_op.create_check_constraint(
            batch_op.f("ck_reported_total_amount_details_with_money"),
            "measure IN ('amount', 'projected_sales_12m') OR (amount_kind IS NULL AND amount_period IS NULL AND amount_years IS NULL)",
        )
        batch_op.create_check_constraint(
            batch_op.f("ck_reported_total_amount_kind"),
            "amount_kind IN ('contract_value', 'expected_sales', 'investment', 'loan', 'part_of_total')",
        )
        batch_op.create_check_constraint(
            batch_op.f("ck_reported_total_amount_period"),
            "amount_period IN ('one_off', 'per_year', 'over_years')",
        )
        batch_op.create_check_constraint(
            batch_op.f("ck_reported_total_as_of_in_order"), "as_of_earliest <= as_of_latest"
        )
        batch_op.create_check_constraint(
            batch_op.f("ck_reported_total_bound"),
            "bound IN ('exact', 'at_least', 'more_than', 'at_most', 'approximately')",
        )
        batch_op.create_check_constraint(
            batch_op.f("ck_reported_total_currency_with_money"),
            "currency IS NULL OR measure IN ('amount', 'projected_sales_12m')",
        )
        batch_op.create_check_constraint(
            batch_op.f("ck_reported_total_money_with_currency"),
            "currency IS NOT NULL OR measure NOT IN ('amount', 'projected_sales_12m')",
        )
        batch_op.create_check_constraint(
            batch_op.f("ck_reported_total_part_of_whole"), "value <= of_value"
        )
        batch_op.create_check_constraint(
            batch_op.f("ck_reported_total_period_with_years"),
            "amount_years IS NULL OR (amount_period IS NOT NULL AND amount_period IN ('over_years', 'per_year'))",
        )
        batch_op.create_check_constraint(
            batch_op.f("ck_reported_total_range_in_order"), "value <= value_max"
        )
        batch_op.create_check_constraint(
            batch_op.f("ck_reported_total_rank"), "rank IN ('preferred', 'normal', 'deprecated')"
        )
        batch_op.create_check_constraint(
            batch_op.f("ck_reported_total_years_positive"), "amount_years > 0"
        )
        batch_op.create_check_constraint(
            batch_op.f("ck_reported_total_years_with_period"),
            "amount_period IS NULL OR amount_period <> 'over_years' OR amount_years IS NOT NULL",
        )

    with op.batch_alter_table("statement", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("ck_statement_quantity_bound"), type_="check")
        batch_op.drop_constraint(batch_op.f("ck_statement_quantity_with_unit"), type_="check")
        batch_op.drop_constraint(batch_op.f("ck_statement_unit"), type_="check")
        batch_op.add_column(sa.Column("on_behalf_of_id", types.Id(), nullable=True))
        batch_op.add_column(sa.Column("agreement_id", types.Id(), nullable=True))
        batch_op.add_column(sa.Column("date", types.StatedDate(), nullable=True))
        batch_op.add_column(sa.Column("date_earliest", sa.Date(), nullable=True))
        batch_op.add_column(sa.Column("date_latest", sa.Date(), nullable=True))
        batch_op.add_column(sa.Column("of_quantity", types.Exact(18, 4), nullable=True))
        batch_op.add_column(sa.Column("per", sa.String(length=32), nullable=True))
        batch_op.add_column(sa.Column("amount", types.Exact(18, 4), nullable=True))
        batch_op.add_column(sa.Column("currency", sa.String(length=32), nullable=True))
        batch_op.create_index(
            batch_op.f("ix_statement_agreement_id"), ["agreement_id"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_statement_on_behalf_of_id"),
            ["on_behalf_of_id"],
            unique=False,
        )
        batch_op.create_foreign_key(
            batch_op.f("fk_statement_on_behalf_of_id"),
            "organization",
            ["on_behalf_of_id"],
            ["id"],
        )
        batch_op.create_foreign_key(
            batch_op.f("fk_statement_currency"), "currency", ["currency"], ["code"]
        )
        batch_op.create_foreign_key(
            batch_op.f("fk_statement_agreement_id"), "agreement", ["agreement_id"], ["id"]
        )
        batch_op.create_check_constraint(
            batch_op.f("ck_statement_amount_not_negative"), "amount >= 0"
        )
        batch_op.create_check_constraint(
            batch_op.f("ck_statement_amount_with_currency"),
            "amount IS NULL OR currency IS NOT NULL",
        )
        batch_op.create_check_constraint(
            batch_op.f("ck_statement_currency_with_amount"),
            "currency IS NULL OR amount IS NOT NULL",
        )
        batch_op.create_check_constraint(
            batch_op.f("ck_statement_date_in_order"), "date_earliest <= date_latest"
        )
        batch_op.create_check_constraint(batch_op.f("ck_statement_per"), "per IN ('year', 'month')")
        batch_op.create_check_constraint(
            batch_op.f("ck_statement_quantity_bound"),
            "quantity_bound IN ('exact', 'at_least', 'more_than', 'at_most', 'approximately')",
        )
        batch_op.create_check_constraint(
            batch_op.f("ck_statement_quantity_of_whole"),
            "of_quantity IS NULL OR quantity IS NOT NULL",
        )
        batch_op.create_check_constraint(
            batch_op.f("ck_statement_quantity_with_unit"), "quantity IS NULL OR unit IS NOT NULL"
        )
        batch_op.create_check_constraint(
            batch_op.f("ck_statement_unit"),
            "unit IN ('piece', 'vehicle', 'tonne', 'kilogram', 'litre', 'square_metre', 'hectare', 'kilometre', 'megawatt', 'megawatt_hour', 'percent', 'share', 'person', 'job', 'company')",
        )
        batch_op.create_check_constraint(
            batch_op.f("ck_statement_unit_with_quantity"), "unit IS NULL OR quantity IS NOT NULL"
        )

    # Every mission has had one stop: where it was.
    op.execute(
        "INSERT INTO mission_stop (mission_id, position, country, region, city)"
        " SELECT id, 0, host_country, host_region, host_city FROM mission"
        " WHERE host_country IS NOT NULL OR host_city IS NOT NULL"
    )


def downgrade() -> None:
    with op.batch_alter_table("statement", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("ck_statement_unit_with_quantity"), type_="check")
        batch_op.drop_constraint(batch_op.f("ck_statement_unit"), type_="check")
        batch_op.drop_constraint(batch_op.f("ck_statement_quantity_with_unit"), type_="check")
        batch_op.drop_constraint(batch_op.f("ck_statement_quantity_of_whole"), type_="check")
        batch_op.drop_constraint(batch_op.f("ck_statement_quantity_bound"), type_="check")
        batch_op.drop_constraint(batch_op.f("ck_statement_per"), type_="check")
        batch_op.drop_constraint(batch_op.f("ck_statement_date_in_order"), type_="check")
        batch_op.drop_constraint(batch_op.f("ck_statement_currency_with_amount"), type_="check")
        batch_op.drop_constraint(batch_op.f("ck_statement_amount_with_currency"), type_="check")
        batch_op.drop_constraint(batch_op.f("ck_statement_amount_not_negative"), type_="check")
        batch_op.drop_constraint(batch_op.f("fk_statement_agreement_id"), type_="foreignkey")
        batch_op.drop_constraint(batch_op.f("fk_statement_currency"), type_="foreignkey")
        batch_op.drop_constraint(batch_op.f("fk_statement_on_behalf_of_id"), type_="foreignkey")
        batch_op.drop_index(batch_op.f("ix_statement_on_behalf_of_id"))
        batch_op.drop_index(batch_op.f("ix_statement_agreement_id"))
        batch_op.drop_column("currency")
        batch_op.drop_column("amount")
        batch_op.drop_column("per")
        batch_op.drop_column("of_quantity")
        batch_op.drop_column("date_latest")
        batch_op.drop_column("date_earliest")
        batch_op.drop_column("date")
        batch_op.drop_column("agreement_id")
        batch_op.drop_column("on_behalf_of_id")
        batch_op.create_check_constraint(
            batch_op.f("ck_statement_unit"),
            "unit IN ('piece', 'vehicle', 'tonne', 'kilogram', 'litre', 'square_metre', 'kilometre', 'megawatt_hour', 'percent', 'share')",
        )
        batch_op.create_check_constraint(
            batch_op.f("ck_statement_quantity_with_unit"), "(quantity IS NULL) = (unit IS NULL)"
        )
        batch_op.create_check_constraint(
            batch_op.f("ck_statement_quantity_bound"),
            "quantity_bound IN ('exact', 'at_least', 'at_most', 'approximately')",
        )

    with op.batch_alter_table("reported_total", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("ck_reported_total_years_with_period"), type_="check")
        batch_op.drop_constraint(batch_op.f("ck_reported_total_years_positive"), type_="check")
        batch_op.drop_constraint(batch_op.f("ck_reported_total_rank"), type_="check")
        batch_op.drop_constraint(batch_op.f("ck_reported_total_range_in_order"), type_="check")
        batch_op.drop_constraint(batch_op.f("ck_reported_total_period_with_years"), type_="check")
        batch_op.drop_constraint(batch_op.f("ck_reported_total_part_of_whole"), type_="check")
        batch_op.drop_constraint(batch_op.f("ck_reported_total_money_with_currency"), type_="check")
        batch_op.drop_constraint(batch_op.f("ck_reported_total_currency_with_money"), type_="check")
        batch_op.drop_constraint(batch_op.f("ck_reported_total_bound"), type_="check")
        batch_op.drop_constraint(batch_op.f("ck_reported_total_as_of_in_order"), type_="check")
        batch_op.drop_constraint(batch_op.f("ck_reported_total_amount_period"), type_="check")
        batch_op.drop_constraint(batch_op.f("ck_reported_total_amount_kind"), type_="check")
        batch_op.drop_constraint(
            batch_op.f("ck_reported_total_amount_details_with_money"), type_="check"
        )
        batch_op.drop_constraint(batch_op.f("fk_reported_total_part_of_id"), type_="foreignkey")
        batch_op.drop_constraint(
            batch_op.f("fk_reported_total_claimed_by_person_id"), type_="foreignkey"
        )
        batch_op.drop_constraint(batch_op.f("fk_reported_total_claimed_by_id"), type_="foreignkey")
        batch_op.drop_index(batch_op.f("ix_reported_total_part_of_id"))
        batch_op.drop_index(batch_op.f("ix_reported_total_claimed_by_person_id"))
        batch_op.drop_index(batch_op.f("ix_reported_total_claimed_by_id"))
        batch_op.drop_column("rank")
        batch_op.drop_column("part_of_id")
        batch_op.drop_column("claimed_by_person_id")
        batch_op.drop_column("claimed_by_id")
        batch_op.drop_column("as_of_latest")
        batch_op.drop_column("as_of_earliest")
        batch_op.drop_column("as_of")
        batch_op.drop_column("scope")
        batch_op.drop_column("amount_years")
        batch_op.drop_column("amount_period")
        batch_op.drop_column("amount_kind")
        batch_op.drop_column("of_value")
        batch_op.drop_column("value_max")
        batch_op.create_check_constraint(
            batch_op.f("ck_reported_total_currency_with_money"),
            "(currency IS NOT NULL) = (measure IN ('amount', 'projected_sales_12m'))",
        )
        batch_op.create_check_constraint(
            batch_op.f("ck_reported_total_bound"),
            "bound IN ('exact', 'at_least', 'at_most', 'approximately')",
        )

    with op.batch_alter_table("outcome", schema=None) as batch_op:
        batch_op.drop_constraint(
            batch_op.f("ck_outcome_currency_with_actual_amount"), type_="check"
        )
        batch_op.drop_constraint(batch_op.f("ck_outcome_amount_scope_with_amount"), type_="check")
        batch_op.drop_constraint(batch_op.f("ck_outcome_amount_scope"), type_="check")
        batch_op.drop_constraint(
            batch_op.f("ck_outcome_actual_amount_with_currency"), type_="check"
        )
        batch_op.drop_column("date_text")
        batch_op.drop_column("amount_scope")
        batch_op.create_check_constraint(
            batch_op.f("ck_outcome_actual_amount_with_currency"),
            "(actual_amount IS NULL) = (currency IS NULL)",
        )

    with op.batch_alter_table("organization", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("ck_organization_kind"), type_="check")
        batch_op.create_check_constraint(
            batch_op.f("ck_organization_kind"),
            "kind IN ('company', 'government', 'subnational_government', 'ministry', 'diplomatic_mission', 'chamber_of_commerce', 'export_agency', 'news_agency', 'unknown')",
        )

    with op.batch_alter_table("mission", schema=None) as batch_op:
        batch_op.drop_constraint(
            batch_op.f("ck_mission_sending_region_with_country"), type_="check"
        )
        batch_op.drop_constraint(batch_op.f("ck_mission_kind"), type_="check")
        batch_op.drop_constraint(
            batch_op.f("ck_mission_cost_currency_with_cost_amount"), type_="check"
        )
        batch_op.drop_constraint(batch_op.f("ck_mission_cost_amount_with_currency"), type_="check")
        batch_op.drop_constraint(batch_op.f("ck_mission_attendance"), type_="check")
        batch_op.drop_constraint(
            batch_op.f("fk_mission_sending_region_sending_country"), type_="foreignkey"
        )
        batch_op.drop_constraint(batch_op.f("fk_mission_sending_region"), type_="foreignkey")
        batch_op.drop_constraint(batch_op.f("fk_mission_at_event_id"), type_="foreignkey")
        batch_op.drop_index(batch_op.f("ix_mission_at_event_id"))
        batch_op.drop_column("at_event_id")
        batch_op.drop_column("dates_text")
        batch_op.drop_column("sending_city")
        batch_op.drop_column("sending_region")
        batch_op.drop_column("attendance")
        batch_op.drop_column("other_names")
        batch_op.create_check_constraint(
            batch_op.f("ck_mission_kind"),
            "kind IN ('outward_mission', 'inward_mission', 'reverse_mission', 'trade_fair', 'investment_forum', 'official_visit', 'virtual_mission')",
        )
        batch_op.create_check_constraint(
            batch_op.f("ck_mission_cost_amount_with_currency"),
            "(cost_amount IS NULL) = (cost_currency IS NULL)",
        )

    with op.batch_alter_table("event", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("ck_event_kind"), type_="check")
        batch_op.drop_constraint(batch_op.f("ck_event_attendance"), type_="check")
        batch_op.alter_column("mission_id", existing_type=types.Id(), nullable=False)
        batch_op.drop_column("dates_text")
        batch_op.drop_column("attendance")
        batch_op.create_check_constraint(
            batch_op.f("ck_event_kind"),
            "kind IN ('round_table', 'presentation', 'signing_ceremony', 'office_opening', 'site_visit', 'meeting')",
        )

    with op.batch_alter_table("delegate", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("ck_delegate_named_or_described"), type_="check")
        batch_op.alter_column("person_id", existing_type=types.Id(), nullable=False)
        batch_op.drop_column("description")

    with op.batch_alter_table("agreement_party", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("fk_agreement_party_signed_by_id"), type_="foreignkey")
        batch_op.drop_index(batch_op.f("ix_agreement_party_signed_by_id"))
        batch_op.drop_column("signed_as")
        batch_op.drop_column("signed_by_id")

    with op.batch_alter_table("agreement", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("ck_agreement_years_with_period"), type_="check")
        batch_op.drop_constraint(batch_op.f("ck_agreement_stands_for_some"), type_="check")
        batch_op.drop_constraint(batch_op.f("ck_agreement_range_with_amount"), type_="check")
        batch_op.drop_constraint(batch_op.f("ck_agreement_period_with_years"), type_="check")
        batch_op.drop_constraint(batch_op.f("ck_agreement_currency_with_amount"), type_="check")
        batch_op.drop_constraint(batch_op.f("ck_agreement_amount_with_currency"), type_="check")
        batch_op.drop_constraint(batch_op.f("ck_agreement_amount_bound"), type_="check")
        batch_op.drop_column("parties_complete")
        batch_op.drop_column("amount_max")
        batch_op.drop_column("stands_for")
        batch_op.drop_column("due_text")
        batch_op.drop_column("signed_text")
        batch_op.create_check_constraint(
            batch_op.f("ck_agreement_years_with_period"),
            "(amount_years IS NOT NULL) = (amount_period IS NOT NULL AND amount_period = 'over_years')",
        )
        batch_op.create_check_constraint(
            batch_op.f("ck_agreement_amount_with_currency"), "(amount IS NULL) = (currency IS NULL)"
        )
        batch_op.create_check_constraint(
            batch_op.f("ck_agreement_amount_bound"),
            "amount_bound IN ('exact', 'at_least', 'at_most', 'approximately')",
        )

    op.drop_table("outcome_achievement")
    op.drop_table("agreement_target")
    with op.batch_alter_table("agreement_related", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_agreement_related_agreement_id"))

    op.drop_table("agreement_related")
    op.drop_table("agreement_amount_of_year")
    with op.batch_alter_table("source_basis", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_source_basis_source_id"))

    op.drop_table("source_basis")
    with op.batch_alter_table("mission_stop", schema=None) as batch_op:
        batch_op.drop_index("ix_mission_stop_country")

    op.drop_table("mission_stop")
