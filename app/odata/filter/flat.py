"""`$filter` of the rows of a dataset, whose names are those of its columns."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from app.core.errors import did_you_mean
from app.datasets.columns import LABEL, cells, columns
from app.datasets.declared import Dataset
from app.engine.query.conditions import Condition, Exists
from app.engine.query.conditions import Path as Steps
from app.engine.query.filter_reader import FilterReader
from app.engine.query.nodes import ExpressionError
from app.engine.resource import Embedded, Resource
from app.odata.errors import NotSupported
from app.odata.filter.nodes import Among, Binary, Call, Expression, Path, Quantified, Unary
from app.odata.filter.parser import unsupported
from app.odata.filter.reading import Reading
from app.rest.export_columns import POSITION


@dataclass(frozen=True, slots=True)
class FlatNames:
    """Where the columns of a dataset come from: the paths of fields, and numbers that are none,
    which are counts and positions."""

    fields: Mapping[str, Steps]
    numbers: frozenset[str]

    def check(self, name: str, at: int) -> None:
        """ExpressionError for what is no column, and 501 for a label."""
        if name in self.fields or name in self.numbers:
            return
        if name.endswith(LABEL) and name.removesuffix(LABEL) in self.fields:
            code = name.removesuffix(LABEL)
            text = f"{name} is a label, which is not supported in $filter and $orderby: use {code}."
            raise NotSupported(text)
        near = did_you_mean(name, [*self.fields, *self.numbers])
        raise ExpressionError(at, f"There is no property {name[:100]!r}.{near}")


def flat_names(dataset: Dataset) -> FlatNames:
    """The names of a dataset."""
    read = cells(dataset)
    position = (dataset.row_of, POSITION) if dataset.row_of is not None else None
    fields: dict[str, Steps] = {}
    numbers: set[str] = set()
    for column in columns(dataset):
        if column.is_label:
            continue
        if column.at < len(read) and read[column.at].path != position:
            fields[column.name] = read[column.at].path
        else:
            numbers.add(column.name)
    return FlatNames(fields, frozenset(numbers))


@dataclass(slots=True)
class _FlatReading(Reading):
    """Says of a part by `Exists((its name,), …)` what holds for the row itself: a row has no other
    parts, so nothing else is said so."""

    names: FlatNames = FlatNames({}, frozenset())
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


def flat_reading(dataset: Dataset, names: FlatNames, reader: FilterReader) -> Reading:
    """What reads the filters of a dataset."""
    row_of = dataset.row_of or ""
    part = dataset.resource.embedded.get(row_of)
    return _FlatReading(reader, names.numbers, names, part, row_of)
