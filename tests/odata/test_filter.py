"""`$filter`: the grammar of OData, and which records each expression finds."""

from typing import Any

import httpx
import pytest

from tests.examples import create

Client = httpx.AsyncClient
DEAL = {"instrument": "supply_contract", "status": "announced"}
#: Expressions, and which of the agreements a to e they find.
CASES = {
    # Comparisons, with values on either side.
    "status eq 'signed'": "ab",
    "'signed' eq status": "ab",
    "status ne 'signed'": "cde",
    "amount gt 100": "ad",
    "amount ge 100": "abd",
    "100 lt amount": "ad",
    "amount lt 100.5": "b",
    "amount le 250.25": "ab",
    "amount eq 250.25": "a",
    "amount eq 2.5025e2": "a",
    "amount eq null": "ce",
    "amount ne null": "abd",
    "null eq amount": "ce",
    "amount ne 100": "acde",
    "title eq null": "",
    "mission/title ne null": "abcde",
    "event/title eq null": "abcde",
    "not (amount gt 100)": "bce",
    "stands_for eq -1": "",
    "stands_for gt -(1)": "abcde",
    # Truth.
    "was_signed": "ab",
    "not was_signed": "cde",
    "was_signed eq true": "ab",
    "was_signed eq false": "cde",
    "(status eq 'signed') eq false": "cde",
    "contains(title,'eta') eq true": "b",
    "contains(title,'eta') ne true": "acde",
    "not contains(title,'eta')": "acde",
    # and binds closer than or; parentheses are closest; words in capitals are names.
    "status eq 'signed' and amount gt 100 or title eq 'Gamma'": "ac",
    "status eq 'signed' and (amount gt 100 or title eq 'Gamma')": "a",
    "not (status eq 'signed' or title eq 'Gamma')": "de",
    "not status eq 'signed' and amount gt 1": "d",
    "title in ('Alpha','Gamma')": "ac",
    "not (title in ('Alpha'))": "bcde",
    "id in ({a},{b})": "ab",
    "id eq {a}": "a",
    "id eq '{a}'": "a",
    "mission/title eq 'A visit'": "abcde",
    "$it/title eq 'Alpha'": "a",
    # Texts.
    "title eq 'O''Neil'": "e",
    "contains(title,'''')": "e",
    "startswith(title,'Al')": "a",
    "endswith(title,'a')": "abcd",
    "contains(tolower(title),'alph')": "a",
    "tolower(title) eq 'alpha'": "a",
    "tolower(title) eq 'Alpha'": "",
    "toupper(title) eq 'ALPHA'": "a",
    "contains(toupper(title),'ALPH')": "a",
    "startswith(tolower(title),'al')": "a",
    "tolower(subject) eq 'ткани'": "b",
    "contains(status,'ign')": "ab",
    "startswith(status,'sig')": "ab",
    "length(title) eq 5": "acd",
    "length(title) gt 5": "e",
    "length(subject) eq 5": "b",
    "trim(title) eq 'Alpha'": "a",
    "concat(title,'!') eq 'Alpha!'": "a",
    "indexof(title,'m') eq 2": "cd",
    "substring(title,3) eq 'ha'": "a",
    "substring(title,-1) eq 'Alpha'": "a",
    "substring(title,9999999999) eq ''": "abcde",
    "substring(title,amount_max sub amount) eq ''": "b",
    "substring(title,amount_max sub 149) eq 'eta'": "b",
    "substring(title,amount_max mul 0.01) eq 'eta'": "b",
    "title eq title": "abcde",
    "title eq title_en": "a",
    "title ne title_en": "bcde",
    "length(title_en) eq null": "bcde",
    # Sums, exact whatever the digits.
    "amount add 1 eq 251.25": "a",
    "amount sub 0.25 eq 250": "a",
    "amount mul 2 gt 500": "ad",
    "amount mul stands_for ge 250.25": "ad",
    "amount_max gt amount": "b",
    "stands_for mul 2000000000 mul stands_for mul version gt 3000000000": "d",
    "amount_max sub amount eq 50": "b",
    "-amount lt -100": "ad",
    "amount " + "mul amount " * 38 + "gt 1": "abd",
    "was_signed" + " eq true" * 39: "ab",
    "0.1 add 0.2 eq amount": "",
    # Dates and moments.
    "signed_earliest eq 2016-04-12": "a",
    "signed_earliest gt 2016-04-12": "b",
    "year(signed_earliest) eq 2016": "a",
    "month(signed_earliest) eq 4 and day(signed_earliest) eq 12": "a",
    "year(created_at) ge 2020": "abcde",
    "hour(created_at) lt 24 and minute(created_at) lt 60 and second(created_at) le 60": "abcde",
    "created_at le now()": "abcde",
    "now() lt created_at": "",
    "created_at gt 2020-01-01T00:00:00Z": "abcde",
    "created_at gt 2020-01-01T06:00:00+06:00": "abcde",
    "date(created_at) gt 2020-01-01": "abcde",
    "date(created_at) eq 2020-01-01": "",
    "signed eq '2016-04-12'": "a",
    # Relations, parts and lists.
    "parties/any()": "ab",
    "not parties/any()": "cde",
    "parties/any(p:p/role eq 'buyer')": "a",
    "parties/any(p: p/role eq 'buyer' and p/organization/name eq 'Fabric')": "a",
    "parties/all(p: p/role eq 'supplier')": "bcde",
    "outcomes/any(o: o/jobs gt 2)": "a",
    "outcomes/any(o: length(o/note) eq 4)": "a",
    "mission/agreements/any(x: x/title eq 'Beta')": "abcde",
    "sectors/any(s: s eq 'F')": "a",
    "sectors/any(s: s eq 'F' or s eq 'C10')": "ab",
    "sectors/any(s: s in ('F','C10'))": "ab",
    "sectors/all(s: s ne 'F')": "bcde",
    "sectors/any()": "ab",
    "not sectors/any()": "cde",
    # What is given elsewhere in the address.
    "title eq @t": "a",
    "title in (@t,'Beta')": "ab",
}
#: Expressions that are none, and what the answer says of each.
WRONG = {
    "": "Is empty",
    "status": "Character 1",
    "status eq": "Character 10",
    "status eq 'signed": "not closed",
    'status eq "signed"': "single quotes",
    "status = 'signed'": "eq instead of =",
    "status eq 'signed' && true": "and instead of &",
    "(status eq 'signed'": "not closed",
    "status eq 'signed')": "Leave out this )",
    "status eq 'signed' ad title eq 'x'": "Did you mean",
    "stotus eq 'signed'": "Did you mean",
    "status eq 'sined'": "Did you mean",
    "amount gt 'x'": "a number",
    "amount gt null": "null after eq",
    "1 eq 1": "not two values",
    "true": "condition",
    "amount add 1": "condition",
    "length(title)": "condition",
    "length(amount) eq 1": "takes a text",
    "length(title,1) eq 1": "1 arguments",
    "length(title) eq 'x'": "compared with",
    "hour(signed_earliest) eq 1": "takes a date",
    "title add 1 eq 2": "take numbers",
    "parties/role eq 'buyer'": "any",
    "parties/any(p: role eq 'buyer')": "begin with p",
    "parties/any(role eq 'buyer')": "colon",
    "title in 'Alpha'": "parentheses",
    "title in (title)": "values alone",
    "title eq @x": "@x",
    "amount mul 1234567890123456 gt 1": "15 digits",
    "not " * 30 + "was_signed": "at most 20 levels",
    "was_signed or " * 400 + "was_signed": "at most 300 operators",
    "(" * 40 + "was_signed" + ")" * 40: "at most 20 levels",
    "title eq 'x' " * 800: "at most 8000",
    "amount " + "mul amount " * 100 + "gt 1": "at most 40 operators",
    "was_signed" + " eq true" * 200: "at most 40 operators",
    "title eq '\x7f' §": "Leave out",
}
#: What OData has and this service has not: 501 with its name (OData 4.0 Protocol, 13.1.2).
UNSUPPORTED = {
    "amount div 2 gt 1": "div",
    "amount mod 2 eq 1": "mod",
    "round(amount) eq 1": "round",
    "floor(amount) eq 1": "floor",
    "geo.distance(title,title) lt 1": "geo.distance",
    "isof(title,'Edm.String')": "isof",
    "cast(amount,'Edm.String') eq '1'": "cast",
    "matchesPattern(title,'a')": "matchesPattern",
    "substring(title,1,2) eq 'l'": "substring",
    "parties/$count gt 1": "$count",
    "created_at gt duration'P1D'": "duration",
    "time(created_at) eq 10:00:00": "10:00:00",
    "sectors/any(s: startswith(s,'C'))": "any(s: s eq",
    "created_at sub created_at eq duration'P1D'": "duration",
}


async def _asked(client: Client, expression: str, **more: str) -> httpx.Response:
    query = {"$filter": expression, "$select": "title", "@t": "'Alpha'", **more}
    return await client.get("/odata/agreements", params=query)


@pytest.fixture
async def made(client: Client) -> dict[str, Any]:
    """A mission with the agreements a to e, by letter, and `mission`."""
    mission = await create(client, "missions", {"title": "A visit", "kind": "trade_fair"})
    company = await create(client, "companies", {"name": "Fabric", "country": "KZ"})
    parties = [
        {"organization_id": company["id"], "role": "buyer"},
        {"description": "A seller", "role": "supplier"},
    ]
    bodies: dict[str, dict[str, Any]] = {
        "a": {
            "title": "Alpha",
            "title_en": "Alpha",
            "status": "signed",
            "signed": "2016-04-12",
            "amount": "250.25",
            "parties": parties,
            "sectors": ["F"],
        },
        "b": {
            "title": "Beta",
            "subject": "ТКАНИ",
            "status": "signed",
            "signed": "2017",
            "amount": "100",
            "amount_max": "150",
            "parties": parties[1:],
            "sectors": ["C10"],
        },
        "c": {"title": "Gamma"},
        "d": {"title": "Lamda", "stands_for": 99999, "amount": "1000000000000.25"},
        "e": {"title": "O'Neil"},
    }
    found: dict[str, Any] = {"mission": mission}
    for letter, body in bodies.items():
        money = {"currency": "USD"} if "amount" in body else {}
        whole = {"mission_id": mission["id"], **DEAL, **money, **body}
        found[letter] = await create(client, "agreements", whole)
    outcome = {"agreement_id": found["a"]["id"], "jobs": 3, "note": "four"}
    await create(client, "outcomes", outcome)
    return found


async def test_each_expression_finds_what_it_says(client: Client, made: dict[str, Any]) -> None:
    letters = {made[letter]["title"]: letter for letter in "abcde"}
    own = f"mission_id eq {made['mission']['id']} and"
    ids = {letter: made[letter]["id"] for letter in "abcde"}
    wrong = {}
    for expression, expected in CASES.items():
        answer = await _asked(client, f"{own} ({expression.format(**ids)})")
        found: object = answer.text
        if answer.status_code == 200:
            found = "".join(sorted(letters[each["title"]] for each in answer.json()["value"]))
        if found != expected:
            wrong[expression] = (found, expected)
    assert not wrong


async def test_what_is_no_expression_is_told_with_its_place(client: Client) -> None:
    wrong: dict[str, object] = {}
    for expression, said in WRONG.items():
        answer = await _asked(client, expression)
        error = answer.json().get("error", {})
        if answer.status_code != 400 or said not in error["message"]:
            wrong[expression[:60]] = (answer.status_code, answer.text[:300])
        elif error["target"] != "$filter":
            wrong[expression[:60]] = ("target", answer.text[:300])
    assert not wrong


async def test_what_is_not_supported_is_a_501_with_its_name(client: Client) -> None:
    wrong = {}
    for expression, name in UNSUPPORTED.items():
        answer = await _asked(client, expression)
        if answer.status_code != 501 or name not in answer.json()["error"]["message"]:
            wrong[expression] = (answer.status_code, answer.text)
    assert not wrong


async def test_counts_are_those_of_the_lists(client: Client, made: dict[str, Any]) -> None:
    wrong = {}
    for expression in (
        "status eq 'signed'",
        "amount gt 100 or amount eq null",
        "not (status in ('signed','announced'))",
        "contains(tolower(title),'а')",
        "signed_earliest ge 2016-01-01",
        "created_at le now()",
        "sectors/any(s: s eq 'F')",
    ):
        theirs = expression.replace("created_at le now()", "created_at le 2999-01-01")
        theirs = theirs.replace("sectors/any(s: s eq 'F')", "sectors has 'F'")
        query = {"filter": theirs, "count": "exact", "limit": "1"}
        listed = (await client.get("/agreements", params=query)).json()["page"]["total"]
        for name in ("agreements", "flat_agreements"):
            if name.startswith("flat") and "any" in expression:
                continue
            counted = await client.get(f"/odata/{name}/$count", params={"$filter": expression})
            if counted.text != str(listed):
                wrong[name, expression] = (counted.text[:200], listed)
    assert not wrong
