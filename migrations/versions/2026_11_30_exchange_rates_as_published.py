"""Exchange rates as published.

Revision: 20261130_rates, after 20261130_firmness.
"""

import sqlalchemy as sa
from alembic import op

from app.core.databases import types

revision = "20261130_rates"
down_revision = "20261130_firmness"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("change", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("ck_change_action"), type_="check")
        batch_op.create_check_constraint(
            batch_op.f("ck_change_action"),
            "action IN ('create', 'update', 'replace', 'delete', 'restore', 'purge', 'import')",
        )

    with op.batch_alter_table("exchange_rate", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("unit", sa.Integer(), server_default=sa.text("1"), nullable=False)
        )
        batch_op.add_column(sa.Column("import_id", types.Id(), nullable=True))
        batch_op.drop_index(
            batch_op.f("uq_exchange_rate_quoted"), sqlite_where=sa.text("deleted_at IS NULL")
        )
        batch_op.create_index(
            "uq_exchange_rate_quoted",
            ["date", "provider", "base", "quote"],
            unique=True,
            sqlite_where=sa.text("deleted_at IS NULL"),
            postgresql_where=sa.text("deleted_at IS NULL"),
        )
        batch_op.create_index("ix_exchange_rate_pair", ["base", "quote", "date"], unique=False)
        batch_op.create_check_constraint(batch_op.f("ck_exchange_rate_unit_positive"), "unit >= 1")


def downgrade() -> None:
    with op.batch_alter_table("exchange_rate", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("ck_exchange_rate_unit_positive"), type_="check")
        batch_op.drop_index("ix_exchange_rate_pair")
        batch_op.drop_index(
            "uq_exchange_rate_quoted",
            sqlite_where=sa.text("deleted_at IS NULL"),
            postgresql_where=sa.text("deleted_at IS NULL"),
        )
        batch_op.create_index(
            batch_op.f("uq_exchange_rate_quoted"),
            ["base", "quote", "date", "provider"],
            unique=True,
            sqlite_where=sa.text("deleted_at IS NULL"),
            postgresql_where=sa.text("deleted_at IS NULL"),
        )
        batch_op.drop_column("import_id")
        batch_op.drop_column("unit")

    # Before, there was no word for it.
    op.execute("UPDATE change SET action = 'create' WHERE action = 'import'")
    with op.batch_alter_table("change", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("ck_change_action"), type_="check")
        batch_op.create_check_constraint(
            batch_op.f("ck_change_action"),
            "action IN ('create', 'update', 'replace', 'delete', 'restore', 'purge')",
        )
