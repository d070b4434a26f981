"""What full-text search reads.

Revision: 20261122_search, after 20261122_records.
"""

import sqlalchemy as sa
from alembic import op

from app.core.databases import types

revision = "20261122_search"
down_revision = "20261122_records"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "search_entry",
        sa.Column(
            "number",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("record_id", types.Id(), nullable=False),
        sa.Column("in_trash", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_search_entry")),
        sa.UniqueConstraint("kind", "record_id", name=op.f("uq_search_entry_kind_record_id")),
    )
    op.create_table(
        "search_version",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("analyser", sa.Text(), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_search_version_one_row")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_search_version")),
    )
    if op.get_bind().dialect.name == "postgresql":
        op.execute("ALTER TABLE search_entry ADD COLUMN words tsvector NOT NULL")
        # A write waits for no clean-up of entries that others left to be merged.
        op.execute(
            "CREATE INDEX search_entry_words ON search_entry USING gin (words) WITH (fastupdate = off)"
        )
    else:
        # Words come as a-z0-9 already; `_` marks those of names and stands between texts.
        op.execute(
            "CREATE VIRTUAL TABLE search_words USING fts5(kind, words, stems, names, name_stems,"
            " tokenize = \"ascii tokenchars '_'\", columnsize = 0)"
        )
        # Every word there is, for those that begin with what is searched.
        op.execute("CREATE TABLE search_words_known (word TEXT PRIMARY KEY) WITHOUT ROWID")


def downgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        op.execute("DROP TABLE search_words_known")
        op.execute("DROP TABLE search_words")
    op.drop_table("search_version")
    op.drop_table("search_entry")
