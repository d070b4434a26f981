"""The filters of lists as OpenAPI tells them: those that people use, each with its type."""

from collections.abc import Iterator, Mapping

from app.core.databases.types import ListedName
from app.core.edtf import EDTF_PATTERN
from app.core.loose_types import Json, Value
from app.core.relative_dates import DAY_PATTERN, MOMENT_PATTERN
from app.engine.paths import MAX_DEPTH, FieldType, RecordField, fields_of, find_field, relations_of
from app.engine.query import by_ref
from app.engine.query.operators import OPERATORS, operators_of
from app.engine.query.parameters import expandable, shown_in, sortable
from app.engine.resource import Embedded, Resource
from app.engine.schemas import Noted

_TEXT: Json = {"type": "string", "minLength": 1, "pattern": "^[^\\u0000]+$"}
_TYPES: dict[FieldType, Json] = {
    FieldType.id: {"type": "string", "format": "uuid"},
    FieldType.text: _TEXT,
    FieldType.code: _TEXT,
    FieldType.integer: {"type": "integer"},
    FieldType.decimal: {"type": "number", "format": "decimal"},
    FieldType.boolean: {"type": "boolean"},
    FieldType.date: {"$ref": "#/components/schemas/DayOrRelative"},
    FieldType.instant: {"$ref": "#/components/schemas/TimeOrRelative"},
    FieldType.stated: {
        "type": "string",
        "maxLength": 64,
        "pattern": EDTF_PATTERN,
        "format": "edtf",
    },
    FieldType.list: _TEXT,
}
#: The schemas that those of filters refer to.
FILTER_SCHEMAS: Json = {
    "DayOrRelative": {
        "anyOf": [{"type": "string", "format": "date"}, {"type": "string", "pattern": DAY_PATTERN}],
        "description": "A day, or one counted from today, such as `-12mo`.",
    },
    "TimeOrRelative": {
        "anyOf": [
            {"type": "string", "format": "date-time"},
            {"type": "string", "pattern": MOMENT_PATTERN},
        ],
        "description": "A time, or one counted from now, such as `-7d`.",
    },
}
#: The operators that people use, by the kind of field: the document tells of these. All others that
#: a field has work just so.
_TOLD: dict[FieldType, tuple[str, ...]] = {
    FieldType.id: ("eq", "under", "isnull"),
    FieldType.text: ("icontains",),
    FieldType.choice: ("eq", "in"),
    FieldType.code: ("eq", "in"),
    FieldType.integer: ("gte", "lte"),
    FieldType.decimal: ("gte", "lte", "isnull"),
    FieldType.boolean: ("eq",),
    FieldType.date: ("gte", "lte", "isnull"),
    FieldType.instant: ("gte",),
    FieldType.stated: ("gte", "lte", "isnull"),
    FieldType.list: ("has",),
}
#: Asked for otherwise: a record by its address, the trash by `deleted`, free text by `q`.
_NOT_DOCUMENTED = {"id", "version", "deleted_at", "confidential", "withheld", *Noted.model_fields}
#: What stands beside a field and is asked for by that one: bounds of a stated date, a text in
#: English, an amount as printed, the end of a range; and the whole that it is part of.
_DERIVED = ("earliest", "latest", "en", "text", "max")
_WHOLE = "of_"


def filter_parameters(resource: Resource, codes: Mapping[str, Json]) -> list[Json]:
    """The filters of the resource's lists that people use, each as a parameter object.

    Every operator of every field, and of fields of related records, can be asked in the same way:
    `relation__field__op`. `codes` are the schemas of codes, by the table of their list.
    """
    documented: list[tuple[tuple[str, ...], tuple[str, ...]]]
    documented = [
        ((name,), _operators(resource, record_field))
        for name, record_field in fields_of(resource).items()
    ]
    documented += [(path, ("eq",)) for path in _related(resource)]
    return [
        _parameter(resource, path, operator, codes)
        for path, operators in documented
        for operator in operators
    ]


def _operators(resource: Resource, record_field: RecordField) -> tuple[str, ...]:
    """The operators of a field of the resource that the document tells of."""
    if record_field.name == "ref":
        return "eq", "in"
    name, _, suffix = record_field.name.rpartition("_")
    derived = (name in fields_of(resource) and suffix in _DERIVED) or (
        record_field.name.removeprefix(_WHOLE) in fields_of(resource).keys() - {record_field.name}
    )
    if (
        record_field.name in _NOT_DOCUMENTED
        or derived
        or (record_field.field_type is FieldType.list and record_field.codes is None)
    ):
        return ()
    possible = operators_of(record_field)
    # What few records have is looked for by one value.
    rare = record_field.field_type is FieldType.choice and record_field.nullable
    return tuple(
        o for o in _TOLD[record_field.field_type] if o in possible and not (rare and o == "in")
    )


def _related(resource: Resource) -> Iterator[tuple[str, ...]]:
    """The fields of parts and of related records that the document tells filters of: what is part,
    and of which country. Which record it is, its id or ref, is asked for by the field itself."""
    for name, part in resource.embedded.items():
        for field, record_field in fields_of(part).items():
            says_what = (
                record_field.field_type is FieldType.choice
                and part.fields.model_fields[field].is_required()
            )
            if record_field.field_type is FieldType.id or says_what:
                yield name, field
    for name, target in resource.to_one.items():
        for field, record_field in fields_of(target).items():
            of_country = (
                record_field.codes is not None and record_field.codes.table.name == "country"
            )
            if of_country:
                yield name, field


def _parameter(
    resource: Resource, path: tuple[str, ...], operator: str, codes: Mapping[str, Json]
) -> Json:
    field, record_field = ".".join(path), find_field(resource, path)
    if by_ref.is_named(resource, path, record_field) and operator in ("eq", "under"):
        schema: Json = {"schema": {"$ref": "#/components/schemas/RecordKey"}}
    else:
        schema = _schema(record_field, operator, codes)
    return {
        "name": "__".join(path) + ("" if operator == "eq" else f"__{operator}"),
        "in": "query",
        "description": f"Only records whose `{field}` {OPERATORS[operator].says}.",
        **schema,
    }


def _schema(record_field: RecordField, operator: str, codes: Mapping[str, Json]) -> Json:
    if operator == "isnull":
        return {"schema": {"type": "boolean"}}
    single = _single(record_field, operator, codes)
    if not OPERATORS[operator].many:
        return {"schema": single}
    # Of repeated ones a request takes fewer.
    schema = {"type": "array", "items": single, "minItems": 1, "maxItems": 256}
    return {"schema": schema, "explode": False}


def _single(record_field: RecordField, operator: str, codes: Mapping[str, Json]) -> Json:
    """The schema of one value."""
    if record_field.choices:
        # The enumeration that the field itself has in the document.
        of: Value = record_field.type
        name = of.schema if isinstance(of, ListedName) else of.enum_class.__name__
        return {"$ref": f"#/components/schemas/{name}"}
    if record_field.codes is not None and operator != "startswith":
        return codes[record_field.codes.table.name]
    if record_field.field_type is FieldType.stated and OPERATORS[operator].rounding:
        return _TYPES[FieldType.date]
    return _TYPES[record_field.field_type]


def view_parameters(resource: Resource) -> dict[str, tuple[str, list[str]]]:
    """What `fields`, `expand` and `sort` can name, by parameter, and what such a name is called."""
    own = list(shown_in(resource))
    inner = [
        f"{name}.{field}"
        for name, relation in relations_of(resource).items()
        for field in shown_in(relation.target)
    ]
    keys = [key for name in sortable(resource) for key in (name, f"-{name}")]
    fields = dict.fromkeys([*own, *relations_of(resource), *inner])
    return {
        "fields": (f"{resource.name}Field", list(fields)),
        "expand": (f"{resource.name}Relation", list(dict.fromkeys(_paths(resource, ())))),
        "sort": (f"{resource.name}Order", keys),
    }


def _paths(at: Resource | Embedded, before: tuple[str, ...]) -> Iterator[str]:
    """What can be expanded, to the second step; a third is possible too."""
    for name in expandable(at):
        path = (*before, name)
        yield ".".join(path)
        if len(path) < MAX_DEPTH - 1:
            yield from _paths(relations_of(at)[name].target, path)
