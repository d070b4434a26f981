"""`$filter` of the rows of a dataset, whose names are those of its columns."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Final

from pydantic import Field, create_model
from sqlalchemy import Text
from sqlalchemy.orm import DeclarativeBase, mapped_column

from app.core.databases.expressions import SqlType
from app.core.databases.types import Id, Instant
from app.core.errors import did_you_mean
from app.core.sheets.sheet import CellKind
from app.datasets.columns import LABEL, AnyDataset, cells, columns
from app.datasets.computed import ComputedColumn, ComputedDataset, is_id
from app.engine.query.conditions import Condition, Exists
from app.engine.query.conditions import Path as Steps
from app.engine.query.filter_reader import FilterReader
from app.engine.query.nodes import ExpressionError
from app.engine.resource import Embedded, Resource
from app.engine.schemas import Schema
from app.odata.errors import NotSupported
from app.odata.filter.nodes import Among, Binary, Call, Expression, Path, Quantified, Unary
from app.odata.filter.parser import unsupported
from app.odata.filter.reading import Reading
from app.rest.export_columns import POSITION

_NUMBERS: Final = (CellKind.integer, CellKind.decimal)


@dataclass(frozen=True, slots=True)
class FlatNames:
    """Where the columns of a dataset come from: the paths of fields, and what is none but worked
    out, counts and positions, which are a "number", and lists of names, which are a "text"."""

    fields: Mapping[str, Steps]
    worked_out: Mapping[str, str]

    def check(self, name: str, at: int) -> None:
        """ExpressionError for what is no column, and 501 for a label."""
        if name in self.fields or name in self.worked_out:
            return
        if name.endswith(LABEL) and name.removesuffix(LABEL) in self.fields:
            code = name.removesuffix(LABEL)
            text = f"{name} is a label, which is not supported in $filter and $orderby: use {code}."
            raise NotSupported(text)
        near = did_you_mean(name, [*self.fields, *self.worked_out])
        raise ExpressionError(at, f"There is no property {name[:100]!r}.{near}")


def flat_names(dataset: AnyDataset) -> FlatNames:
    """The names of a dataset."""
    if isinstance(dataset, ComputedDataset):
        return _computed_names(dataset)
    read = cells(dataset)
    position = (dataset.row_of, POSITION) if dataset.row_of is not None else None
    fields: dict[str, Steps] = {}
    worked_out: dict[str, str] = {}
    for column in columns(dataset):
        if column.is_label:
            continue
        if column.at < len(read) and read[column.at].path != position:
            fields[column.name] = read[column.at].path
        else:
            worked_out[column.name] = "number" if column.kind in _NUMBERS else "text"
    return FlatNames(fields, worked_out)


def _computed_names(dataset: ComputedDataset) -> FlatNames:
    numbers = {c.name: "number" for c in dataset.columns if c.kind in _NUMBERS}
    fields = {c.name: (c.name,) for c in dataset.columns if c.name not in numbers}
    return FlatNames(fields, numbers)


@cache
def rows_read(dataset: AnyDataset) -> Resource | Embedded:
    """What has the fields that the filters of a dataset ask for: the kind of its records, or rows
    of what is worked out."""
    if not isinstance(dataset, ComputedDataset):
        return dataset.resource
    shown = {column.name: (str, Field(description=column.about)) for column in dataset.columns}
    fields: type[Schema] = create_model(dataset.name, __base__=Schema, **shown)  # type: ignore[call-overload]
    mapped = {column.name: mapped_column(_type_of(dataset, column)) for column in dataset.columns}
    mapped[dataset.key].column.primary_key = True

    class Rows(DeclarativeBase):
        """Tables of no database."""

    table = type(dataset.name, (Rows,), {"__tablename__": dataset.name, **mapped})
    return Embedded(table=table, fields=fields, owner="")


def _type_of(dataset: ComputedDataset, column: ComputedColumn) -> SqlType:
    if is_id(dataset, column.name):
        return Id()
    if column.codes is not None:
        return column.codes.type
    return Instant() if column.kind is CellKind.instant else Text()


@dataclass(slots=True)
class _FlatReading(Reading):
    """Says of a part by `Exists((its name,), …)` what holds for the row itself: a row has no other
    parts, so nothing else is said so."""

    names: FlatNames = FlatNames({}, {})
    part: Embedded | None = None
    row_of: str = ""

    def predicate(self, tree: Expression, at: Resource | Embedded, variable: str) -> Condition:
        found = list(_paths(tree))
        for path in found:
            self.names.check(path.steps[0], path.at)
        steps = [self.names.fields.get(path.steps[0], path.steps) for path in found]
        of_part = [each[0] == self.row_of for each in steps]
        if not any(of_part) or self.part is None:
            return Reading.predicate(self, self._renamed(tree, 0), at, variable)
        if not all(of_part):
            raise unsupported("A column of the part, compared with one of the record,")
        item = Reading.predicate(self, self._renamed(tree, 1), self.part, variable)
        return Exists((self.row_of,), item)

    def _renamed(self, tree: Expression, left_out: int) -> Expression:
        """The tree with paths for names, without their first steps."""
        match tree:
            case Path():
                steps = self.names.fields.get(tree.steps[0])
                return tree if steps is None else replace(tree, steps=steps[left_out:])
            case Binary():
                left = self._renamed(tree.left, left_out)
                return replace(tree, left=left, right=self._renamed(tree.right, left_out))
            case Unary():
                return replace(tree, item=self._renamed(tree.item, left_out))
            case Among():
                return replace(tree, left=self._renamed(tree.left, left_out))
            case Call():
                arguments = (self._renamed(each, left_out) for each in tree.arguments)
                return replace(tree, arguments=tuple(arguments))
        return tree


def _paths(tree: Expression) -> Iterator[Path]:
    match tree:
        case Path():
            yield tree
        case Binary():
            yield from _paths(tree.left)
            yield from _paths(tree.right)
        case Unary():
            yield from _paths(tree.item)
        case Among():
            yield from _paths(tree.left)
        case Call():
            for each in tree.arguments:
                yield from _paths(each)
        case Quantified():
            yield tree.collection


def flat_reading(dataset: AnyDataset, names: FlatNames, reader: FilterReader) -> Reading:
    """What reads the filters of a dataset."""
    if isinstance(dataset, ComputedDataset):
        return _FlatReading(reader, names.worked_out, names)
    row_of = dataset.row_of or ""
    part = dataset.resource.embedded.get(row_of)
    return _FlatReading(reader, names.worked_out, names, part, row_of)
