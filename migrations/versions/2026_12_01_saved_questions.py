"""Addresses are saved under a name.

Revision: 20261201_saved_questions, after 20261201_replaced.
"""

import sqlalchemy as sa
from alembic import op

import app.core.databases.types

revision = "20261201_saved_questions"
down_revision = "20261201_replaced"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "saved_question",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("made_at", app.core.databases.types.Instant(), nullable=False),
        sa.Column("made_by", sa.Text(), nullable=False),
        sa.Column("earlier", app.core.databases.types.JsonText(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_saved_question")),
    )


def downgrade() -> None:
    op.drop_table("saved_question")
