"""Flat filters: every operator on every kind of field, through relations, and what is refused."""

from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from app.engine.query.filter_reader import MAX_ITEMS
from tests.conftest import client_of
from tests.engine.conftest import fault, make, read

Shelf = dict[str, str]

BEAR = 'Bär "B", Ёж'
ALL = {"Box", "Cart", BEAR, "doll"}


@pytest.fixture(scope="session")
async def shelf(toy_app: FastAPI) -> Shelf:
    """The ids of four toys by name, and of a fifth in the trash, which the bear lies in."""
    async with client_of(toy_app) as toys:

        async def put(name: str, **fields: Any) -> str:
            return str((await make(toys, name=name, note="shelf", **fields))["id"])

        box = await put("Box", made="2016", price=10)
        trashed = await put("Bin", ref="shelf-bin", price=10**14 - 1)
        cart = await put(
            "Cart",
            made="2016-04-12",
            price=1250,
            colours=["red", "blue"],
            box_id=box,
            wheels=[{"size": 1, "maker_id": box}, {"size": 2}],
        )
        bear = await put(
            BEAR,
            made="2016-04",
            is_soft=True,
            colours=["red"],
            box_id=trashed,
            wheels=[{"size": 2, "maker_id": box}],
        )
        doll = await put(
            "doll",
            ref="shelf-doll",
            made="XXXX-04-11",
            price=0,
            colours=["green, dark", 'a "b"'],
            wheels=[{"size": 1}, {"size": 3, "maker_id": cart}],
        )
        assert (await toys.delete(f"/wooden-toys/{trashed}")).status_code == 204
    return {"Box": box, "Cart": cart, BEAR: bear, "doll": doll, "Bin": trashed}


async def found(toys: httpx.AsyncClient, query: str) -> set[str]:
    """The names of the toys of the shelf that a query string finds."""
    page = await read(toys, f"/wooden-toys?note=shelf&{query}")
    names = [record["name"] for record in page["data"]]
    assert len(names) == len(set(names))
    return set(names)


# Operators by kind of field


@pytest.mark.parametrize(
    ("query", "names"),
    [
        # Text
        ("name=Cart", {"Cart"}),
        ("name__eq=Cart", {"Cart"}),
        ("name=cart", set()),
        ("name__ne=Cart", ALL - {"Cart"}),
        ("name__in=Cart,Box,Nobody", {"Cart", "Box"}),
        ("name__not_in=Cart,Box", {BEAR, "doll"}),
        ("name__gt=Box", {BEAR, "Cart", "doll"}),
        ("name__gte=Box", ALL),
        ("name__lt=Box", set()),
        ("name__lte=Box", {"Box"}),
        ("name__contains=o", {"Box", "doll"}),
        ("name__contains=Ё", {BEAR}),
        ("name__contains=ё", set()),
        ("name__contains=%25", set()),
        ("name__contains=_", set()),
        ("name__icontains=BÄR", {BEAR}),
        ("name__icontains=ёЖ", {BEAR}),
        ("name__icontains=BO", {"Box"}),
        ("name__startswith=B", {"Box", BEAR}),
        ("name__startswith=b", set()),
        ("name__endswith=ll", {"doll"}),
        ("name__endswith=Ёж", {BEAR}),
        ("name__endswith=more+than+all+of+it", set()),
        ("ref=shelf-doll", {"doll"}),
        ("ref__ne=shelf-doll", ALL - {"doll"}),
        ("ref__not_in=shelf-doll,x", ALL - {"doll"}),
        ("ref__isnull=true", ALL - {"doll"}),
        ("ref__isnull=false", {"doll"}),
        ("ref__gt=a", {"doll"}),
        # Decimals
        ("price=1250", {"Cart"}),
        ("price=1250.0000", {"Cart"}),
        ("price=1.25e3", {"Cart"}),
        ("price=-0", {"doll"}),
        ("price__ne=10", ALL - {"Box"}),
        ("price__in=0,10,1e1", {"doll", "Box"}),
        ("price__not_in=0,10", {"Cart", BEAR}),
        ("price__gt=10", {"Cart"}),
        ("price__gte=10", {"Box", "Cart"}),
        ("price__lt=10", {"doll"}),
        ("price__lte=10", {"Box", "doll"}),
        ("price__isnull=true", {BEAR}),
        ("price__isnull=false", ALL - {BEAR}),
        # Booleans
        ("is_soft=true", {BEAR}),
        ("is_soft=false", ALL - {BEAR}),
        ("is_soft__ne=true", ALL - {BEAR}),
        ("is_soft__in=true,false", ALL),
        ("is_soft__not_in=true", ALL - {BEAR}),
        # Integers
        ("version=1", ALL),
        ("version__ne=1", set()),
        ("version__in=1,2", ALL),
        ("version__gt=1", set()),
        ("version__gte=1", ALL),
        ("version__lt=1", set()),
        ("version__lte=1", ALL),
        # Stated dates: what they say
        ("made=2016-04", {BEAR}),
        ("made__ne=2016-04", ALL - {BEAR}),
        ("made__in=2016,XXXX-04-11", {"Box", "doll"}),
        ("made__not_in=2016,XXXX-04-11", {"Cart", BEAR}),
        ("made__isnull=true", set()),
        # Days
        ("made_earliest=2016-04-01", {BEAR}),
        ("made_earliest__ne=2016-04-01", ALL - {BEAR}),
        ("made_earliest__gte=2016-04-01", {"Cart", BEAR}),
        ("made_latest__lt=2016-05-01", {"Cart", BEAR}),
        ("made_earliest__isnull=true", {"doll"}),
        # Moments
        ("created_at__gt=2016-01-01", ALL),
        ("created_at__lt=2016-01-01T00:00:00Z", set()),
        ("created_at__gte=2016-01-01T05:00:00%2B05:00", ALL),
        ("created_at__gte=2016-01-01T05:00:00+05:00", ALL),
        ("deleted_at__isnull=true", ALL),
        # Lists
        ("colours__has=red", {"Cart", BEAR}),
        ("colours__has=blue", {"Cart"}),
        ("colours__has=blu", set()),
        ("colours__has=red,nothing", {"Cart", BEAR}),
        ('colours__has=blue,"green, dark"', {"Cart", "doll"}),
        ("colours__has=blue&colours__has=red", {"Cart", BEAR}),
        ('colours__has="a ""b"""', {"doll"}),
        ("colours__isnull=true", {"Box"}),
        ("colours__isnull=false", ALL - {"Box"}),
    ],
)
async def test_an_operator_means_what_it_says(
    toys: httpx.AsyncClient, shelf: Shelf, query: str, names: set[str]
) -> None:
    assert await found(toys, query) == names


async def test_ids_are_found_in_any_case(toys: httpx.AsyncClient, shelf: Shelf) -> None:
    assert await found(toys, f"id={shelf['Cart'].upper()}") == {"Cart"}
    assert await found(toys, f"id__ne={shelf['Cart']}") == ALL - {"Cart"}
    assert await found(toys, f"id__in={shelf['Cart']},{shelf['Box']}") == {"Cart", "Box"}
    assert await found(toys, f"box_id={shelf['Box']}") == {"Cart"}
    assert await found(toys, f"box_id__ne={shelf['Box']}") == ALL - {"Cart"}
    assert await found(toys, f"box_id__not_in={shelf['Box']}") == ALL - {"Cart"}
    assert await found(toys, "box_id__isnull=true") == {"Box", "doll"}


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("made__gt=2016-04-11", {"Cart"}),
        ("made__gte=2016-04-12", {"Cart"}),
        ("made__gt=2016-03-31", {"Cart", BEAR}),
        ("made__gte=2016-04-01", {"Cart", BEAR}),
        ("made__gte=2016-01-01", {"Box", "Cart", BEAR}),
        ("made__gte=2016-01-02", {"Cart", BEAR}),
        ("made__lt=2016-04-13", {"Cart"}),
        ("made__lte=2016-04-12", {"Cart"}),
        ("made__lt=2016-04-30", {"Cart"}),
        ("made__lte=2016-04-30", {"Cart", BEAR}),
        ("made__lte=2016-12-31", {"Box", "Cart", BEAR}),
        ("made__lt=2016-12-31", {"Cart", BEAR}),
        ("made__gt=0001-01-01&made__lt=9999-12-31", {"Box", "Cart", BEAR}),
    ],
)
async def test_of_a_stated_date_only_what_is_certain_is_before_or_after(
    toys: httpx.AsyncClient, shelf: Shelf, query: str, names: set[str]
) -> None:
    assert await found(toys, query) == names


@pytest.mark.parametrize("value", ["1e-208", "1e-300", "0." + "0" * 300 + "1", f"{10**40}", "1e99"])
@pytest.mark.parametrize("sign", ["", "-"])
async def test_a_number_that_no_field_can_hold_is_compared_exactly(
    toys: httpx.AsyncClient, shelf: Shelf, value: str, sign: str
) -> None:
    number = float(sign + value)
    held = {"Box": 10, "Cart": 1250, "doll": 0}
    assert await found(toys, f"price={sign}{value}") == set()
    assert await found(toys, f"price__ne={sign}{value}") == ALL
    assert await found(toys, f"price__in={sign}{value},10") == {"Box"}
    for operators, is_more in ((("gt", "gte"), True), (("lt", "lte"), False)):
        names = {name for name, price in held.items() if (price > number) is is_more}
        for operator in operators:
            assert await found(toys, f"price__{operator}={sign}{value}") == names, operator


async def test_a_whole_number_beyond_the_column_is_compared_exactly(
    toys: httpx.AsyncClient, shelf: Shelf
) -> None:
    for value in (2**31, 2**63, 10**40):
        assert await found(toys, f"version={value}") == set()
        assert await found(toys, f"version__lt={value}") == ALL
        assert await found(toys, f"version__gt=-{value}") == ALL
        assert await found(toys, f"version__not_in={value}") == ALL


async def test_the_greatest_price_is_told_from_one_beyond_it(toys: httpx.AsyncClient) -> None:
    record = await make(toys, name="dear", price=10**14 - 1)
    address = f"/wooden-toys?id={record['id']}"
    assert (await read(toys, f"{address}&price__lt=1e14"))["data"] == [record]
    assert (await read(toys, f"{address}&price__gte=1e14"))["data"] == []
    assert (await read(toys, f"{address}&price__lte=99999999999999"))["data"] == [record]
    assert (await read(toys, f"{address}&price__gt=99999999999998.99999"))["data"] == [record]


# Nulls


@pytest.mark.parametrize(
    ("query", "opposite"),
    [
        ("price=10", "price__ne=10"),
        ("price__in=10,0", "price__not_in=10,0"),
        ("ref=shelf-doll", "ref__ne=shelf-doll"),
        ("made=2016", "made__ne=2016"),
        ("made_earliest=2016-04-12", "made_earliest__ne=2016-04-12"),
        ("price__isnull=true", "price__isnull=false"),
        ("colours__isnull=true", "colours__isnull=false"),
        ("wheels__isnull=true", "wheels__isnull=false"),
        ("contents__isnull=true", "contents__isnull=false"),
        ("box__name=Box", "box__name__ne=Box"),
        ("box__ref__in=shelf-bin", "box__ref__not_in=shelf-bin"),
        ("box__price__isnull=true", "box__price__isnull=false"),
        ("box__ref__isnull=true", "box__ref__isnull=false"),
        ("box__box__price__isnull=true", "box__box__price__isnull=false"),
    ],
)
async def test_a_condition_and_its_opposite_share_out_all_records(
    toys: httpx.AsyncClient, shelf: Shelf, query: str, opposite: str
) -> None:
    with_it, without = await found(toys, query), await found(toys, opposite)
    assert with_it | without == ALL
    assert with_it & without == set()


# Relations


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("box__name=Box", {"Cart"}),
        ("box__price__gte=10", {"Cart", BEAR}),
        ("box__name__ne=Box", ALL - {"Cart"}),
        ("box__ref=shelf-bin", {BEAR}),
        ("box__price__isnull=false", {"Cart", BEAR}),
        ("box__price__isnull=true", {"Box", "doll"}),
        ("box__ref__isnull=false", {BEAR}),
        ("wheels__size=2", {"Cart", BEAR}),
        ("wheels__size__in=2,3", {"Cart", BEAR, "doll"}),
        ("wheels__size__ne=2", {"Cart", "doll"}),
        ("wheels__maker_id__isnull=true", {"Cart", "doll"}),
        ("wheels__maker_id__isnull=false", {"Cart", BEAR, "doll"}),
        ("wheels__maker__name=Box", {"Cart", BEAR}),
        ("wheels__maker__box__name=Box", {"doll"}),
        ("wheels__isnull=true", {"Box"}),
        ("wheels__isnull=false", ALL - {"Box"}),
        ("contents__name=Cart", {"Box"}),
        ("contents__isnull=false", {"Box"}),
        ("contents__wheels__size=1", {"Box"}),
        ("contents__wheels__size=3", set()),
        ("box__contents__name=Cart", {"Cart"}),
        ("box__wheels__isnull=true", ALL),
    ],
)
async def test_a_relation_leads_to_fields_of_other_records(
    toys: httpx.AsyncClient, shelf: Shelf, query: str, names: set[str]
) -> None:
    assert await found(toys, query) == names


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("wheels__size=1&wheels__maker__name=Box", {"Cart"}),
        ("wheels__size=2&wheels__maker__name=Box", {BEAR}),
        ("wheels__size=1&wheels__maker_id__isnull=true", {"doll"}),
        ("wheels__size=2&wheels__maker_id__isnull=true", {"Cart"}),
        ("wheels__size=1&wheels__size__ne=1", set()),
        ("wheels__size__gt=1&wheels__size__lt=3", {"Cart", BEAR}),
        ("wheels__size__gt=2&wheels__maker__name__ne=Box", {"doll"}),
        ("contents__wheels__size=1&contents__wheels__maker__name=Box", {"Box"}),
        ("contents__wheels__size=2&contents__wheels__maker__name=Box", set()),
    ],
)
async def test_conditions_on_one_relation_hold_for_the_same_related_record(
    toys: httpx.AsyncClient, shelf: Shelf, query: str, names: set[str]
) -> None:
    assert await found(toys, query) == names


async def test_what_lies_in_the_trash_is_not_among_many_but_still_is_the_one(
    toys: httpx.AsyncClient,
) -> None:
    box = await make(toys, name="closed", note="trash of relations")
    cart = await make(toys, name="cart", note="trash of relations", box_id=box["id"])
    address = "/wooden-toys?note=trash of relations"
    assert (await read(toys, f"{address}&contents__name=cart"))["data"] == [box]
    await toys.delete(f"/wooden-toys/{cart['id']}")
    assert (await read(toys, f"{address}&contents__name=cart"))["data"] == []
    assert (await read(toys, f"{address}&contents__isnull=true"))["data"] == [box]
    await toys.post(f"/wooden-toys/{cart['id']}/restore")
    await toys.delete(f"/wooden-toys/{box['id']}")
    (shown,) = (await read(toys, f"{address}&box__name=closed"))["data"]
    assert shown["id"] == cart["id"]


# Lists of values


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ('name__in="Bär ""B"", Ёж",doll', {BEAR, "doll"}),
        ('name__in=doll,"Cart"', {"doll", "Cart"}),
        ("name__in=doll&name__in=Cart", {"doll", "Cart"}),
        # Given one by one, values are taken whole.
        ("name__in=doll,Box&name__in=Cart", {"Cart"}),
        ("name__not_in=doll,Box&name__not_in=Cart", ALL - {"Cart"}),
        ("colours__has=green, dark&colours__has=blue", {"doll", "Cart"}),
        ("name__in=doll,doll,doll", {"doll"}),
        ("name__not_in=doll&name__not_in=Cart", {BEAR, "Box"}),
    ],
)
async def test_a_list_takes_commas_quotes_and_repetition(
    toys: httpx.AsyncClient, shelf: Shelf, query: str, names: set[str]
) -> None:
    assert await found(toys, query.replace(" ", "+")) == names


async def test_a_list_takes_so_many_values_and_no_more(
    toys: httpx.AsyncClient, shelf: Shelf
) -> None:
    many = ",".join(["x"] * (MAX_ITEMS - 1))
    assert await found(toys, f"name__in={many},doll") == {"doll"}
    answer = await toys.get(f"/wooden-toys?name__in={many},doll,Cart")
    assert f"1 to {MAX_ITEMS} values" in fault(answer)["detail"]


async def test_all_lists_of_a_query_take_so_many_values_together(toys: httpx.AsyncClient) -> None:
    many = ",".join(["1"] * 129)
    paths = [f"{'box__' * depth}{name}" for depth in range(4) for name in ("version", "price")]
    names = [f"{path}__{op}" for path in paths for op in ("in", "not_in")]
    names += [f"wheels__maker__{'box__' * depth}version__in" for depth in range(2)]
    names += [f"contents__{'box__' * depth}price__in" for depth in range(3)]
    query = "&".join(f"{name}={many}" for name in names)
    assert "4096" in fault(await toys.get(f"/wooden-toys?{query}"))["detail"]
