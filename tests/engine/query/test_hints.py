"""Refusals that tell what would be right: what they tell is taken, and is not what was refused."""

from itertools import product
from urllib.parse import quote

import httpx
import pytest

from app import api
from app.core.databases.types import now
from app.core.errors import Problem, did_you_mean
from app.engine.aggregates.query import AggregateQuery, read_aggregate
from app.engine.aggregates.shape import DatePart
from app.engine.paths import FieldType, fields_of, relations_of
from app.engine.query.filter_reader import read_filters
from app.engine.query.operators import OPERATORS, operators_of
from app.engine.query.parameters import read_sort
from app.engine.resource import Resource
from tests.engine.conftest import fault

#: Each question with what its refusal must say.
TOLD = {
    "amount__gte__lte=1": "write amount__gte=… and amount__lte=…",
    "place_country=RUS": "Did you mean 'RU'?",
    "mission__host_country=KAZ": "Did you mean 'KZ'?",
    "place_country=uk": "Did you mean 'GB'?",
    "place_country=Россия": "Did you mean 'RU'?",
    "place_country=XYZ": "The codes are at /codes/countries.",
    "place_region=RUS": "The codes are at /codes/regions.",
    "currency=TNG": "Did you mean 'KZT'?",
    "status=signed,completed": "status__in=signed,completed",
    "status__ne=signed,completed": "status__not_in=signed,completed",
    "mission__host_country=RU,KZ": "mission__host_country__in=RU,KZ",
    "amount=1,2": "amount__in=1,2",
    "signed=2016,2017": "signed__in=2016,2017",
    "filter=status eq 'signed,completed'": "in ('signed','completed')",
    "filter=place_country eq 'RU,KZ'": "in ('RU','KZ')",
    "sectors=C10": "sectors__has=C10",
    "filter=sectors eq 'C10'": "sectors has 'C10'",
    "delimiter=;": "there are fields, expand, q, filter, deleted, timezone, sort, limit,",
    "mission=Novosibirsk April": "mission__ref=…, or mission_id=… with an id",
    "mission__gt=novosibirsk-april": "mission__ref",
    "mission.id=novosibirsk-april": "'mission__ref'",
    "mission_ref=novosibirsk-april": "'mission__ref'",
    "mission__id=novosibirsk-april": "mission__ref=novosibirsk-april",
    "id=alina-office": " ref=alina-office",
    "mission_id=Novosibirsk": "A ref can stand here too",
    "mission_id__in=novosibirsk-april,01a22626-3dec-7d7d-9c81-277c81402e04": "not both in one list",
    "filter=mission eq 'x'": "mission.ref",
    "parties=x": "parties__",
    "status=": "Is empty: give a value, or leave it out.",
    "amount=": "amount__isnull=true",
    "fields=": "Is empty: write names",
    "sort=": "Is empty: write names",
    "sort=-": "Is empty: write names",
    "expand=": "Is empty: write names",
    "sort=ref,ref": "ref is given more than once",
    "sort=amount&sort=-amount": "amount is given more than once",
    "sort=-mission.title,ref,mission.title": "mission.title is given more than once",
    "sort=id,title,id": "id is given more than once",
    "sort=id,nonsense": "nonsense",
    "sort=amount,,title": "missing before or after a comma",
    "country=KZ": "'place_country', 'mission.stops.country'".replace(".", "__"),
    "country__in=KZ,RU": "'parties__organization__country__in'",
    "mission__country=KZ": "mission.host_country",
    "filter=country eq 'KZ'": "parties.organization.country",
    "text=x": "Here that is q",
    "sort=size": "Possible: id, ref, mission_id, event_id,",
    "sort=-country": "Did you mean 'place_country'?",
    "sort=сумма": "Did you mean 'amount'?",
    "сумма=5": "Did you mean 'amount'?",
    "fields=size": "Possible: id, ref, mission_id, event_id,",
    "fields=country": "parties.organization.country",
    "filter=size gt 5": "Possible: id, ref",
    "sort=mission__title": "Did you mean 'mission.title'?",
    "fields=mission_title": "Did you mean 'mission.title'?",
}
GROUPED = {
    "group_by=signed_year": "year(signed)",
    "group_by=signed.year": "year(signed)",
    "group_by=year_signed": "year(signed)",
    "group_by=mission.dates__month": "month(mission.dates)",
    "group_by=mission__host_country": "Did you mean 'mission.host_country'?",
    "group_by=country": "'mission.stops.country' or 'parties.organization.country'?",
    "group_by=size": "Possible: id, ref",
    "group_by=mission.country": "mission.stops.country",
    "metrics=sum(size)": "Possible: id, ref",
    "group_by=": "Is empty",
    "metrics=": "Is empty",
    "group_by=status,status": "status is given more than once",
    "metrics=count,count": "count is given more than once",
    "group_by=status&sort=status,-status": "status is given more than once",
    "metrics=count&sort=count,-count": "count is given more than once",
    "metrics=sum_amount": "Did you mean 'sum(amount)'?",
    "metrics=amount.sum": "Did you mean 'sum(amount)'?",
    "metrics=amount": "sum(amount)",
}


async def test_a_refusal_tells_what_would_be_right(client: httpx.AsyncClient) -> None:
    faults = []
    asked = {f"/agreements?{query}": words for query, words in TOLD.items()}
    asked |= {f"/agreements/aggregate?{query}": words for query, words in GROUPED.items()}
    for address, words in asked.items():
        answer = await client.get(quote(address, safe="/?=&,;'"))
        if answer.status_code != 400 or words not in fault(answer)["detail"]:
            faults.append(f"{address}: {answer.text}")
    assert not faults, "\n".join(faults)


async def test_what_is_a_figure_of_a_record_is_asked_of_the_list_of_figures(
    client: httpx.AsyncClient,
) -> None:
    asked = {
        "/missions?sort=-amount": "/insights/missions, which is sorted and filtered by amount_acc",
        "/missions?sort=sum(amount)": "amount_signed_binding and amount_signed_not_binding.",
        "/missions?sort=companies": "missions, which is sorted and filtered by companies.",
        "/missions?amount__gte=5": "/insights/missions",
        "/missions?filter=amount gt 5": "/insights/missions",
        "/missions/aggregate?metrics=sum(amount)": "/insights/missions",
        "/organizations?sort=-agreements": "/insights/organizations",
    }
    faults = []
    for address, words in asked.items():
        answer = await client.get(address)
        if answer.status_code != 400 or words not in fault(answer)["detail"]:
            faults.append(f"{address}: {answer.text}")
    assert not faults, "\n".join(faults)


async def test_a_code_is_told_by_its_name_and_of_its_own_group(client: httpx.AsyncClient) -> None:
    asked = {
        "/agreements?currency=dollar": "Did you mean 'USD'?",
        "/agreements?sectors__has=wheat": "Look for it at /codes/sectors?q=wheat.",
        "/agreements?sectors__has=C99": "Did you mean 'C",
        "/missions?host_region=KZ-XX": "Did you mean 'KZ-",
        "/missions?host_region=KZ-XYZ": "code. The codes are at /codes/regions?parent=KZ.",
        "/missions?host_region=QQ-XIZ": "Did you mean 'AZ-XIZ'?",
        "/sources?language=kz": "Did you mean 'kk'?",
        "/sources?language=KAZ": "Did you mean 'kk'?",
    }
    bodies: list[tuple[dict[str, object], str]] = [
        ({"currency": "dollar", "amount": 5}, "Did you mean 'USD'?"),
        ({"currency": "доллар", "amount": 5}, "Did you mean 'USD'?"),
        ({"currency": "US", "amount": 5}, "The codes are at /codes/currencies."),
        ({"sectors": ["growing wheat"]}, "Look for it at /codes/sectors?q=growing+wheat."),
        ({"sectors": ["C99"]}, "Did you mean 'C"),
        ({"place_country": "KZ", "place_region": "KZ-XX"}, "at /codes/regions?parent=KZ."),
    ]
    faults = []
    for address, words in asked.items():
        answer = await client.get(address)
        if answer.status_code != 400 or words not in fault(answer)["detail"]:
            faults.append(f"{address}: {answer.text}")
    for body, words in bodies:
        plan = {"title": "A plan", "instrument": "announced_plan", **body}
        answer = await client.post("/agreements?dry_run=true", json=plan)
        told = [each["detail"] for each in answer.json()["errors"]]
        if answer.status_code != 422 or not any(words in each for each in told):
            faults.append(f"{body}: {answer.text}")
    assert not faults, "\n".join(faults)


async def test_a_code_in_a_body_is_told_as_in_a_question(client: httpx.AsyncClient) -> None:
    told = {
        "kz": "Did you mean 'KZ'?",
        "RUS": "Did you mean 'RU'?",
        "QQ": "The codes are at /codes/countries.",
    }
    for code, words in told.items():
        body = {"name": "X", "country": code}
        answer = await client.post("/companies?dry_run=true", json=body)
        assert answer.status_code == 422
        assert words in answer.json()["errors"][0]["detail"], answer.text


def refused(resource: Resource, name: str, text: str) -> str:
    """What a flat filter is refused with; empty where it is not."""
    try:
        read_filters(resource, [(name, text)])
    except Problem as problem:
        return problem.detail
    return ""


@pytest.mark.parametrize("resource", api.RESOURCES, ids=lambda resource: resource.path)
def test_what_is_told_is_taken_when_it_is_sent(resource: Resource) -> None:
    faults = []
    ids = [name for name, leaf in fields_of(resource).items() if leaf.field_type is FieldType.id]
    relations = [name for name, step in relations_of(resource).items() if not step.is_to_many]
    for name in [*ids, *relations]:
        told = refused(resource, name, "some-ref")
        # What is about a record of any kind has no ref that it could be asked by.
        if told and (name in relations or name.removesuffix("_id") in relations):
            faults.append(f"{name}: {told}")
    for name, leaf in fields_of(resource).items():
        for one, other in product(operators_of(leaf), OPERATORS):
            told = refused(resource, f"{name}__{one}__{other}", "1")
            if f"Did you mean {one!r}" in told:
                faults.append(told)
        told = refused(resource, name, "")
        if "isnull=true" in told and refused(resource, f"{name}__isnull", "true"):
            faults.append(told)
    assert not faults, "\n".join(faults)


@pytest.mark.parametrize("resource", api.RESOURCES, ids=lambda resource: resource.path)
def test_every_part_of_every_date_is_told_as_it_is_written(resource: Resource) -> None:
    dates = (FieldType.date, FieldType.instant, FieldType.stated)
    faults = []
    for name, leaf in fields_of(resource).items():
        for part in DatePart if leaf.field_type in dates else ():
            for written in (f"{name}.{part}", f"{name}_{part}", f"{part}_{name}"):
                try:
                    read_aggregate(resource, AggregateQuery(group_by=written), now())
                except Problem as problem:
                    if f"{part}({name})" in problem.detail:
                        continue
                faults.append(written)
    assert not faults, faults
    with pytest.raises(Problem, match="Is empty"):
        read_sort(resource, "")


def test_only_what_could_be_a_slip_is_suggested() -> None:
    known = [
        "limit",
        "currencies",
        "deleted",
        "fields",
        "sort",
        "supply_contract",
        "contains",
        "US",
        "RU",
    ]
    told = {
        "delimiter": "",
        "limt": "limit",
        "lmiit": "limit",
        "Limit": "limit",
        "contians": "contains",
        "suply-contract": "supply_contract",
        "filed": "fields",
        "currency": "currencies",
        "limit": "",
        "x" * 200: "",
    }
    found = {name: did_you_mean(name, known) for name in told}
    assert found == {n: f" Did you mean {t!r}?" if t else "" for n, t in told.items()}
