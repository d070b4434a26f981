"""A receipt compared with what is answered now: the answers, and record by record."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from starlette.requests import Request

from app.core import json_codec
from app.core.errors import Gone, Problem
from app.core.loose_types import Json, JsonValue
from app.engine.history.undo import PARAMETER
from app.receipts.asking import Asker, Question
from app.receipts.behind import SHOWN, Behind, Key, Tracer, batches, rates_in
from app.receipts.schemas import Difference
from app.rest.audience import sees_withheld
from app.rest.handlers import ASKED_AT, position_of

#: Of how many records it is shown what has changed.
MAX_DIFFERENCES: Final = 100
_CURSORS = ("next_cursor", "prev_cursor")


@dataclass(slots=True)
class _Now:
    """What is answered now, and what stands behind it."""

    answer: Json | None = None
    problem: str | None = None
    behind: Behind = field(default_factory=Behind)


class Comparer:
    """Compares receipts with the present."""

    def __init__(self, asker: Asker, tracer: Tracer) -> None:
        self.asker, self.tracer = asker, tracer

    async def compare(self, request: Request, receipt: Json) -> Json:
        """The receipt as it is shown, of what is stored of it."""
        now = await self._now(request, receipt)
        then_records = {**_keyed(receipt["records"]), **_keyed(receipt["passages"])}
        now_records = {**now.behind.records, **now.behind.passages}
        if now.problem is not None:
            now_records = {}
        missing = then_records.keys() - now_records.keys()
        present = await self._present(request, now.behind, missing)
        differences = _differences(then_records, now_records, present)
        # What is withheld or purged now is not told of what was answered before either.
        withheld = set() if sees_withheld(request) else now.behind.withheld
        hidden = [
            each
            for each in differences
            if each["difference"] is Difference.UNKNOWN or (each["kind"], each["id"]) in withheld
        ]
        shown = differences[:MAX_DIFFERENCES]
        for each in shown:
            each["changes"] = await self._changes(request, each, receipt["position"])
        kept = receipt.pop("answer")
        then = None if hidden else await self._told(request, receipt, kept)
        if hidden and not sees_withheld(request):
            # The address, and the words about it, may say what is withheld.
            return self._without_what_it_says(receipt, await position_of(request))
        return {
            **receipt,
            "then": then,
            "now": now.answer,
            "problem": now.problem,
            "differs": then is None or _comparable(then) != _comparable(now.answer),
            "position_now": await position_of(request),
            "differences": shown,
            "differences_count": len(differences),
            "rate_differences": _rate_differences(receipt["rates"], rates_in(now.answer)),
        }

    async def _told(self, request: Request, receipt: Json, kept: Json) -> Json | None:
        """The answer as it was, without what is withheld by now of records that it names: what is
        answered for its moment tells. Where nothing is, one that may name others is not shown."""
        if sees_withheld(request) or await position_of(request) == receipt["position"]:
            return kept
        question = self.asker.question(receipt["url"])
        if all(name != PARAMETER for name, _ in question.pairs):
            question.pairs.append((PARAMETER, receipt["position"]))
        try:
            then: Json = json_codec.loads(await self.asker.body(request, question))
        except Problem:
            return None if _names_others(question) else kept
        return kept if _comparable(then) == _comparable(kept) else then

    def _without_what_it_says(self, receipt: Json, position: str) -> Json:
        nothing: Json = dict.fromkeys(("url", "note", "then", "now"))
        kept = ("records", "passages", "rates", "differences", "rate_differences")
        nothing |= {name: [] for name in kept}
        return {
            **receipt,
            **nothing,
            "problem": "Something that stands behind it was purged, or is withheld by now.",
            "differs": True,
            "position_now": position,
            "differences_count": 0,
        }

    async def _now(self, request: Request, receipt: Json) -> _Now:
        try:
            question = self.asker.question(receipt["url"])
            if all(name != PARAMETER for name, _ in question.pairs):
                # What was counted from now still is from then: it is the records that can differ.
                request.scope[ASKED_AT] = datetime.fromisoformat(receipt["made_at"])
            answer = json_codec.loads(await self.asker.body(request, question))
            return _Now(answer, None, await self.tracer.trace(request, question))
        except Problem as problem:
            return _Now(problem=problem.detail)

    async def _present(
        self, request: Request, behind: Behind, keys: Iterable[Key]
    ) -> dict[Key, int]:
        """The versions of records that are there, in the trash or not."""
        found: dict[Key, int] = {}
        by_kind: dict[str, list[str]] = {}
        for kind, record_id in keys:
            by_kind.setdefault(kind, []).append(record_id)
        for kind, ids in by_kind.items():
            for several in batches(sorted(ids)):
                pairs = [("id__in", ",".join(several)), ("deleted", "include"), SHOWN]
                pairs.append(("limit", str(len(several))))
                answer = await self.asker.ask(request, f"/{self.asker.path_of(kind)}", pairs)
                behind.note(found, self.asker.resources[kind], answer["data"])
        return found

    async def _changes(self, request: Request, at: Json, position: str) -> Json:
        """What has changed of a record since: for each field what it was, and what it is."""
        if at["difference"] is Difference.UNKNOWN or at["version_then"] == at["version_now"]:
            return {}
        pairs = [("kind", at["kind"]), ("record_id", at["id"]), ("since", position)]
        try:
            entries = await self.asker.changes(request, [*pairs, ("limit", "1000")])
        except Gone:
            # The log of before a restore is another one.
            return {}
        merged: dict[str, list[JsonValue]] = {}
        for entry in entries:
            for name, (old, new) in entry["changes"].items():
                merged[name] = [merged[name][0] if name in merged else old, new]
        return {name: pair for name, pair in merged.items() if pair[0] != pair[1]}


def _names_others(question: Question) -> bool:
    """Whether an answer shows what stands in other records than those that it is of."""
    return any(name == "expand" or "." in value for name, value in question.pairs)


def _keyed(records: list[Json]) -> dict[Key, int]:
    return {(each["kind"], each["id"]): each["version"] for each in records}


def _differences(
    then: dict[Key, int], now: dict[Key, int], present: dict[Key, int]
) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for key in sorted(then.keys() | now.keys()):
        if then.get(key) == now.get(key):
            continue
        if key in then and key in now:
            difference = Difference.CHANGED
        elif key in now:
            difference = Difference.ADDED
        else:
            difference = Difference.GONE if key in present else Difference.UNKNOWN
        kind, record_id = key
        found.append(
            {
                "kind": kind,
                "id": record_id,
                "difference": difference,
                "version_then": then.get(key),
                "version_now": now.get(key, present.get(key)),
                "changes": {},
            }
        )
    return found


def _rate_differences(then: list[Json], now: list[Json]) -> list[Json]:
    """The rates that are not the same in both answers, those of one provider, day and pair of
    currencies beside each other."""
    before, after = ({_which(rate): rate for rate in rates} for rates in (then, now))
    return [
        {"then": before.get(key), "now": after.get(key)}
        for key in sorted(before.keys() | after.keys())
        if before.get(key) != after.get(key)
    ]


def _which(rate: Json) -> tuple[str, ...]:
    return tuple(str(rate.get(name)) for name in ("provider", "date", "base", "quote"))


def _comparable(answer: Json | None) -> Json | None:
    """An answer without what only leads on from it."""
    if answer is None or not isinstance(answer.get("page"), dict):
        return answer
    page = {name: value for name, value in answer["page"].items() if name not in _CURSORS}
    return {**answer, "page": page}
