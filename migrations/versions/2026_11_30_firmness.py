"""How firm agreements are, and which were ever signed.

Revision: 20261130_firmness, after 20261130_codes_of_their_time.
"""

import sqlalchemy as sa
from alembic import op

revision = "20261130_firmness"
down_revision = "20261130_codes_of_their_time"
branch_labels = None
depends_on = None


_FIRMNESS = (
    "CASE WHEN status = 'cancelled' THEN 'fallen_through'"
    " WHEN status = 'expired' THEN 'fallen_through'"
    " WHEN status = 'superseded' THEN 'replaced'"
    " WHEN status = 'announced' THEN 'announced'"
    " WHEN status = 'negotiated' THEN 'announced'"
    " WHEN bindingness = 'accomplished' THEN 'accomplished'"
    " WHEN bindingness = 'announcement' THEN 'announced'"
    " WHEN bindingness = 'binding' THEN 'signed_binding'"
    " ELSE 'signed_not_binding' END"
)
#: What fell through was signed where it has a day of signing, or was once in such a status.
_WAS_SIGNED = (
    "(status IN ('signed', 'in_force', 'completed')"
    " AND bindingness NOT IN ('announcement', 'accomplished'))"
    " OR (status IN ('cancelled', 'expired', 'superseded') AND (signed IS NOT NULL OR EXISTS ("
    "SELECT 1 FROM change WHERE change.kind = 'agreement' AND change.record_id = agreement.id"
    ' AND (changes LIKE \'%"status":["signed",%\' OR changes LIKE \'%"status":["in_force",%\'))))'
)


def upgrade() -> None:
    op.add_column("agreement", sa.Column("firmness", sa.String(length=32), nullable=True))
    op.add_column(
        "agreement",
        sa.Column("was_signed", sa.Boolean(), server_default=sa.false(), nullable=False),
    )
    agreement = sa.table("agreement", sa.column("firmness"), sa.column("was_signed"))
    op.execute(agreement.update().values(firmness=sa.text(_FIRMNESS)))
    op.execute(agreement.update().where(sa.text(_WAS_SIGNED)).values(was_signed=sa.true()))
    with op.batch_alter_table("agreement", schema=None) as batch_op:
        batch_op.alter_column("firmness", existing_type=sa.String(length=32), nullable=False)
        batch_op.create_index(
            "ix_agreement_set_apart",
            ["id"],
            unique=False,
            sqlite_where=sa.text("stands_for > 1 OR amount_period = 'per_year'"),
            postgresql_where=sa.text("stands_for > 1 OR amount_period = 'per_year'"),
        )
        batch_op.create_check_constraint(
            batch_op.f("ck_agreement_firmness"),
            "firmness IN ('signed_binding', 'signed_not_binding', 'accomplished', 'announced',"
            " 'replaced', 'fallen_through')",
        )
        batch_op.create_check_constraint(
            batch_op.f("ck_agreement_firmness_of_status"),
            f"firmness = {_FIRMNESS}",
        )
        batch_op.create_check_constraint(
            batch_op.f("ck_agreement_signed_was_signed"),
            "was_signed OR status NOT IN ('signed', 'in_force', 'completed')"
            " OR bindingness IN ('announcement', 'accomplished')",
        )


def downgrade() -> None:
    with op.batch_alter_table("agreement", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("ck_agreement_signed_was_signed"), type_="check")
        batch_op.drop_constraint(batch_op.f("ck_agreement_firmness_of_status"), type_="check")
        batch_op.drop_constraint(batch_op.f("ck_agreement_firmness"), type_="check")
        batch_op.drop_index(
            "ix_agreement_set_apart",
            sqlite_where=sa.text("stands_for > 1 OR amount_period = 'per_year'"),
            postgresql_where=sa.text("stands_for > 1 OR amount_period = 'per_year'"),
        )
        batch_op.drop_column("was_signed")
        batch_op.drop_column("firmness")
