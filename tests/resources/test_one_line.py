"""Fields of one line: line breaks and tabs in them are blanks."""

import httpx

BREAKS = {
    "Forum\nof two": "Forum of two",
    "Forum \r\n of two": "Forum of two",
    "Forum\tof\x0btwo\n": "Forum of two",
    "\n Forum\u2028of\u2029\x85two": "Forum of two",
    "Forum  of two": "Forum  of two",
}


async def test_line_breaks_and_tabs_in_one_line_are_one_blank_and_stay_in_prose(
    client: httpx.AsyncClient,
) -> None:
    fields = {"kind": "company", "note": "a\nb"}
    for text, kept in BREAKS.items():
        body = {**fields, "name": text, "city": text, "other_names": [text]}
        made = (await client.post("/organizations", json=body)).json()
        stored = (made["name"], made["city"], made["other_names"], made["note"])
        assert stored == (kept, kept, [kept], "a\nb"), text


async def test_line_breaks_alone_are_no_text(client: httpx.AsyncClient) -> None:
    answer = await client.post("/organizations", json={"kind": "company", "name": "\n\t\u2028"})
    assert answer.status_code == 422, answer.text
    assert answer.json()["errors"][0]["pointer"] == "/name"
