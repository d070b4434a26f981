"""The columns of a dataset: name, type, unit, meaning and nullability, and the SQL of each."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final

from sqlalchemy import ColumnElement, Integer, cast, func, select, union

from app.core.databases.expressions import AnyTable, Expression
from app.core.databases.public_reads import WITHHELD_AS, is_withholdable
from app.core.loose_types import Value
from app.core.sheets.sheet import CellKind
from app.datasets.computed import COMPUTED, ComputedDataset
from app.datasets.declared import DATASETS, Dataset
from app.datasets.derived import joined_names
from app.engine.paths import FieldType, find_field, find_relation
from app.engine.query.aliases import TableAlias
from app.engine.query.parameters import View
from app.engine.query.render import as_csv_value
from app.engine.resource import Embedded, Resource, SubCollection
from app.rest.export_columns import POSITION, Cell, cell_values, cells_of, label_of

#: Whatever is a dataset, of records and of what is worked out.
AnyDataset = Dataset | ComputedDataset
ALL_DATASETS: Final[tuple[AnyDataset, ...]] = (*DATASETS, *COMPUTED)
#: Ends the name of the column that has the label of a code.
LABEL: Final = "_label"


@dataclass(frozen=True, slots=True)
class DatasetColumn:
    """A column: `at` is which of the values that are read it shows, its label if `is_label`."""

    name: str
    kind: CellKind
    about: str
    nullable: bool
    unit: str | None
    at: int
    is_label: bool = False


@lru_cache(maxsize=64)
def cells(dataset: Dataset) -> tuple[Cell, ...]:
    """The fields that a dataset reads, its counts not among them."""
    named = ",".join(dataset.columns)
    return tuple(cells_of(dataset.resource, View(), named, dataset.row_of))


@lru_cache(maxsize=64)
def columns(dataset: AnyDataset) -> tuple[DatasetColumn, ...]:
    """The columns of a dataset in order, the same whatever it holds."""
    if isinstance(dataset, ComputedDataset):
        return tuple(_computed_columns(dataset))
    return tuple(_columns(dataset))


def _computed_columns(dataset: ComputedDataset) -> Iterator[DatasetColumn]:
    for at, one in enumerate(dataset.columns):
        yield DatasetColumn(one.name, one.kind, one.about, one.nullable, one.unit, at)
        if one.codes is not None:
            yield _label_column(one.name, one.nullable, at)


def _label_column(name: str, nullable: bool, at: int) -> DatasetColumn:
    text = f"What `{name}` is called in the language that `lang` names."
    return DatasetColumn(name + LABEL, CellKind.text, text, nullable, None, at, True)


def _columns(dataset: Dataset) -> Iterator[DatasetColumn]:
    read = cells(dataset)
    for at, cell in enumerate(read):
        name = "_".join(cell.path)
        about, nullable = _described(dataset, cell)
        unit = dataset.units.get(cell.name)
        yield DatasetColumn(name, cell.kind, about, nullable, unit, at)
        if is_coded(dataset, cell):
            yield _label_column(name, nullable, at)
    for at, column in enumerate(_under(dataset), len(read)):
        yield replace(column, at=at)


def _under(dataset: Dataset) -> Iterator[DatasetColumn]:
    """The columns of what `under` reads, in its order."""
    for name, counted in dataset.counts.items():
        about = _about_count(dataset, counted)
        yield DatasetColumn(name, CellKind.integer, about, False, counted, 0)
    for name, listed in dataset.lists.items():
        about = f"Its {listed} by name, with semicolons between them, the oldest first."
        yield DatasetColumn(name, CellKind.text, about, True, None, 0)
    for name, derived in dataset.derived.items():
        yield DatasetColumn(name, CellKind.text, derived.about, True, None, 0)


def _about_count(dataset: Dataset, name: str) -> str:
    collection = dataset.resource.to_many[name]
    about = f"How many {name} are on record under it, without those in the trash"
    if _weight(collection) is not None:
        about += ": each record counts for as many as it stands for"
    if collection.with_parts is None:
        return f"{about}."
    return (
        f"{about}. Those of the {dataset.resource.plural} that are part of it are counted with it,"
        " and again in the rows of these."
    )


def is_coded(dataset: Dataset, cell: Cell) -> bool:
    """Whether the values of a field are codes, which have labels."""
    if _is_position(dataset, cell):
        return False
    found = find_field(dataset.resource, cell.path)
    return found.codes is not None or bool(found.choices)


def _is_position(dataset: Dataset, cell: Cell) -> bool:
    return dataset.row_of is not None and cell.path == (dataset.row_of, POSITION)


def _described(dataset: Dataset, cell: Cell) -> tuple[str, bool]:
    """What a field means, and whether a row can be without it: what can be withheld can."""
    if _is_position(dataset, cell):
        return "Where the row stands in the list of its record, from 0.", False
    found = find_field(dataset.resource, cell.path)
    at: Resource | Embedded = dataset.resource
    nullable = found.nullable or found.field_type is FieldType.list
    for name in cell.path[:-1]:
        if name != dataset.row_of:
            nullable = True
        at = find_relation(at, name).target
    stored: Value = at.table.__table__.c.get(cell.path[-1])
    if stored is not None and WITHHELD_AS not in stored.info:
        nullable = nullable or is_withholdable(stored)
    return _words(found.about, cell.path), nullable


def _words(about: str, path: tuple[str, ...]) -> str:
    """What a field is about; of one of another record, of which."""
    text = " ".join(about.split())
    if text:
        return text
    *before, last = path
    of = f" of the {before[-1].replace('_', ' ')}" if before else ""
    return f"The {last.replace('_', ' ')}{of}."


def by_name() -> Mapping[str, AnyDataset]:
    """The datasets by name."""
    return {dataset.name: dataset for dataset in ALL_DATASETS}


def values(dataset: Dataset) -> list[Expression]:
    """The SQL of what a dataset reads: its fields, then its counts."""
    found = cell_values(
        dataset.resource, cells(dataset), as_csv_value, as_csv_value, dataset.row_of
    )
    return [*found, *under(dataset)]


def under(dataset: Dataset) -> list[Expression]:
    """The SQL of what is told of the collections under a record, counts, then names, and of what
    is derived from others around it."""
    counted = (_count(dataset, name) for name in dataset.counts.values())
    named = (_names(dataset, name) for name in dataset.lists.values())
    table = dataset.resource.table
    return [*counted, *named, *(each.value(table) for each in dataset.derived.values())]


def _count(dataset: Dataset, name: str) -> Expression:
    """How many records of a collection lie under a record and what is part of it; of those that
    stand for several, how many these are."""
    collection = dataset.resource.to_many[name]
    child: AnyTable = TableAlias(collection.child.table)
    weight = _weight(collection)
    counted: Expression = func.count(type_=Integer)
    if weight is not None:
        counted = cast(func.coalesce(func.sum(getattr(child, weight)), 0), Integer)
    found = select(counted).select_from(child.source)
    found = found.where(*_lies_under(dataset, name, child, with_parts=True))
    return found.correlate(dataset.resource.table).scalar_subquery()


def _weight(collection: SubCollection) -> str | None:
    """The field of its records that says how many each stands for."""
    figures = collection.child.figures
    return None if figures is None else figures.weight


def _names(dataset: Dataset, name: str) -> Expression:
    """What the records of a collection under a record are called."""
    target = dataset.resource.to_many[name].child
    child: AnyTable = TableAlias(target.table)
    named = select(getattr(child, label_of(target)).label("name"), child.id.label("id"))
    named = named.where(*_lies_under(dataset, name, child)).order_by(child.id)
    rows = named.correlate_except(child.source).subquery()
    return select(joined_names(rows.c.name)).select_from(rows).scalar_subquery()


def _lies_under(
    dataset: Dataset, name: str, child: AnyTable, *, with_parts: bool = False
) -> Iterator[ColumnElement[bool]]:
    """That a record of a collection lies under one, or under what is part of that, and is not in
    the trash."""
    resource = dataset.resource
    collection = resource.to_many[name]
    if with_parts and collection.with_parts is not None:
        collection = collection.with_parts
    if name in dataset.ways:
        own: Expression = resource.table.__table__.c.id
        yield child.id.in_(union(*dataset.ways[name](own)))
    else:
        yield collection.on(child, resource.table)
    yield child.deleted_at.is_(None)
    if collection.child.row_filter is not None:
        yield collection.child.row_filter(child)
