"""What another agreement that stands replaces is in the class `replaced`.

Revision: 20261201_replaced, after 20261201_checked_citations.
"""

import sqlalchemy as sa
from alembic import op

revision = "20261201_replaced"
down_revision = "20261201_checked_citations"
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
#: What is replaced by something that stands, and whether anything of that is public.
_REPLACED = """
SELECT related.agreement_id, old.hidden,
  MAX(CASE WHEN newer.hidden = '*' OR related.hidden = '*' THEN 0 ELSE 1 END) AS is_public
FROM agreement_related AS related
JOIN agreement AS newer ON newer.id = related.owner_id
JOIN agreement AS old ON old.id = related.agreement_id
WHERE related.relation = 'replaces' AND newer.deleted_at IS NULL
  AND newer.status NOT IN ('cancelled', 'expired', 'announced', 'negotiated')
  AND NOT (newer.bindingness = 'announcement' AND newer.status <> 'superseded')
  AND old.status <> 'superseded'
GROUP BY related.agreement_id, old.hidden
"""
_AGREEMENT = sa.table(
    "agreement",
    *map(sa.column, ("id", "firmness", "hidden")),
    sa.column("firmness_withheld", sa.Boolean()),
)


def upgrade() -> None:
    with op.batch_alter_table("agreement", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("firmness_withheld", sa.Boolean(), server_default=sa.false(), nullable=False)
        )
        batch_op.drop_constraint(batch_op.f("ck_agreement_firmness_of_status"), type_="check")
        batch_op.create_check_constraint(
            batch_op.f("ck_agreement_firmness_follows"),
            f"firmness = 'replaced' OR firmness = {_FIRMNESS}",
        )
    connection = op.get_bind()
    for record_id, hidden, is_public in connection.execute(sa.text(_REPLACED)).all():
        values: dict[str, object] = {"firmness": "replaced"}
        if not is_public:
            names = {*(hidden or "").strip(",").split(","), "firmness"} - {""}
            withheld = hidden if hidden == "*" else f",{','.join(sorted(names))},"
            values |= {"firmness_withheld": True, "hidden": withheld}
        same = _AGREEMENT.c.id == record_id
        connection.execute(_AGREEMENT.update().where(same).values(**values))


def downgrade() -> None:
    withheld = sa.text("firmness_withheld")
    shown = sa.func.replace(_AGREEMENT.c.hidden, ",firmness,", ",")
    named = sa.case((shown.not_in((",", "")), shown))
    op.execute(_AGREEMENT.update().where(withheld).values(hidden=named))
    op.execute(_AGREEMENT.update().values(firmness=sa.text(_FIRMNESS)))
    with op.batch_alter_table("agreement", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("ck_agreement_firmness_follows"), type_="check")
        batch_op.create_check_constraint(
            batch_op.f("ck_agreement_firmness_of_status"), f"firmness = {_FIRMNESS}"
        )
        batch_op.drop_column("firmness_withheld")
