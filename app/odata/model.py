"""The entity model: which sets there are, and the properties and relations of their entities."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache

from sqlalchemy import inspect

from app.core.databases.expressions import SqlType
from app.core.databases.types import Id
from app.core.errors import NotFound, did_you_mean
from app.datasets.columns import ALL_DATASETS, AnyDataset, DatasetColumn, cells, columns
from app.datasets.computed import ComputedDataset, is_id
from app.engine.paths import Relation, find_field, relations_of
from app.engine.resource import Embedded, Resource
from app.odata.edm import EdmType, edm_type, flat_type
from app.rest.export_columns import POSITION
from app.rest.operations import snake

NAMESPACE = "TradeMissions"
CONTAINER = "Records"
#: What the names of sets begin with that are the datasets.
FLAT = "flat_"


@dataclass(frozen=True, slots=True)
class Property:
    """A property of an entity or of a part: `unit` names what says in what it is counted."""

    name: str
    type: EdmType
    nullable: bool
    about: str
    unit: str | None = None


@dataclass(frozen=True, eq=False)
class RecordSet:
    """The set of all records of a kind."""

    name: str
    resource: Resource

    @property
    def type_name(self) -> str:
        return self.resource.name

    @property
    def key(self) -> tuple[str, ...]:
        return ("id",)

    @property
    def title(self) -> str:
        return self.resource.about


@dataclass(frozen=True, eq=False)
class FlatSet:
    """The set of the rows of a dataset."""

    name: str
    dataset: AnyDataset

    @property
    def type_name(self) -> str:
        return "".join(word.title() for word in self.name.split("_"))

    @property
    def key(self) -> tuple[str, ...]:
        return flat_key(self.dataset)

    @property
    def title(self) -> str:
        grain = self.dataset.grain
        return f"{grain[:1].upper()}{grain[1:]}, without relations: for tables and pivots."


EntitySet = RecordSet | FlatSet


class Model:
    """Every set, by name, and the set of each kind of record."""

    def __init__(self, resources: tuple[Resource, ...]) -> None:
        self.record_sets = {r: RecordSet(snake(r.path), r) for r in resources}
        listed: list[EntitySet] = [*self.record_sets.values()]
        listed += [FlatSet(f"{FLAT}{dataset.name}", dataset) for dataset in ALL_DATASETS]
        self.sets: Mapping[str, EntitySet] = {each.name: each for each in listed}

    def find(self, name: str) -> EntitySet:
        """The set of this name; NotFound without one."""
        found = self.sets.get(name)
        if found is None:
            near = did_you_mean(name, self.sets)
            known = "" if near else f" There are: {', '.join(self.sets)}."
            raise NotFound(f"There is no entity set {name[:100]!r}.{near}{known}")
        return found


@cache
def properties_of(at: Resource | Embedded) -> Mapping[str, Property]:
    """The properties of the records of a kind, or of a part, that are no parts themselves."""
    return {each.name: each for each in _properties(at)}


def _properties(at: Resource | Embedded) -> Iterator[Property]:
    stored = inspect(at.table).columns
    if isinstance(at, Embedded):
        described = {name: info.description for name, info in at.fields.model_fields.items()}
    else:
        described = {
            name: info.description
            for name, (_, info) in at.read_fields.items()
            if name not in at.embedded
        }
    for name, about in described.items():
        column = stored[name]
        nullable = name != "id" and getattr(column, "nullable", True) is not False
        of = edm_type(column.type)
        # Where nobody may see a value it is null, whatever its column says.
        is_open = nullable or (name not in _NEVER_NULL and not of.is_collection)
        yield Property(name, of, is_open, " ".join((about or "").split()))


#: What each record shows that is shown at all.
_NEVER_NULL = frozenset({"id", "version", "created_at", "updated_at", "confidential"})


def parts_of(at: Resource | Embedded) -> Mapping[str, Embedded]:
    """The parts of a record, by the name of the collection."""
    return at.embedded if isinstance(at, Resource) else {}


def navigations_of(at: Resource | Embedded) -> Mapping[str, Relation]:
    """The relations of a record or part, by name."""
    steps = relations_of(at).items()
    return {name: step for name, step in steps if not isinstance(step.via, Embedded)}


def flat_key(dataset: AnyDataset) -> tuple[str, ...]:
    """The columns that tell the rows of a dataset apart."""
    if isinstance(dataset, ComputedDataset):
        return (dataset.key,)
    return ("id",) if dataset.row_of is None else ("id", f"{dataset.row_of}_{POSITION}")


@cache
def flat_properties(dataset: AnyDataset) -> Mapping[str, Property]:
    """The properties of the rows of a dataset."""
    key = flat_key(dataset)
    return {
        column.name: Property(
            column.name,
            flat_type(_stored_type(dataset, column), column.kind),
            column.nullable and column.name not in key,
            column.about,
            column.unit,
        )
        for column in columns(dataset)
    }


def _stored_type(dataset: AnyDataset, column: DatasetColumn) -> SqlType | None:
    """The type of what a column shows as it is stored; None of what is counted or labelled."""
    if isinstance(dataset, ComputedDataset):
        return Id() if not column.is_label and is_id(dataset, column.name) else None
    read = cells(dataset)
    if column.is_label or column.at >= len(read):
        return None
    path = read[column.at].path
    is_position = dataset.row_of is not None and path == (dataset.row_of, POSITION)
    return None if is_position else find_field(dataset.resource, path).type
