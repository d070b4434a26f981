"""What names nobody of titles that the program has made up of who the parties are.

Revision: 20261201_composed_titles, after 20261130_confidentiality.
"""

import sqlalchemy as sa
from alembic import op

revision = "20261201_composed_titles"
down_revision = "20261130_confidentiality"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("agreement", sa.Column("composed_of", sa.Text(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("agreement") as batch:
        batch.drop_column("composed_of")
