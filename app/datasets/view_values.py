"""What the columns of views hold: values of the database's own types, and labels of codes."""

from sqlalchemy import Boolean, Date, Integer, literal_column
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.expression import FunctionElement

from app.core.databases.expressions import Expression, SqlType
from app.core.databases.types import CELL_FORMS, CodeList, Exact, Id, Instant
from app.engine.imports.code_labels import list_of
from app.engine.paths import RecordField

#: What PostgreSQL has types for, which programs that read views know.
_NATIVE = (Boolean, Date, Exact, Id, Instant, Integer)
#: Of the codes of an item of a list, and of what each is called: `n` is null nowhere.
_JOINED = {
    "sqlite": (
        "(SELECT CASE WHEN max(instr(n, ';')) > 0 THEN group_concat(c, '; ')"
        " ELSE group_concat(n, '; ') END FROM (SELECT i.value AS c, {name} AS n"
        " FROM json_each({codes}) AS i LEFT JOIN {labels} ON l.code = i.value ORDER BY i.key))"
    ),
    "postgresql": (
        "(SELECT CASE WHEN bool_or(strpos(n, ';') > 0) THEN string_agg(c, '; ' ORDER BY place)"
        " ELSE string_agg(n, '; ' ORDER BY place) END FROM (SELECT c, place, {name} AS n"
        " FROM jsonb_array_elements_text({codes}) WITH ORDINALITY AS i(c, place)"
        " LEFT JOIN {labels} ON l.code = i.c) AS named)"
    ),
}
_ITEM = {"sqlite": "i.value", "postgresql": "i.c"}


class view_value(FunctionElement[str]):  # noqa: N801 (reads as an SQL function)
    """A column as views have it: decimals are decimals, a list is a text with semicolons."""

    inherit_cache = True


class code_label(FunctionElement[str]):  # noqa: N801
    """What the codes of a column are called in English; a code that has no name is its own."""

    inherit_cache = True


@compiles(view_value)
def _view_value(element: view_value, compiler: SQLCompiler, **kw: object) -> str:
    (column,) = element.clauses
    return _written(column.type, compiler.process(column, **kw), compiler.dialect.name)


def _written(kind: SqlType, sql: str, dialect: str) -> str:
    if dialect == "sqlite" and isinstance(kind, Exact):
        # Sums and averages of it are right, which they would not be of texts; a REAL has 15 digits.
        return f"({sql}) / {10**kind.scale}.0"
    if isinstance(kind, _NATIVE):
        return sql
    return CELL_FORMS[dialect](kind, sql)


def label_of(column: Expression, record_field: RecordField) -> Expression:
    """The label of a column whose values are codes, or of an enumeration."""
    codes, name = record_field.codes, list_of(record_field)
    table = "term" if codes is None else codes.table.name
    known = (
        f"l.list = '{name}'" if codes is None else "(NOT l.retired OR l.valid_until IS NOT NULL)"
    )
    rows = f"(SELECT l.code, l.en FROM {table} AS l WHERE {known}) AS l"  # noqa: S608 (our own names)
    return code_label(column, literal_column(rows))


@compiles(code_label)
def _code_label(element: code_label, compiler: SQLCompiler, **kw: object) -> str:
    column, rows = element.clauses
    codes, labels = compiler.process(column, **kw), compiler.process(rows, **kw)
    dialect = compiler.dialect.name
    if isinstance(column.type, CodeList):
        name = f"coalesce(nullif(l.en, ''), {_ITEM[dialect]})"
        return _JOINED[dialect].format(name=name, codes=codes, labels=labels)
    found = f"SELECT nullif(l.en, '') FROM {labels} WHERE l.code = {codes}"  # noqa: S608
    return f"coalesce(({found}), {codes})"
