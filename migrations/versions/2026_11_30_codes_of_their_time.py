"""Every code can have the last day on which it held, and its successor, as currencies do.

Revision: 20261130_codes_of_their_time, after 20261129_around_deals.
"""

import sqlalchemy as sa
from alembic import op

revision = "20261130_codes_of_their_time"
down_revision = "20261129_around_deals"
branch_labels = None
depends_on = None

_LISTS = ("country", "language", "legal_form", "region", "sector", "term")


def upgrade() -> None:
    op.alter_column("currency", "held_until", new_column_name="valid_until")
    for table in _LISTS:
        op.add_column(table, sa.Column("valid_until", sa.Date(), nullable=True))
        op.add_column(table, sa.Column("successor", sa.String(length=32), nullable=True))


def downgrade() -> None:
    for table in reversed(_LISTS):
        op.drop_column(table, "successor")
        op.drop_column(table, "valid_until")
    op.alter_column("currency", "valid_until", new_column_name="held_until")
