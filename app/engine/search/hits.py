"""Full-text search: conditions for lists, and hits of all kinds, the same on both databases."""

from functools import lru_cache

from sqlalchemy import (
    BigInteger,
    BindParameter,
    ColumnElement,
    Dialect,
    ScalarSelect,
    Text,
    bindparam,
    literal_column,
    select,
    text,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import aliased
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.expression import FunctionElement

from app.core import json_codec
from app.core.databases.expressions import AnyTable, Expression
from app.core.databases.interface import CompiledQuery, compile_query
from app.core.databases.public_reads import where_public
from app.core.errors import BadRequest, Fault
from app.core.loose_types import Fields, Values
from app.core.text.analyze import MAX_WORDS, Clause, parse_query
from app.engine.resource import Embedded, Resource
from app.engine.search.searched import searched


def clauses_of(query: str) -> tuple[Clause, ...]:
    """What the parameter `q` asks for; BadRequest for more than 64 words."""
    try:
        return parse_query(query)
    except ValueError as error:
        says = f"A search has at most {MAX_WORDS} words."
        fault = Fault("too_long", says, parameter="q")
        raise BadRequest(f"q: {says}", [fault]) from error


def query_value(query: str, dialect: str) -> str:
    """What the statements here take for a query: JSON of its words as the database is asked.

    A query without any word finds nothing. Raises BadRequest for one of more than 64 words.
    """
    clauses = clauses_of(query)
    if dialect == "sqlite":
        asked = [_asked_of_sqlite(clause) for clause in clauses]
        nothing = [_NO_WORD, _NO_WORD, None, *[f" {_NO_WORD} "] * 4]
        return json_codec.dumps(asked or [nothing]).decode()
    ways = {
        name: " & ".join(_tsquery(clause, prefix) for clause in clauses) or f"'{_NO_WORD}'"
        for name, prefix in (("words", ""), ("names", "_"))
    }
    return json_codec.dumps(ways).decode()


def with_query(values: Values, q: str | None, dialect: Dialect) -> Fields:
    """The values of a statement, and that of its search where the request has one."""
    return {**values} if q is None else {**values, "q": query_value(q, dialect.name)}


# Spellings are a-z0-9 alone, so nothing in them can end a quotation, and none is this one.
_NO_WORD = "_x_"


def _begins(clause: Clause) -> str | None:
    word = clause.words[0]
    return word.full if word.is_long and not clause.is_phrase else None


def _asked_of_sqlite(clause: Clause) -> list[str | None]:
    """What FTS5 is asked, by all words and by names; how a word begins; and for single records the
    words and stems as they stand among all of them, and among those of names."""
    return [
        _fts5(clause),
        _fts5(clause, "_"),
        _begins(clause),
        *(
            "".join(f" {mark}{getattr(word, spelling)}" for word in clause.words) + " "
            for mark in ("", "_")
            for spelling in ("full", "stem")
        ),
    ]


def _fts5(clause: Clause, prefix: str = "") -> str:
    full = " ".join(prefix + word.full for word in clause.words)
    stem = " ".join(prefix + word.stem for word in clause.words)
    words, stems = ("names", "name_stems") if prefix else ("words", "stems")
    return f'{words} : "{full}" OR {stems} : "{stem}"'


def _tsquery(clause: Clause, prefix: str = "") -> str:
    full = " <-> ".join(f"'{prefix}{word.full}'" for word in clause.words)
    stem = " <-> ".join(f"'{prefix}={word.stem}'" for word in clause.words)
    return f"({full}{':*' if _begins(clause) else ''} | {stem})"


def _asked(query: str, prefix: str = "") -> str:
    """SQL of what FTS5 is asked for.

    FTS5 reads every record with a word that begins so before it gives the first, but streams those
    of whole words: so a beginning is replaced by the words that are known, unless they are many.
    """
    at, column = (1, "names") if prefix else (0, "words")
    return f"""(
SELECT group_concat('(' || (c.value ->> {at}) || coalesce(' OR {column} : (' || (
  SELECT CASE WHEN count(*) > 64 THEN '"{prefix}' || (c.value ->> 2) || '" *'
    ELSE group_concat('"{prefix}' || k.word || '"', ' OR ') END
  FROM (SELECT word FROM search_words_known
    WHERE word >= (c.value ->> 2) AND word < (c.value ->> 2) || '{{' LIMIT 65) AS k
) || ')', '') || ')', ' AND ') FROM json_each({query}) AS c
)"""  # noqa: S608 (all but the parameters is this module's own)


class _hits(FunctionElement[bool]):  # noqa: N801 (reads as an SQL function)
    """A subquery: the ids of the records of a kind that a query finds; `(kind, query)`."""

    inherit_cache = True
    names_only = False


class hits_by_name(_hits):  # noqa: N801
    """The same, by names alone."""

    inherit_cache = True
    names_only = True


@compiles(_hits, "sqlite")
@compiles(hits_by_name, "sqlite")
def _hits_sqlite(element: _hits, compiler: SQLCompiler, **kw: object) -> str:
    kind, query = (compiler.process(clause, **kw) for clause in element.clauses)
    asked = _asked(query, "_" if element.names_only else "")
    return (
        "SELECT search_entry.record_id FROM search_words CROSS JOIN search_entry"  # noqa: S608
        " ON search_entry.number = search_words.rowid"
        f" WHERE search_words MATCH 'kind : \"{kind}\" AND (' || {asked} || ')'"
        f"{where_public(compiler.dialect, 'search_entry')}"
    )


@compiles(_hits, "postgresql")
@compiles(hits_by_name, "postgresql")
def _hits_postgresql(element: _hits, compiler: SQLCompiler, **kw: object) -> str:
    """The query is a CTE, as what reads one is not spread over workers: to start them takes ten
    times as long as to look up rare words, of which the planner cannot know that they are rare."""
    kind, query = (compiler.process(clause, **kw) for clause in element.clauses)
    way = "names" if element.names_only else "words"
    return (
        "SELECT found.record_id FROM (WITH asked AS MATERIALIZED ("  # noqa: S608
        f"SELECT CAST(CAST({query} AS json) ->> '{way}' AS tsquery) AS words)"
        " SELECT search_entry.record_id FROM asked JOIN search_entry"
        f" ON search_entry.words @@ asked.words WHERE search_entry.kind = '{kind}'"
        f"{where_public(compiler.dialect, 'search_entry')}) AS found"
    )


class _in(FunctionElement[bool]):  # noqa: N801
    """Whether the first value is among those of the subqueries that follow."""

    # Its type is left open: a boolean would be compared with 1 on SQLite, past any index.
    inherit_cache = True


@compiles(_in, "sqlite")
def _in_sqlite(element: _in, compiler: SQLCompiler, **kw: object) -> str:
    column, found = _column_and_found(element, compiler, **kw)
    # One list and not several conditions: so that an index leads from it to the records.
    return f"{column} IN ({found})"


@compiles(_in, "postgresql")
def _in_postgresql(element: _in, compiler: SQLCompiler, **kw: object) -> str:
    """As an array, which the planner takes to be short: it cannot know how rare words are, and
    would go through all records in their order if it took them for common. Those that are (see
    `density`) are not searched for in this way."""
    column, found = _column_and_found(element, compiler, **kw)
    return f"{column} IN (SELECT unnest(ARRAY({found})))"


def _column_and_found(element: _in, compiler: SQLCompiler, **kw: object) -> tuple[str, str]:
    column, *queries = (
        # Without the parentheses of a subquery, which SQLite refuses within a UNION.
        compiler.process(clause.element if isinstance(clause, ScalarSelect) else clause, **kw)
        for clause in element.clauses
    )
    return column, " UNION ALL ".join(queries)


def matches(resource: Resource) -> ColumnElement[bool]:
    """Whether a row of the resource's table is found by the query in the parameter `q`, a
    `query_value`: by its own words, or by the names of what it is `reached` through."""
    table: AnyTable = resource.table
    query = bindparam("q", type_=Text)
    ways = (_through(resource, path, query) for path in reached(resource))
    return _in(table.id, _hits(literal_column(resource.record_type), query), *ways)


def reached(resource: Resource) -> tuple[str, ...]:
    """The relations that say what a record is: its parts', and its own if it has no name.

    So an agreement is found by its parties, and a delegate by the person and the organization.
    """
    fields = resource.fields.model_fields
    inner = tuple(
        f"{name}.{relation}" for name, part in resource.embedded.items() for relation in part.to_one
    )
    if any(fields[name].is_required() for name in searched(resource).names):
        return inner
    return (*resource.to_one, *inner)


def _through(resource: Resource, path: str, query: Expression) -> ColumnElement[bool]:
    """A subquery: the ids of the records whose related record's names match."""
    part_name, _, relation = path.rpartition(".")
    holder: Resource | Embedded = resource.embedded[part_name] if part_name else resource
    rows: AnyTable = aliased(holder.table)
    owner = rows.id if isinstance(holder, Resource) else getattr(rows, holder.owner)
    hits = hits_by_name(literal_column(holder.to_one[relation].record_type), query)
    found = _in(getattr(rows, f"{relation}_id"), hits)
    return select(owner).where(found).correlate(None).scalar_subquery()


# Hits of all kinds. Those by name come first: the others are looked for only when there are too
# few. Newest first is the order of both indexes, so that a page of a common word is read and no
# more; a rank by how often words occur would read every hit, and differ between the databases.

_SQLITE_HITS = f"""
WITH asked AS MATERIALIZED (
  SELECT {_asked(":q")} AS words, {_asked(":q", "_")} AS names
), named AS MATERIALIZED (
  SELECT e.number, e.kind, e.record_id, 0 AS tier
  FROM search_words w CROSS JOIN search_entry e ON e.number = w.rowid
  WHERE search_words MATCH (SELECT '%(kinds)s(' || names || ')' FROM asked) AND %(there)s
  ORDER BY w.rowid DESC LIMIT :limit + :offset
), others AS MATERIALIZED (
  SELECT e.number, e.kind, e.record_id, 1 AS tier
  FROM search_words w CROSS JOIN search_entry e ON e.number = w.rowid
  WHERE search_words MATCH (
    SELECT '%(kinds)s((' || words || ') NOT (' || names || '))' FROM asked) AND %(there)s
  ORDER BY w.rowid DESC LIMIT :limit + :offset - (SELECT count(*) FROM named)
)
"""  # noqa: S608
# PostgreSQL cannot tell how common a beginning is. So the newest entries are looked at one by one,
# which is enough for a common word; the rest by the index of words, whose hits have to be sorted:
# `number + 0` keeps the planner from walking through all entries in their order. The query is read
# once, as it costs more than an entry.
_POSTGRESQL_TIER = """
{name}_new AS MATERIALIZED (
  SELECT e.number, e.kind, e.record_id, {tier} AS tier FROM search_entry e
  WHERE {condition} AND %(there)s%(kinds)s AND e.number > (SELECT number FROM edge)
  ORDER BY e.number DESC LIMIT {limit}
), {name} AS MATERIALIZED (
  SELECT * FROM {name}_new UNION ALL
  SELECT * FROM (
    SELECT e.number, e.kind, e.record_id, {tier} AS tier FROM search_entry e
    WHERE {condition} AND %(there)s%(kinds)s AND e.number + 0 <= (SELECT number FROM edge)
    ORDER BY e.number + 0 DESC LIMIT {limit} - (SELECT count(*) FROM {name}_new)
  ) AS {name}_old
)"""
_IN_WORDS, _IN_NAMES = (
    f"e.words @@ (SELECT {way} FROM asked)"  # noqa: S608
    for way in ("words", "names")
)
_POSTGRESQL_HITS = f"""
WITH asked AS MATERIALIZED (
  SELECT CAST(asked ->> 'words' AS tsquery) AS words, CAST(asked ->> 'names' AS tsquery) AS names
  FROM (SELECT CAST(:q AS json) AS asked) AS given
), edge AS MATERIALIZED (
  SELECT coalesce(
    (SELECT number FROM search_entry ORDER BY number DESC OFFSET 1000 LIMIT 1), -1) AS number
), {_POSTGRESQL_TIER.format(name="named", tier=0, condition=_IN_NAMES, limit=":limit + :offset")},
{
    _POSTGRESQL_TIER.format(
        name="others",
        tier=1,
        condition=f"{_IN_WORDS} AND NOT {_IN_NAMES}",
        limit=":limit + :offset - (SELECT count(*) FROM named)",
    )
}
"""  # noqa: S608
_PAGE = """
SELECT kind, record_id, tier FROM (SELECT * FROM named UNION ALL SELECT * FROM others) AS hits
ORDER BY tier, number DESC LIMIT :limit OFFSET :offset
"""


@lru_cache(maxsize=64)
def search_statement(dialect: Dialect, kinds: tuple[str, ...] = ()) -> CompiledQuery:
    """Reads `(kind, record_id, tier)` of a page of hits, of these kinds or of all.

    Parameters: `q` (a `query_value`), `limit` and `offset`. Records in the trash are left out.
    `tier` is 0 when the names alone match the query and 1 otherwise; within it, newest first.
    """
    if dialect.name == "sqlite":
        listed = " OR ".join(f'"{kind}"' for kind in kinds)
        only = f"kind : ({listed}) AND " if kinds else ""
    else:
        listed = ", ".join(f"'{kind}'" for kind in kinds)
        only = f" AND e.kind IN ({listed})" if kinds else ""
    template = _SQLITE_HITS if dialect.name == "sqlite" else _POSTGRESQL_HITS
    sql = template % {"kinds": only, "there": f"NOT e.in_trash{where_public(dialect, 'e')}"}
    parameters: list[BindParameter[str] | BindParameter[int]] = [
        bindparam("q", type_=Text),
        bindparam("limit", type_=BigInteger),
        bindparam("offset", type_=BigInteger),
    ]
    return compile_query(text(sql + _PAGE).bindparams(*parameters), dialect)
