"""Reads: from a resource's declaration to one SELECT whose rows are finished JSON."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import BigInteger, Subquery, bindparam, func, literal_column, select, type_coerce
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.expression import FunctionElement

from app.core.databases.expressions import Expression, Selection
from app.core.databases.types import CELL_FORMS, JSON_FORMS, Exact, JsonText
from app.engine.paths import relations_of
from app.engine.query.aliases import TableAlias
from app.engine.query.conditions import ColumnProxy, Path, columns_of, sql_of
from app.engine.query.operators import Get
from app.engine.query.orders import Sort, in_order, sort_keys
from app.engine.query.parameters import ALL_RELATED, RelatedList, View
from app.engine.resource import Embedded, Resource, SubCollection

#: How many arguments a function takes, names and values.
_MOST_ARGUMENTS = {"sqlite": 126, "postgresql": 100}
_OBJECT = {"sqlite": "json_object", "postgresql": "json_build_object"}
#: The order of related records that are asked for in no other.
_BY_ID: Sort = ((("id",), False),)
_ARRAY = {"sqlite": "json_array", "postgresql": "json_build_array"}
_LIST = {"sqlite": "json_group_array(%s)", "postgresql": "coalesce(json_agg(%s), '[]'::json)"}


class as_json(FunctionElement[str]):  # noqa: N801 (reads as an SQL function)
    """A column as its type looks in JSON."""

    inherit_cache = True


class as_csv_value(FunctionElement[str]):  # noqa: N801
    """A column as its type looks in a cell of a table; a list that is empty as no value."""

    inherit_cache = True


class as_number(FunctionElement[str]):  # noqa: N801
    """A whole number of any size as it stands in JSON."""

    inherit_cache = True


class json_object(FunctionElement[str]):  # noqa: N801
    """A JSON object of names and values in turn."""

    inherit_cache = True


class json_array(FunctionElement[str]):  # noqa: N801
    """A JSON list of values."""

    inherit_cache = True


class json_list(FunctionElement[str]):  # noqa: N801
    """An aggregate: the JSON list of a value of each row."""

    inherit_cache = True


@compiles(as_json)
def _as_json(element: as_json, compiler: SQLCompiler, **kw: object) -> str:
    (column,) = element.clauses
    texts = isinstance(column.type, Exact) and _wants_texts(compiler)
    forms = CELL_FORMS if texts else JSON_FORMS
    return forms[compiler.dialect.name](column.type, compiler.process(column, **kw))


def _wants_texts(compiler: SQLCompiler) -> bool:
    """Whether the answer is asked for with decimals as texts: app/rest/decimals.py."""
    return hasattr(compiler.dialect, "decimals_as_texts")


@compiles(as_number)
def _as_number(element: as_number, compiler: SQLCompiler, **kw: object) -> str:
    number = compiler.process(element.clauses, **kw)
    return f"CAST({number} AS TEXT)" if _wants_texts(compiler) else number


@compiles(as_csv_value)
def _as_cell(element: as_csv_value, compiler: SQLCompiler, **kw: object) -> str:
    (column,) = element.clauses
    return CELL_FORMS[compiler.dialect.name](column.type, compiler.process(column, **kw))


@compiles(json_object)
def _json_object(element: json_object, compiler: SQLCompiler, **kw: object) -> str:
    name, clauses = compiler.dialect.name, list(element.clauses)
    most = _MOST_ARGUMENTS[name]
    pieces = [
        f"{_OBJECT[name]}({', '.join(compiler.process(each, **kw) for each in some)})"
        for some in (clauses[at : at + most] for at in range(0, len(clauses), most))
    ]
    return _JOINED[name](pieces) if len(pieces) > 1 else "".join(pieces) or f"{_OBJECT[name]}()"


def _joined_on_sqlite(pieces: Sequence[str]) -> str:
    # Named, so that each is made once.
    made = ", ".join(f"{piece} AS p{n}" for n, piece in enumerate(pieces))
    inner = " || ',' || ".join(f"substr(p{n}, 2, length(p{n}) - 2)" for n in range(len(pieces)))
    return f"(SELECT json('{{' || {inner} || '}}') FROM (SELECT {made}))"  # noqa: S608


def _joined_on_postgresql(pieces: Sequence[str]) -> str:
    inner = " || ',' || ".join(f"left(substr(({piece})::text, 2), -1)" for piece in pieces)
    return f"('{{' || {inner} || '}}')::json"


_JOINED = {"sqlite": _joined_on_sqlite, "postgresql": _joined_on_postgresql}


@compiles(json_array)
def _json_array(element: json_array, compiler: SQLCompiler, **kw: object) -> str:
    return f"{_ARRAY[compiler.dialect.name]}({compiler.process(element.clauses, **kw)})"


@compiles(json_list)
def _json_list(element: json_list, compiler: SQLCompiler, **kw: object) -> str:
    return _LIST[compiler.dialect.name] % compiler.process(element.clauses, **kw)


def object_of(values: Mapping[str, Expression]) -> json_object:
    """The JSON object of these values, which are JSON already; names are our own, so inlined."""
    pairs: list[Expression | str] = []
    for name, value in values.items():
        pairs += [literal_column(f"'{name}'"), value]
    return json_object(*pairs)


def _record(resource: Resource, get: Get, shown: "Projection") -> dict[str, Expression]:
    values: dict[str, Expression] = {}
    for name in resource.read_fields:
        if not shown.has(name):
            continue
        part = resource.embedded.get(name)
        values[name] = (
            as_json(get(name)) if part is None else _embedded(part, get, shown.inside(name))
        )
    for name, target in resource.to_one.items():
        if name in shown.relations:
            values[name] = _to_one(target, get(f"{name}_id"), shown.relations[name])
    for name, collection in resource.to_many.items():
        if name not in shown.relations:
            continue
        inner = shown.relations[name]
        if inner.related.counted_as is not None:
            values[inner.related.counted_as] = _number_under(collection, get, inner.related)
        values[name] = _to_many(collection, get, inner)
    return values


def _to_one(target: Resource, key: Expression, shown: "Projection") -> Expression:
    table = TableAlias(target.table)
    values = _record(target, lambda name: getattr(table, name), shown)
    return select(object_of(values)).where(table.id == key).scalar_subquery()


def _embedded(part: Embedded, get: Get, shown: "Projection") -> Expression:
    table = TableAlias(part.table)
    names = [name for name in part.fields.model_fields if shown.has(name)]
    related = [name for name in shown.relations if name in part.to_one]
    chosen = {*names, *(f"{name}_id" for name in related)}
    # The rows are put in order first and made JSON outside: SQLite 3.40 has no ORDER BY in an
    # aggregate, and JSON made inside would be parsed again on its way out. Their position is read
    # too: else SQLite looks through all rows where the table is a view (app/engine/history/undo).
    rows = (
        select(*(getattr(table, name) for name in sorted({*chosen, "position"})))
        .where(getattr(table, part.owner) == get("id"))
        .order_by(table.position)
        .correlate_except(table.source)
        .subquery()
    )
    values: dict[str, Expression] = {name: as_json(rows.c[name]) for name in names}
    for name in related:
        values[name] = _to_one(part.to_one[name], rows.c[f"{name}_id"], shown.relations[name])
    return select(json_list(object_of(values))).select_from(rows).scalar_subquery()


def _to_many(collection: SubCollection, get: Get, shown: "Projection") -> Expression:
    rows = rows_under(collection, get, shown.related)
    values = _record(collection.child, lambda name: rows.c[name], shown)
    return select(json_list(object_of(values))).select_from(rows).scalar_subquery()


def _number_under(collection: SubCollection, get: Get, related: RelatedList) -> Expression:
    rows = rows_under(collection, get, RelatedList(related.condition), ordered=False)
    return as_number(select(func.count()).select_from(rows).scalar_subquery())


def rows_under(
    collection: SubCollection, get: Get, related: RelatedList, *, ordered: bool = True
) -> Subquery:
    """The records of the collection that are shown under the one whose columns `get` gives; as many
    others, where it need not be `ordered`."""
    child, sort = collection.child, (related.sort or _BY_ID) if ordered else ()
    table = TableAlias(child.table)
    if related.limit is None and related.offset is None:
        chosen = _chosen(collection, get, related, table, child.columns)
        return _sorted(chosen, child, sort, table).subquery()
    # What is left out is found by its id, and nothing else of it is read.
    other = TableAlias(child.table)
    ids = _sorted(_chosen(collection, get, related, other, ("id",)), child, sort, other)
    if related.limit is not None:
        ids = ids.limit(bindparam(related.limit, type_=BigInteger))
    if related.offset is not None:
        ids = ids.offset(bindparam(related.offset, type_=BigInteger))
    if not ordered:
        return ids.subquery()
    rows: Selection = select(*_named(table, child.columns)).where(table.id.in_(ids))
    return _sorted(rows, child, sort, table).subquery()


def _named(table: TableAlias, names: Iterable[str]) -> list[Expression]:
    return [getattr(table, name).label(name) for name in names]


def _chosen(
    collection: SubCollection,
    get: Get,
    related: RelatedList,
    table: TableAlias,
    names: Iterable[str],
) -> Selection:
    """These fields of all the records under one that meet the condition."""
    child = collection.child
    chosen: Selection = (
        select(*_named(table, names))
        .where(collection.on(table, ColumnProxy(get)), table.deleted_at.is_(None))
        .correlate_except(table.source)
    )
    if child.row_filter is not None:
        chosen = chosen.where(child.row_filter(table))
    if related.condition is not None:
        chosen = chosen.where(sql_of(related.condition, child, columns_of(table)))
    return chosen


def _sorted(chosen: Selection, child: Resource, sort: Sort, table: TableAlias) -> Selection:
    keys = sort_keys(child, sort, columns_of(table), nulls_are_least=True)
    return chosen.order_by(*in_order(keys)) if keys else chosen


@dataclass(slots=True)
class Projection:
    """What to show of a record: the fields named, or all; and what of its relations. Of many
    records it shows those that are `related`."""

    names: set[str] | None = None
    relations: dict[str, "Projection"] = field(default_factory=dict)
    related: RelatedList = ALL_RELATED

    def at(self, path: Path) -> "Projection":
        """What is shown at the end of a path of relations, which are shown from now on."""
        shown = self
        for name in path:
            shown = shown.relations.setdefault(name, Projection())
        return shown

    def inside(self, name: str) -> "Projection":
        """What is shown of a part, which needs not be named to be shown."""
        return self.relations.get(name, Projection())

    def has(self, name: str) -> bool:
        return self.names is None or name in self.names


def projection_of(resource: Resource, view: View) -> Projection:
    """The view as a tree: `fields` name what is shown at each place, `expand` adds relations."""
    root = Projection()
    for path in view.fields or ():
        _name(root, resource, path)
    for path in view.expand:
        if view.fields is not None and path[0] in resource.embedded and root.names is not None:
            root.names.add(path[0])
        root.at(path)
    for path, related in view.related:
        root.at(path).related = related
    return root


def _name(shown: Projection, at: Resource | Embedded, path: Path) -> None:
    """Show the field or relation at the end of the path, and of what it passes nothing else."""
    *before, last = path
    for name in before:
        shown.names = (shown.names or set()) | {name}
        fresh = name not in shown.relations
        shown = shown.relations.setdefault(name, Projection())
        if fresh:
            shown.names = set()
        elif shown.names is None:
            return  # Shown in full already: `fields=mission,mission.title`.
        at = relations_of(at)[name].target
    shown.names = (shown.names or set()) | {last}
    if last in relations_of(at):
        shown.relations[last] = Projection()


def embedded_json(part: Embedded, get: Get) -> Expression:
    """The JSON list of a record's part, as text."""
    return type_coerce(_embedded(part, get, Projection()), JsonText())


def record_json(resource: Resource, view: View = View()) -> Expression:  # noqa: B008
    """The JSON of one row of the resource's table, as much of it as the view shows."""
    shown = projection_of(resource, view)
    return object_of(_record(resource, lambda n: getattr(resource.table, n), shown))
