"""How a kind of record is declared: its table, its schemas, its relations and its rules."""

from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from types import NoneType, UnionType
from typing import Annotated, Any, Union, get_args, get_origin
from uuid import UUID

from pydantic import Field, WithJsonSchema
from pydantic.fields import FieldInfo
from sqlalchemy import Case, ColumnElement, ScalarSelect, inspect
from sqlalchemy.orm import Session

from app.core.databases.expressions import AnyTable
from app.core.databases.interface import Base
from app.core.databases.types import StatedDate
from app.core.loose_types import Fields, TypeForm, Values
from app.core.validation import Model
from app.engine.figure_rules import FigureRules
from app.engine.record import MERGED_INTO, Record, bound_names
from app.engine.schemas import (
    Identity,
    Page,
    Schema,
    Stamps,
    absent,
    derived_schema,
    patch_schema,
    type_of,
)

#: What follows of other records: sees the kind, and the JSON of one as it was and as it is now.
Follow = Callable[[Session, "Resource", Values | None, Values | None], None]
#: A rule in code: sees the record (of a class that the rule names) as it will be, and its JSON as
#: it was (None when new).
Check = Callable[[Session, Any, Values | None], None]


def _no_check(session: Session, record: Record, before: Values | None) -> None:
    """Most records have no rules beyond their columns'."""


def _nothing_follows(
    session: Session, resource: "Resource", before: Values | None, after: Values | None
) -> None:
    """Most records say nothing of others."""


@dataclass(eq=False)
class Embedded:
    """Rows that belong to one record and are read and written with it, in their order.

    `sheet_columns` names a field of few values, and a relation or other field, of those whose rows
    a sheet can have in columns: each value may head one, whose cells hold the other.
    """

    table: type[Base]
    fields: type[Schema]
    owner: str
    to_one: dict[str, "Resource"] = field(default_factory=dict)
    sheet_columns: tuple[str, str] | None = None

    @property
    def name(self) -> str:
        """The schema's name in OpenAPI."""
        return self.fields.__name__.removesuffix("Fields")

    @cached_property
    def edtf_dates(self) -> tuple[str, ...]:
        """The dates that are kept as stated; their bounds are for filters, and not shown."""
        return _edtf_dates(self.table)


#: Fields of every kind that come after its own.
_LAST = ("note", "confidential", "withheld")


def _no_ties(parent_id: UUID) -> Fields:
    return {}


@dataclass(frozen=True, eq=False)
class SubCollection:
    """The records of a kind that lie under another one; `on(child, parent)` ties the tables.

    `ties(id)` are the values of the child's own fields that put it under the parent with this id,
    where that is all that does: then it can be created there. One that is `anywhere` can be so
    wherever its parent is created, nested in another record too. `shows` is what its list expands
    where it is asked for nothing else, `about` what the document says of it. Without `is_typed` the
    schema of its parent leaves the form of its records to their own list: every typed relation
    multiplies the ways through the schemas, all of which the documentation page follows. One that
    is no relation is a list alone: it is neither expanded nor asked for by filters of others.
    `with_parts` is what its list shows where others of the parent's kind are part of the parent:
    theirs too. As a relation it is the parent's own.
    """

    parent: "Resource"
    name: str
    child: "Resource"
    on: Callable[[AnyTable, AnyTable], ColumnElement[bool]]
    ties: Callable[[UUID], Fields] = _no_ties
    anywhere: bool = False
    shows: str | None = None
    about: str = ""
    is_typed: bool = True
    is_relation: bool = True
    with_parts: "SubCollection | None" = None


@dataclass(frozen=True, eq=False)
class LongText:
    """A text that belongs to a record and is shown apart: searches look into it. `column` holds it;
    the fields `told_by` say that there is one, and when it is another one."""

    column: str
    told_by: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class StandIns:
    """Fields that clients can give in place of others: the words of a passage for its positions.

    `replaces` names for each the fields that it stands for. `resolve(session, values, before)`
    turns the values of a body, of which `before` is the record's JSON where it changes, into those
    of the record's own fields, and raises Invalid for what cannot be.
    """

    fields: type[Schema]
    replaces: Mapping[str, tuple[str, ...]]
    resolve: Callable[[Session, Values, Values | None], Fields]

    def replaced_in(self, values: Values) -> frozenset[str]:
        """The record's own fields that something else stands for in these values."""
        given = (n for name, n in self.replaces.items() if values.get(name) is not None)
        return frozenset(name for names in given for name in names)


@dataclass(frozen=True, eq=False)
class OfDay:
    """The day that records of a kind are of, which says what codes they can have: what finds it
    with a record (of a class that it names), None for none, and the fields that it looks at."""

    fields: tuple[str, ...]
    find: Callable[[Session, Any], date | None]


def _always(record: Record) -> bool:
    return True


@dataclass(frozen=True, slots=True)
class Levels:
    """How records of a kind lie in each other: by which relation each is part of one above, and in
    how many levels at most."""

    relation: str
    most: int


@dataclass(frozen=True, slots=True)
class Similarity:
    """When two records of a kind look as if they were one: they have one of their `names`, or lists
    of such, in common, by one of the `keys` that are made of each; they are `under` the same
    record; and neither a field of `unless` nor who the `members` are, a field of a part, differs
    where both say so. Rows of sheets are compared with what is there `in_sheets` alone: to compare
    them with tens of thousands would take the writer from others."""

    names: tuple[str, ...]
    keys: Callable[[str], Iterable[Hashable]]
    unless: tuple[str, ...] = ()
    under: str | None = None
    members: tuple[str, str] | None = None
    in_sheets: bool = True

    def names_of(self, values: Mapping[str, Any]) -> list[str]:
        """All that a record with these values is called, as printed."""
        found: dict[str, None] = {}
        for value in filter(None, (values[name] for name in self.names)):
            found |= dict.fromkeys([value] if isinstance(value, str) else value)
        return list(found)


@dataclass(frozen=True, eq=False)
class WithheldAlong:
    """A field that is withheld where another is of what the record is part of: `own` where `owners`
    is, of those records (of a class that it names) that `tells` is true of."""

    owners: str
    own: str
    tells: Callable[[Any], bool] = _always


@dataclass(eq=False)
class Resource:
    """A kind of record and how it is served.

    - `fields` is what clients write; `read_only` what only the server tells, each an attribute of
      the table; `embedded` are rows that are read and written with it.
    - `to_one` are the relations behind foreign keys (`mission` for `mission_id`); `under` those of
      them whose record lists the ones that name it (`/missions/{key}/delegates`); `part_of` those
      with whose record it goes to the trash and comes back; `to_many` all collections under a
      record.
    - Of what is confidential: `withheld_with` are relations with whose record it is withheld,
      beside those that it must have or is part of; `told_by` names for fields others that tell of
      them; `withheld_where` names for fields that only the server tells the column that says when
      they are withheld; `tells_of` the fields of the kind, the id and a field of a record, of any
      kind, that it tells of and is withheld with, and without a field with any of them;
      `withheld_along` what is withheld with fields of what it is part of.
    - `levels` are those that its records lie in, where a rule limits them: filters find what lies
      under one.
    - `first_of` are the fields that are those of the first row of a part, `host_country` of
      `stops.country`: filters find those of any row.
    - `row_filter(table)` narrows a table that two resources share.
    - `figures` are the rules by which its records are added up; `counted_at` is the address of the
      list of what is counted of each, and the names of these figures.
    - `stand_ins` is what clients can give in place of fields; `long_text` a text that is not among
      the fields.
    - For sheets, `body_of_name` makes a body of a name alone, of kinds that need no more, and
      `title_parts` are the field of the title and those whose columns make one up where a sheet has
      none.
    - `similarity` says when a row of a sheet looks like a record that is there.
    - `of_day` is the day that a record is of; without it records have the codes of today alone.
    - `check` are its rules beyond those that the database holds; `follow` sees to what other
      records have by it, after it was written.
    - `example` is a body for the documentation, with refs in place of ids, of a kind that seeds/
      has no fact of; `example_answer` is what the server makes of fields that it leaves out.
    """

    name: str
    path: str
    table: type[Record]
    fields: type[Schema]
    about: str
    read_only: type[Schema] = Schema
    to_one: dict[str, "Resource"] = field(default_factory=dict)
    under: tuple[str, ...] = ()
    part_of: tuple[str, ...] = ()
    withheld_with: tuple[str, ...] = ()
    told_by: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    withheld_where: Mapping[str, str] = field(default_factory=dict)
    tells_of: tuple[str, str, str] | None = None
    withheld_along: tuple[WithheldAlong, ...] = ()
    embedded: dict[str, Embedded] = field(default_factory=dict)
    to_many: dict[str, SubCollection] = field(default_factory=dict)
    levels: Levels | None = None
    first_of: dict[str, tuple[str, str]] = field(default_factory=dict)
    row_filter: Callable[[AnyTable], ColumnElement[bool]] | None = None
    figures: FigureRules | None = None
    counted_at: tuple[str, frozenset[str]] = ("", frozenset())
    stand_ins: StandIns | None = None
    long_text: LongText | None = None
    of_day: OfDay | None = None
    check: Check = _no_check
    follow: Follow = _nothing_follows
    body_of_name: Callable[[Session, str], Fields] | None = None
    title_parts: tuple[str, ...] = ()
    similarity: Similarity | None = None
    example: Values = field(default_factory=dict)
    example_answer: Values = field(default_factory=dict)

    @property
    def record_type(self) -> str:
        """What history and citations call the kind: the table's name."""
        return str(self.table.__tablename__)

    @property
    def singular(self) -> str:
        """One of them, in words and in operation ids: `reported total`."""
        return "".join(" " + c.lower() if c.isupper() else c for c in self.name).strip()

    @property
    def plural(self) -> str:
        return self.path.replace("-", " ")

    @property
    def is_mergeable(self) -> bool:
        """Whether one of them can be merged into another, which it then turned out to be."""
        return MERGED_INTO in self.table.__table__.c

    @cached_property
    def edtf_dates(self) -> tuple[str, ...]:
        """The dates that are kept as stated, with bounds beside them."""
        return _edtf_dates(self.table)

    @cached_property
    def read_fields(self) -> dict[str, tuple[TypeForm, FieldInfo]]:
        """The fields of the record as read, in order: type and description, all required."""
        own = dict(self.fields.model_fields)
        # What the class itself declares comes before what it shares with others.
        own = {name: own[name] for name in (*self.fields.__annotations__, *own)}
        ref, *last = (own.pop(name) for name in ("ref", *_LAST))
        fields = {"id": Identity.model_fields["id"], "ref": ref}
        for name, info in own.items():
            fields[name] = info
            if name in self.edtf_dates:
                for bound, which in zip(bound_names(name), ("earliest", "latest"), strict=True):
                    fields[bound] = _bound(name, which)
        fields |= self.read_only.model_fields
        fields |= {**dict(zip(_LAST, last, strict=True)), **Stamps.model_fields}
        return {name: self._as_read(name, info) for name, info in fields.items()}

    def _as_read(self, name: str, info: FieldInfo) -> tuple[TypeForm, FieldInfo]:
        kind = type_of(info)
        origin: TypeForm = get_origin(kind)
        column = self.table.__table__.c.get(name)
        # What may be left out because the server fills it in is never null once it is stored.
        if column is not None and not column.nullable and origin in (Union, UnionType):
            kind = Union[tuple(t for t in get_args(kind) if t is not NoneType)]  # noqa: UP007
        return kind, Field(description=info.description)

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """The fields that one column or expression of the table holds."""
        return tuple(name for name in self.read_fields if name not in self.embedded)

    @cached_property
    def derived_elsewhere(self) -> frozenset[str]:
        """The fields that are read from other records: no filters, and not part of history."""
        columns = inspect(self.table).columns
        return frozenset(
            name
            for name in self.read_only.model_fields
            if isinstance(getattr(columns[name], "element", None), ScalarSelect | Case)
        )

    @cached_property
    def looked_up(self) -> frozenset[str]:
        """Those of the fields that are read from other records which stand in one that this one
        names, of whichever kind: a filter can ask for them."""
        columns = inspect(self.table).columns
        names = self.derived_elsewhere
        return frozenset(name for name in names if isinstance(columns[name].element, Case))

    @cached_property
    def create(self) -> type[Schema]:
        """What POST and PUT take."""
        return derived_schema(f"{self.name}Create", f"A new {self.singular}.", {}, self.fields)

    @cached_property
    def patch(self) -> type[Schema]:
        """What PATCH takes."""
        doc = f"Changes to a {self.singular}: a JSON merge patch (RFC 7396)."
        return patch_schema(f"{self.name}Patch", doc, self.fields)


def _edtf_dates(table: type[Base]) -> tuple[str, ...]:
    columns = inspect(table).columns
    return tuple(c.key for c in columns if isinstance(c.type, StatedDate) and c.key)


def _bound(name: str, which: str) -> FieldInfo:
    text = f"The {which} day that `{name}` can mean; null when its year is not stated."
    info: FieldInfo = Field(description=text)
    info.annotation = date | None
    return info


def read_models(resources: tuple[Resource, ...]) -> dict[str, Model]:
    """The schemas of records as read and of their lists, by name.

    They refer to each other in circles (a mission shows its delegates, a delegate its mission), so
    they are made together; a relation is there only in answers that were asked to expand it.
    """
    models: dict[str, Model] = {}
    for resource in resources:
        fields: Fields = dict(resource.read_fields)
        for name, part in resource.embedded.items():
            _embedded_model(part, models)
            fields[name] = (f"list[{part.name}]", fields[name][1])
        for name, target in resource.to_one.items():
            fields[name] = (f"{target.name} | None", _relation(f"{name}_id"))
        for name, collection in resource.to_many.items():
            if not collection.is_relation:
                continue
            records = f"list[{collection.child.name}]"
            if not collection.is_typed:
                records = f"Annotated[{records}, untyped]"
            fields[name] = (records, _relation(name))
        models[resource.name] = derived_schema(resource.name, resource.about, fields)
        list_name = f"{resource.name}List"
        page: Fields = {
            "data": (f"list[{resource.name}]", Field(description="The records, in order.")),
            "page": (Page, ...),
        }
        doc = f"A page of {resource.plural}."
        models[list_name] = derived_schema(list_name, doc, page)
    for model in models.values():
        model.model_rebuild(_types_namespace={**models, **_FORMS})
    return models


#: What a collection is in the document that leaves its form to the list of its own.
_UNTYPED = WithJsonSchema({"type": "array", "items": {"type": "object"}})
_FORMS = {"Annotated": Annotated, "untyped": _UNTYPED}


def _embedded_model(part: Embedded, models: dict[str, Model]) -> None:
    fields: Fields = {
        name: (type_of(info), Field(description=info.description))
        for name, info in part.fields.model_fields.items()
    }
    for name, target in part.to_one.items():
        fields[name] = (f"{target.name} | None", _relation(f"{name}_id"))
    models[part.name] = derived_schema(part.name, part.fields.__doc__ or "", fields)


def _relation(name: str) -> FieldInfo:
    text = f"Only with `expand`: what `{name}` stands for."
    info: Any = Field(default_factory=absent, description=text)
    assert isinstance(info, FieldInfo)
    return info
