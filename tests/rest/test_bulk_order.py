"""Operations of a list name what others of it create, before or after them."""

from itertools import permutations
from typing import Any
from uuid import uuid4

from tests.contract.api import Api, fault
from tests.rest.calls import bulk
from tests.rest.test_bulk import LENIENT, done

Operation = dict[str, Any]


def _body(ref: str, name: str, above: str | None = None) -> Operation:
    parent = {} if above is None else {"parent": {"ref": f"{ref}-{above}"}}
    return {"ref": f"{ref}-{name}", "kind": "unknown", "name": name, **parent}


def _create(ref: str, name: str, above: str | None = None) -> Operation:
    return {"op": "create", "body": _body(ref, name, above)}


async def test_an_operation_can_name_what_another_creates_in_any_order(api: Api) -> None:
    wrong = []
    for order in permutations(range(4)):
        ref, headers = f"order-{uuid4()}", LENIENT if sum(order[:2]) % 2 else {}
        await done(api, "organizations", [_create(ref, "there")])
        several = [
            _create(ref, "a", "b"),
            {"op": "upsert", "body": _body(ref, "b", "c")},
            {"op": "update", "key": f"{ref}-there", "body": {"parent": {"ref": f"{ref}-a"}}},
            _create(ref, "c"),
        ]
        told = await done(api, "organizations", [several[at] for at in order], **headers)
        ids = {name: told["results"][order.index(at)]["id"] for at, name in enumerate("abtc")}
        for name, parent in (("t", "a"), ("a", "b"), ("b", "c")):
            record = await api.get(f"/organizations/{ids[name]}")
            if (record["name"][0], record["parent_id"]) != (name, ids[parent]):
                wrong.append((order, name, record))
    assert not wrong


async def test_what_is_there_already_is_named_as_it_is(api: Api) -> None:
    """An upsert of it is done where it stands, after a change of it that comes before."""
    ref = f"there-{uuid4()}"
    await done(api, "organizations", [_create(ref, "a")])
    operations = [
        _create(ref, "b", "a"),
        {"op": "update", "key": f"{ref}-a", "body": {"note": "first"}},
        {"op": "upsert", "body": {**_body(ref, "a"), "note": "second"}},
    ]
    await done(api, "organizations", operations)
    assert (await api.get(f"/organizations/{ref}-a"))["note"] == "second"


async def test_operations_in_a_circle_are_refused_with_what_to_do(api: Api) -> None:
    ref = f"circle-{uuid4()}"
    good = _create(ref, "good")
    operations = [_create(ref, "a", "b"), good, _create(ref, "b", "c"), _create(ref, "c", "a")]
    told = (await bulk(api, "organizations", operations)).json()
    faults = [(each["pointer"], each["code"], each["detail"]) for each in told["errors"]]
    text = (
        "/operations/0, /operations/2, /operations/3 name each other, so that none can be the"
        " first: leave one of the names out, and set it by an update that comes after them."
    )
    assert faults == [(f"/operations/{at}/body", "circle", text) for at in (0, 2, 3)]
    told = await done(api, "organizations", operations, **LENIENT)
    assert [each["status"] for each in told["results"]] == [422, 201, 422, 422]
    back = {"op": "update", "key": f"{ref}-c", "body": {"parent": {"ref": f"{ref}-a"}}}
    (only,) = (await done(api, "organizations", [back], **LENIENT))["results"]
    assert only["status"] == 404


async def test_a_name_that_a_later_update_gives_is_told(api: Api) -> None:
    ref = f"renamed-{uuid4()}"
    await done(api, "organizations", [_create(ref, "old")])
    rename = {"op": "update", "key": f"{ref}-old", "body": {"ref": f"{ref}-new"}}
    answer = await bulk(api, "organizations", [_create(ref, "a", "new"), rename])
    told = fault(answer, 422)
    assert told["pointer"] == "/operations/0/body"
    assert told["detail"] == (
        f"There is no organization '{ref}-new' yet: the update /operations/1 gives that ref. Put it"
        " before this one."
    )
    await done(api, "organizations", [rename, _create(ref, "a", "new")])


async def test_names_reach_over_the_parts_of_a_lenient_list_and_into_nested_records(
    api: Api,
) -> None:
    ref = f"far-{uuid4()}"
    others = [_create(ref, f"other-{n}") for n in range(120)]
    first, last = _create(ref, "first", "last"), _create(ref, "last")
    told = await done(api, "organizations", [first, *others, last], **LENIENT)
    assert {each["status"] for each in told["results"]} == {201}
    shown = await api.get(f"/organizations/{ref}-first")
    assert (shown["id"], shown["parent_id"]) == (
        told["results"][0]["id"],
        told["results"][-1]["id"],
    )
    deal = {"title": "A deal", "instrument": "announced_plan"}
    related = [{"agreement": {"ref": f"{ref}-plan"}, "relation": "replaces"}]
    operations = [
        {"op": "create", "body": {**deal, "ref": f"{ref}-deal", "related": related}},
        {"op": "create", "body": {**deal, "ref": f"{ref}-plan"}},
    ]
    told = await done(api, "agreements", operations)
    shown = await api.get(f"/agreements/{ref}-deal")
    assert shown["related"][0]["agreement_id"] == told["results"][1]["id"]
