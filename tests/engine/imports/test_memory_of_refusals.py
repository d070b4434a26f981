"""What a refused import had in memory is free when it is answered, and not some time later."""

import gc

import httpx

from app.core.sheets.xlsx_parts import Book, Part
from tests.engine.imports.calls import workbook

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


async def test_a_refused_workbook_leaves_nothing_behind(client: httpx.AsyncClient) -> None:
    names = [["full_name"], ["Zebra"]]
    refused = {
        "a broken file": workbook(names)[:-30],
        "an unknown column": workbook([["nonsense"], ["Zebra"]]),
        "a wrong row": workbook([["full_name", "ref"], ["Zebra", "not a ref!"]]),
        "an error cell": workbook(names, errors=[(2, 0)]),
        "too long a text": workbook([["full_name"], ["Z" * 32_000]]),
    }
    left = []
    for what, content in refused.items():
        gc.collect()
        gc.disable()
        try:
            answer = await client.post(
                "/people/import?dry_run=true", content=content, headers={"Content-Type": XLSX}
            )
            assert answer.status_code == 422, what
            left += [
                (what, type(each)) for each in gc.get_objects() if isinstance(each, Book | Part)
            ]
        finally:
            gc.enable()
    assert not left
