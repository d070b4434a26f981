"""Texts in one form: composed (NFC) when written and when asked for, and one rule of lower case."""

import unicodedata

import httpx

from tests.engine.conftest import make, read

NAMES = ("Café", "Йод", "Ångström", "İstanbul")


async def test_a_text_is_stored_and_found_however_its_letters_are_composed(
    toys: httpx.AsyncClient,
) -> None:
    faults = []
    for name in NAMES:
        apart = unicodedata.normalize("NFD", name)
        made = await make(toys, name=apart, note="composed")
        faults += [f"stored {name}"] if made["name"] != name else []
        for operator in ("eq", "in", "contains", "icontains", "startswith", "endswith"):
            page = await read(toys, "/wooden-toys", **{f"name__{operator}": apart})
            if [record["name"] for record in page["data"]] != [name]:
                faults.append(f"{operator} {name}")
    assert faults == []


async def test_the_small_letter_of_a_dotted_i_is_the_same_on_both_databases(
    toys: httpx.AsyncClient,
) -> None:
    await make(toys, name="İzmir", note="dotted")
    page = await read(toys, "/wooden-toys", name__icontains="izmir")
    assert [record["name"] for record in page["data"]] == ["İzmir"]


async def test_small_letters_as_other_programs_make_them_find_the_capitals(
    toys: httpx.AsyncClient,
) -> None:
    names = {"İstanbul", "i\u0307stanbul", "ISTANBUL", "ΣΊΣΥΦΟΣ", "σίσυφος"}
    for name in names:
        await make(toys, name=name, note="small letters")
    for word, found in (
        ("i\u0307stanbul", {"İstanbul", "i\u0307stanbul", "ISTANBUL"}),
        ("İSTANBUL", {"İstanbul", "i\u0307stanbul", "ISTANBUL"}),
        ("σίσυφος", {"ΣΊΣΥΦΟΣ", "σίσυφος"}),
        ("ΣΊΣΥΦΟΣ", {"ΣΊΣΥΦΟΣ", "σίσυφος"}),
    ):
        for query in ({"name__icontains": word}, {"filter": f"contains(tolower(name),'{word}')"}):
            page = await read(toys, "/wooden-toys", note="small letters", **query)
            assert {record["name"] for record in page["data"]} == found, query
