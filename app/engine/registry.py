"""The kinds of records that there are, by name: what can stand for any of them refers to these."""

from collections.abc import Iterable
from typing import Annotated, Final

from pydantic import AfterValidator, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, PydanticCustomError, core_schema
from sqlalchemy.orm import MappedColumn, mapped_column
from typing_extensions import TypeAliasType

from app.core.databases.types import ListedName
from app.core.errors import did_you_mean
from app.core.loose_types import Json, TypeForm
from app.engine.resource import Embedded, Resource

#: By `Resource.record_type`; empty until `register` is called.
RECORD_TYPES: dict[str, Resource] = {}
_BY_NAME: Final[dict[str, str]] = {}


def by_record_type(resources: Iterable[Resource]) -> dict[str, Resource]:
    """The resources by the kind of their records; where two share a table, the whole of it."""
    return {resource.record_type: resource for resource in resources if resource.row_filter is None}


def register(resources: Iterable[Resource]) -> None:
    """Make these the kinds that there are; ValueError for one that is not declared whole."""
    resources = tuple(resources)
    for resource in resources:
        _check_references(resource)
    RECORD_TYPES.clear()
    RECORD_TYPES.update(by_record_type(resources))
    _BY_NAME.clear()
    _BY_NAME.update({name: kind for kind, of in RECORD_TYPES.items() for name in kind_names(of)})


def _check_references(resource: Resource) -> None:
    """Every record that clients can name has its relation: filters, expansions and names follow."""
    several: tuple[Resource | Embedded, ...] = (resource, *resource.embedded.values())
    for at in several:
        for column in at.table.__table__.columns:
            tables = {key.column.table.name for key in column.foreign_keys}
            relation = column.name.removesuffix("_id")
            named = column.name in at.fields.model_fields and column.name.endswith("_id")
            if named and tables and relation not in at.to_one:
                raise ValueError(
                    f"{resource.name}: {column.name} refers to {', '.join(tables)}:"
                    f" add {relation!r} to its to_one."
                )


def kind_names(resource: Resource) -> set[str]:
    """What a kind is called wherever one is named: by its address, `reported-totals`, or as one of
    its records, `reported_total`; in any case of letters, words joined as one likes."""
    own = {resource.record_type} if resource.row_filter is None else set()
    return {_plain(name) for name in (resource.path, resource.singular, *own)}


def _plain(name: str) -> str:
    return name.strip().lower().replace("_", "-").replace(" ", "-")


def kind_named(name: str) -> str:
    """The kind that is called so, as records hold it; the name itself where there is none."""
    return _BY_NAME.get(name) or _BY_NAME.get(_plain(name), name)


def find_named(name: str, resources: Iterable[Resource]) -> Resource | None:
    """The resource whose kind is called so."""
    plain = _plain(name)
    return next((resource for resource in resources if plain in kind_names(resource)), None)


def unknown_kind(name: str, kinds: Iterable[str]) -> str:
    """What to tell of a name that no kind has."""
    known = sorted(kinds)
    paths = (RECORD_TYPES[kind].path for kind in known if kind in RECORD_TYPES)
    near = did_you_mean(name, [*paths, *known])
    return f"There is no kind {name!r}.{near} Possible: {', '.join(known)}."


def kind_column() -> MappedColumn[str]:
    """A column that names a kind."""
    return mapped_column(ListedName(lambda: tuple(RECORD_TYPES), RecordKind.__name__, kind_named))


class _Known:
    """Validates the name of a kind, as an enumeration of all kinds would."""

    def __get_pydantic_core_schema__(
        self, of: TypeForm, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        return core_schema.no_info_after_validator_function(_known, handler(of))

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> Json:
        about = "The kinds of records."
        return {
            "title": "RecordKind",
            "description": about,
            "type": "string",
            "enum": [*RECORD_TYPES],
        }


def _known(name: str) -> str:
    kind = kind_named(name)
    if kind not in RECORD_TYPES:
        *others, last = (f"'{kind}'" for kind in RECORD_TYPES)
        expected = f"{', '.join(others)} or {last}"
        raise PydanticCustomError("enum", "Input should be {expected}", {"expected": expected})
    return kind


#: The name of a kind, as a field holds it.
RecordKind = TypeAliasType("RecordKind", Annotated[str, _Known()])
#: The name of a kind, as a parameter gives it; what is no kind is for the operation to tell.
KindName = Annotated[str, AfterValidator(kind_named)]
