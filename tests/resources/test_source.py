"""The text of a source, and citations as positions in it; every text here is invented."""

from hashlib import sha256
from typing import Any
from uuid import uuid4

import httpx
import pytest

# Three sentences; 😀 is one code point, though two units of UTF-16 and four bytes.
TEXT = "😀 Жаңа зауыт ашылды. The plant 😀 is new.\nҚуанамыз!"
PLAIN = {"Content-Type": "text/plain; charset=utf-8"}
NOBODY = "01890a5d-ac96-774b-bcce-b302099a8057"


async def add_source(client: httpx.AsyncClient, text: bytes, **fields: Any) -> dict[str, Any]:
    """A source of that text, which is not attached yet."""
    body = {"publisher": "A paper", "title": "A report", "sha256": sha256(text).hexdigest()}
    answer = await client.post("/sources", json=body | fields)
    assert answer.status_code == 201, answer.text
    source: dict[str, Any] = answer.json()
    return source


async def attach(client: httpx.AsyncClient, source: dict[str, Any], text: bytes) -> httpx.Response:
    return await client.put(f"/sources/{source['id']}/text", content=text, headers=PLAIN)


async def cite(client: httpx.AsyncClient, source: dict[str, Any], **fields: Any) -> httpx.Response:
    """Back the source's own record by the source, which is all that these tests need."""
    body = {"source_id": source["id"], "record_kind": "source", "record_id": source["id"]}
    return await client.post("/citations", json=body | {"start": 0, "end": 1} | fields)


def faults(answer: httpx.Response, pointer: str) -> str:
    assert answer.status_code == 422, answer.text
    return " ".join(f["detail"] for f in answer.json()["errors"] if f["pointer"] == pointer)


@pytest.fixture
async def source(client: httpx.AsyncClient) -> dict[str, Any]:
    """A source without its text."""
    return await add_source(client, TEXT.encode(), char_count=len(TEXT))


@pytest.fixture
async def attached(client: httpx.AsyncClient, source: dict[str, Any]) -> dict[str, Any]:
    """A source with its text."""
    answer = await attach(client, source, TEXT.encode())
    assert answer.status_code == 200, answer.text
    record: dict[str, Any] = answer.json()
    return record


# Attaching


async def test_a_text_with_the_right_hash_is_attached_and_given_back(
    client: httpx.AsyncClient, source: dict[str, Any]
) -> None:
    answer = await attach(client, source, TEXT.encode())
    assert (answer.status_code, answer.json()["has_text"]) == (200, True)
    text = await client.get(f"/sources/{source['id']}/text")
    assert text.headers["content-type"] == "text/plain; charset=utf-8"
    assert text.content == TEXT.encode()


async def test_the_text_is_put_by_the_ref_too(client: httpx.AsyncClient) -> None:
    ref = f"report-{uuid4().hex}"
    await add_source(client, TEXT.encode(), ref=ref)
    answer = await client.put(f"/sources/{ref}/text", content=TEXT.encode(), headers=PLAIN)
    assert answer.status_code == 200


async def test_a_text_that_is_not_attached_is_not_found(
    client: httpx.AsyncClient, source: dict[str, Any]
) -> None:
    answer = await client.get(f"/sources/{source['id']}/text")
    assert answer.status_code == 404
    assert "No text is attached" in answer.json()["detail"]


async def test_no_text_is_attached_to_an_unknown_source(client: httpx.AsyncClient) -> None:
    answer = await client.put(f"/sources/{NOBODY}/text", content=b"text", headers=PLAIN)
    assert answer.status_code == 404


async def test_another_text_is_refused_and_both_hashes_are_told(
    client: httpx.AsyncClient, source: dict[str, Any]
) -> None:
    other = TEXT.encode() + b" "
    answer = await attach(client, source, other)
    assert answer.status_code == 422
    assert source["sha256"] in answer.json()["detail"]
    assert sha256(other).hexdigest() in answer.json()["detail"]
    assert (await client.get(f"/sources/{source['id']}")).json() == source


@pytest.mark.parametrize("headers", [{"Content-Type": "application/json"}, {}])
async def test_a_text_of_another_type_is_refused(
    client: httpx.AsyncClient, source: dict[str, Any], headers: dict[str, str]
) -> None:
    path = f"/sources/{source['id']}/text"
    answer = await client.put(path, content=TEXT.encode(), headers=headers)
    assert answer.status_code == 415
    assert "text/plain" in answer.json()["detail"]
    assert (await client.get(path)).status_code == 404


@pytest.mark.parametrize("text", [TEXT.encode("utf-16"), "Завод".encode("cp1251"), b"\xed\xa0\x80"])
async def test_a_text_that_is_not_utf_8_is_refused(client: httpx.AsyncClient, text: bytes) -> None:
    source = await add_source(client, text)
    answer = await attach(client, source, text)
    assert answer.status_code == 422
    assert "UTF-8" in answer.json()["detail"]
    assert (await client.get(f"/sources/{source['id']}/text")).status_code == 404


async def test_a_text_with_nul_is_refused(client: httpx.AsyncClient) -> None:
    source = await add_source(client, b"a\x00b")
    answer = await attach(client, source, b"a\x00b")
    assert answer.status_code == 422
    assert "NUL" in answer.json()["detail"]


async def test_a_text_of_another_length_is_refused(client: httpx.AsyncClient) -> None:
    source = await add_source(client, TEXT.encode(), char_count=len(TEXT.encode()))
    answer = await attach(client, source, TEXT.encode())
    assert answer.status_code == 422
    assert f"{len(TEXT)} characters" in answer.json()["detail"]


@pytest.mark.parametrize("text", [b"\xef\xbb\xbfa", b"a\r\nb\rc\n", "и\u0306".encode()])
async def test_a_text_is_kept_byte_for_byte(client: httpx.AsyncClient, text: bytes) -> None:
    source = await add_source(client, text)
    assert (await attach(client, source, text)).json()["char_count"] == len(text.decode())
    assert (await client.get(f"/sources/{source['id']}/text")).content == text


async def test_the_first_text_of_a_source_without_hash_sets_it(client: httpx.AsyncClient) -> None:
    body = {"publisher": "A paper", "title": "A report"}
    source = (await client.post("/sources", json=body)).json()
    stored = (await attach(client, source, TEXT.encode())).json()
    assert stored["sha256"] == sha256(TEXT.encode()).hexdigest()
    assert stored["char_count"] == len(TEXT)


async def test_attaching_the_same_text_again_changes_nothing(
    client: httpx.AsyncClient, attached: dict[str, Any]
) -> None:
    answer = await attach(client, attached, TEXT.encode())
    assert (answer.status_code, answer.json()) == (200, attached)


@pytest.mark.parametrize("change", [{"sha256": "0" * 64}, {"sha256": None}, {"char_count": 3}])
async def test_hash_and_length_are_fixed_once_the_text_is_attached(
    client: httpx.AsyncClient, attached: dict[str, Any], change: dict[str, Any]
) -> None:
    path = f"/sources/{attached['id']}"
    answer = await client.patch(path, json=change)
    assert answer.status_code == 409
    assert answer.json()["errors"][0]["pointer"] == f"/{next(iter(change))}"
    assert "attached" in answer.json()["detail"]
    assert (await client.get(path)).json() == attached


async def test_the_rest_of_a_source_can_change_under_its_text(
    client: httpx.AsyncClient, attached: dict[str, Any]
) -> None:
    path = f"/sources/{attached['id']}"
    assert (await client.patch(path, json={"title": "Another title"})).status_code == 200
    assert (await client.get(f"{path}/text")).content == TEXT.encode()


async def test_a_text_is_in_neither_record_nor_lists_nor_history(
    client: httpx.AsyncClient, attached: dict[str, Any]
) -> None:
    path = f"/sources/{attached['id']}"
    assert "text" not in attached
    for answer in (await client.get(path), await client.get(f"/sources?id={attached['id']}")):
        assert "зауыт" not in answer.text
    history = await client.get(f"{path}/history")
    assert "зауыт" not in history.text
    assert history.json()["data"][0]["changes"] == {"has_text": [False, True]}


async def test_a_text_is_not_written_with_the_record(client: httpx.AsyncClient) -> None:
    body = {"publisher": "A paper", "title": "A report", "text": TEXT}
    assert "text" in faults(await client.post("/sources", json=body), "/text")


# Citations


@pytest.mark.parametrize(
    ("start", "end", "quote", "sentence"),
    [
        (0, 1, "😀", 1),
        (2, 6, "Жаңа", 1),
        (2, 20, "Жаңа зауыт ашылды.", 1),
        (21, 30, "The plant", 2),
        (31, 32, "😀", 2),
        (41, 50, "Қуанамыз!", 3),
        (2, 30, "Жаңа зауыт ашылды. The plant", 1),
        (0, len(TEXT), TEXT, 1),
    ],
)
async def test_a_citation_shows_its_quote_and_sentence_by_code_points(
    client: httpx.AsyncClient,
    attached: dict[str, Any],
    start: int,
    end: int,
    quote: str,
    sentence: int,
) -> None:
    citation = (await cite(client, attached, start=start, end=end)).json()
    assert (citation["quote"], citation["sentence"]) == (quote, sentence)
    stored = (await client.get(f"/citations/{citation['id']}")).json()
    assert stored == citation


async def test_citations_show_quotes_from_when_the_text_is_attached(
    client: httpx.AsyncClient, source: dict[str, Any]
) -> None:
    early = (await cite(client, source, start=2, end=6)).json()
    assert (early["quote"], early["sentence"]) == (None, None)
    await attach(client, source, TEXT.encode())
    listed = (await client.get(f"/sources/{source['id']}/citations")).json()["data"]
    assert [(c["quote"], c["sentence"]) for c in listed] == [("Жаңа", 1)]


async def test_a_quote_is_not_stored(client: httpx.AsyncClient, attached: dict[str, Any]) -> None:
    citation = (await cite(client, attached, start=2, end=6)).json()
    history = (await client.get(f"/citations/{citation['id']}/history")).text
    assert "Жаңа" not in history
    answer = await cite(client, attached, quote="Жаңа")
    assert "quote" in faults(answer, "/quote")


@pytest.mark.parametrize(
    ("start", "end", "pointer", "words"),
    [
        (0, len(TEXT) + 1, "/end", f"{len(TEXT)} characters"),
        (-1, 5, "/start", "Must be 0 or more"),
        (5, 5, "/end", "start lies before end"),
        (9, 2, "/end", "start lies before end"),
    ],
)
async def test_a_citation_out_of_range_is_refused(
    client: httpx.AsyncClient,
    source: dict[str, Any],
    start: int,
    end: int,
    pointer: str,
    words: str,
) -> None:
    assert words in faults(await cite(client, source, start=start, end=end), pointer)
    assert (await client.get(f"/sources/{source['id']}/citations")).json()["data"] == []


async def test_a_citation_does_not_move_out_of_range(
    client: httpx.AsyncClient, attached: dict[str, Any]
) -> None:
    path = f"/citations/{(await cite(client, attached)).json()['id']}"
    answer = await client.patch(path, json={"end": len(TEXT) + 1})
    assert f"{len(TEXT)} characters" in faults(answer, "/end")
    assert (await client.get(path)).json()["end"] == 1


async def test_no_citation_lies_beyond_a_text_that_is_attached_later(
    client: httpx.AsyncClient,
) -> None:
    source = await add_source(client, b"Short.")
    await cite(client, source, start=0, end=9)
    await attach(client, source, b"Short.")
    length = (await client.get(f"/sources/{source['id']}")).json()["char_count"]
    citations = (await client.get(f"/sources/{source['id']}/citations")).json()["data"]
    assert all(length is None or citation["end"] <= length for citation in citations)


@pytest.mark.parametrize(
    ("fields", "pointer", "words"),
    [
        ({"source_id": NOBODY}, "/source_id", "no source"),
        ({"record_id": NOBODY}, "/record_id", "no source"),
        ({"record_kind": "agreement"}, "/record_id", "no agreement"),
        ({"record_kind": "sorce"}, "/record_kind", "'source'"),
        ({"field": "/publishr"}, "/field", "'/publishr'"),
        ({"field": "publisher"}, "/field", "publisher"),
        ({"field": "/publisher/0"}, "/field", "'/publisher/0'"),
        ({"field": "/text"}, "/field", "'/text'"),
    ],
)
async def test_a_citation_of_what_does_not_exist_is_refused(
    client: httpx.AsyncClient,
    source: dict[str, Any],
    fields: dict[str, str],
    pointer: str,
    words: str,
) -> None:
    assert words in faults(await cite(client, source, **fields), pointer)


@pytest.mark.parametrize(
    ("field", "status"),
    [
        ("/amount", 201),
        ("/parties", 201),
        ("/parties/1/role", 201),
        ("/parties/2/role", 422),
        ("/parties/-", 422),
        ("/parties/01", 422),
        ("/parties/0/rol", 422),
        ("/sectors/0", 201),
        ("/sectors/1", 422),
        ("/readings/0", 422),
        (None, 201),
    ],
)
async def test_a_field_is_a_pointer_into_the_record(
    client: httpx.AsyncClient, source: dict[str, Any], field: str | None, status: int
) -> None:
    agreement = (await client.get("/agreements/nobel-katren-supply")).json()
    answer = await cite(
        client, source, record_kind="agreement", record_id=agreement["id"], field=field
    )
    assert answer.status_code == status, answer.text
