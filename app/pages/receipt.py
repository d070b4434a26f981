"""A receipt as a page: what was asked, what was answered then, and what has changed since."""

import json
from typing import Final

from app.core.loose_types import Json, Value
from app.pages import formats
from app.pages.context import PATHS, PageContext

#: So much of an answer is shown: the whole is a click away.
_MAX_LINES: Final = 400
_MAX_DIFFERENCES: Final = 100


async def receipt_page(context: PageContext, id: str) -> dict[str, Value]:
    """What the template of a receipt takes."""
    record = await context.read("/receipts/{id}", id=id)
    return {
        "record": record,
        "made_at": formats.moment(record["made_at"], context.language),
        "then": _lines(record["then"]),
        "now": _lines(record["now"]),
        "differences": [
            _difference(context, each) for each in record["differences"][:_MAX_DIFFERENCES]
        ],
        "api": context.api(f"/receipts/{id}"),
    }


def _lines(answer: Json | None) -> str | None:
    if answer is None:
        return None
    lines = json.dumps(answer, ensure_ascii=False, indent=2, default=str).splitlines()
    return "\n".join([*lines[:_MAX_LINES], *(["…"] if len(lines) > _MAX_LINES else [])])


def _difference(context: PageContext, each: Value) -> dict[str, Value]:
    kind = each["kind"]
    address = context.page(f"/pages/{PATHS[kind]}/{each['id']}") if kind in PATHS else None
    return {
        "kind": context.name("record-kinds", kind),
        "id": each["id"],
        "address": address,
        "told": context.say(f"difference_{each['difference']}"),
        "changes": [(name, *then_now) for name, then_now in (each["changes"] or {}).items()],
    }
