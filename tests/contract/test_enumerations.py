"""Each value of each enumeration can be stored: the schema and the database know the same ones."""

from collections.abc import Iterator

from app.engine.paths import FieldType, fields_of
from app.engine.registry import RECORD_TYPES
from app.engine.resource import Embedded, Resource
from tests.contract.api import Api, at, each
from tests.examples import Body, create

_NOT_SIGNED: Body = dict.fromkeys(("signed", "signed_text", "was_signed"))
#: What a value needs beside it, by the field and the value, or by the field alone.
NEEDS: dict[str, Body] = {
    "instrument announced_plan": {**_NOT_SIGNED, "status": "announced"},
    "status announced": _NOT_SIGNED,
    "status negotiated": _NOT_SIGNED,
    "amount_bound exact": {"amount_max": None},
    "amount_bound more_than": {"amount_max": None},
    "bound more_than": {"value_max": None},
    "amount_period one_off": {"amount_years": None},
    "measure": dict.fromkeys(("currency", "amount_kind", "amount_period", "amount_years")),
    "measure amount": {},
    "measure projected_sales_12m": {},
}
#: A number of each scheme, whose check digits are right.
NUMBERS = {
    "kz_bin": "941240000193",
    "ru_ogrn": "1027700132195",
    "ru_ogrnip": "304500116000157",
    "lei": "5493001KJTIIGC8Y1R12",
}


def values_of(of: Resource | Embedded) -> Iterator[tuple[str, str]]:
    """The fields that are written and hold one of a few words, with each of these words."""
    for name, leaf in fields_of(of).items():
        if leaf.field_type is FieldType.choice and name in of.fields.model_fields:
            for value in leaf.choices:
                yield name, value


def bodies_of(api: Api, resource: Resource) -> Iterator[Body]:
    """The fields that store each value: of the record itself, and of each of its parts."""
    for name, value in values_of(resource):
        needs = NEEDS.get(f"{name} {value}", NEEDS.get(name, {}))
        known = resource.fields.model_fields
        yield {name: value} | {each: needs[each] for each in needs if each in known}
    for part_name, part in resource.embedded.items():
        for name, value in values_of(part):
            row = api.examples.full(resource.path)[part_name][0] | {name: value}
            if name == "scheme" and value in NUMBERS:
                row["value"] = NUMBERS[value]
            if value == "more_than":
                row["quantity_max"] = None
            yield {part_name: [row, row] if value == "founder" else [row]}


async def more_of(api: Api, resource: Resource, fields: Body) -> Body:
    """What must be made for the fields to be right."""
    if resource.path == "outcomes":
        announced = api.examples.minimal("agreements", status="announced")
        return {"agreement_id": (await create(api.client, "agreements", announced))["id"]}
    if resource.path == "citations" and "record_kind" in fields:
        backed = await api.full(RECORD_TYPES[fields["record_kind"]])
        return {"record_id": backed["id"], "field": None}
    return {}


@each
async def test_every_value_of_every_enumeration_is_stored(api: Api, resource: Resource) -> None:
    if resource.row_filter is not None:
        # One of several that share a table may take but some.
        resource = RECORD_TYPES[resource.record_type]
    wrong = []
    for fields in bodies_of(api, resource):
        body = api.examples.full(resource.path) | fields | await more_of(api, resource, fields)
        if "founding_agreement" in fields.values():
            body["parties"] = [{**party, "role": "founder"} for party in body["parties"]]
        answer = await api.send("POST", f"/{resource.path}", body)
        if answer.status_code != 201:
            wrong.append(f"{fields}: {answer.json()['detail']}")
            continue
        record = await api.get(at(resource, answer.json()))
        (name, value), *_ = fields.items()
        if name not in resource.embedded and record[name] != value:
            wrong.append(f"{fields}: stored as {record[name]}")
        await api.trash(at(resource, record))
    assert wrong == []
