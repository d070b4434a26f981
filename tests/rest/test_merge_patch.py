"""PATCH is the merge patch of RFC 7396, whatever the record and whatever the patch."""

from typing import Any

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from app.resources.mission import mission
from app.resources.organization import organization
from tests.contract.api import Api, at
from tests.examples import Body, create
from tests.rest.calls import fields_of

QUIET = settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)


def merge_patch(target: Any, patch: Any) -> Any:
    """The algorithm of RFC 7396, section 2."""
    if not isinstance(patch, dict):
        return patch
    result = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        else:
            result[name] = merge_patch(result.get(name), value)
    return result


# What is stored as it is sent: no spaces at the ends, something to be seen.
lines = st.text(st.characters(exclude_categories=("Cs", "Cc", "Cf", "Z")), min_size=1, max_size=20)
codes = st.lists(st.sampled_from(["C10", "F", "C2022", "C1050"]), max_size=3, unique=True)

ORGANIZATION: dict[str, st.SearchStrategy[Any]] = {
    "kind": st.sampled_from(["company", "ministry", "unknown"]),
    "name": lines,
    "name_en": lines | st.none(),
    "other_names": st.lists(lines, max_size=3),
    "legal_form": st.sampled_from(["17R7", "kz-llp", None]),
    "city": lines | st.none(),
    "sectors": codes,
    "is_named": st.booleans(),
    "note": lines | st.none(),
}
MISSION: dict[str, st.SearchStrategy[Any]] = {
    "title": lines,
    "kind": st.sampled_from(["trade_fair", "outward_mission"]),
    "dates": st.sampled_from(["2016-04-11/2016-04-13", "2016", "XXXX-06", "2016-04~", None]),
    "host_city": lines | st.none(),
    "summary": lines | st.none(),
    "sectors": codes,
    "note": lines | st.none(),
}


def _bodies(fields: dict[str, st.SearchStrategy[Any]], *needed: str) -> st.SearchStrategy[Body]:
    """Bodies of new records: JSON without nulls, as RFC 7396 leaves it."""
    return st.fixed_dictionaries(
        {name: fields[name] for name in needed},
        optional={name: kind for name, kind in fields.items() if name not in needed},
    ).map(lambda body: {name: value for name, value in body.items() if value is not None})


def _patches(fields: dict[str, st.SearchStrategy[Any]]) -> st.SearchStrategy[Body]:
    return st.fixed_dictionaries({}, optional=fields)


async def _patched(api: Api, resource: Any, body: Body, patches: list[Body]) -> None:
    record = await create(api.client, resource.path, body)
    filled = fields_of(resource, record)
    for patch in patches:
        after = await api.change("PATCH", at(resource, record), patch)
        filled = dict.fromkeys(filled) | merge_patch(filled, patch)
        if "host_city" in patch:
            # The only stop of a mission is its host.
            city = patch["host_city"]
            stop = {"country": None, "region": None, "city": city, "dates": None}
            filled["stops"] = [stop] if city is not None else []
        assert fields_of(resource, after) == filled
        assert await api.get(at(resource, record)) == after


@QUIET
@given(
    _bodies(ORGANIZATION, "kind", "name"), st.lists(_patches(ORGANIZATION), min_size=1, max_size=3)
)
@example({"kind": "unknown", "name": "0"}, [{"name": "1", "name_en": None, "other_names": []}])
async def test_organizations_are_merged(api: Api, body: Body, patches: list[Body]) -> None:
    await _patched(api, organization, body, patches)


@QUIET
@given(_bodies(MISSION, "title", "kind"), st.lists(_patches(MISSION), min_size=1, max_size=3))
async def test_missions_are_merged(api: Api, body: Body, patches: list[Body]) -> None:
    await _patched(api, mission, body, patches)
