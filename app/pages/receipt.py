"""A receipt as a page: what was asked, what was answered then, and what has changed since."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qsl, quote

from app.core.loose_types import Json, Value
from app.core.public_path import public_root, without_root
from app.pages import formats
from app.pages.context import AS_OF, PATHS, PageContext
from app.pages.figures import ASKED, Figures, figures_of, figures_of_summary
from app.pages.filters import MISSION, UNDER_MISSION
from app.resources.firmness import Firmness

#: So much of an answer is shown: the whole is a click away.
_MAX_LINES: Final = 400
_MAX_DIFFERENCES: Final = 100
#: The figures of the first page, whatever it was limited to.
_AGGREGATE: Final = "/agreements/aggregate"
#: What a group of them has.
_OF_GROUP: Final = {
    *("currency", "firmness", "count"),
    *("sum_amount", "at_least_amount", "at_most_amount", "not_exact_amount"),
}
#: The pages whose figures are those of one filter.
_OF_PARTY: Final = {"parties__organization_id": "/pages/organizations/{}"}


@dataclass(frozen=True, slots=True)
class Quoted:
    """A figure of the answer then and now; None where there was or is none."""

    told: str
    firmness: str | None
    then: str | None
    now: str | None

    @property
    def differs(self) -> bool:
        """Whether it is another one now."""
        return self.then != self.now


async def receipt_page(context: PageContext, id: str) -> dict[str, Value]:
    """What the template of a receipt takes."""
    record = await context.read("/receipts/{id}", id=id)
    path, pairs = _question(record["url"])
    return {
        "record": record,
        "made_at": formats.moment(record["made_at"], context.language),
        "figures": _quoted(context, *(_figures(path, record[name]) for name in ("then", "now"))),
        "page": _page(context, path, pairs),
        "then": _lines(record["then"]),
        "now": _lines(record["now"]),
        "differences": [
            _difference(context, each) for each in record["differences"][:_MAX_DIFFERENCES]
        ],
        "address": context.whole(f"/pages/receipts/{id}"),
        "api": context.api(f"/receipts/{id}"),
    }


def _question(url: str | None) -> tuple[str, list[tuple[str, str]]]:
    path, _, query = (url or "").partition("?")
    return without_root(path, public_root()), parse_qsl(query, keep_blank_values=True)


def _page(context: PageContext, path: str, pairs: list[tuple[str, str]]) -> str | None:
    """The page that shows what was asked; None where there is none."""
    if path == _AGGREGATE and {*ASKED} <= {*pairs}:
        left = [pair for pair in pairs if pair not in ASKED and pair[0] != AS_OF]
        if len(left) == 1 and left[0][0] in _OF_PARTY:
            return context.page(_OF_PARTY[left[0][0]].format(quote(left[0][1], safe="")))
        return context.page(
            "/", [(MISSION if name == UNDER_MISSION else name, value) for name, value in left]
        )
    steps = path.split("/")
    is_record = len(steps) == 3 or (len(steps) == 4 and steps[3] == "summary")
    if is_record and steps[1] in PATHS.values():
        return context.page("/pages" + "/".join(steps[:3]))
    return None


def _figures(path: str, answer: Json | None) -> Figures | None:
    """The figures of agreements that an answer has, where it is of these."""
    if answer is None:
        return None
    if path == _AGGREGATE and all(_is_group(each) for each in answer.get("data", ({},))):
        return figures_of(answer)
    return figures_of_summary(answer) if path.endswith("/summary") else None


def _is_group(group: Json) -> bool:
    """Whether it has what the first page asks for, and is one class in one currency. Pages asked
    for the number of amounts, too, and receipts of that time have it."""
    return {*group} - {"count_amount"} == _OF_GROUP


def _quoted(context: PageContext, then: Figures | None, now: Figures | None) -> list[Quoted]:
    """The figures of both answers, each in its row."""
    was, is_now = (dict(_told(context, each)) if each else {} for each in (then, now))
    return [
        Quoted(told, firmness, was.get((told, firmness)), is_now.get((told, firmness)))
        for told, firmness in dict.fromkeys((*was, *is_now))
    ]


def _told(
    context: PageContext, figures: Figures
) -> Iterator[tuple[tuple[str, str | None], str | None]]:
    yield (context.say("deals_title"), None), context.number(figures.total)
    for key, count in figures.counts.items():
        if not count and key == Firmness.replaced:
            continue
        yield (context.name("firmness", key), key), context.number(count)
    for each in figures.sums:
        amount = context.number(each.value or 0)
        told = context.say("amount_per_year", amount=amount) if each.is_yearly else amount
        in_it = each.currency
        # Beside what there is once, each in its row.
        in_it = context.say("amount_per_year", amount=in_it) if each.is_yearly else in_it
        name = f"{context.name('firmness', each.firmness)}, {in_it}"
        yield (name, each.firmness), context.say("money", amount=told, currency=each.currency)
    told = context.say("receipt_without_amount")
    yield (told, None), context.number(figures.without_amount)


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
        "changes": [
            (name, *map(_written, then_now))
            for name, then_now in (each["changes"] or {}).items()
            if not all(map(_is_nothing, then_now))
        ],
    }


def _is_nothing(value: Value) -> bool:
    """Whether it is what a field begins with, and so tells nothing of a record that is new."""
    return value is None or value is False or value == []


def _written(value: Value) -> Value:
    """A value beside the name of its field in the API, written as it is there."""
    if not isinstance(value, bool | list | dict):
        return value
    return json.dumps(value, ensure_ascii=False, default=str)
