"""Bodies of every kind of record: the least that is accepted, all fields, and all fields otherwise.

A text of a table can hold places: `@missions/0` is the id of a record to refer to, `{n}` a number
and `{inn}` a registration number that no other body has.
"""

import re
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import count
from typing import Any

import httpx

from app.api import RESOURCES
from app.core import json_codec
from app.engine.examples import values_of
from app.engine.resource import Resource

Body = dict[str, Any]

_numbers = count(1)
_PLACE = re.compile(r"\{n\}|\{inn\}")


@dataclass(frozen=True)
class Example:
    """Bodies of one kind.

    `other` is `full` with each field at another value. What cannot be changed alone is told by
    `together`: sets of fields that a rule ties; and what cannot be cleared alone by `cleared`: for
    a field, what else must be sent. `derived` are values that the server puts where none is given.
    """

    minimal: Body
    full: Body
    other: Body
    together: tuple[frozenset[str], ...] = ()
    cleared: dict[str, Body] = field(default_factory=dict)
    derived: Body = field(default_factory=dict)
    #: Fields that are the same in `full` and `other`, as they cannot be changed.
    fixed: frozenset[str] = frozenset()
    #: Fields that are null in `full`, as another excludes them.
    excluded: frozenset[str] = frozenset()

    def change_of(self, name: str) -> Body:
        """A patch that gives the field its other value, with what is tied to it."""
        tied = next((names for names in self.together if name in names), {name})
        return {each: self.other[each] for each in tied}


def _example(minimal: Body, full: Body, other: Body, **more: Any) -> Example:
    named = {"ref": "example-{n}", "note": "Ünïcode “note” 😀 {n}"}
    shown = {"confidential": False, "withheld": []}
    hidden = {"confidential": True, "withheld": ["note"]}
    return Example(minimal, {**named, **full, **shown}, {**named, **other, **hidden}, **more)


def _organization(kind: str, other_kind: str) -> Example:
    return _example(
        {"kind": kind, "name": "Zebra"},
        {
            "kind": kind,
            "name": "Ёлка и К°",
            "name_en": "Yolka & Co",
            "other_names": ["ЁЛКА", "Yolka"],
            "legal_form": "17R7",
            "country": "RU",
            "region": "RU-NVS",
            "city": "Новосибирск",
            "sectors": ["C10", "F"],
            "identifiers": [
                {"scheme": "ru_inn", "value": "{inn}"},
                {"scheme": "ru_inn", "value": "{inn}"},
            ],
            "parent_id": "@organizations/0",
            "is_named": True,
        },
        {
            "kind": other_kind,
            "name": "apple",
            "name_en": "Apple",
            "other_names": ["яблоко"],
            "legal_form": "kz-llp",
            "country": "KZ",
            "region": "KZ-55",
            "city": "Павлодар",
            "sectors": ["C1050"],
            "identifiers": [{"scheme": "ru_inn", "value": "{inn}"}],
            "parent_id": "@organizations/1",
            "is_named": False,
        },
        together=(frozenset({"country", "region", "legal_form"}),),
        cleared={"country": {"region": None}},
        fixed=frozenset({"kind"} if kind == other_kind else ()),
    )


_PLACE_TIED = frozenset({"place_country", "place_region"})
_PLACE_CLEARED = {"place_country": {"place_region": None}}
_NO_AMOUNT = dict.fromkeys(
    (
        *("amount", "amount_max", "currency", "amount_bound", "amount_kind"),
        *("amount_period", "amount_years"),
    )
) | {"amount_by_year": []}

#: By path. A kind without rules between its fields needs none: its bodies are made from its fields.
EXAMPLES: dict[str, Example] = {
    "missions": _example(
        {"title": "Zebra", "kind": "trade_fair"},
        {
            "title": "Ёлка",
            "title_en": 'Fir "tree" \\ <&> \'',
            "other_names": ["визит", "a visit"],
            "kind": "outward_mission",
            "status": "planned",
            "attendance": "hybrid",
            "sending_country": "KZ",
            "sending_region": "KZ-55",
            "sending_city": "Павлодар",
            "host_country": "RU",
            "host_region": "RU-NVS",
            "host_city": "Новосибирск",
            "dates": "2016-04-11/2016-04-13",
            "dates_text": "11–13 апреля",
            "sectors": ["C10", "F"],
            "summary": "Two\nlines",
            "parent_id": "@missions/0",
            "at_event_id": "@events/0",
            "stops": [
                {
                    "country": "RU",
                    "region": "RU-NVS",
                    "city": "Новосибирск",
                    "dates": "2016-04-11",
                },
                {"country": None, "region": None, "city": "Barnaul", "dates": "2016-04/.."},
            ],
            "cost_amount": Decimal("99999999999998.9999"),
            "cost_currency": "CLF",
        },
        {
            "title": "apple",
            "title_en": "Apple",
            "other_names": [],
            "kind": "virtual_mission",
            "status": "held",
            "attendance": "online",
            "sending_country": "RU",
            "sending_region": "RU-NVS",
            "sending_city": "Новосибирск",
            "host_country": "KZ",
            "host_region": "KZ-55",
            "host_city": "Павлодар",
            "dates": "XXXX-06",
            "dates_text": "в июне",
            "sectors": ["C2022"],
            "summary": "One line",
            "parent_id": "@missions/1",
            "at_event_id": "@events/1",
            "stops": [{"country": "KZ", "region": "KZ-55", "city": "Павлодар", "dates": None}],
            "cost_amount": 7,
            "cost_currency": "UYW",
        },
        together=(
            frozenset({"host_country", "host_region", "host_city", "stops"}),
            frozenset({"sending_country", "sending_region"}),
        ),
        cleared={
            "host_country": {"host_region": None},
            "sending_country": {"sending_region": None},
            "cost_amount": {"cost_currency": None},
            "cost_currency": {"cost_amount": None},
        },
    ),
    "people": _example(
        {"full_name": "Zebra"},
        {
            "full_name": "Ёлкин Иван",
            "full_name_en": "Ivan Yolkin",
            "other_names": ["И.Ёлкин", "И. Елкин"],
        },
        {"full_name": "apple", "full_name_en": "Apple", "other_names": []},
    ),
    "organizations": _organization("ministry", "chamber_of_commerce"),
    "companies": _organization("company", "company"),
    "delegates": _example(
        {
            "mission_id": "@missions/0",
            "person_id": "@people/0",
            "side": "host",
            "capacity": "speaker",
        },
        {
            "mission_id": "@missions/0",
            "person_id": "@people/0",
            "description": "заместитель",
            "organization_id": "@organizations/0",
            "position": "заместитель акима",
            "position_en": "deputy akim",
            "side": "delegation",
            "capacity": "head_of_delegation",
            "certainty": "probable",
        },
        {
            "mission_id": "@missions/1",
            "person_id": "@people/1",
            "description": "a minister",
            "organization_id": "@organizations/1",
            "position": "министр",
            "position_en": "minister",
            "side": "third",
            "capacity": "delegate",
            "certainty": "ambiguous",
        },
    ),
    "participations": _example(
        {
            "mission_id": "@missions/0",
            "organization_id": "@organizations/0",
            "role": "host",
        },
        {
            "mission_id": "@missions/0",
            "organization_id": "@organizations/0",
            "role": "organizer",
        },
        {
            "mission_id": "@missions/1",
            "organization_id": "@organizations/1",
            "role": "sponsor",
        },
    ),
    "events": _example(
        {"mission_id": "@missions/0", "kind": "meeting", "title": "Zebra"},
        {
            "mission_id": "@missions/0",
            "kind": "round_table",
            "attendance": "in_person",
            "title": "Ёлка",
            "title_en": "Fir tree",
            "dates": "2016-04~",
            "dates_text": "в апреле",
            "place_country": "RU",
            "place_region": "RU-NVS",
            "place_city": "Новосибирск",
        },
        {
            "mission_id": "@missions/1",
            "kind": "site_visit",
            "attendance": "hybrid",
            "title": "apple",
            "title_en": "Apple",
            "dates": "2016-21",
            "dates_text": "весной",
            "place_country": "KZ",
            "place_region": "KZ-55",
            "place_city": "Павлодар",
        },
        together=(_PLACE_TIED,),
        cleared=_PLACE_CLEARED,
    ),
    "agreements": _example(
        {
            "title": "Zebra",
            "instrument": "supply_contract",
            "parties": [
                {
                    "organization_id": None,
                    "description": "somebody",
                    "role": "supplier",
                    "share_percent": None,
                    "signed_by_id": None,
                    "signed_as": None,
                }
            ],
        },
        {
            "mission_id": "@missions/0",
            "event_id": "@events/0",
            "title": "Ёлка",
            "title_en": "Fir tree",
            "subject": "Поставка",
            "subject_en": "Supply",
            "instrument": "sale_contract",
            "bindingness": "unknown",
            "status": "signed",
            "signed": "2016-04-12",
            "signed_text": "12 апреля",
            "due": "2017?",
            "due_text": "в 2017 году",
            "stands_for": 12,
            "place_country": "RU",
            "place_region": "RU-NVS",
            "place_city": "Новосибирск",
            "amount": Decimal("99999999999998.9999"),
            "amount_max": Decimal(99999999999999),
            "currency": "CLF",
            "amount_bound": "at_least",
            "amount_kind": "loan",
            "amount_period": "over_years",
            "amount_years": 3,
            "amount_text": "почти сто триллионов",
            "sectors": ["C10", "F"],
            "certainty": "ambiguous",
            "readings": ["так", "или иначе"],
            "parties": [
                {
                    "organization_id": "@organizations/0",
                    "description": "the seller",
                    "role": "supplier",
                    "share_percent": Decimal("33.3333"),
                    "signed_by_id": "@people/0",
                    "signed_as": "директор",
                },
                {
                    "organization_id": "@companies/0",
                    "description": None,
                    "role": "buyer",
                    "share_percent": Decimal("66.6667"),
                    "signed_by_id": None,
                    "signed_as": None,
                },
            ],
            "was_signed": True,
            "parties_complete": False,
            "targets": [
                {
                    "measure": "output",
                    "quantity": Decimal("6000.5"),
                    "unit": "tonne",
                    "per": "year",
                    "quantity_max": 7000,
                    "bound": "approximately",
                    "due": "../2020",
                },
                {
                    "measure": "jobs",
                    "quantity": 1000,
                    "unit": None,
                    "per": None,
                    "quantity_max": None,
                    "bound": "exact",
                    "due": None,
                },
            ],
            "related": [
                {"agreement_id": "@agreements/0", "relation": "part_of"},
                {"agreement_id": "@agreements/1", "relation": "implements"},
            ],
            "amount_by_year": [
                {"year": 2016, "amount": Decimal("10.5")},
                {"year": 2017, "amount": 0},
            ],
        },
        {
            "mission_id": "@missions/1",
            "event_id": "@events/1",
            "title": "apple",
            "title_en": "Apple",
            "subject": "Яблоки",
            "subject_en": "Apples",
            "instrument": "memorandum_of_understanding",
            "bindingness": "binding",
            "status": "in_force",
            "signed": "XXXX-04-11",
            "signed_text": "11 апреля",
            "due": "2016-12/2017-01",
            "due_text": "зимой",
            "stands_for": 1,
            "place_country": "KZ",
            "place_region": "KZ-55",
            "place_city": "Павлодар",
            "amount": 7,
            "amount_max": 8,
            "currency": "UYW",
            "amount_bound": "approximately",
            "amount_kind": "investment",
            "amount_period": "per_year",
            "amount_years": 5,
            "amount_text": "семь",
            "sectors": [],
            "certainty": "probable",
            "readings": [],
            "parties": [
                {
                    "organization_id": "@companies/1",
                    "description": None,
                    "role": "signatory",
                    "share_percent": None,
                    "signed_by_id": "@people/1",
                    "signed_as": None,
                }
            ],
            "was_signed": True,
            "parties_complete": True,
            "targets": [],
            "related": [{"agreement_id": "@agreements/1", "relation": "replaces"}],
            "amount_by_year": [{"year": 2018, "amount": 7}],
        },
        together=(
            _PLACE_TIED,
            frozenset({"mission_id", "event_id"}),
            frozenset({"amount", "amount_max"}),
        ),
        cleared={
            **_PLACE_CLEARED,
            "mission_id": {"event_id": None},
            **dict.fromkeys(("amount", "currency"), _NO_AMOUNT),
            "amount_period": {"amount_years": None},
            "amount_years": {"amount_period": None},
        },
        derived={
            "bindingness": "binding",
            "status": "signed",
            "was_signed": True,
        },
        # As both statuses say.
        fixed=frozenset({"was_signed"}),
    ),
    "outcomes": _example(
        {"agreement_id": "@agreements/0", "jobs": 0},
        {
            "agreement_id": "@agreements/0",
            "date": "2016-09",
            "date_text": "в сентябре",
            "status": "in_force",
            "actual_amount": Decimal("12345678901234.5678"),
            "currency": "CLF",
            "amount_scope": "to_date",
            "jobs": 2**31 - 1,
            "confirmed_by_id": "@organizations/0",
            "achieved": [
                {"measure": "output", "quantity": 3000, "unit": "tonne", "per": "year"},
                {"measure": "jobs", "quantity": 0, "unit": None, "per": None},
            ],
        },
        {
            "agreement_id": "@agreements/0",
            "date": "XXXX-10",
            "date_text": "в октябре",
            "status": "in_force",
            "actual_amount": Decimal("0.5"),
            "currency": "UYW",
            "amount_scope": "period",
            "jobs": 0,
            "confirmed_by_id": "@organizations/1",
            "achieved": [],
        },
        cleared={
            "actual_amount": {"currency": None, "amount_scope": None},
            "currency": {"actual_amount": None, "amount_scope": None},
        },
        fixed=frozenset({"agreement_id", "status"}),
    ),
    "statements": _example(
        {"predicate": "plans", "paraphrase": "Zebra", "modality": "plan"},
        {
            "mission_id": "@missions/0",
            "speaker_id": "@delegates/0",
            "person_id": None,
            "on_behalf_of_id": "@organizations/0",
            "agreement_id": "@agreements/0",
            "date": "2016-04-13",
            "subject_id": "@organizations/0",
            "subject_description": "plants",
            "predicate": "supplies_to",
            "object_id": "@companies/0",
            "object_description": "buyers",
            "paraphrase": "Ёлка",
            "is_quote": True,
            "modality": "fact",
            "quantity": Decimal("-99999999999998.9999"),
            "of_quantity": Decimal("360.5"),
            "quantity_bound": "at_most",
            "unit": "share",
            "per": "year",
            "amount": Decimal("99999999999998.9999"),
            "currency": "CLF",
        },
        {
            "mission_id": "@missions/1",
            "speaker_id": None,
            "person_id": "@people/1",
            "on_behalf_of_id": "@organizations/1",
            "agreement_id": "@agreements/1",
            "date": "201X",
            "subject_id": "@organizations/1",
            "subject_description": "shops",
            "predicate": "values",
            "object_id": "@companies/1",
            "object_description": "sellers",
            "paraphrase": "apple",
            "is_quote": False,
            "modality": "wish",
            "quantity": Decimal("-0.25"),
            "of_quantity": 1,
            "quantity_bound": "exact",
            "unit": "percent",
            "per": "month",
            "amount": 7,
            "currency": "UYW",
        },
        together=(frozenset({"speaker_id", "person_id"}),),
        cleared={
            "quantity": {"unit": None, "of_quantity": None},
            "unit": {"quantity": None, "of_quantity": None},
            "amount": {"currency": None},
            "currency": {"amount": None},
        },
        excluded=frozenset({"person_id"}),
    ),
    "reported-totals": _example(
        {"mission_id": "@missions/0", "measure": "companies", "value": 35},
        {
            "mission_id": "@missions/0",
            "measure": "amount",
            "value": Decimal("99999999999998.9999"),
            "currency": "CLF",
            "bound": "at_least",
            "value_max": Decimal(99999999999999),
            "of_value": Decimal(99999999999999),
            "amount_kind": "loan",
            "amount_period": "over_years",
            "amount_years": 3,
            "scope": "в том числе",
            "as_of": "2016-04-13",
            "claimed_by_id": "@organizations/0",
            "claimed_by_person_id": "@people/0",
            "part_of_id": "@reported-totals/0",
            "rank": "preferred",
        },
        {
            "mission_id": "@missions/1",
            "measure": "projected_sales_12m",
            "value": Decimal("0.0001"),
            "currency": "UYW",
            "bound": "exact",
            "value_max": 1,
            "of_value": 2,
            "amount_kind": "expected_sales",
            "amount_period": "per_year",
            "amount_years": 2,
            "scope": "food",
            "as_of": "20XX",
            "claimed_by_id": "@organizations/1",
            "claimed_by_person_id": "@people/1",
            "part_of_id": "@reported-totals/1",
            "rank": "deprecated",
        },
        together=(frozenset({"value", "value_max", "of_value"}),),
        cleared={
            "currency": {
                "measure": "jobs",
                **dict.fromkeys(("amount_kind", "amount_period", "amount_years")),
            },
            "amount_period": {"amount_years": None},
            "amount_years": {"amount_period": None},
        },
    ),
    "sources": _example(
        {"publisher": "Zebra", "title": "Zebra"},
        {
            "publisher": "Ёлка",
            "title": "Ёлка",
            "url": "https://example.org/?a=1&b=%20#c",
            "language": "ru",
            "published": "2016-04-12",
            "dateline": "МОСКВА",
            "reported_by_id": "@organizations/0",
            "sha256": "0" * 64,
            "char_count": 100,
            "based_on": [{"source_id": "@sources/0"}, {"source_id": "@sources/1"}],
        },
        {
            "publisher": "apple",
            "title": "apple",
            "url": "http://example.org/",
            "language": "kk",
            "published": "XXXX-04",
            "dateline": "АСТАНА",
            "reported_by_id": "@organizations/1",
            "sha256": "a" * 64,
            "char_count": 0,
            "based_on": [],
        },
    ),
    "citations": _example(
        {
            "source_id": "@sources/0",
            "record_kind": "mission",
            "record_id": "@missions/0",
            "start": 0,
            "end": 1,
        },
        {
            "source_id": "@sources/0",
            "record_kind": "mission",
            "record_id": "@missions/0",
            "field": "/title",
            "start": 5,
            "end": 20,
            "assertion": "external",
            "checked": "2026-05-14",
        },
        {
            "source_id": "@sources/1",
            "record_kind": "person",
            "record_id": "@people/0",
            "field": "/full_name",
            "start": 16,
            "end": 30,
            "assertion": "inferred",
            "checked": "2017-01-31",
        },
        together=(frozenset({"record_kind", "record_id", "field"}),),
    ),
    "exchange-rates": _example(
        {
            "base": "USD",
            "quote": "KZT",
            "rate": 334,
            "date": "2016-04-12",
            "provider": "Zebra {n}",
        },
        {
            "base": "USD",
            "quote": "RUB",
            "rate": Decimal("9999999998.99999999"),
            "unit": 100,
            "date": "2016-04-12",
            "provider": "Ёлка {n}",
        },
        {
            "base": "EUR",
            "quote": "KZT",
            "rate": Decimal("0.00000001"),
            "unit": 1000,
            "date": "2017-01-31",
            "provider": "apple {n}",
        },
    ),
}


def _made(resource: Resource) -> Example:
    """Bodies of a kind that has none above: its own example, else made from its fields."""
    full, other = {}, {}
    for name in resource.fields.model_fields:
        target = resource.to_one.get(name.removesuffix("_id"))
        one, two = values_of(resource, name)
        if target is not None:
            one, two = f"@{target.path}/0", f"@{target.path}/1"
        elif name in resource.example:
            one, two = resource.example[name], two if two != resource.example[name] else one
        full[name], other[name] = one, two
    for body in (full, other):
        del body["ref"], body["note"]
    required = (n for n, info in resource.fields.model_fields.items() if info.is_required())
    return _example({name: full[name] for name in required}, full, other)


EXAMPLES |= {r.path: _made(r) for r in RESOURCES if r.path not in EXAMPLES}


def _mentioned(body: Any) -> list[str]:
    """The paths of the kinds that a body refers to."""
    return re.findall(r"@([a-z-]+)/", str(body))


def _referred() -> list[str]:
    """The kinds that others refer to, each after those that it needs itself."""
    found: list[str] = []

    def place(path: str) -> None:
        for needed in _mentioned(EXAMPLES[path].minimal):
            place(needed)
        if path not in found:
            found.append(path)

    for example in EXAMPLES.values():
        for path in _mentioned((example.minimal, example.full, example.other)):
            place(path)
    return found


_TEXTS = ("Первая фраза 😀. Вторая фраза. Третья фраза.", "One sentence. Another one. And a third.")


def inn() -> str:
    """The tax number of a Russian company that no other call gives."""
    digits = f"{500_000_000 + next(_numbers):09}"
    weighted = sum(int(d) * w for d, w in zip(digits, (2, 4, 10, 3, 5, 9, 4, 6, 8), strict=True))
    return f"{digits}{weighted % 11 % 10}"


class Examples:
    """Bodies that refer to records of one application, two of each kind, made once."""

    def __init__(self) -> None:
        self.ids: dict[str, list[str]] = {}

    @classmethod
    async def on(cls, client: httpx.AsyncClient) -> "Examples":
        """The examples for the application behind the client."""
        examples = cls()
        for path in _referred():
            bodies = [examples.minimal(path, ref=f"referred-{path}-{n}") for n in range(2)]
            if path in ("events", "reported-totals"):
                bodies[1]["mission_id"] = examples.ids["missions"][1]
            made = [await create(client, path, body) for body in bodies]
            examples.ids[path] = [record["id"] for record in made]
        for source, text in zip(examples.ids["sources"], _TEXTS, strict=True):
            plain = {"content-type": "text/plain"}
            answer = await client.put(f"/sources/{source}/text", content=text, headers=plain)
            assert answer.status_code == 200, answer.text
        return examples

    def minimal(self, path: str, **fields: Any) -> Body:
        return {**self.fill(EXAMPLES[path].minimal), **fields}

    def full(self, path: str, **fields: Any) -> Body:
        return {**self.fill(EXAMPLES[path].full), **fields}

    def other(self, path: str, **fields: Any) -> Body:
        return {**self.fill(EXAMPLES[path].other), **fields}

    def fill(self, value: Any) -> Any:
        """The value with its places filled."""
        if isinstance(value, dict):
            return {name: self.fill(item) for name, item in value.items()}
        if isinstance(value, list):
            return [self.fill(item) for item in value]
        if isinstance(value, str) and value.startswith("@"):
            path, _, number = value[1:].partition("/")
            return self.ids[path][int(number)]
        if isinstance(value, str):
            return _PLACE.sub(lambda m: inn() if m[0] == "{inn}" else str(next(_numbers)), value)
        return value


JSON = {"content-type": "application/json"}


async def create(client: httpx.AsyncClient, path: str, body: Body) -> Body:
    """Store the record and return it as it was answered, fractions as Decimal."""
    answer = await client.post(f"/{path}", content=json_codec.dumps(body), headers=JSON)
    assert answer.status_code == 201, answer.text
    record: Body = json_codec.loads(answer.content)
    return record
