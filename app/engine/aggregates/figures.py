"""The figures of groups: conditions on them, their order, and their JSON."""

from dataclasses import dataclass

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    FromClause,
    bindparam,
    collate,
    func,
    literal_column,
    or_,
    select,
    tuple_,
)
from sqlalchemy.types import Numeric, String, Text

from app.core.databases.expressions import Expression, Selection, SqlType
from app.core.databases.types import StatedDate
from app.engine.aggregates.shape import (
    UNDATED,
    Function,
    Grouping,
    GroupKey,
    Metric,
    Output,
    output_field,
)
from app.engine.aggregates.sql import Number
from app.engine.query.conditions import Compare, Term, combined
from app.engine.query.operators import bound
from app.engine.query.render import as_json, object_of
from app.engine.resource import Resource

_SIGNS = {"gt": ">", "gte": ">=", "lt": "<", "lte": "<="}
_BOUND: dict[Function, SqlType] = {
    Function.COUNT: BigInteger(),
    Function.COUNT_DISTINCT: BigInteger(),
    Function.NOT_EXACT: BigInteger(),
    Function.SUM: Numeric(),
    Function.AT_LEAST: Numeric(),
    Function.AT_MOST: Numeric(),
    Function.AVG: Numeric(),
}


def sorted_as(column: Expression, dialect: str) -> Expression:
    """A text in the order of its code points, as SQLite has it; anything else as it is."""
    is_text = isinstance(column.type, String | StatedDate)
    return collate(column, "C") if is_text and dialect == "postgresql" else column


@dataclass(slots=True, eq=False)
class GroupOutputs:
    """A row a group with all that it is told by. The columns of each output are `o0_0, o1_0, …`,
    and `o0_1, …` for the second integer of a sum or average on SQLite."""

    resource: Resource
    grouping: Grouping
    dialect: str
    found: dict[str, Expression | Number]

    def select(self) -> Selection:
        """The groups that meet the condition."""
        columns: list[Expression] = []
        for at, output in enumerate(self.grouping.outputs):
            parts = self._parts(self.found[output.name])
            columns += [column.label(f"o{at}_{n}") for n, column in enumerate(parts)]
        figures = select(*columns).subquery("figures")
        chosen = select(figures)
        if self.grouping.having is not None:
            having = combined(self.grouping.having, lambda term: self._compared(term, figures))
            chosen = chosen.where(having)
        return chosen

    def ordered(self) -> FromClause:
        """The groups of the answer, at most `:limit`, in their order."""
        groups = self.select().subquery("matching")
        order = [
            (key.desc() if descending else key.asc()).nulls_last()
            for output, descending in self.grouping.sort
            for column in self._of(output, groups)
            for key in [sorted_as(column, self.dialect)]
        ]
        limit = bindparam("limit", type_=BigInteger)
        return select(groups).order_by(*order).limit(limit).subquery("shown")

    @staticmethod
    def _parts(figure: Expression | Number) -> list[Expression]:
        return figure.parts if isinstance(figure, Number) else [figure]

    def _of(self, output: Output, groups: FromClause) -> list[Expression]:
        at = self.grouping.outputs.index(output)
        names = (f"o{at}_{n}" for n in range(2))
        return [groups.c[name] for name in names if name in groups.c]

    def json(self, groups: FromClause) -> Expression:
        """The JSON object of a group."""
        values: dict[str, Expression] = {}
        for output in self.grouping.outputs:
            parts, figure = self._of(output, groups), self.found[output.name]
            if isinstance(figure, Number):
                values[output.name] = Number(parts, figure.part, figure.scale).json()
            elif isinstance(output, GroupKey) and output.part is not None:
                values[output.name] = func.coalesce(parts[0], literal_column(f"'{UNDATED}'"))
            else:
                values[output.name] = as_json(parts[0])
        return object_of(values)

    def _compared(self, term: Term, groups: FromClause) -> ColumnElement[bool]:
        assert isinstance(term, Compare)  # of a group there is nothing else
        output = next(o for o in self.grouping.outputs if o.name == term.path[0])
        columns = self._of(output, groups)
        if term.operator == "isnull":
            return columns[0].is_(None)
        sign = _SIGNS.get(term.operator, "=")
        ways: list[ColumnElement[bool]] = []
        for slot in term.params:
            one = sorted_as(columns[0], self.dialect)
            other = self._slot(output, slot)
            if len(columns) > 1:
                ends = (f"{slot}_high", f"{slot}_low")
                one = tuple_(*columns)
                other = tuple_(*(bindparam(end, type_=BigInteger) for end in ends))
            ways.append(one.op(sign, is_comparison=True)(other))
        return or_(*ways)

    def _slot(self, output: Output, slot: str) -> Expression:
        if isinstance(output, GroupKey) and output.part is not None:
            return bindparam(slot, type_=Text())
        if isinstance(output, Metric) and output.function in _BOUND:
            return bindparam(slot, type_=_BOUND[output.function])
        return bound(output_field(self.resource, output), slot)
