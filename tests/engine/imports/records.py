"""Random valid records of several kinds, which refer to each other."""

from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

Row = dict[str, Any]

COUNTRIES = ("KZ", "RU", "CN", "DE")
_ODD = (
    "=1+1", "'=x", "''-1", "+7 701", "-", "@home", "a;b", '["F"]', '{"a": 1}', "null", "true",
    "1,5",     "Ұлы дала ӘҒҚҢӨҰҮҺІ", "😀👩‍👩‍👧", 'say ""no""', "line\nbreak", "tab\tin", "cr\r\nlf",
    "_x0041_", "<r>x</r>",
    "1e5", "0012", "2016-04-12", "TRUE", "a, b", "'", "FILE CUT SHORT: x",
)  # fmt: skip
_LETTERS = st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="\ufffe\uffff")


def _is_text(text: str) -> bool:
    """Whether the text stays as it is when it is stored, and can be seen."""
    seen = set(text) - {chr(each) for each in range(0x200B, 0x2010)} - {"\u2060", "\ufeff"}
    return text == text.strip() and any(not letter.isspace() for letter in seen)


texts = st.one_of(
    st.sampled_from(_ODD),
    st.tuples(st.sampled_from(_ODD), st.text(_LETTERS, max_size=8)).map("".join),
    st.text(_LETTERS, min_size=1, max_size=30),
).filter(_is_text)
maybe = st.none() | texts
amounts = st.decimals(0, Decimal(99999999999999), places=4)
dates = st.none() | st.sampled_from(
    ["2016", "2016-04", "2016-04-12", "XXXX-04-11/XXXX-04-13", "2016~", "2016-21", "1899-12-31"]
)
countries = st.none() | st.sampled_from(COUNTRIES)
sectors = st.lists(st.sampled_from(["F", "C10", "C1050", "A01"]), unique=True, max_size=3)


missions = st.fixed_dictionaries(
    {
        "title": texts,
        "title_en": maybe,
        "kind": st.sampled_from(["trade_fair", "outward_mission"]),
        "status": st.sampled_from(["held", "planned"]),
        "host_country": countries,
        "host_city": maybe,
        "dates": dates,
        "sectors": sectors,
        "summary": maybe,
        "note": maybe,
    }
)
people = st.fixed_dictionaries(
    {"full_name": texts, "other_names": st.lists(texts, max_size=3), "note": maybe}
)
organizations = st.fixed_dictionaries(
    {
        "kind": st.sampled_from(["company", "ministry"]),
        "name": texts,
        "other_names": st.lists(texts, max_size=3),
        "country": countries,
        "sectors": sectors,
        "is_named": st.booleans(),
        "note": maybe,
    }
)


def _named(draw: Any, strategy: st.SearchStrategy[Row], kind: str, most: int) -> list[Row]:
    rows = draw(st.lists(strategy, max_size=most))
    return [
        {**row, "ref": f"{kind}-{n}" if draw(st.booleans()) else None} for n, row in enumerate(rows)
    ]


@st.composite
def _agreement(draw: Any) -> Row:
    amount = draw(st.none() | amounts)
    party = st.fixed_dictionaries(
        {
            "description": texts,
            "role": st.sampled_from(["supplier", "buyer"]),
            "share_percent": st.none() | st.decimals(0, 30, places=4),
        }
    )
    return {
        "title": draw(texts),
        "subject": draw(maybe),
        "instrument": draw(st.sampled_from(["other", "supply_contract"])),
        "signed": draw(dates),
        "amount": amount,
        "currency": None if amount is None else "CLF",
        "sectors": draw(sectors),
        "readings": draw(st.lists(texts, max_size=2)),
        "parties": draw(st.lists(party, min_size=1, max_size=3)),
        "note": draw(maybe),
    }


@st.composite
def file_of_records(draw: Any) -> dict[str, list[Row]]:
    """Bodies of records by path, each path after those it refers to by ref."""
    found = {
        "missions": _named(draw, missions, "mission", 4),
        "people": _named(draw, people, "person", 3),
        "organizations": _named(draw, organizations, "organization", 3),
    }
    found["agreements"] = _named(draw, _agreement(), "agreement", 4)
    for row in found["agreements"]:
        _refer(draw, row, "mission", found["missions"])
        for party in row["parties"]:
            _refer(draw, party, "organization", found["organizations"])
    return found


def _refer(draw: Any, row: Row, name: str, others: list[Row]) -> None:
    """Point to one of the others, if any has a ref."""
    refs = [other["ref"] for other in others if other["ref"]]
    if refs and draw(st.booleans()):
        row[name] = {"ref": draw(st.sampled_from(refs))}
