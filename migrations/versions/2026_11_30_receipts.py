"""Answers are kept, with what stood behind them.

Revision: 20261130_receipts, after 20261130_times_of_changes.
"""

import sqlalchemy as sa
from alembic import op

import app.core.databases.types

revision = "20261130_receipts"
down_revision = "20261130_times_of_changes"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "receipt",
        sa.Column("id", app.core.databases.types.Id(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("position", sa.Text(), nullable=False),
        sa.Column("made_at", app.core.databases.types.Instant(), nullable=False),
        sa.Column("made_by", sa.Text(), nullable=False),
        sa.Column("answer", app.core.databases.types.JsonText(), nullable=False),
        sa.Column("records", app.core.databases.types.JsonText(), nullable=False),
        sa.Column("passages", app.core.databases.types.JsonText(), nullable=False),
        sa.Column("rates", app.core.databases.types.JsonText(), nullable=False),
        sa.Column("record_count", sa.Integer(), nullable=False),
        sa.Column("is_traced", sa.Boolean(), nullable=False),
        sa.Column("is_cut", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_receipt")),
    )


def downgrade() -> None:
    op.drop_table("receipt")
