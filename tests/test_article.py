"""The article's facts, read through the API as a client would."""

import tomllib
from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.conftest import client_of, copy_of, serving

MISSION = "/missions/novosibirsk-april"
CHARACTERS = 4598
SHA256 = "6069c7bb8f758d0e066ac731a8fd0ed2b6ebd89b899f7f3812bd0ef6cede69a5"
# Where the article's sentences begin and end, of those that the tests refer to.
SENTENCES = {
    1: (0, 110),
    2: (111, 196),
    3: (197, 430),
    4: (431, 544),
    5: (545, 681),
    6: (682, 856),
    7: (857, 999),
    8: (1000, 1118),
    9: (1119, 1311),
    10: (1312, 1607),
    12: (1698, 1828),
    13: (1829, 2033),
    14: (2034, 2261),
    15: (2262, 2440),
    16: (2441, 2574),
    18: (2627, 2783),
    19: (2784, 3061),
    20: (3062, 3195),
    21: (3196, 3421),
    22: (3422, 3576),
    23: (3577, 3884),
    24: (3885, 4110),
    25: (4111, 4296),
    26: (4297, 4594),
}

# kind, country and legal form
ORGANIZATIONS = {
    "kazinform": ("news_agency", None, None),
    "kz-embassy-in-russia": ("diplomatic_mission", "KZ", None),
    "kz-embassy-in-russia-press-service": ("diplomatic_mission", "KZ", None),
    "foreign-trade-chamber-kz": ("chamber_of_commerce", "KZ", None),
    "kaznex-invest": ("export_agency", "KZ", "kz-jsc"),
    "kz-ministry-of-agriculture": ("ministry", "KZ", None),
    "pavlodar-region-akimat": ("subnational_government", "KZ", None),
    "novosibirsk-region-government": ("subnational_government", "RU", None),
    "housemasterkz": ("company", "KZ", "kz-llp"),
    "progmatik": ("company", "RU", "17R7"),
    "kazenergokabel": ("company", "KZ", "kz-jsc"),
    "nobel-aff": ("company", "KZ", "kz-jsc"),
    "katren": ("company", "RU", None),
    "alina": ("company", "KZ", "kz-llp"),
    "elsib": ("company", "RU", None),
    "avtovaz": ("company", None, None),
    "bipek-avto": ("company", None, None),
    "milk-project": ("company", "KZ", None),
    "pavlodar-aluminium-enterprise": ("company", "KZ", None),
}
COMPANIES = [ref for ref, (kind, *_) in ORGANIZATIONS.items() if kind == "company"]

SECTORS = {
    "kazenergokabel": ["C2732"],
    "nobel-aff": ["C21"],
    "katren": ["G4649"],
    "alina": ["C2022", "C2395"],
    "elsib": ["C2710"],
    "avtovaz": ["C2910"],
    "bipek-avto": ["C2910"],
    "milk-project": ["C1050"],
    "pavlodar-aluminium-enterprise": ["C2420"],
    "housemasterkz": [],
    "progmatik": [],
}

# name, how the printed position begins, organization, side, capacity, certainty
DELEGATES = {
    "kosherbayev": (
        "Ермек Кошербаев",
        "вице-министр сельского хозяйства",
        "kz-ministry-of-agriculture",
        ("delegation", "head_of_delegation", "probable"),
    ),
    "dychko": (
        "Николай Дычко",
        "заместитель акима Павлодарской",
        "pavlodar-region-akimat",
        ("delegation", "delegate", "certain"),
    ),
    "gorodetsky": (
        "Владимир Городецкий",
        "губернатор Новосибирской области",
        "novosibirsk-region-government",
        ("host", "host_official", "certain"),
    ),
    "znatkov": (
        "Владимир Знатков",
        "первый заместитель председателя",
        "novosibirsk-region-government",
        ("host", "host_official", "certain"),
    ),
    "akhanova": (
        "Салтанат Аханова",
        "заместитель председателя правления",
        "foreign-trade-chamber-kz",
        ("third", "organizer_representative", "certain"),
    ),
}

# instrument, bindingness, status, certainty
AGREEMENTS = {
    "housemaster-progmatik-jv": ("founding_agreement", "binding", "signed", "certain"),
    "kazenergokabel-memorandum-1": (
        "memorandum_of_understanding",
        "non_binding",
        "signed",
        "ambiguous",
    ),
    "kazenergokabel-memorandum-2": (
        "memorandum_of_understanding",
        "non_binding",
        "signed",
        "ambiguous",
    ),
    "nobel-katren-supply": ("supply_contract", "binding", "signed", "certain"),
    "alina-office": ("announced_plan", "announcement", "announced", "certain"),
    "kaznex-invest-office": ("office_opening", "accomplished", "completed", "certain"),
}
MEMORANDA = ("kazenergokabel-memorandum-1", "kazenergokabel-memorandum-2")
WITHOUT_AMOUNT = [ref for ref in AGREEMENTS if ref != "nobel-katren-supply"]

# Who, in which role; None is a side that the article does not name.
PARTIES = {
    "housemaster-progmatik-jv": [("housemasterkz", "founder"), ("progmatik", "founder")],
    "kazenergokabel-memorandum-1": [("kazenergokabel", "signatory"), (None, "signatory")],
    "kazenergokabel-memorandum-2": [("kazenergokabel", "signatory"), (None, "signatory")],
    "nobel-katren-supply": [("nobel-aff", "supplier"), ("katren", "buyer")],
    "alina-office": [("alina", "announcer")],
    "kaznex-invest-office": [("kaznex-invest", "announcer")],
}

# speaker, modality, predicate, the organization that is the subject
STATEMENTS = {
    "gorodetsky-welcomes-business": (
        "gorodetsky",
        "assessment",
        "values",
        "novosibirsk-region-government",
    ),
    "novosibirsk-three-regions": ("gorodetsky", "fact", "cooperates_with", None),
    "elsib-exports": ("gorodetsky", "fact", "supplies_to", "elsib"),
    "fruit-and-vegetable-supplies": (
        "gorodetsky",
        "fact",
        "values",
        "novosibirsk-region-government",
    ),
    "avtovaz-car-plant": ("kosherbayev", "fact", "builds", "avtovaz"),
    "bipek-avto-car-plant": ("kosherbayev", "fact", "builds", "bipek-avto"),
    "car-plant-capacity": ("kosherbayev", "design_capacity", "builds", None),
    "aluminium-wheels": ("kosherbayev", "assessment", "supplies_to", None),
    "avtovaz-distribution-network": ("kosherbayev", "fact", "builds", "avtovaz"),
    "bipek-avto-distribution-network": ("kosherbayev", "fact", "builds", "bipek-avto"),
    "dairies-supply-novosibirsk": ("kosherbayev", "fact", "supplies_to", None),
    "milk-project-supplies-novosibirsk": ("kosherbayev", "fact", "supplies_to", "milk-project"),
    "dairy-own-brands": ("kosherbayev", "fact", "cooperates_with", None),
    "scientific-ties": ("kosherbayev", "wish", "calls_for", None),
    "cluster-approach": ("znatkov", "assessment", "values", "novosibirsk-region-government"),
    "znatkov-on-meetings": ("znatkov", "assessment", "values", "novosibirsk-region-government"),
    "joint-ventures-matter": ("akhanova", "assessment", "values", "foreign-trade-chamber-kz"),
}

# The sentence that states the record's fact.
STATED_IN = {
    MISSION: 1,
    "/reported-totals/novosibirsk-april-companies": 3,
    "/participations/embassy-organizer": 4,
    "/participations/foreign-trade-chamber-organizer": 4,
    "/participations/kaznex-invest-organizer": 4,
    "/participations/embassy-press-service-informant": 2,
    "/delegates/kosherbayev": 3,
    "/delegates/dychko": 3,
    "/delegates/gorodetsky": 6,
    "/delegates/znatkov": 19,
    "/delegates/akhanova": 21,
    "/organizations/elsib": 8,
    "/organizations/avtovaz": 10,
    "/organizations/bipek-avto": 14,
    "/organizations/milk-project": 15,
    "/organizations/pavlodar-aluminium-enterprise": 12,
    "/agreements/housemaster-progmatik-jv": 23,
    "/agreements/kazenergokabel-memorandum-1": 23,
    "/agreements/kazenergokabel-memorandum-2": 23,
    "/agreements/nobel-katren-supply": 24,
    "/agreements/alina-office": 25,
    "/agreements/kaznex-invest-office": 26,
    "/events/novosibirsk-round-table": 22,
    "/events/kaznex-invest-office-opening": 26,
    "/statements/novosibirsk-three-regions": 7,
    "/statements/elsib-exports": 8,
    "/statements/fruit-and-vegetable-supplies": 9,
    "/statements/avtovaz-car-plant": 10,
    "/statements/bipek-avto-car-plant": 10,
    "/statements/car-plant-capacity": 10,
    "/statements/aluminium-wheels": 13,
    "/statements/avtovaz-distribution-network": 14,
    "/statements/bipek-avto-distribution-network": 14,
    "/statements/dairies-supply-novosibirsk": 15,
    "/statements/dairy-own-brands": 16,
    "/statements/scientific-ties": 18,
    "/statements/cluster-approach": 19,
    "/statements/znatkov-on-meetings": 20,
    "/statements/joint-ventures-matter": 21,
}

# The narrowest passage that states a field; read off the article.
PASSAGES = {
    (MISSION, "/dates"): (20, 37),
    (MISSION, "/host_region"): (85, 106),
    ("/reported-totals/novosibirsk-april-companies", "/value"): (343, 345),
    ("/delegates/kosherbayev", "/position"): (222, 257),
    ("/delegates/akhanova", "/person_id"): (3280, 3296),
    ("/organizations/elsib", "/name"): (1051, 1056),
    ("/organizations/progmatik", "/legal_form"): (3697, 3700),
    ("/agreements/housemaster-progmatik-jv", "/instrument"): (3603, 3624),
    ("/agreements/kazenergokabel-memorandum-1", "/instrument"): (3714, 3729),
    ("/agreements/nobel-katren-supply", "/amount"): (4090, 4096),
    ("/agreements/nobel-katren-supply", "/currency"): (4097, 4109),
    ("/agreements/nobel-katren-supply", "/amount_text"): (4090, 4109),
    ("/agreements/alina-office", "/due"): (4251, 4257),
    ("/agreements/kaznex-invest-office", "/place_city"): (4393, 4405),
    ("/statements/car-plant-capacity", "/quantity"): (1579, 1588),
    ("/statements/elsib-exports", "/quantity_bound"): (1067, 1072),
}

# What the article does not say in so many words.
INFERRED = (
    ("/delegates/kosherbayev", "/capacity"),
    ("/organizations/progmatik", "/country"),
    ("/organizations/alina", "/sectors/0"),
    ("/agreements/kazenergokabel-memorandum-1", "/parties/0/organization_id"),
    ("/agreements/kazenergokabel-memorandum-2", "/certainty"),
    ("/agreements/nobel-katren-supply", "/mission_id"),
    ("/statements/scientific-ties", "/speaker_id"),
)


def seeded_records() -> Iterator[str]:
    """The address of every record that the seed file takes from the article."""
    file = Path(__file__).parents[1] / "seeds" / "kazinform-novosibirsk.toml"
    for collection, records in tomllib.loads(file.read_text()).items():
        if collection != "sources":
            yield from (f"/{collection}/{record['ref']}" for record in records)


@pytest.fixture(scope="module")
async def article(
    template_url: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a seeded application that nobody writes to."""
    folder = tmp_path_factory.mktemp("article")
    async with copy_of(template_url, folder) as url, serving(url) as app, client_of(app) as client:
        yield client


async def read(article: httpx.AsyncClient, path: str) -> Any:
    answer = await article.get(path)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def read_all(article: httpx.AsyncClient, path: str) -> list[dict[str, Any]]:
    page = await read(article, f"{path}?limit=1000")
    assert page["page"]["next_cursor"] is None
    records: list[dict[str, Any]] = page["data"]
    return records


async def by_ref(article: httpx.AsyncClient, path: str) -> dict[str, dict[str, Any]]:
    return {record["ref"]: record for record in await read_all(article, path)}


async def refs(article: httpx.AsyncClient, path: str) -> dict[str | None, str | None]:
    """The ref of each id of a collection, and None for no id."""
    return {None: None} | {r["id"]: r["ref"] for r in await read_all(article, path)}


def fields(record: Mapping[str, Any], *names: str) -> tuple[Any, ...]:
    return tuple(record[name] for name in names)


# The mission and its source


async def test_there_is_one_mission_though_the_article_names_it_in_three_ways(
    article: httpx.AsyncClient,
) -> None:
    assert list(await by_ref(article, "/missions")) == ["novosibirsk-april"]


async def test_the_mission_went_out_from_kazakhstan_to_the_novosibirsk_region(
    article: httpx.AsyncClient,
) -> None:
    mission = await read(article, MISSION)
    route = fields(mission, "kind", "status", "sending_country", "host_country", "host_region")
    assert route == ("outward_mission", "held", "KZ", "RU", "RU-NVS")


async def test_the_mission_has_no_year(article: httpx.AsyncClient) -> None:
    mission = await read(article, MISSION)
    dates = fields(mission, "dates", "dates_earliest", "dates_latest")
    assert dates == ("XXXX-04-11/XXXX-04-13", None, None)


async def test_the_companies_came_from_four_sectors(article: httpx.AsyncClient) -> None:
    assert (await read(article, MISSION))["sectors"] == ["F", "C10", "C20", "C21"]


async def test_three_organizations_organized_and_the_press_service_informed(
    article: httpx.AsyncClient,
) -> None:
    names = await refs(article, "/organizations")
    parts = await read_all(article, f"{MISSION}/participations")
    roles: dict[str, set[str | None]] = {}
    for part in parts:
        roles.setdefault(part["role"], set()).add(names[part["organization_id"]])
    assert roles["organizer"] == {
        "kz-embassy-in-russia",
        "foreign-trade-chamber-kz",
        "kaznex-invest",
    }
    assert roles["informant"] == {"kz-embassy-in-russia-press-service"}


async def test_the_source_is_in_russian_and_reported_from_moscow_without_a_date(
    article: httpx.AsyncClient,
) -> None:
    source = await read(article, "/sources/kazinform-novosibirsk")
    names = await refs(article, "/organizations")
    assert fields(source, "publisher", "language", "dateline") == ("Kazinform", "ru", "МОСКВА")
    assert fields(source, "published", "published_earliest", "url") == (None, None, None)
    assert names[source["reported_by_id"]] == "kz-embassy-in-russia-press-service"


async def test_the_articles_text_is_not_shipped(article: httpx.AsyncClient) -> None:
    source = await read(article, "/sources/kazinform-novosibirsk")
    assert fields(source, "sha256", "char_count", "has_text") == (SHA256, CHARACTERS, False)
    assert (await article.get("/sources/kazinform-novosibirsk/text")).status_code == 404


async def test_moscow_is_the_place_of_nothing_but_the_report(article: httpx.AsyncClient) -> None:
    cities = {(await read(article, MISSION))["host_city"]}
    for collection in ("events", "agreements"):
        cities |= {r["place_city"] for r in await read_all(article, f"{MISSION}/{collection}")}
    assert cities == {None, "Новосибирск"}


# Events


async def test_there_were_a_round_table_and_the_opening_of_an_office(
    article: httpx.AsyncClient,
) -> None:
    events = await by_ref(article, f"{MISSION}/events")
    assert {
        ref: fields(event, "kind", "place_region", "dates") for ref, event in events.items()
    } == {
        "novosibirsk-round-table": ("round_table", "RU-NVS", None),
        "kaznex-invest-office-opening": ("office_opening", "RU-NVS", None),
    }


async def test_only_the_joint_venture_and_the_memoranda_are_tied_to_the_round_table(
    article: httpx.AsyncClient,
) -> None:
    names = await refs(article, f"{MISSION}/events")
    agreements = await by_ref(article, f"{MISSION}/agreements")
    assert {ref: names[agreement["event_id"]] for ref, agreement in agreements.items()} == {
        "housemaster-progmatik-jv": "novosibirsk-round-table",
        "kazenergokabel-memorandum-1": "novosibirsk-round-table",
        "kazenergokabel-memorandum-2": "novosibirsk-round-table",
        "nobel-katren-supply": None,
        "alina-office": None,
        "kaznex-invest-office": "kaznex-invest-office-opening",
    }


# People


async def test_five_people_are_named(article: httpx.AsyncClient) -> None:
    people = {person["full_name"] for person in await read_all(article, "/people")}
    assert people == {name for name, *_ in DELEGATES.values()}
    assert set(await by_ref(article, f"{MISSION}/delegates")) == set(DELEGATES)


@pytest.mark.parametrize("ref", DELEGATES)
async def test_a_person_took_part_in_this_capacity(article: httpx.AsyncClient, ref: str) -> None:
    name, position, organization, capacity = DELEGATES[ref]
    delegate = await read(article, f"/delegates/{ref}")
    person = await read(article, f"/people/{delegate['person_id']}")
    names = await refs(article, "/organizations")
    assert person["full_name"] == name
    assert delegate["position"].startswith(position)
    assert names[delegate["organization_id"]] == organization
    assert fields(delegate, "side", "capacity", "certainty") == capacity


async def test_the_delegation_has_a_head_who_is_only_probable(article: httpx.AsyncClient) -> None:
    delegates = await read_all(article, f"{MISSION}/delegates")
    heads = [
        fields(d, "ref", "certainty") for d in delegates if d["capacity"] == "head_of_delegation"
    ]
    assert heads == [("kosherbayev", "probable")]


async def test_akhanova_was_not_in_the_delegation(article: httpx.AsyncClient) -> None:
    delegates = await read_all(article, f"{MISSION}/delegates")
    members = {d["ref"] for d in delegates if d["side"] == "delegation"}
    assert members == {"kosherbayev", "dychko"}


# Organizations


async def test_nineteen_organizations_are_spoken_of(article: httpx.AsyncClient) -> None:
    assert set(await by_ref(article, "/organizations")) == set(ORGANIZATIONS)


@pytest.mark.parametrize("ref", ORGANIZATIONS)
async def test_an_organization_has_the_kind_country_and_form_that_are_known(
    article: httpx.AsyncClient, ref: str
) -> None:
    organization = await read(article, f"/organizations/{ref}")
    assert fields(organization, "kind", "country", "legal_form") == ORGANIZATIONS[ref]


@pytest.mark.parametrize("ref", SECTORS)
async def test_a_company_has_the_sectors_that_follow_from_the_article(
    article: httpx.AsyncClient, ref: str
) -> None:
    assert (await read(article, f"/companies/{ref}"))["sectors"] == SECTORS[ref]


async def test_companies_are_the_organizations_that_are_companies(
    article: httpx.AsyncClient,
) -> None:
    assert set(await by_ref(article, "/companies")) == set(COMPANIES)


async def test_avtovaz_and_bipek_auto_are_two_companies(article: httpx.AsyncClient) -> None:
    companies = await by_ref(article, "/companies")
    names = fields(companies["avtovaz"], "name") + fields(companies["bipek-avto"], "name")
    assert names == ("АвтоВАЗ", "БИПЭК Авто")


async def test_only_the_aluminium_enterprise_is_unnamed(article: httpx.AsyncClient) -> None:
    organizations = await by_ref(article, "/organizations")
    unnamed = {ref: o["region"] for ref, o in organizations.items() if not o["is_named"]}
    assert unnamed == {"pavlodar-aluminium-enterprise": "KZ-55"}


async def test_kaznex_invest_is_one_organization_with_two_spellings(
    article: httpx.AsyncClient,
) -> None:
    organization = await read(article, "/organizations/kaznex-invest")
    assert fields(organization, "name", "other_names") == ("Kaznex Invest", ["KAZNEX INVEST"])


async def test_the_press_service_is_part_of_the_embassy(article: httpx.AsyncClient) -> None:
    service = await read(article, "/organizations/kz-embassy-in-russia-press-service")
    names = await refs(article, "/organizations")
    assert names[service["parent_id"]] == "kz-embassy-in-russia"


async def test_milk_project_may_be_the_kokshetau_plant_or_another(
    article: httpx.AsyncClient,
) -> None:
    company = await read(article, "/companies/milk-project")
    assert fields(company, "region", "city") == (None, None)
    assert "mbiguous" in company["note"]
    assert "Kokshetau" in company["note"]


# Agreements


async def test_there_are_six_agreements(article: httpx.AsyncClient) -> None:
    assert set(await by_ref(article, f"{MISSION}/agreements")) == set(AGREEMENTS)


@pytest.mark.parametrize("ref", AGREEMENTS)
async def test_an_agreement_is_of_this_kind_and_status(
    article: httpx.AsyncClient, ref: str
) -> None:
    agreement = await read(article, f"/agreements/{ref}")
    kind = fields(agreement, "instrument", "bindingness", "status", "certainty")
    assert kind == AGREEMENTS[ref]


@pytest.mark.parametrize("ref", AGREEMENTS)
async def test_an_agreement_has_these_parties_in_these_roles(
    article: httpx.AsyncClient, ref: str
) -> None:
    names = await refs(article, "/organizations")
    parties = (await read(article, f"/agreements/{ref}"))["parties"]
    assert [(names[p["organization_id"]], p["role"]) for p in parties] == PARTIES[ref]
    assert all(p["description"] for p in parties if p["organization_id"] is None)


async def test_nobel_and_katren_contracted_for_exactly_five_million_dollars(
    article: httpx.AsyncClient,
) -> None:
    agreement = await read(article, "/agreements/nobel-katren-supply")
    money = fields(agreement, "amount", "currency", "amount_bound", "amount_kind")
    assert money == (5_000_000, "USD", "exact", "contract_value")


@pytest.mark.parametrize("ref", WITHOUT_AMOUNT)
async def test_the_other_agreements_have_no_amount(article: httpx.AsyncClient, ref: str) -> None:
    agreement = await read(article, f"/agreements/{ref}")
    named = {n: v for n, v in agreement.items() if "amount" in n or n == "currency"}
    assert named.pop("amount_by_year") == []
    assert set(named.values()) == {None}


async def test_the_domestic_goods_are_kazakhstans(article: httpx.AsyncClient) -> None:
    agreement = await read(article, "/agreements/nobel-katren-supply")
    assert "Казахстан" in agreement["subject"]
    assert "Kazakhstan" in agreement["subject_en"]
    assert "Russia" not in agreement["subject_en"]


async def test_the_seat_of_the_joint_venture_is_not_the_place_of_signing(
    article: httpx.AsyncClient,
) -> None:
    agreement = await read(article, "/agreements/housemaster-progmatik-jv")
    assert "Astana" in agreement["subject_en"]
    assert fields(agreement, "place_country", "place_region", "place_city") == (None, None, None)


@pytest.mark.parametrize("ref", ["alina-office", "kaznex-invest-office"])
async def test_an_office_is_in_novosibirsk(article: httpx.AsyncClient, ref: str) -> None:
    agreement = await read(article, f"/agreements/{ref}")
    place = fields(agreement, "place_country", "place_region", "place_city")
    assert place == ("RU", "RU-NVS", "Новосибирск")


async def test_alina_plans_for_a_june_without_a_year(article: httpx.AsyncClient) -> None:
    agreement = await read(article, "/agreements/alina-office")
    assert fields(agreement, "due", "due_earliest", "due_latest") == ("XXXX-06", None, None)


async def test_the_kaznex_invest_office_is_for_exporters_and_investment(
    article: httpx.AsyncClient,
) -> None:
    subject = (await read(article, "/agreements/kaznex-invest-office"))["subject_en"]
    assert "exporters in the Siberian Federal District" in subject
    assert "investment from Russia" in subject


@pytest.mark.parametrize(
    ("ref", "subject"),
    [
        ("kazenergokabel-memorandum-1", "cable and conductor products"),
        ("kazenergokabel-memorandum-2", "outdoor and indoor video surveillance"),
    ],
)
async def test_a_memorandum_is_about_one_subject(
    article: httpx.AsyncClient, ref: str, subject: str
) -> None:
    assert subject in (await read(article, f"/agreements/{ref}"))["subject_en"]


@pytest.mark.parametrize("ref", MEMORANDA)
@pytest.mark.parametrize(
    "reading", ["one memorandum for each", "both about both", "signatory", "maker", "site"]
)
async def test_a_memorandum_keeps_each_reading(
    article: httpx.AsyncClient, ref: str, reading: str
) -> None:
    readings = (await read(article, f"/agreements/{ref}"))["readings"]
    assert any(reading in text.lower() for text in readings)


async def test_what_is_certain_has_no_readings(article: httpx.AsyncClient) -> None:
    agreements = await by_ref(article, f"{MISSION}/agreements")
    assert {ref for ref, agreement in agreements.items() if agreement["readings"]} == set(MEMORANDA)


# Statements


async def test_what_was_said_is_seventeen_statements(article: httpx.AsyncClient) -> None:
    assert set(await by_ref(article, f"{MISSION}/statements")) == set(STATEMENTS)


@pytest.mark.parametrize("ref", STATEMENTS)
async def test_a_statement_has_its_speaker_sense_and_subject(
    article: httpx.AsyncClient, ref: str
) -> None:
    speakers = await refs(article, "/delegates")
    names = await refs(article, "/organizations")
    statement = await read(article, f"/statements/{ref}")
    sense = fields(statement, "modality", "predicate")
    assert (
        speakers[statement["speaker_id"]],
        *sense,
        names[statement["subject_id"]],
    ) == STATEMENTS[ref]


async def test_only_two_statements_are_direct_speech(article: httpx.AsyncClient) -> None:
    statements = await by_ref(article, f"{MISSION}/statements")
    quotes = {ref for ref, statement in statements.items() if statement["is_quote"]}
    assert quotes == {"gorodetsky-welcomes-business", "znatkov-on-meetings"}


async def test_the_car_plant_is_designed_for_120_000_cars(article: httpx.AsyncClient) -> None:
    statement = await read(article, "/statements/car-plant-capacity")
    assert fields(statement, "quantity", "unit") == (120_000, "vehicle")


async def test_elsib_sells_at_least_a_third_to_kazakhstan(article: httpx.AsyncClient) -> None:
    statement = await read(article, "/statements/elsib-exports")
    assert fields(statement, "quantity_bound", "unit") == ("at_least", "percent")
    assert statement["quantity"] == pytest.approx(100 / 3, abs=0.01)


async def test_no_other_statement_has_a_quantity(article: httpx.AsyncClient) -> None:
    statements = await by_ref(article, f"{MISSION}/statements")
    counted = {ref for ref, statement in statements.items() if statement["quantity"] is not None}
    assert counted == {"car-plant-capacity", "elsib-exports"}


# The right answers


async def test_thirty_five_companies_are_reported(article: httpx.AsyncClient) -> None:
    totals = await read_all(article, f"{MISSION}/reported-totals")
    assert [fields(t, "measure", "value", "bound", "currency") for t in totals] == [
        ("companies", 35, "exact", None)
    ]


async def test_the_thirty_five_are_not_added_to_anything(article: httpx.AsyncClient) -> None:
    summary = await read(article, f"{MISSION}/summary")
    companies = await by_ref(article, f"{MISSION}/companies")
    assert [fields(t, "measure", "value") for t in summary["reported_totals"]] == [
        ("companies", 35)
    ]
    assert fields(summary, "delegates", "agreements", "outcomes") == (5, 6, 0)
    assert summary["participations"] == len(await read_all(article, f"{MISSION}/participations"))
    assert set(companies) == {
        "housemasterkz",
        "progmatik",
        "kazenergokabel",
        "nobel-aff",
        "katren",
        "alina",
    }


async def test_four_instruments_were_signed_and_the_plan_is_none_of_them(
    article: httpx.AsyncClient,
) -> None:
    summary = await read(article, f"{MISSION}/summary")
    assert fields(summary, "agreements", "signed_instruments", "ambiguous") == (6, 4, 2)
    assert summary["by_bindingness"] == {
        "binding": 2,
        "non_binding": 2,
        "announcement": 1,
        "accomplished": 1,
        "unknown": 0,
    }


async def test_the_summary_counts_each_status(article: httpx.AsyncClient) -> None:
    by_status = (await read(article, f"{MISSION}/summary"))["by_status"]
    assert {status: count for status, count in by_status.items() if count} == {
        "announced": 1,
        "signed": 4,
        "completed": 1,
    }


async def test_five_million_dollars_are_from_one_agreement_of_six(
    article: httpx.AsyncClient,
) -> None:
    summary = await read(article, f"{MISSION}/summary")
    totals = [fields(t, "currency", "amount", "agreements") for t in summary["totals"]]
    assert totals == [("USD", 5_000_000, 1)]
    assert summary["without_amount"] == 5


async def test_nothing_falls_in_any_year(article: httpx.AsyncClient) -> None:
    assert (await read(article, f"{MISSION}/summary"))["undated"] == 6
    for collection in ("missions", "events", "agreements", "outcomes"):
        for record in await read_all(article, f"/{collection}"):
            bounds = {n for n in record if n.endswith(("_earliest", "_latest"))}
            assert bounds
            assert {record[name] for name in bounds} == {None}


# Not said, and so left empty


@pytest.mark.parametrize("ref", AGREEMENTS)
async def test_the_day_of_signing_is_not_said(article: httpx.AsyncClient, ref: str) -> None:
    assert (await read(article, f"/agreements/{ref}"))["signed"] is None


async def test_the_shares_and_sector_of_the_joint_venture_are_not_said(
    article: httpx.AsyncClient,
) -> None:
    agreement = await read(article, "/agreements/housemaster-progmatik-jv")
    assert [party["share_percent"] for party in agreement["parties"]] == [None, None]
    assert agreement["sectors"] == []


@pytest.mark.parametrize("ref", COMPANIES)
async def test_a_companys_city_and_number_are_not_said(
    article: httpx.AsyncClient, ref: str
) -> None:
    assert fields(await read(article, f"/companies/{ref}"), "city", "identifiers") == (None, [])


async def test_no_number_of_presented_projects_is_said(article: httpx.AsyncClient) -> None:
    totals = await read_all(article, "/reported-totals")
    assert {total["measure"] for total in totals} == {"companies"}


# The evidence


@pytest.mark.parametrize("path", list(seeded_records()))
async def test_a_record_rests_on_passages_of_the_article(
    article: httpx.AsyncClient, path: str
) -> None:
    source = await read(article, "/sources/kazinform-novosibirsk")
    record = await read(article, path)
    citations = await read_all(article, f"{path}/citations")
    assert citations
    assert all(0 <= c["start"] < c["end"] <= CHARACTERS for c in citations)
    assert {fields(c, "source_id", "record_id") for c in citations} == {
        (source["id"], record["id"])
    }


@pytest.mark.parametrize(("path", "number"), STATED_IN.items())
async def test_a_record_is_cited_from_the_sentence_that_states_it(
    article: httpx.AsyncClient, path: str, number: int
) -> None:
    start, end = SENTENCES[number]
    citations = await read_all(article, f"{path}/citations")
    assert any(start <= c["start"] and c["end"] <= end for c in citations)


@pytest.mark.parametrize(("path", "field"), PASSAGES)
async def test_a_field_is_cited_from_the_narrowest_passage(
    article: httpx.AsyncClient, path: str, field: str
) -> None:
    citations = await read_all(article, f"{path}/citations")
    assert PASSAGES[path, field] in {
        fields(c, "start", "end") for c in citations if c["field"] == field
    }


@pytest.mark.parametrize(("path", "field"), INFERRED)
async def test_what_is_inferred_is_not_called_stated(
    article: httpx.AsyncClient, path: str, field: str
) -> None:
    citations = await read_all(article, f"{path}/citations")
    assert {c["assertion"] for c in citations if c["field"] == field} == {"inferred"}


async def test_no_quote_is_shown_without_the_text(article: httpx.AsyncClient) -> None:
    citations = await read_all(article, "/citations")
    assert {fields(c, "quote", "sentence") for c in citations} == {(None, None)}
