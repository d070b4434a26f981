"""Citations of any kind.

Revision: 20261128_citations_of_any_kind, after 20261123_webhooks.
"""

from alembic import op

revision = "20261128_citations_of_any_kind"
down_revision = "20261123_webhooks"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("citation", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("ck_citation_record_kind"), type_="check")


def downgrade() -> None:
    with op.batch_alter_table("citation", schema=None) as batch_op:
        batch_op.create_check_constraint(
            batch_op.f("ck_citation_record_kind"),
            "record_kind IN ('mission', 'person', 'delegate', 'organization', 'participation', 'event', 'agreement', 'outcome', 'statement', 'reported_total', 'source', 'citation', 'exchange_rate')",
        )
