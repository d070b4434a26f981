"""The installation's secret, and the answers kept for requests that are sent again.

Revision: 20261122_cursors, after 20261122_search.
"""

import secrets

import sqlalchemy as sa
from alembic import op

from app.core.databases import types

revision = "20261122_cursors"
down_revision = "20261122_search"
branch_labels = None
depends_on = None


def upgrade() -> None:
    installation = op.create_table(
        "installation",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("secret", sa.LargeBinary(length=32), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_installation_one_row")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_installation")),
    )
    op.bulk_insert(installation, [{"id": 1, "secret": secrets.token_bytes(32)}])
    op.create_table(
        "kept_answer",
        sa.Column("caller", sa.String(length=120), nullable=False),
        sa.Column("key", sa.String(length=255), nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("headers", types.JsonText(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("created_at", types.Instant(), nullable=False),
        sa.PrimaryKeyConstraint("caller", "key", name=op.f("pk_kept_answer")),
    )
    op.create_index(op.f("ix_kept_answer_created_at"), "kept_answer", ["created_at"])


def downgrade() -> None:
    op.drop_table("kept_answer")
    op.drop_table("installation")
