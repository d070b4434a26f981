"""What names nobody of titles that the program has made up of who the parties are; outcomes and
citations tell no more what is withheld of what they belong to.

Revision: 20261201_composed_titles, after 20261130_confidentiality.
"""

import sqlalchemy as sa
from alembic import op

revision = "20261201_composed_titles"
down_revision = "20261130_confidentiality"
branch_labels = None
depends_on = None

CITED = (
    *("mission", "delegate", "person", "organization", "participation", "event", "agreement"),
    *("outcome", "statement", "reported_total", "source", "exchange_rate"),
)
#: What is withheld of outcomes with which fields of their agreements.
ALONG = {
    "amount": ("actual_amount,amount_scope,currency", ""),
    "targets": ("achieved", ""),
    "signed": ("date,date_earliest,date_latest,date_text", " AND status = 'signed'"),
}


def upgrade() -> None:
    op.add_column("agreement", sa.Column("composed_of", sa.Text(), nullable=True))
    for field, (names, where) in ALONG.items():
        _withhold_of_outcomes(field, names, where)
    for table in CITED:
        _withhold_citations(table)


def _withhold_of_outcomes(field: str, names: str, where: str) -> None:
    agreements = f"SELECT id FROM agreement WHERE hidden LIKE '%,{field},%'"
    outcomes = f"agreement_id IN ({agreements}) AND hidden IS DISTINCT FROM '*'{where}"
    # Of what was changed once nothing is told: which of its fields is withheld, JSON alone says.
    op.execute(
        "UPDATE change SET hidden = '{}' WHERE kind = 'outcome' AND hidden IS DISTINCT FROM '*'"
        f" AND record_id IN (SELECT id FROM outcome WHERE {outcomes})"
    )
    op.execute(f"UPDATE outcome SET hidden = coalesce(hidden, ',') || '{names},' WHERE {outcomes}")


def _withhold_citations(table: str) -> None:
    """Those of a record as a whole, of which something but its note is withheld."""
    cited = f"SELECT id FROM {table} WHERE hidden NOT IN ('*', ',note,')"
    told = f"record_kind = '{table}' AND field IS NULL AND record_id IN ({cited})"
    ids = f"SELECT id FROM citation WHERE {told}"
    for log in ("change", "search_entry"):
        op.execute(
            f"UPDATE {log} SET hidden = '*' WHERE kind = 'citation' AND record_id IN ({ids})"
        )
    op.execute(f"UPDATE citation SET hidden = '*' WHERE {told}")


def downgrade() -> None:
    with op.batch_alter_table("agreement") as batch:
        batch.drop_column("composed_of")
