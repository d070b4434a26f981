"""Keys of the API, as digests; a purge can be in the log.

Revision: 20261123_access, after 20261122_cursors.
"""

import sqlalchemy as sa
from alembic import op

from app.core.databases import types

revision = "20261123_access"
down_revision = "20261122_cursors"
branch_labels = None
depends_on = None


ACTIONS = ("create", "update", "replace", "delete", "restore")


def upgrade() -> None:
    _allow(*ACTIONS, "purge")
    op.create_table(
        "api_key",
        sa.Column("id", types.Id(length=36), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("prefix", sa.String(length=16), nullable=False),
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("scope", sa.String(length=32), nullable=False),
        sa.Column("path", sa.Text(), nullable=True),
        sa.Column("created_at", types.Instant(), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("expires_at", types.Instant(), nullable=True),
        sa.Column("revoked_at", types.Instant(), nullable=True),
        sa.Column("last_used_at", types.Instant(), nullable=True),
        sa.CheckConstraint("scope IN ('read', 'write', 'admin')", name=op.f("ck_api_key_scope")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_key")),
        sa.UniqueConstraint("name", name=op.f("uq_api_key_name")),
        sa.UniqueConstraint("prefix", name=op.f("uq_api_key_prefix")),
    )


def downgrade() -> None:
    op.execute("UPDATE change SET action = 'delete' WHERE action = 'purge'")
    _allow(*ACTIONS)
    op.drop_table("api_key")


def _allow(*actions: str) -> None:
    """Hold the log's actions to these."""
    told = ", ".join(f"'{action}'" for action in actions)
    with op.batch_alter_table("change") as batch:
        batch.drop_constraint(op.f("ck_change_action"), type_="check")
        batch.create_check_constraint(op.f("ck_change_action"), f"action IN ({told})")
