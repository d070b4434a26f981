"""Related records beside a record: each path of relations joined once."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from sqlalchemy import (
    ColumnElement,
    FromClause,
    String,
    and_,
    exists,
    func,
    literal_column,
    not_,
    or_,
    select,
    true,
)

from app.core.databases.expressions import AnyTable, Expression, Selection
from app.engine.paths import FieldType, fields_of, find_field, find_relation
from app.engine.query.aliases import TableAlias
from app.engine.query.conditions import ColumnProxy, Path, columns_of
from app.engine.query.operators import Get
from app.engine.resource import Embedded, Resource, SubCollection


@dataclass(slots=True, eq=False)
class Joins:
    """Columns at the ends of paths, and the LEFT JOINs that lead to them.

    One look-up of an index for each record and relation, where a subquery for each column would
    do one for each column; and the database may join the other way round when that is quicker.
    """

    resource: Resource
    dialect: str
    tables: dict[Path, AnyTable] = field(init=False, default_factory=dict)
    joined: list[tuple[FromClause, ColumnElement[bool]]] = field(init=False, default_factory=list)

    def join(self, statement: Selection) -> Selection:
        """The statement on the resource's table with all that was asked for joined to it."""
        statement = statement.select_from(self.resource.table)
        for table, on in self.joined:
            statement = statement.outerjoin(table, on)
        return statement

    def narrow(self, path: Path, condition: ColumnElement[bool]) -> None:
        """Join only the rows at the end of a path for which the condition holds."""
        narrowed = self.tables[path].source
        self.joined = [(t, and_(on, condition) if t is narrowed else on) for t, on in self.joined]

    def value(self, path: Path) -> Expression:
        """The field at the end of the path."""
        return self._named(path[:-1])(path[-1])

    def item(self, path: Path, lengths: Sequence[int] = ()) -> Expression:
        """The same, or where it is a list an item of it, each in a row of its own; where groups are
        made of levels of its codes, which have these lengths, only of codes that tell the most."""
        if find_field(self.resource, path).field_type is not FieldType.list:
            return self.value(path)
        if path not in self.tables:
            self.tables[path] = spread = self._items(path)
            self.joined.append((spread, self._tells_most(path, lengths)))
        return _value(self.tables[path])

    def _items(self, path: Path) -> FromClause:
        column = self.value(path)
        if self.dialect == "sqlite":
            return func.json_each(column).table_valued("value")
        return func.jsonb_array_elements_text(column).table_valued("value").render_derived()

    def _tells_most(self, path: Path, lengths: Sequence[int]) -> ColumnElement[bool]:
        """Whether no other code of the list reaches a level that this one does not, under the same
        code of the wider levels: of F and C1061 the first says nothing of divisions."""
        code = _value(self.tables[path])
        told: list[ColumnElement[bool]] = [true()]
        for wider, length in pairwise((0, *lengths)):
            others = self._items(path)
            other = _value(others)
            same = func.substr(other, 1, wider) == func.substr(code, 1, wider)
            more: Selection = select(literal_column("1")).where(func.length(other) >= length, same)
            reached = func.length(code) >= length
            told.append(or_(reached, not_(exists(more.correlate_except(others)))))
        return and_(*told)

    def _get(self, steps: Path) -> Get:
        """The columns of the record at the end of a path of relations."""
        if not steps:
            return columns_of(self.resource.table)
        if steps not in self.tables:
            get = self._named(steps[:-1])
            at = self._at(steps[:-1])
            relation = find_relation(at, steps[-1])
            table = TableAlias(relation.target.table)
            self.tables[steps] = table
            self.joined.append((table.source, self._on(relation.via, steps[-1], table, get)))
        return columns_of(self.tables[steps])

    def _named(self, steps: Path) -> Get:
        """The same, but an id is that by which the record before names it, so that it is not read
        for its id alone."""
        if not steps or not isinstance(
            find_relation(self._at(steps[:-1]), steps[-1]).via, Resource
        ):
            return self._get(steps)

        def get(name: str) -> Expression:
            if name == "id":
                return self._get(steps[:-1])(f"{steps[-1]}_id")
            return self._get(steps)(name)

        return get

    def _at(self, steps: Path) -> Resource | Embedded:
        at: Resource | Embedded = self.resource
        for name in steps:
            at = find_relation(at, name).target
        return at

    @staticmethod
    def _on(
        via: Resource | Embedded | SubCollection, name: str, table: AnyTable, get: Get
    ) -> ColumnElement[bool]:
        match via:
            case Embedded():
                return getattr(table, via.owner) == get("id")  # type: ignore[no-any-return]
            case SubCollection():
                only = [via.child.row_filter(table)] if via.child.row_filter is not None else []
                return and_(via.on(table, ColumnProxy(get)), table.deleted_at.is_(None), *only)
            case Resource():
                return table.id == get(f"{name}_id")  # type: ignore[no-any-return]


def _value(items: AnyTable) -> Expression:
    item: Expression = items.c.value
    item.type = String()
    return item


def can_be_null(resource: Resource, path: Path) -> bool:
    """Whether a record can be without a value at the end of the path."""
    at: Resource | Embedded = resource
    for name in path[:-1]:
        relation = find_relation(at, name)
        if relation.is_to_many or fields_of(at)[f"{name}_id"].nullable:
            return True
        at = relation.target
    record_field = find_field(resource, path)
    return record_field.nullable or record_field.field_type is FieldType.list
