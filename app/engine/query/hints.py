"""What to add to a refusal of a filter: the parameter or the value that is meant."""

import re
from collections.abc import Collection

from app.core.errors import did_you_mean
from app.core.parameter_synonyms import called_here, meant_instead
from app.engine.keys import as_id
from app.engine.labels import fields_by_label, label_key
from app.engine.paths import (
    FieldType,
    NoSuchField,
    PathError,
    RecordField,
    called_so,
    counted_elsewhere,
    fields_of,
    find_field,
    find_relation,
    meant_paths,
    relations_of,
)
from app.engine.query import by_ref
from app.engine.query.by_ref import is_ref, ref_path
from app.engine.query.operators import OPERATORS, operators_of
from app.engine.query.values import parse_value
from app.engine.resource import Embedded, Resource

Path = tuple[str, ...]

#: What takes several values in the place of what takes one.
_SEVERAL = {"eq": "in", "ne": "not_in"}
_MAX_SHOWN = 100


def split_name(name: str) -> tuple[Path, str]:
    """`mission__dates__isnull` as its path and operator."""
    *steps, last = name.split("__")
    return (tuple(steps), last) if steps and last in OPERATORS else ((*steps, last), "eq")


def several_values(parameter: str, text: str) -> str:
    """` Several values are asked for by status__in=signed,completed.`, where a value with commas
    was compared with a code."""
    if "," not in text:
        return ""
    if parameter == "filter":
        items = ",".join(f"'{item.strip()}'" for item in text.split(","))
        return f" Several values are asked for by in ({items})."
    path, operator = split_name(parameter)
    if operator in _SEVERAL.values():
        return " Values with commas are taken whole when the parameter is given more than once."
    if operator not in _SEVERAL:
        return ""
    shown = text if len(text) <= _MAX_SHOWN else "…,…"
    return f" Several values are asked for by {'__'.join(path)}__{_SEVERAL[operator]}={shown}."


def right_value(
    at: Resource | Embedded, parameter: str, path: Path, record_field: RecordField, text: str
) -> str:
    """What to ask instead where the field cannot have this value."""
    if record_field.field_type is FieldType.id and (other := ref_path(at, path)) and is_ref(text):
        if parameter == "filter":
            return f" By its ref it is asked for by {'/'.join(other)} eq '{text}'."
        _, operator = split_name(parameter)
        asked = "__".join(other if operator == "eq" else (*other, operator))
        return f" By its ref it is asked for by {asked}={text}."
    if by_ref.is_named(at, path, record_field):
        return " A ref can stand here too: small letters and digits, words joined by hyphens."
    if record_field.field_type is FieldType.list and parameter != "filter":
        shown = text if len(text) <= _MAX_SHOWN else "…"
        return f" Write {'__'.join(path)}__has={shown}."
    several = several_values(parameter, text)
    try:
        values = [parse_value(record_field, item.strip()) for item in text.split(",")]
    except ValueError:
        return ""
    return several if len(values) > 1 else ""


def membership(record_field: RecordField, path: Path, text: str) -> str:
    """How an expression asks for an item of a list; nothing for other fields."""
    return (
        f" Write {'/'.join(path)} has '{text}'."
        if record_field.field_type is FieldType.list
        else ""
    )


def empty_value(path: Path, record_field: RecordField) -> str:
    """What to do about a filter without a value."""
    if "isnull" not in operators_of(record_field):
        return "Is empty: give a value, or leave it out."
    return f"Is empty; for records without a value write {'__'.join(path)}__isnull=true."


def relation(at: Resource | Embedded, path: Path, text: str) -> str:
    """How to ask for the record that a relation leads to: by its ref or its id."""
    *before, last = path
    for name in before:
        at = find_relation(at, name).target
    written, fields = "__".join(path), fields_of(relations_of(at)[last].target)
    begin = f"{last!r} is a relation: ask for a field of it, such as"
    if "ref" not in fields:
        return f"{begin} {written}__{next(iter(fields))}."
    by_id = f"{written}_id" if f"{last}_id" in fields_of(at) else f"{written}__id"
    if as_id(text) is not None:
        return f"{begin} {by_id}={text}."
    right = text if is_ref(text) else "…"
    return f"{begin} {written}__ref={right}, or {by_id}=… with an id."


def right_name(at: Resource | Embedded, name: str, text: str, others: tuple[str, ...]) -> str:
    """The parameter that is meant, where the given one is none; `others` are no filters."""
    if spelt := _written_otherwise(at, name, text):
        return spelt
    (plain, *further), operator = split_name(name)
    if isinstance(at, Resource) and (counted := counted_elsewhere(at, plain)):
        return counted
    known = [*fields_of(at), *relations_of(at), *others]
    end = "" if operator == "eq" else f"__{operator}"
    meant = called_here(plain, known)
    meant = meant or (meant_paths(called_so(at, plain), "__", end) if not further else "")
    meant = meant or did_you_mean(plain, known) or by_label(at, (), plain, "__")
    besides = f" Besides the fields of a record there are {', '.join(others)}." if others else ""
    return meant or besides


def _written_otherwise(at: Resource | Embedded, name: str, text: str) -> str:
    """` Did you mean 'mission__title'?` for `mission.title` or `mission_title`, which others write
    so, as `amount[gte]`; or nothing."""
    ways = ["__".join(re.findall(r"\w+", name))]
    starts = (start for start in relations_of(at) if name.startswith(f"{start}_"))
    ways += [f"{start}__{name[len(start) + 1 :]}" for start in starts]
    for spelt in ways:
        path, operator = split_name(spelt)
        try:
            record_field = find_field(at, path)
        except PathError:
            continue
        if (
            record_field.field_type is FieldType.id
            and as_id(text) is None
            and (other := ref_path(at, path))
        ):
            spelt = "__".join(other if operator == "eq" else (*other, operator))
        if spelt != name and "__" in spelt:
            return f" Did you mean {spelt!r}?"
    return ""


def by_label(at: Resource | Embedded, before: Path, name: str, joint: str = ".") -> str:
    """` Did you mean 'amount'?` for `sum` or `сумма`, which people call it; or nothing."""
    found = fields_by_label(at).get(label_key(name)) if isinstance(at, Resource) else None
    if found is None:
        return ""
    return f" Did you mean {joint.join((*before, *found.split('.')))!r}?"


def unknown_field(error: PathError, known: Collection[str] = ()) -> str:
    """What is told of a path that leads nowhere: where nothing is near, what there is, which is
    the `known` or all fields."""
    if not isinstance(error, NoSuchField):
        return str(error)
    meant = by_label(error.at, error.before, error.name)
    return f"{error}{meant or ' Possible: ' + ', '.join(known or fields_of(error.at)) + '.'}"


def wrong_operator(field: str, following: str, record_field: RecordField, name: str) -> str:
    """What is wrong with `following` after a field that leads no further."""
    known = operators_of(record_field)
    base, _, _ = name.partition(f"{field}__")
    if following in known:
        # `amount__gte__lte`: the first is right, and so would the second be.
        asked = dict.fromkeys((following, name.rpartition("__")[2]))
        each = " and ".join(f"{base}{field}__{operator}=…" for operator in asked)
        text = f"{field} takes one operator a parameter: write {each}."
    else:
        near = meant_instead(following, known)
        text = f"{field} has no operator {following!r}.{near}"
    return f"{text} Possible: {', '.join(known)}."
