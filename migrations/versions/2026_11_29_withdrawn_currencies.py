"""Currencies that were withdrawn have the last day on which they held, and their successor.

Revision: 20261129_withdrawn_currencies, after 20261129_encrypted_secrets.
"""

import sqlalchemy as sa
from alembic import op

revision = "20261129_withdrawn_currencies"
down_revision = "20261129_encrypted_secrets"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("currency", sa.Column("held_until", sa.Date(), nullable=True))
    op.add_column("currency", sa.Column("successor", sa.String(length=32), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("currency") as batch:
        batch.drop_column("successor")
        batch.drop_column("held_until")
