"""The change log is looked up by time: what was there then is asked for.

Revision: 20261130_times_of_changes, after 20261130_rates.
"""

from alembic import op

revision = "20261130_times_of_changes"
down_revision = "20261130_rates"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_change_at", "change", ["at", "seq"])


def downgrade() -> None:
    op.drop_index("ix_change_at", table_name="change")
