"""Which fields of a kind of record can be withheld, and which of them only together."""

from collections.abc import Iterable
from functools import cache
from typing import NamedTuple

from sqlalchemy import CheckConstraint

from app.core.databases.interface import table_of
from app.core.databases.public_reads import ALL, HIDDEN, TOLD, WITHHELD_ALONE, is_withholdable
from app.core.errors import Fault, did_you_mean
from app.core.loose_types import Values
from app.engine.composed_titles import title_field
from app.engine.record import Record, bound_names
from app.engine.resource import Embedded, Resource


class Pointer(NamedTuple):
    """A field that names a record of another kind; where that one is withheld the record goes with
    it as a `whole`, or the field alone does, and those that are `told_with` it."""

    key: str
    target: Resource
    is_whole: bool
    told_with: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """The field, and those that are told with it."""
        return self.key, *self.told_with


@cache
def pointers_of(at: Resource | Embedded) -> tuple[Pointer, ...]:
    """Those of a record, or of a part of one: a row of a part goes with what it names, but for what
    is withheld alone."""
    columns = table_of(at.table).c
    found = []
    for name, target in at.to_one.items():
        column = columns.get(f"{name}_id")
        if column is not None:
            told_with = column.info.get(WITHHELD_ALONE)
            whole = (isinstance(at, Embedded) and told_with is None) or not column.nullable
            belongs = isinstance(at, Resource) and name in (*at.part_of, *at.withheld_with)
            found.append(Pointer(f"{name}_id", target, whole or belongs, told_with or ()))
    return tuple(found)


@cache
def withholdable(resource: Resource) -> frozenset[str]:
    """The fields that can be withheld: those that can be null or empty as they are."""
    columns = table_of(resource.table).c
    wholes = {pointer.key for pointer in pointers_of(resource) if pointer.is_whole}
    own = {name for name in resource.fields.model_fields if name in columns}
    free = {name for name in own if is_withholdable(columns[name])}
    return frozenset({*free, *resource.embedded} - wholes - {title_field(resource)})


def tell_withheld(resources: Iterable[Resource]) -> None:
    """Let the `withheld` that the public reads have also the fields that are withheld for what they
    name or with what they are part of, and the lists with such rows, once all kinds are known."""
    for resource in resources:
        own = {pointer.key for pointer in pointers_of(resource) if not pointer.is_whole}
        lists = {name for name, part in resource.embedded.items() if pointers_of(part)}
        along = {each.own for each in resource.withheld_along}
        told = (own | lists | along) & withholdable(resource)
        table_of(resource.table).c.withheld.info[TOLD] = tuple(sorted(told))


@cache
def _groups(resource: Resource) -> dict[str, frozenset[str]]:
    """For each field those that tell of it: a date as stated with its bounds and its text, and what
    a rule of the database or the kind itself holds together, such as all about an amount."""
    names = withholdable(resource)
    told: list[set[str]] = [{name, f"{name}_text"} for name in names]
    told += [{name, *bound_names(name)} for name in resource.edtf_dates]
    told += [{name, *others} for name, others in resource.told_by.items()]
    told += [{name, part} for name, (part, _) in resource.first_of.items()]
    for rule in table_of(resource.table).constraints:
        if isinstance(rule, CheckConstraint) and "says" in rule.info:
            told.append({str(word) for word in _words(str(rule.sqltext))})
    allowed = names | {bound for name in resource.edtf_dates for bound in bound_names(name)}
    found = {name: {name} for name in allowed}
    for each in told:
        joined = set[str]().union(*(found[name] for name in each & allowed))
        for name in joined:
            found[name] = joined
    return {name: frozenset(each) for name, each in found.items()}


def _words(sql: str) -> Iterable[str]:
    return sql.replace("(", " ").replace(")", " ").replace(",", " ").replace('"', "").split()


def told_together(resource: Resource, names: Iterable[str]) -> frozenset[str]:
    """The fields that are withheld with these, and these: columns and parts."""
    groups = _groups(resource)
    return frozenset[str]().union(*(groups.get(name, frozenset()) for name in names))


def faults_of_withheld(resource: Resource, names: Iterable[str]) -> list[Fault]:
    """What is wrong with a list of fields to withhold."""
    known, faults = withholdable(resource), []
    for at, name in enumerate(names):
        if name in known:
            continue
        if name in resource.read_fields:
            text = (
                f"{name} cannot be withheld, as every {resource.singular} shows it:"
                " make it confidential as a whole."
            )
        else:
            text = f"There is no field {name!r}.{did_you_mean(name, known)}"
            text += f" These can be withheld: {', '.join(sorted(known))}."
        faults.append(Fault("withheld", text, pointer=f"/withheld/{at}"))
    return faults


def names_in(hidden: str | None) -> frozenset[str]:
    """The fields that the column `hidden` names; none where it is null or says all."""
    return frozenset() if hidden in (None, ALL) else frozenset(hidden.strip(",").split(","))


def places_withheld(resource: Resource, record: Record) -> set[tuple[str, str]]:
    """What is withheld of a record and of the rows of its parts: the place of each, and a field of
    it, or ALL."""
    found: list[tuple[str, str | None]] = [("", record.hidden)]
    for part in resource.embedded:
        rows = getattr(record, part)
        found += [(f"/{part}/{at}", getattr(row, HIDDEN)) for at, row in enumerate(rows)]
    return {
        (place, name)
        for place, hidden in found
        for name in ([ALL] if hidden == ALL else names_in(hidden))
    }


def written_names(names: Iterable[str]) -> str | None:
    """The names as the column `hidden` holds them."""
    listed = ",".join(sorted(names))
    return f",{listed}," if listed else None


def public_part(state: Values, hidden: str | None) -> Values:
    """The JSON of a record without what is withheld of it; nothing where it is as a whole."""
    if hidden is None:
        return state
    names = names_in(hidden)
    return {} if hidden == ALL else {n: value for n, value in state.items() if n not in names}
