"""Names of what is withheld, wherever the program has put them itself."""

from typing import Any
from uuid import uuid4

from tests.rest.public import Public

_SHEET = "Документ;Поставщик;Покупатель\nДоговор поставки;{0};{1}\n"


async def _import(public: Public, *names: str) -> Any:
    """The agreement of a sheet without titles, of a supplier and a buyer called so."""
    answer = await public.writer.post(
        "/agreements/import?create_missing=true",
        content=_SHEET.format(*names).encode(),
        headers={"content-type": "text/csv"},
    )
    assert answer.status_code == 200, answer.text
    found = await public.writer.get(f"/agreements?title__contains={names[0]}")
    (agreement,) = found.json()["data"]
    return agreement


async def _told(public: Public, agreement: Any, word: str) -> list[str]:
    """The addresses at which the public is told a word."""
    key = agreement["id"]
    addresses = [
        f"/agreements/{key}",
        f"/agreements?title__contains={word}",
        f"/agreements?as_of={agreement['created_at']}&id={key}",
        f"/agreements.csv?id={key}",
        f"/agreements/{key}/history",
        f"/changes?record_id={key}",
        f"/agreements/aggregate?group_by=title&id={key}",
        f"/citations?record_id={key}&fields=record_title",
        f"/outcomes?agreement_id={key}&expand=agreement",
        f"/search?q={word}",
    ]
    told = []
    for address in addresses:
        answer = await public.reader.get(address)
        assert answer.status_code == 200, answer.text
        asked = answer.text.replace(f'"q":"{word}"', "")
        told += [address] if word in asked else []
    return told


async def test_a_title_that_was_made_up_of_names_does_not_tell_those_that_are_withheld(
    public: Public,
) -> None:
    word = f"Kanareika{uuid4().hex}"
    agreement = await _import(public, word, "Plain")
    await public.create("outcomes", agreement_id=agreement["id"], note="Begun.")
    source = await public.create("sources", publisher="A paper", title="News")
    at = {"record_kind": "agreement", "record_id": agreement["id"], "start": 0, "end": 5}
    await public.create("citations", source_id=source["id"], **at, field="/instrument")
    assert agreement["title"] == f"Договор поставки: {word}, Plain"
    assert len(await _told(public, agreement, word)) > 8
    company = {"id": agreement["parties"][0]["organization_id"]}
    await public.change("organizations", company, confidential=True)
    assert await _told(public, agreement, word) == []
    assert (await public.shown("agreements", agreement))["title"] == "Договор поставки"
    whole = (await public.writer.get(f"/agreements/{agreement['id']}")).json()
    assert whole["title"] == agreement["title"]
    # With a title of its own, or of other parties, it named them once.
    await public.change("agreements", agreement, title="Grain")
    assert await _told(public, agreement, word) == []
    assert (await public.shown("agreements", agreement))["title"] == "Grain"
    await public.change("agreements", agreement, title=agreement["title"])
    await public.change("agreements", agreement, parties=agreement["parties"][1:])
    assert await _told(public, agreement, word) == []
    assert (await public.shown("agreements", agreement))["title"] == "Договор поставки: Plain"
    await public.change("organizations", company, confidential=False)
    assert len(await _told(public, agreement, word)) > 2


async def test_a_title_that_was_made_up_of_names_follows_them_until_one_is_given(
    public: Public,
) -> None:
    agreement = await _import(public, f"First{uuid4().hex}", "Second")
    other = await public.create("organizations", name="Third", kind="company")
    parties = [{**agreement["parties"][1]}, {"organization_id": other["id"], "role": "supplier"}]
    changed = await public.change("agreements", agreement, parties=parties)
    assert changed["title"] == "Договор поставки: Second, Third"
    changed = await public.change("agreements", agreement, parties=parties[1:], title="Grain")
    assert changed["title"] == "Grain"
    changed = await public.change("agreements", agreement, parties=parties)
    assert changed["title"] == "Grain"


async def test_a_party_stays_without_who_signed_for_it_where_that_is_withheld(
    public: Public,
) -> None:
    company = await public.create("organizations", name="Plain", kind="company")
    person = await public.create("people", full_name="Aigerim Canary")
    party = {"organization_id": company["id"], "role": "supplier", "signed_by_id": person["id"]}
    agreement = await public.create(
        "agreements",
        title="A deal",
        instrument="supply_contract",
        parties=[{**party, "signed_as": "director"}],
    )
    key = agreement["id"]
    addresses = (f"/agreements/{key}", f"/agreements/{key}?as_of={agreement['created_at']}")
    found = f"/agreements?parties__signed_by_id={person['id']}"
    assert len((await public.reader.get(found)).json()["data"]) == 1
    for step in ("then", "later"):
        if step == "later":
            await public.change("agreements", agreement, subject="Grain")
        await public.change("people", person, confidential=True)
        for address in addresses:
            shown = (await public.reader.get(f"{address}")).json()
            (row,) = shown["parties"]
            assert (row["organization_id"], row["role"]) == (company["id"], "supplier")
            assert (row["signed_by_id"], row["signed_as"]) == (None, None), address
            assert (shown["parties_complete"], shown["withheld"]) == (True, ["parties"]), address
        for address in (f"/agreements/{key}/history", f"/changes?record_id={key}"):
            assert person["id"] not in (await public.reader.get(address)).text
        assert (await public.reader.get(found)).json()["data"] == []
        (whole,) = (await public.writer.get(found)).json()["data"]
        assert (whole["parties"], whole["withheld"]) == (agreement["parties"], [])
        await public.change("people", person, confidential=False)
        shown = await public.shown("agreements", agreement)
        assert (shown["parties"], shown["withheld"]) == (agreement["parties"], [])
