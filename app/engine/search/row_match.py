"""Whether one record is found, asked of it alone: for words so common that to list what has them
takes longer than to look at a list's records in their order until there are enough."""

from sqlalchemy import ColumnElement, Text, and_, bindparam, literal_column, or_, select
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import aliased
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.expression import FunctionElement

from app.core.databases.expressions import AnyTable
from app.core.databases.public_reads import where_public
from app.core.loose_types import Value
from app.engine.resource import Embedded, Resource
from app.engine.search.hits import hits_by_name, reached

#: Up to how many related records that are found by name are listed to look a row's up in.
MAX_LISTED = 500


class _has_words(FunctionElement[Value]):  # noqa: N801 (reads as an SQL function)
    """Whether the record of a kind matches a query by all its words; `(kind, id, query)`."""

    # Its type is left open: a boolean would be compared with 1 on SQLite.
    inherit_cache = True
    names_only = False


class _has_names(_has_words):  # noqa: N801
    """The same, by its names alone."""

    inherit_cache = True
    names_only = True


# FTS5 takes a hundred times as long to ask for one record as to read that record's words where it
# keeps them (`search_words_content`, whose columns its documentation gives): they are words with
# one blank between, so that a word or a phrase is found as a text within them.
_SQLITE = """EXISTS (
SELECT 1 FROM search_entry CROSS JOIN search_words_content AS stored
ON stored.id = search_entry.number
WHERE search_entry.kind = '{kind}' AND search_entry.record_id = {id}{public} AND NOT EXISTS (
  WITH asked AS MATERIALIZED (
    SELECT value ->> {at} AS word, value ->> ({at} + 1) AS stem, ' {mark}' || (value ->> 2) AS start
    FROM json_each({query})
  )
  SELECT 1 FROM asked WHERE instr(' ' || stored.{words} || ' ', word) = 0
  AND instr(' ' || stored.{stems} || ' ', stem) = 0
  AND coalesce(instr(' ' || stored.{words}, start), 0) = 0
))"""
# OFFSET keeps the planner from asking the index of words for all that match, to join them.
_POSTGRESQL = """EXISTS (
SELECT 1 FROM search_entry
WHERE search_entry.kind = '{kind}' AND search_entry.record_id = {id}{public}
AND search_entry.words @@ (SELECT CAST(CAST({query} AS json) ->> '{way}' AS tsquery)) OFFSET 0
)"""


@compiles(_has_words, "sqlite")
@compiles(_has_names, "sqlite")
def _has_sqlite(element: _has_words, compiler: SQLCompiler, **kw: object) -> str:
    kind, record_id, query = (compiler.process(clause, **kw) for clause in element.clauses)
    at, mark, words, stems = (5, "_", "c3", "c4") if element.names_only else (3, "", "c1", "c2")
    public = where_public(compiler.dialect, "search_entry")
    return _SQLITE.format(
        kind=kind,
        id=record_id,
        query=query,
        at=at,
        mark=mark,
        words=words,
        stems=stems,
        public=public,
    )


@compiles(_has_words, "postgresql")
@compiles(_has_names, "postgresql")
def _has_postgresql(element: _has_words, compiler: SQLCompiler, **kw: object) -> str:
    kind, record_id, query = (compiler.process(clause, **kw) for clause in element.clauses)
    way = "names" if element.names_only else "words"
    public = where_public(compiler.dialect, "search_entry")
    return _POSTGRESQL.format(kind=kind, id=record_id, query=query, way=way, public=public)


class _count_named(FunctionElement[Value]):  # noqa: N801
    """How many records of a kind have names that match, but for more than MAX_LISTED."""

    inherit_cache = True


@compiles(_count_named, "sqlite")
def _count_named_sqlite(element: _count_named, compiler: SQLCompiler, **kw: object) -> str:
    found = compiler.process(hits_by_name(*element.clauses), **kw)
    return f"(SELECT count(*) FROM ({found} LIMIT {MAX_LISTED + 1}) AS found)"  # noqa: S608


@compiles(_count_named, "postgresql")
def _count_named_postgresql(element: _count_named, compiler: SQLCompiler, **kw: object) -> str:
    """Unknown, so that rows are looked at: PostgreSQL reads all entries of a word, of every kind,
    before it gives the first."""
    return str(MAX_LISTED + 1)


class _is_named(FunctionElement[Value]):  # noqa: N801
    """Whether the names of the record of a kind match; `(kind, id, query)`."""

    inherit_cache = True


@compiles(_is_named, "postgresql")
def _is_named_postgresql(element: _is_named, compiler: SQLCompiler, **kw: object) -> str:
    return str(compiler.process(_has_names(*element.clauses), **kw))


@compiles(_is_named, "sqlite")
def _is_named_sqlite(element: _is_named, compiler: SQLCompiler, **kw: object) -> str:
    """By the list of those that do, made once, unless that is long."""
    kind, record_id, query = element.clauses
    wanted = _count_named(kind, query), hits_by_name(kind, query), _has_names(*element.clauses)
    count, found, one = (compiler.process(clause, **kw) for clause in wanted)
    listed = f"{compiler.process(record_id, **kw)} IN ({found})"
    return f"CASE WHEN {count} <= {MAX_LISTED} THEN {listed} ELSE {one} END"


def matches_by_row(resource: Resource) -> ColumnElement[bool]:
    """What `hits.matches` says, looking at the row at hand alone."""
    table: AnyTable = resource.table
    query = bindparam("q", type_=Text)
    own = _has_words(literal_column(resource.record_type), table.id, query)
    return or_(own, *(_through(resource, path, query) for path in reached(resource)))


def _through(resource: Resource, path: str, query: Value) -> ColumnElement[bool]:
    """Whether the names of a record match that the row at hand leads to.

    Mostly there is none in all the table, and then nothing of the row need be looked at.
    """
    part_name, _, relation = path.rpartition(".")
    holder = resource.embedded[part_name] if part_name else resource
    rows: Value = aliased(holder.table) if part_name else holder.table
    kind: Value = literal_column(holder.to_one[relation].record_type)
    found: ColumnElement[bool] = _is_named(kind, getattr(rows, f"{relation}_id"), query)
    if isinstance(holder, Embedded):
        table: AnyTable = resource.table
        inner: Value = select(literal_column("1")).where(
            getattr(rows, holder.owner) == table.id, found
        )
        found = inner.offset(literal_column("0")).correlate(table).exists()
    return and_(_count_named(kind, query) > literal_column("0"), found)
