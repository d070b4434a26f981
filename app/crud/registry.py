"""The kinds of records that there are, by name: what can stand for any of them refers to these."""

from collections.abc import Iterable
from typing import Annotated, Any

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, PydanticCustomError, core_schema
from sqlalchemy.orm import MappedColumn, mapped_column
from typing_extensions import TypeAliasType

from app.core.types import ListedName
from app.crud.resource import Resource

#: By `Resource.kind`; empty until `register` was told.
KINDS: dict[str, Resource] = {}


def by_kind(resources: Iterable[Resource]) -> dict[str, Resource]:
    """The resources by the kind of their records; where two share a table, the whole of it."""
    return {resource.kind: resource for resource in resources if resource.only is None}


def register(resources: Iterable[Resource]) -> None:
    """Make these the kinds that there are."""
    KINDS.clear()
    KINDS.update(by_kind(resources))


def kind_column() -> MappedColumn[Any]:
    """A column that names a kind."""
    return mapped_column(ListedName(lambda: tuple(KINDS), RecordKind.__name__))


class _Known:
    """Validates the name of a kind, as an enumeration of all kinds would."""

    def __get_pydantic_core_schema__(self, of: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(_known, handler(of))

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        about = "The kinds of records."
        return {"title": "RecordKind", "description": about, "type": "string", "enum": [*KINDS]}


def _known(name: str) -> str:
    if name not in KINDS:
        *others, last = (f"'{kind}'" for kind in KINDS)
        expected = f"{', '.join(others)} or {last}"
        raise PydanticCustomError("enum", "Input should be {expected}", {"expected": expected})
    return name


#: The name of a kind, as a field holds it.
RecordKind = TypeAliasType("RecordKind", Annotated[str, _Known()])
