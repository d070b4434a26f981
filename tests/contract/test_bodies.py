"""Bodies that no kind of record takes, and numbers that each keeps to the last digit."""

import json
import re
from decimal import Decimal
from itertools import product
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.api import RESOURCES
from app.engine.aggregates.units import units_of
from app.engine.resource import Resource
from tests.contract.api import Api, at, each, of_each, pointers, problem, properties, writable
from tests.examples import JSON, Body, create

BROKEN = {
    "nothing": b"",
    "half an object": b'{"note": "x"',
    "two values": b"{} {}",
    "a comma too many": b'{"note": "x",}',
    "single quotes": b"{'note': 1}",
    "not UTF-8": b'{"note": "\xff"}',
    "UTF-16": '{"note": "x"}'.encode("utf-16"),
    "a byte order mark behind": b"{}\xef\xbb\xbf",
    "a name twice": b'{"note": "x", "note": "y"}',
    "a name twice below": b'{"note": {"a": 1, "a": 1}}',
    "deep lists": b"[" * 65 + b"]" * 65,
    "very deep lists": b"[" * 100_000 + b"]" * 100_000,
    "very deep objects": b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
    "NaN": b'{"note": NaN}',
    "Infinity": b'{"note": -Infinity}',
    "a huge integer": b'{"note": ' + b"1" * 5000 + b"}",
    "a huge exponent": b'{"note": 1e999999999}',
    "a tiny exponent": b'{"note": 1e-999999999}',
    "an exponent beyond what Decimal reads": b'{"note": 1e-999999999999999999999}',
    "a NUL": b'{"note": "\x00"}',
}


@each
async def test_what_is_not_json_is_refused(api: Api, resource: Resource) -> None:
    record = at(resource, await api.full(resource))
    for method, address in (("POST", f"/{resource.path}"), ("PATCH", record), ("PUT", record)):
        for name, content in BROKEN.items():
            answer = await api.client.request(method, address, content=content, headers=JSON)
            assert answer.status_code == 400, (name, answer.text)
            problem(answer, 400)


@each
async def test_a_body_that_is_no_object_is_refused(api: Api, resource: Resource) -> None:
    record = at(resource, await api.full(resource))
    for method, address in (("POST", f"/{resource.path}"), ("PATCH", record), ("PUT", record)):
        for content in (b"null", b"[]", b'"x"', b"1", b"true"):
            answer = await api.client.request(method, address, content=content, headers=JSON)
            assert pointers(answer) == [""], content


#: JSON texts that no field takes, or only as plain text.
STRANGE = (
    r'"\u0000"', r'"a\u0000b"', '" "', r'"\u00a0\u2003"',
    "1" * 30, "-" + "9" * 25, "1e100", "-1e100", "1e-100", "0.00000000000001", "{}", "[[]]", "[{}]",
    '["\\u0000"]', '[null]', "[" * 60 + "]" * 60,
)  # fmt: skip


@each
async def test_a_strange_value_is_refused(api: Api, resource: Resource) -> None:
    record = at(resource, await api.full(resource))
    for name, value in product(writable(resource), STRANGE):
        content = f'{{"{name}": {value}}}'
        answer = await api.client.patch(record, content=content, headers=JSON)
        assert answer.status_code == 422, (name, value, answer.text)
        assert all(pointer.startswith(f"/{name}") for pointer in pointers(answer)), (name, value)


@each
async def test_a_strange_name_is_refused(api: Api, resource: Resource) -> None:
    record = at(resource, await api.full(resource))
    for name in (r"\u0000", "", "a/b~c", "x" * 10_000, "__class__", "😀"):
        answer = await api.client.patch(record, content=f'{{"{name}": 1}}', headers=JSON)
        problem(answer, 422)


#: Halves of characters, which RFC 8259 lets one write and no database can hold.
HALVES = (r'"\ud800"', r'"\udc00\ud800"', r'["\ud800"]', r'{"\ud800": 1}')


@each
async def test_half_a_character_is_refused_wherever_it_stands(api: Api, resource: Resource) -> None:
    record = at(resource, await api.full(resource))
    contents = [f'{{"{name}": {half}}}' for name, half in product(writable(resource), HALVES)]
    for content in (*contents, r'{"\ud800": 1}'):
        answer = await api.client.patch(record, content=content, headers=JSON)
        problem(answer, 400)


KINDS = {
    "string": '"1"',
    "number": "1",
    "boolean": "true",
    "array": "[]",
    "object": "{}",
}


@of_each(writable)
async def test_a_value_of_another_json_type_is_refused(
    api: Api, resource: Resource, name: str
) -> None:
    schema = json.dumps(properties(resource)[name])
    # What is defined elsewhere is an enumeration of texts, or a part within an array.
    named = set(re.findall(r'"type": "(\w+)"', schema)) | (
        {"string"} if "$ref" in schema else set()
    )
    own = {"number" if kind == "integer" else kind for kind in named}
    record = at(resource, await api.full(resource))
    for kind in KINDS.keys() - own:
        content = f'{{"{name}": {KINDS[kind]}}}'
        answer = await api.client.patch(record, content=content, headers=JSON)
        assert pointers(answer) == [f"/{name}"], kind


# Exact amounts


def digits(whole: int, scale: int) -> st.SearchStrategy[Decimal]:
    """Decimals above zero, up to the greatest whole number of so many digits."""
    units = st.integers(1, (10**whole - 1) * 10**scale)
    return units.map(lambda n: Decimal(n).scaleb(-scale))


_often = settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@_often
@given(value=digits(14, 4))
async def test_an_amount_comes_back_digit_for_digit(api: Api, value: Decimal) -> None:
    resource = next(r for r in RESOURCES if r.path == "agreements")
    record = at(resource, await exact_record(api, "agreements", currency="CLF"))
    after = await api.change("PATCH", record, {"amount": value})
    assert after["amount"] == value == (await api.get(record))["amount"]


@_often
@given(value=digits(10, 8))
async def test_a_rate_comes_back_digit_for_digit(api: Api, value: Decimal) -> None:
    resource = next(r for r in RESOURCES if r.path == "exchange-rates")
    record = at(resource, await exact_record(api, "exchange-rates"))
    after = await api.change("PATCH", record, {"rate": value})
    assert after["rate"] == value == (await api.get(record))["rate"]


async def exact_record(api: Api, path: str, **fields: Any) -> Body:
    record: Body | None = api.kept.get((path, "exact"))
    if record is None:
        record = await create(api.client, path, api.examples.full(path, **fields))
        api.kept[path, "exact"] = record
    return record


def amounts(resource: Resource) -> list[str]:
    """The fields that are added by currency."""
    return [
        name
        for name in writable(resource)
        if any("currency" in unit for unit in units_of(resource, name))
    ]


@of_each(amounts)
async def test_an_amount_has_no_more_decimals_than_its_currency(
    api: Api, resource: Resource, name: str
) -> None:
    currency = next(unit for unit in units_of(resource, name) if "currency" in unit)
    body = api.examples.full(resource.path, **{name: Decimal("1.5"), currency: "JPY"})
    answer = await api.send("POST", f"/{resource.path}", body)
    # Other amounts of the example have decimals too, and are told beside it.
    assert f"/{name}" in pointers(answer), answer.text
    assert "JPY has at most 0 decimals" in answer.json()["detail"]
