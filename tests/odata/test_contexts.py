"""Context URLs: of every way to ask the 4.0 form exactly, for Excel and Power BI refuse others."""

import re

import httpx

Client = httpx.AsyncClient
ROOT = "http://test/odata/"
NOVOSIBIRSK = "novosibirsk-april"
#: Addresses, and the fragment that their context URL ends with; `…` stands for an id.
CONTEXTS = {
    "": "",
    "missions": "missions",
    "missions?$select=title": "missions(title)",
    "missions?$select=title,status": "missions(title,status)",
    "missions?$select=title, status": "missions(title,status)",
    "missions?$select=*": "missions",
    "missions?$select=stops": "missions(stops)",
    "missions?$select=stops/country": "missions(stops/country)",
    "missions?$select=title,agreements": "missions(title,agreements)",
    "missions?$expand=agreements": "missions",
    "missions?$expand=agreements,events": "missions",
    "missions?$select=title&$expand=agreements": "missions(title,agreements)",
    "missions?$select=title,agreements&$expand=agreements": "missions(title,agreements)",
    "missions?$select=*&$expand=agreements": "missions",
    "missions?$expand=agreements($select=title)": "missions(agreements(title))",
    "missions?$select=title&$expand=agreements($select=title,amount)": (
        "missions(title,agreements(title,amount))"
    ),
    "missions?$select=title&$expand=agreements($expand=event)": "missions(title,agreements)",
    "missions?$select=title&$expand=agreements($select=title;$expand=event)": (
        "missions(title,agreements(title,event))"
    ),
    "missions?$select=title&$expand=agreements($expand=event($select=title))": (
        "missions(title,agreements(event(title)))"
    ),
    "missions?$expand=agreements()": "missions",
    "agreements?$expand=parties/organization": "agreements",
    "agreements?$select=title&$expand=parties/organization($select=name)": (
        "agreements(title,parties/organization(name))"
    ),
    "missions?$top=1&$count=true&$orderby=title&$filter=status ne null": "missions",
    "reported_totals": "reported_totals",
    "flat_agreements": "flat_agreements",
    "flat_agreements?$select=title,amount": "flat_agreements(title,amount)",
    "missions('{key}')": "missions/$entity",
    "missions({id})": "missions/$entity",
    "missions('{id}')": "missions/$entity",
    "missions(id={id})": "missions/$entity",
    "missions({id})?$select=title": "missions(title)/$entity",
    "missions({id})?$expand=events": "missions/$entity",
    "missions({id})?$select=title&$expand=events": "missions(title,events)/$entity",
    "missions({id})/title": "missions(…)/title",
    "missions({id})/other_names": "missions(…)/other_names",
    "missions({id})/stops": "missions(…)/stops",
    "missions({id})/agreements": "agreements",
    "missions({id})/agreements?$select=title": "agreements(title)",
    "agreements('nobel-katren-supply')/mission": "missions/$entity",
    "agreements('nobel-katren-supply')/mission/title": "missions(…)/title",
    "agreements('nobel-katren-supply')/mission/agreements": "agreements",
}


async def test_each_answer_has_the_context_of_what_was_asked(client: Client) -> None:
    record = (await client.get(f"/missions/{NOVOSIBIRSK}")).json()
    wrong = {}
    for address, expected in CONTEXTS.items():
        asked = address.format(id=record["id"], key=NOVOSIBIRSK)
        answer = await client.get(f"/odata/{asked}")
        told = answer.json().get("@odata.context") if answer.status_code == 200 else answer.text
        fragment = re.sub(r"\([0-9a-f-]{36}\)", "(…)", str(told)).partition("#")[2]
        if not str(told).startswith(f"{ROOT}$metadata") or fragment != expected:
            wrong[address] = told
        if "()" in str(told) or answer.headers.get("odata-version") != "4.0":
            wrong[address] = (told, answer.headers)
        none = await client.get(
            f"/odata/{asked}", headers={"Accept": "application/json;odata.metadata=none"}
        )
        if "@odata.context" in none.json() or "metadata=none" not in none.headers["content-type"]:
            wrong[f"{address}, metadata=none"] = none.text[:200]
    assert not wrong


async def test_no_data_is_no_content(client: Client) -> None:
    answers = {
        path: (await client.get(f"/odata/{path}")).status_code
        for path in (
            f"missions('{NOVOSIBIRSK}')/attendance",
            f"missions('{NOVOSIBIRSK}')/attendance/$value",
            f"missions('{NOVOSIBIRSK}')/parent",
        )
    }
    assert set(answers.values()) == {204}, answers


async def test_values_and_counts_are_plain_text(client: Client) -> None:
    answers = {}
    for path in (
        f"missions('{NOVOSIBIRSK}')/status/$value",
        f"missions('{NOVOSIBIRSK}')/version/$value",
        "agreements('nobel-katren-supply')/amount/$value",
        "agreements('nobel-katren-supply')/was_signed/$value",
        "missions/$count?$filter=ref eq 'novosibirsk-april'",
        f"missions('{NOVOSIBIRSK}')/stops/$count",
        f"missions('{NOVOSIBIRSK}')/sectors/$count",
        f"missions('{NOVOSIBIRSK}')/agreements/$count",
    ):
        answer = await client.get(f"/odata/{path}")
        assert answer.headers["content-type"] == "text/plain;charset=utf-8", path
        answers[path] = answer.text
    seeded = (await client.get(f"/missions/{NOVOSIBIRSK}")).json()
    parts = (str(len(seeded[name])) for name in ("stops", "sectors"))
    expected = ["held", "1", "5000000", "true", "1", *parts]
    *found, count = answers.values()
    assert found == expected
    assert int(count) >= 6
