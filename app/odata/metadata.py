"""`$metadata`: the entity model as CSDL 4.0 XML, which every client asks for first."""

from collections.abc import Iterable, Iterator
from xml.sax.saxutils import quoteattr

from app.engine.paths import Relation
from app.engine.resource import Embedded, Resource
from app.odata.model import (
    CONTAINER,
    NAMESPACE,
    EntitySet,
    FlatSet,
    Model,
    Property,
    flat_properties,
    navigations_of,
    parts_of,
    properties_of,
)

_VOCABULARIES = "https://oasis-tcs.github.io/odata-vocabularies/vocabularies"
_USED = ("Org.OData.Core.V1", "Org.OData.Measures.V1", "Org.OData.Capabilities.V1")
_LEVEL = "Org.OData.Capabilities.V1.ConformanceLevelType/Intermediate"


def metadata_xml(model: Model) -> bytes:
    """The document."""
    return "\n".join(_lines(model)).encode()


def _lines(model: Model) -> Iterator[str]:
    yield '<?xml version="1.0" encoding="utf-8"?>'
    yield '<edmx:Edmx Version="4.0" xmlns:edmx="http://docs.oasis-open.org/odata/ns/edmx">'
    for name in _USED:
        yield f'<edmx:Reference Uri="{_VOCABULARIES}/{name}.xml">'
        yield f'<edmx:Include Namespace="{name}"/></edmx:Reference>'
    yield "<edmx:DataServices>"
    edm = "http://docs.oasis-open.org/odata/ns/edm"
    yield f'<Schema Namespace="{NAMESPACE}" xmlns="{edm}">'
    parts: dict[str, Embedded] = {}
    for each in model.sets.values():
        yield from _entity_type(each)
        if not isinstance(each, FlatSet):
            parts |= {part.name: part for part in each.resource.embedded.values()}
    for name, part in parts.items():
        yield f'<ComplexType Name="{name}">'
        yield from _properties(properties_of(part).values())
        yield from _navigations(part)
        yield "</ComplexType>"
    yield from _container(model)
    yield "</Schema></edmx:DataServices></edmx:Edmx>"


def _entity_type(of: EntitySet) -> Iterator[str]:
    yield f'<EntityType Name="{of.type_name}">'
    yield "<Key>" + "".join(f'<PropertyRef Name="{name}"/>' for name in of.key) + "</Key>"
    if isinstance(of, FlatSet):
        yield from _properties(flat_properties(of.dataset).values())
    else:
        yield from _properties(properties_of(of.resource).values())
        for name, part in parts_of(of.resource).items():
            yield f'<Property Name="{name}" Type="Collection({NAMESPACE}.{part.name})"'
            yield ' Nullable="false"/>'
        yield from _navigations(of.resource)
    yield f"{_described(of.title)}</EntityType>"


def _properties(all_of: Iterable[Property]) -> Iterator[str]:
    for each in all_of:
        facets = f' Nullable="{str(each.nullable).lower()}"'
        if each.type.precision is not None:
            facets += f' Precision="{each.type.precision}"'
        if each.type.scale is not None:
            facets += f' Scale="{each.type.scale}"'
        said = _described(each.about) + _unit(each.unit)
        yield f'<Property Name="{each.name}" Type="{each.type.full_name}"{facets}>{said}</Property>'


def _described(about: str) -> str:
    if not about:
        return ""
    return f'<Annotation Term="Org.OData.Core.V1.Description" String={quoteattr(about)}/>'


def _unit(unit: str | None) -> str:
    """What a number is counted in: a property that has the currency or the unit, or a word."""
    if unit is None:
        return ""
    if unit.endswith("currency"):
        return f'<Annotation Term="Org.OData.Measures.V1.ISOCurrency" Path="{unit}"/>'
    kind = "Path" if unit.endswith("_unit") else "String"
    return f'<Annotation Term="Org.OData.Measures.V1.Unit" {kind}="{unit}"/>'


def _navigations(at: Resource | Embedded) -> Iterator[str]:
    for name, relation in navigations_of(at).items():
        target = f"{NAMESPACE}.{_target(relation).name}"
        if relation.is_to_many:
            yield f'<NavigationProperty Name="{name}" Type="Collection({target})"/>'
            continue
        key = f"{name}_id"
        nullable = str(properties_of(at)[key].nullable).lower()
        yield f'<NavigationProperty Name="{name}" Type="{target}" Nullable="{nullable}">'
        yield f'<ReferentialConstraint Property="{key}" ReferencedProperty="id"/>'
        yield "</NavigationProperty>"


def _target(relation: Relation) -> Resource:
    assert isinstance(relation.target, Resource)
    return relation.target


def _container(model: Model) -> Iterator[str]:
    yield f'<EntityContainer Name="{CONTAINER}">'
    for each in model.sets.values():
        yield f'<EntitySet Name="{each.name}" EntityType="{NAMESPACE}.{each.type_name}">'
        if not isinstance(each, FlatSet):
            yield from _bindings(model, each.resource)
        yield "</EntitySet>"
    yield f'<Annotation Term="Org.OData.Capabilities.V1.ConformanceLevel" EnumMember="{_LEVEL}"/>'
    yield '<Annotation Term="Org.OData.Capabilities.V1.BatchSupported" Bool="false"/>'
    yield "</EntityContainer>"


def _bindings(model: Model, of: Resource) -> Iterator[str]:
    holders: list[tuple[Resource | Embedded, str]] = [(of, "")]
    holders += [(part, f"{name}/") for name, part in of.embedded.items()]
    for at, before in holders:
        for name, relation in navigations_of(at).items():
            target = model.record_sets[_target(relation)].name
            yield f'<NavigationPropertyBinding Path="{before}{name}" Target="{target}"/>'
