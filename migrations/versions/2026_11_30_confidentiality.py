"""Records, and fields of them, are withheld from the public.

Revision: 20261130_confidentiality, after 20261130_receipts.
"""

import sqlalchemy as sa
from alembic import op

revision = "20261130_confidentiality"
down_revision = "20261130_receipts"
branch_labels = None
depends_on = None

RECORDS = (
    *("mission", "delegate", "person", "organization", "participation", "event", "agreement"),
    *("outcome", "statement", "reported_total", "source", "citation", "exchange_rate"),
)
PARTS = (
    *("mission_stop", "organization_identifier", "agreement_party", "agreement_target"),
    *("agreement_related", "agreement_amount_of_year", "outcome_achievement", "source_basis"),
)
JSON = sa.JSON().with_variant(sa.dialects.postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    for table in RECORDS:
        no, none = sa.text("false"), sa.text("'[]'")
        op.add_column(
            table, sa.Column("confidential", sa.Boolean(), nullable=False, server_default=no)
        )
        op.add_column(table, sa.Column("withheld", JSON, nullable=False, server_default=none))
        op.add_column(table, sa.Column("hidden", sa.Text(), nullable=True))
    for table in (*PARTS, "search_entry", "change"):
        op.add_column(table, sa.Column("hidden", sa.Text(), nullable=True))
    op.add_column("change", sa.Column("turn", sa.String(length=8), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("change") as batch:
        batch.drop_column("turn")
    for table in (*PARTS, "search_entry", "change"):
        with op.batch_alter_table(table) as batch:
            batch.drop_column("hidden")
    for table in RECORDS:
        with op.batch_alter_table(table) as batch:
            batch.drop_column("hidden")
            batch.drop_column("withheld")
            batch.drop_column("confidential")
