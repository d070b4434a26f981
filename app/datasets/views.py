"""Datasets as views of the database, `bi_agreements` and so on, for programs that read SQL.

They show what the public sees, whoever reads them, with labels in English. They follow from the
declarations and are no part of the migrations: they are taken away before the tables change, and
made again after that.
"""

from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass, field
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, Dialect, FromClause, select, text

from app.core.databases.expressions import Expression, Selection
from app.core.databases.public_reads import public
from app.datasets.columns import ALL_DATASETS, AnyDataset, DatasetColumn, cells, columns, under
from app.datasets.computed import ComputedDataset
from app.datasets.declared import Dataset
from app.datasets.statement import rows_of
from app.datasets.view_values import label_of, view_value
from app.engine.paths import find_field
from app.rest.export_columns import cell_values

PREFIX: Final = "bi_"
#: What the definitions follow from, within `app`: where it has changed they are made again.
_MADE_OF: Final = (
    "core/databases",
    "datasets",
    "engine/aggregates",
    "engine/query",
    "insights",
    "resources",
)
#: The views of a database, each with its comment.
_THERE = {
    "sqlite": "SELECT name, sql FROM sqlite_master WHERE type = 'view' AND name LIKE 'bi\\_%'"
    " ESCAPE '\\'",
    "postgresql": (
        "SELECT relname AS name, coalesce(obj_description(oid, 'pg_class'), '') FROM pg_class"
        " WHERE relkind = 'v' AND relnamespace = current_schema()::regnamespace"
        " AND relname LIKE 'bi\\_%'"
    ),
}
#: The definitions that were made, which takes a second: by the name of the dialect, as each engine
#: has one of its own.
_DEFINITIONS: dict[tuple[AnyDataset, str], str] = {}
_GRANTED = (
    "SELECT relname, CASE grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(grantee))"
    " END FROM pg_class, aclexplode(relacl) WHERE relkind = 'v' AND privilege_type = 'SELECT'"
    " AND grantee <> relowner AND relnamespace = current_schema()::regnamespace"
    " AND relname LIKE 'bi\\_%'"
)


@dataclass(frozen=True, slots=True)
class Dropped:
    """Views that were dropped, and which of them each role could read."""

    names: Set[str] = frozenset()
    readers: Mapping[str, Set[str]] = field(default_factory=dict)


def view_name(dataset: AnyDataset) -> str:
    """What the view of a dataset is called."""
    return PREFIX + dataset.name


def make_views(connection: Connection, before: Dropped | None = None) -> None:
    """Create all views; whoever could read one `before` can again, and whoever could read all of
    them can read those that are new."""
    dropped = drop_views(connection)
    before = before or dropped
    for statement in _statements(connection.dialect):
        connection.exec_driver_sql(statement)
    names = {view_name(dataset) for dataset in ALL_DATASETS}
    for role, views in before.readers.items():
        for name in sorted(names if views >= before.names else names & views):
            connection.exec_driver_sql(f"GRANT SELECT ON {name} TO {role}")


def drop_views(connection: Connection) -> Dropped:
    """Drop those that are there."""
    readers: dict[str, set[str]] = {}
    if connection.dialect.name == "postgresql":
        for name, role in connection.execute(text(_GRANTED)):
            readers.setdefault(role, set()).add(name)
    names = _there(connection).keys()
    for name in names:
        connection.exec_driver_sql(f'DROP VIEW "{name}"')
    return Dropped(names, readers)


def outdated_views(connection: Connection) -> list[str]:
    """The names of those that the database has not, or as another version made them, or that no
    dataset declares any more."""
    there, mark = _there(connection), _mark()
    wanted = {view_name(dataset) for dataset in ALL_DATASETS}
    return sorted(wanted ^ there.keys() | {name for name in there if mark not in there[name]})


def _there(connection: Connection) -> dict[str, str]:
    """The views that are there, with the text that has the mark of the version that made them."""
    found = connection.execute(text(_THERE[connection.dialect.name]))
    return {row.name: row[1] for row in found}


@cache
def _mark() -> str:
    """Tells the version of the program's declarations."""
    found, app = sha256(), Path(__file__).parent.parent
    for folder in _MADE_OF:
        for path in sorted((app / folder).rglob("*.py")):
            found.update(path.read_bytes())
    return f"Made by version {found.hexdigest()[:12]}."


def _statements(dialect: Dialect) -> Iterator[str]:
    for dataset in ALL_DATASETS:
        name, about = view_name(dataset), f"{dataset.grain.capitalize()}. {_mark()}"
        query = definition(dataset, dialect)
        if dialect.name == "sqlite":
            yield f"CREATE VIEW {name} AS\n-- {about}\n{query}"
            continue
        # Conditions of whoever reads it see the rows of the view, and no others before.
        yield f"CREATE VIEW {name} WITH (security_barrier) AS {query}"
        yield f"COMMENT ON VIEW {name} IS {_quoted(about)}"
        for column in columns(dataset):
            unit = f" Counted in: {column.unit}." if column.unit else ""
            yield f"COMMENT ON COLUMN {name}.{column.name} IS {_quoted(column.about + unit)}"


def definition(dataset: AnyDataset, dialect: Dialect) -> str:
    """The SELECT of the view of a dataset: what the public sees of it."""
    made = _DEFINITIONS.get((dataset, dialect.name))
    if made is None:
        made = _DEFINITIONS[dataset, dialect.name] = _definition(dataset, public(dialect))
    return made


def _definition(dataset: AnyDataset, dialect: Dialect) -> str:
    sql = str(
        _selection(dataset, dialect.name).compile(
            dialect=dialect, compile_kwargs={"literal_binds": True}
        )
    )
    # The same to SQLite, also where it is older than 3.39, as in DuckDB: what it cannot read in one
    # view keeps it from opening the database.
    return sql.replace(" IS DISTINCT FROM ", " IS NOT ") if dialect.name == "sqlite" else sql


def _selection(dataset: AnyDataset, dialect: str) -> Selection:
    if isinstance(dataset, ComputedDataset):
        found = dataset.rows(dialect).subquery("found")
        values = [_computed(dataset, column, found) for column in columns(dataset)]
    else:
        values = [_value(dataset, column) for column in columns(dataset)]
    named = zip(columns(dataset), values, strict=True)
    statement: Selection = select(*(value.label(column.name) for column, value in named))
    return statement if isinstance(dataset, ComputedDataset) else rows_of(dataset, statement)


def _computed(dataset: ComputedDataset, column: DatasetColumn, found: FromClause) -> Expression:
    declared = dataset.columns[column.at]
    if declared.number is not None:
        return declared.number(found, declared.name)
    stored: Expression = found.c[declared.name]
    if column.is_label and declared.codes is not None:
        return label_of(stored, declared.codes)
    return view_value(stored)


def _value(dataset: Dataset, column: DatasetColumn) -> Expression:
    read = cells(dataset)
    if column.at >= len(read):
        return under(dataset)[column.at - len(read)]
    cell = read[column.at]

    def form(stored: Expression) -> Expression:
        if not column.is_label:
            return view_value(stored)
        return label_of(stored, find_field(dataset.resource, cell.path))

    (found,) = cell_values(dataset.resource, (cell,), form, form, dataset.row_of)
    return found


def _quoted(words: str) -> str:
    return "'" + words.replace("'", "''") + "'"
