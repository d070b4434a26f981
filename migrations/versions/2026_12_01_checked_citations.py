"""A citation tells when somebody last compared it with its source.

Revision: 20261201_checked_citations, after 20261201_composed_titles.
"""

import sqlalchemy as sa
from alembic import op

revision = "20261201_checked_citations"
down_revision = "20261201_composed_titles"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("citation", sa.Column("checked", sa.Date(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("citation") as batch:
        batch.drop_column("checked")
