"""The epoch of the database, random: positions of its change log say of which one they are.

Revision: 20261129_epoch, after 20261128_citations_of_any_kind.
"""

import secrets

import sqlalchemy as sa
from alembic import op

revision = "20261129_epoch"
down_revision = "20261128_citations_of_any_kind"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("installation") as batch:
        batch.add_column(sa.Column("epoch", sa.String(length=6), nullable=True))
    installation = sa.table("installation", sa.column("epoch"))
    op.execute(installation.update().values(epoch=secrets.token_hex(3)))
    with op.batch_alter_table("installation") as batch:
        batch.alter_column("epoch", existing_type=sa.String(length=6), nullable=False)


def downgrade() -> None:
    with op.batch_alter_table("installation") as batch:
        batch.drop_column("epoch")
