"""Whether one record is found, asked of it alone: for words so common that to list what has them
takes longer than to look at a list's records in their order until there are enough."""

from typing import Any

from sqlalchemy import ColumnElement, Text, and_, bindparam, literal_column, or_, select
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import aliased
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.expression import FunctionElement

from app.engine.resource import Resource
from app.engine.search.hits import fts5_query, reached


class _has_words(FunctionElement[Any]):  # noqa: N801 (reads as an SQL function)
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
WHERE search_entry.kind = '{kind}' AND search_entry.record_id = {id} AND NOT EXISTS (
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
WHERE search_entry.kind = '{kind}' AND search_entry.record_id = {id}
AND search_entry.words @@ (SELECT CAST(CAST({query} AS json) ->> '{way}' AS tsquery)) OFFSET 0
)"""


@compiles(_has_words, "sqlite")
@compiles(_has_names, "sqlite")
def _has_sqlite(element: _has_words, compiler: SQLCompiler, **kw: Any) -> str:
    kind, record_id, query = (compiler.process(clause, **kw) for clause in element.clauses)
    at, mark, words, stems = (5, "_", "c3", "c4") if element.names_only else (3, "", "c1", "c2")
    return _SQLITE.format(
        kind=kind, id=record_id, query=query, at=at, mark=mark, words=words, stems=stems
    )


@compiles(_has_words, "postgresql")
@compiles(_has_names, "postgresql")
def _has_postgresql(element: _has_words, compiler: SQLCompiler, **kw: Any) -> str:
    kind, record_id, query = (compiler.process(clause, **kw) for clause in element.clauses)
    way = "names" if element.names_only else "words"
    return _POSTGRESQL.format(kind=kind, id=record_id, query=query, way=way)


class _any_named(FunctionElement[Any]):  # noqa: N801
    """Whether there can be a record of a kind whose names match; `(kind, query)`."""

    inherit_cache = True


@compiles(_any_named, "sqlite")
def _any_named_sqlite(element: _any_named, compiler: SQLCompiler, **kw: Any) -> str:
    """Asked once: mostly there is none, and then no related record need be looked at."""
    kind, query = (compiler.process(clause, **kw) for clause in element.clauses)
    return f"EXISTS (SELECT 1 FROM search_words WHERE {fts5_query(kind, query, names_only=True)})"  # noqa: S608


@compiles(_any_named, "postgresql")
def _any_named_postgresql(element: _any_named, compiler: SQLCompiler, **kw: Any) -> str:
    """PostgreSQL would read all entries of a common word before it knows that there is one."""
    return "TRUE"


def matches_by_row(resource: Resource) -> ColumnElement[bool]:
    """What `hits.matches` says, looking at the row at hand alone."""
    table: Any = resource.table
    query = bindparam("q", type_=Text)
    own = _has_words(literal_column(resource.record_type), table.id, query)
    return or_(own, *(_through(resource, path, query) for path in reached(resource)))


def _through(resource: Resource, path: str, query: Any) -> Any:
    """Whether the names of a record match that the row at hand leads to."""
    table: Any = resource.table
    part_name, _, relation = path.rpartition(".")
    if not part_name:
        kind = literal_column(resource.to_one[relation].record_type)
        found = _has_names(kind, getattr(table, f"{relation}_id"), query)
        return and_(_any_named(kind, query), found)
    part = resource.embedded[part_name]
    rows: Any = aliased(part.table)
    kind = literal_column(part.to_one[relation].record_type)
    found = _has_names(kind, getattr(rows, f"{relation}_id"), query)
    of_it = select(literal_column("1")).where(getattr(rows, part.owner) == table.id, found)
    exists = of_it.offset(literal_column("0")).correlate(table).exists()
    return and_(_any_named(kind, query), exists)
