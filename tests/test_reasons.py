"""Refusals give the true reason: what is too large is not called a wrong form."""

from typing import Any

import httpx

#: Each question with what its refusal says.
ASKED = {
    "/agreements?limit=99999999999999999999999": "limit: Must be 9007199254740992 or less.",
    "/agreements?limit=1.5": "limit: Must be a whole number.",
    "/agreements?offset=99999999999999999999999": "offset: Must be 10000 or less.",
    "/changes?since=99999999999999999999999": "since: Must be 9007199254740992 or less.",
    "/agreements?created_at__gt=10000-01-01T00:00:00Z": "the years 0001 to 9999",
    "/agreements?created_at=12026": "the years 0001 to 9999",
    "/agreements?created_at__lt=9999-12-31T23:59:59-05:00": "the years 0001 to 9999",
    "/agreements?signed__gt=10000-01-01": "the years 0001 to 9999",
    "/missions/novosibirsk-april?as_of=10000-01-01T00:00:00Z": "the years 0001 to 9999",
    "/people.csv?bom=yes": "bom: Must be true or false.",
}
#: Each address that is not there with what its 404 says.
ABSENT = {
    "/webhooks/x": "There is no webhook 'x'",
    "/webhooks/x/deliveries": "There is no webhook 'x'",
    "/agreements/aggregate.xlsx": "/agreements/aggregate.csv",
    "/countries": "Did you mean /codes/countries?",
    "/currencies": "Did you mean /codes/currencies?",
    "/sectors": "Did you mean /codes/sectors?",
    "/legal-forms": "Did you mean /codes/legal-forms?",
    "/statuses": "Did you mean /codes/statuses?",
    "/countries/RU": "/codes/countries/RU",
}
NAMES = dict.fromkeys((f"n{number}" for number in range(60_000)), 1)
AGREEMENT = {"title": "X", "instrument": "supply_contract"}
SOURCE = {"title": "X", "publisher": "Y"}
#: Bodies, each with the fault that they have: where, and what is said.
SENT: tuple[tuple[str, dict[str, Any], str, str], ...] = (
    ("agreements", {**AGREEMENT, "amount": "0." + "0" * 30 + "1"}, "/amount", "too many decimals"),
    ("agreements", {**AGREEMENT, "amount": "1" + "0" * 30}, "/amount", "more than 18 digits"),
    ("agreements", {**AGREEMENT, "mission": "some-ref"}, "/mission", '{"ref": "some-ref"}'),
    ("agreements", {**AGREEMENT, "mission_id": "some-ref"}, "/mission_id", '{"ref": "some-ref"}'),
    ("agreements", {**AGREEMENT, "mission_ref": "some"}, "/mission_ref", '{"ref": "some"}'),
    (
        "agreements",
        {**AGREEMENT, "parties": [{"role": "buyer", "organization_id": "some-ref"}]},
        "/parties/0/organization_id",
        '"organization": {"ref": "some-ref"}',
    ),
    ("sources", {**SOURCE, "sha256": "abc"}, "/sha256", "Must be written like '982d9e3eb9"),
    ("sources", {**SOURCE, "sha256": "AB" * 32}, "/sha256", f"Did you mean '{'ab' * 32}'?"),
    ("exchange-rates", {"date": "10000-01-01"}, "/date", "the years 0001 to 9999"),
    ("people", {"full_name": "X"} | NAMES, "/n0", "60,001 names: this one has at most "),
    ("people", {"full_name": "X"} | NAMES, "/n0", "'n0' is none of them"),
    (
        "agreements",
        {**AGREEMENT, "parties": [{"role": "buyer"}, {"role": "seller"} | NAMES]},
        "/parties/1/n0",
        "60,001 names: this one has at most 4, and 'n0' is none of them",
    ),
    ("webhooks", {"name": "X", "url": "h"}, "/url", "Must be written like 'https://example.org"),
    ("webhooks", {"name": "X", "url": "https://h:99999/"}, "/url", "a port from 1 to 65535"),
    ("webhooks", {"name": "X", "url": "https://a.org", "enabled": "yes"}, "/enabled", "true or"),
)
#: Bodies as they are sent, with their Content-Type: the status, and what is said.
RAW: tuple[tuple[bytes, str, int, str], ...] = (
    (b'\xef\xbb\xbf{"full_name": "X"}', "application/json", 201, ""),
    (b'{"full_name": 1e-101}', "application/json", 400, "exponent is beyond 100"),
    (b'{"full_name": "\xe9"}', "application/json; charset=latin-1", 415, "in utf-8, not in"),
    (b'{"full_name": "X"}', "application/json; charset=UTF-16", 415, "in utf-8, not in utf-16"),
    (b'{"full_name": "X"}', 'application/json;charset="UTF-8"', 201, ""),
    (b'{"full_name": "X"}', "application/json;charset=utf8; x=y", 201, ""),
)


async def test_a_question_is_refused_for_its_reason(client: httpx.AsyncClient) -> None:
    faults = []
    for status, table in ((400, ASKED), (404, ABSENT)):
        for address, words in table.items():
            answer = await client.get(address)
            if answer.status_code != status or words not in answer.json()["detail"]:
                faults.append(f"{address}: {answer.text}")
    assert not faults, "\n".join(faults)


async def test_a_body_is_refused_for_its_reason(client: httpx.AsyncClient) -> None:
    faults = []
    for path, body, pointer, words in SENT:
        answer = await client.post(f"/{path}", json=body)
        told = {fault["pointer"]: fault["detail"] for fault in answer.json()["errors"]}
        if answer.status_code != 422 or words not in told.get(pointer, ""):
            faults.append(f"{path} {body!s:.300}: {answer.text}")
    for content, kind, status, words in RAW:
        headers = {"Content-Type": kind}
        answer = await client.post("/people?dry_run=true", content=content, headers=headers)
        if answer.status_code != status or words not in answer.text:
            faults.append(f"{kind} {content!r}: {answer.text}")
    assert not faults, "\n".join(faults)


async def test_files_and_texts_in_other_encodings_are_refused(client: httpx.AsyncClient) -> None:
    csv = {"Content-Type": "text/csv; charset=gb18030"}
    text = {"Content-Type": "text/plain; charset=latin-1"}
    path = "/sources/kazinform-novosibirsk/text"
    for answer in (
        await client.post("/people/import?dry_run=true", content=b"full_name\nX", headers=csv),
        await client.put(path, content=b"X", headers=text),
    ):
        assert answer.status_code == 415
        assert "utf-8" in answer.json()["detail"]


async def test_booleans_have_one_spelling(client: httpx.AsyncClient) -> None:
    faults = []
    for value in ("yes", "1", "True", "on", "t", ""):
        for address in (
            f"/people?dry_run={value}",
            f"/people/bulk?dry_run={value}",
            f"/people/import?dry_run={value}",
        ):
            answer = await client.post(address, json={"full_name": "X"})
            if answer.status_code != 400 or "true or false" not in answer.text:
                faults.append(f"{address}: {answer.status_code}")
        answer = await client.delete(f"/people/nobody?purge={value}")
        if answer.status_code != 400:
            faults.append(f"purge={value}: {answer.status_code}")
    assert not faults, "\n".join(faults)


async def test_a_wrong_method_is_told_the_same_everywhere(client: httpx.AsyncClient) -> None:
    for address in ("/docs", "/openapi.json", "/guide", "/docs/assets/x", "/agreements/aggregate"):
        answer = await client.post(address)
        assert answer.status_code == 405
        told = "POST is not possible here; possible: GET, HEAD."
        assert answer.json()["detail"] == told, address


async def test_what_cannot_be_printed_is_shown_as_json_writes_it(client: httpx.AsyncClient) -> None:
    for address in ("/people?a%00b=1", "/people?a%07b=1", "/people/a%07b", "/people?id=%07"):
        told = (await client.get(address)).json()
        for detail in (told["detail"], *(fault["detail"] for fault in told["errors"])):
            assert "\\x" not in detail, address
            assert "\\u00" in detail, address
