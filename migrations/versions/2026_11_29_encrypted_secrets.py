"""Secrets of webhooks are as long as encryption makes them.

Revision: 20261129_encrypted_secrets, after 20261129_epoch.
"""

import sqlalchemy as sa
from alembic import op

revision = "20261129_encrypted_secrets"
down_revision = "20261129_epoch"
branch_labels = None
depends_on = None

COLUMNS = {"secret": False, "previous_secret": True}


def upgrade() -> None:
    with op.batch_alter_table("webhook") as batch:
        for name, nullable in COLUMNS.items():
            batch.alter_column(
                name, existing_type=sa.String(80), type_=sa.Text(), existing_nullable=nullable
            )


def downgrade() -> None:
    webhook = sa.table("webhook", *map(sa.column, COLUMNS))
    long = sa.or_(*(sa.func.length(webhook.c[name]) > 80 for name in COLUMNS))
    if op.get_bind().scalar(sa.select(sa.func.count()).select_from(webhook).where(long)):
        raise RuntimeError(
            "The secrets of webhooks are encrypted, which the older version cannot read. Delete the"
            " webhooks first. Nothing was changed."
        )
    with op.batch_alter_table("webhook") as batch:
        for name, nullable in COLUMNS.items():
            batch.alter_column(
                name, existing_type=sa.Text(), type_=sa.String(80), existing_nullable=nullable
            )
