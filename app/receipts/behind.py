"""Which records stand behind an answer: those that it shows, counts or adds."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import product
from typing import Final

from starlette.requests import Request

from app.core.databases.interface import table_of
from app.core.errors import BadRequest
from app.core.loose_types import Json, JsonValue
from app.engine.history.undo import PARAMETER
from app.engine.keys import as_id
from app.engine.paths import relations_of
from app.engine.query.parameters import MAX_LIMIT, FilterQuery, ListQuery, ViewQuery
from app.engine.resource import Embedded, Resource
from app.engine.writes.parts import parts_of
from app.receipts.asking import INSIGHTS, Asker, Pairs, Question, query_of
from app.receipts.related import related_records, related_steps

#: How many records are kept as standing behind an answer, and how many of their citations.
MAX_RECORDS: Final = 10_000
MAX_PASSAGES: Final = 1_000
#: How many records are asked for by their ids at a time.
BATCH_IDS: Final = 100
#: Over how many relations what is part of a record is followed.
_MAX_STEPS = 3
#: What is read of a record: which one, its version, and whether fields of it are withheld.
SHOWN = ("fields", "id,version,withheld")
#: A record, by its kind and id.
Key = tuple[str, str]


@dataclass(slots=True)
class Behind:
    """The records behind an answer, with their versions."""

    records: dict[Key, int] = field(default_factory=dict)
    passages: dict[Key, int] = field(default_factory=dict)
    #: Those of them with fields that are withheld now.
    withheld: set[Key] = field(default_factory=set)
    is_traced: bool = True
    is_cut: bool = False

    def note(self, known: dict[Key, int], resource: Resource, records: list[Json]) -> None:
        """Put these records of a kind, as they are read, among those that are known."""
        for record in records:
            key = resource.record_type, record["id"]
            known[key] = record["version"]
            if record["withheld"]:
                self.withheld.add(key)


class Tracer:
    """Finds what stands behind answers; `citation` is the kind of what they rest on."""

    def __init__(self, asker: Asker, citation: Resource) -> None:
        self.asker, self.citation = asker, citation

    async def trace(self, request: Request, question: Question) -> Behind:
        """What stands behind the answer to a question, as it is now."""
        behind = Behind()
        resource: Resource | None = getattr(question.route, "resource", None)
        steps = question.path.strip("/").split("/")
        if steps[0] == INSIGHTS and resource is not None:
            await self._of_insight(request, behind, resource, question)
        elif question.route.operation_id.startswith("list_") and resource is not None:
            await self._listed(request, behind, resource, question)
        elif steps[-1] == "aggregate" and resource is not None:
            await self._counted(request, behind, resource, question)
        elif steps[0] in self.asker.paths and len(steps) > 1:
            alone = len(steps) == 2
            await self._of_record(request, behind, question, steps, alone=alone)
        else:
            behind.is_traced = False
        await self._cited(request, behind, _moment_of(question))
        return behind

    async def _listed(
        self, request: Request, behind: Behind, resource: Resource, question: Question
    ) -> None:
        """The records of the page that is shown."""
        pairs = [pair for pair in question.pairs if pair[0] not in ViewQuery.model_fields]
        answer = await self.asker.ask(request, question.path, [*pairs, SHOWN])
        behind.note(behind.records, resource, answer["data"])
        ids = [record["id"] for record in answer["data"]]
        await self._related(request, behind, resource, ids, question.pairs)

    async def _counted(
        self, request: Request, behind: Behind, resource: Resource, question: Question
    ) -> None:
        """All that the filters of an aggregate find."""
        query = query_of(question.route)
        assert query is not None
        known = query.model_fields.keys() | ListQuery.model_fields.keys()
        own = known - FilterQuery.model_fields.keys()
        pairs = [pair for pair in question.pairs if pair[0] not in own]
        ids = await self._all(request, behind, resource, pairs)
        await self._related(request, behind, resource, ids, question.pairs)

    async def _of_insight(
        self, request: Request, behind: Behind, resource: Resource, question: Question
    ) -> None:
        """The records of the rows that are shown, or all that are counted, and those around them
        that figures are made of."""
        moment = _moment_of(question)
        if question.route.operation_id.startswith("list_"):
            answer = await self.asker.ask(request, question.path, question.pairs)
            ids = [row["id"] for row in answer["data"]]
            for several in batches(ids):
                found = [("id__in", ",".join(several)), *moment]
                await self._all(request, behind, resource, found)
        else:
            await self._counted(request, behind, resource, question)
            ids = [record_id for _, record_id in behind.records]
        await self._related(request, behind, resource, ids, question.pairs)
        ids = await self._with_own_parts(request, behind, resource, ids, question)
        for several in batches(ids):
            for other, name in self._around(resource):
                found = [(f"{name}__in", ",".join(several)), *moment]
                await self._all(request, behind, other, found)

    def _around(self, resource: Resource) -> Iterator[tuple[Resource, str]]:
        """The kinds of the records around one of this kind, each with the field that names it: what
        is part of it, what it belongs to, and for want of these whatever names it."""
        parts = [(child, f"{'__'.join(path)}_id") for child, path in _parts(resource, ())]
        yield from parts
        for owner in (resource.to_one[name] for name in resource.under):
            if resource.path in relations_of(owner):
                yield owner, f"{resource.path}__id"
        for other in () if parts else self.asker.paths.values():
            for name in _names_of(other, resource):
                yield other, name

    async def _of_record(
        self,
        request: Request,
        behind: Behind,
        question: Question,
        steps: list[str],
        *,
        alone: bool,
    ) -> None:
        """A record, and what is part of it where a figure of it is told."""
        resource = self.asker.paths[steps[0]]
        moment = _moment_of(question)
        if alone:
            kept = ("as_of", "deleted")
            pairs = [pair for pair in question.pairs if pair[0] in kept]
            record = await self.asker.ask(request, question.path, pairs)
            behind.note(behind.records, resource, [record])
            await self._related(request, behind, resource, [record["id"]], question.pairs)
            return
        by = "id" if as_id(steps[1]) else "ref"
        found = await self.asker.ask(request, f"/{resource.path}", [(by, steps[1]), SHOWN, *moment])
        behind.note(behind.records, resource, found["data"])
        ids = [record["id"] for record in found["data"]]
        ids = await self._with_own_parts(request, behind, resource, ids, question)
        for several in batches(ids):
            for child, path in _parts(resource, ()):
                pairs = [(f"{'__'.join(path)}_id__in", ",".join(several)), *moment]
                await self._all(request, behind, child, pairs)

    async def _with_own_parts(
        self,
        request: Request,
        behind: Behind,
        resource: Resource,
        ids: list[str],
        question: Question,
    ) -> list[str]:
        """The ids with those of the records of the same kind that are part of these, and of those:
        the legs of a journey, unless they are left out of the answer."""
        known = dict.fromkeys(ids)
        columns = [column for child, column in parts_of(resource) if child is resource]
        if ("parts", "exclude") in question.pairs:
            return list(known)
        for column in columns:
            waiting = list(known)
            while waiting:
                below: list[str] = []
                for several in batches(waiting):
                    pairs = [(f"{column.key}__in", ",".join(several)), *_moment_of(question)]
                    below += await self._all(request, behind, resource, pairs)
                waiting = [each for each in below if each not in known]
                known |= dict.fromkeys(waiting)
        return list(known)

    async def _related(
        self, request: Request, behind: Behind, resource: Resource, ids: list[str], asked: Pairs
    ) -> None:
        """The records that the query leads over to from those with these ids."""
        several_steps = related_steps(resource, asked)
        waiting = list(batches(ids)) if several_steps else []
        expanded = ",".join(".".join(steps) for steps in several_steps)
        moment = [pair for pair in asked if pair[0] == PARAMETER]
        while waiting:
            some = waiting.pop()
            shown = [("fields", "id"), ("expand", expanded), ("limit", str(len(some)))]
            pairs = [("id__in", ",".join(some)), ("deleted", "include"), *shown, *moment]
            try:
                answer = await self.asker.ask(request, f"/{resource.path}", pairs)
            except BadRequest:
                # So many are not shown at once.
                half = len(some) // 2
                waiting += [each for each in (some[:half], some[half:]) if each and half]
                behind.is_cut |= not half
                continue
            for record, steps in product(answer["data"], several_steps):
                for kind, other in related_records(resource, record, steps):
                    if len(behind.records) < MAX_RECORDS:
                        behind.note(behind.records, kind, [other])
                    behind.is_cut |= len(behind.records) >= MAX_RECORDS

    async def _all(
        self, request: Request, behind: Behind, resource: Resource, pairs: Pairs
    ) -> list[str]:
        """The ids of all records that the filters find, as many as are kept."""
        ids: list[str] = []
        cursor: str | None = None
        while len(behind.records) < MAX_RECORDS:
            limit = min(MAX_LIMIT, MAX_RECORDS - len(behind.records))
            asked = [*pairs, SHOWN, ("limit", str(limit))]
            place = [("cursor", cursor)] if cursor else []
            answer = await self.asker.ask(request, f"/{resource.path}", [*asked, *place])
            behind.note(behind.records, resource, answer["data"])
            ids += [record["id"] for record in answer["data"]]
            cursor = answer["page"]["next_cursor"]
            if cursor is None:
                return ids
        behind.is_cut = True
        return ids

    async def _cited(self, request: Request, behind: Behind, moment: Pairs) -> None:
        """The citations of the records."""
        ids = [record_id for _, record_id in behind.records]
        address = f"/{self.citation.path}"
        for several in batches(ids):
            if len(behind.passages) >= MAX_PASSAGES:
                behind.is_cut = True
                return
            pairs = [("record_id__in", ",".join(several)), ("limit", str(MAX_LIMIT)), SHOWN]
            answer = await self.asker.ask(request, address, [*pairs, *moment])
            behind.note(behind.passages, self.citation, answer["data"])


def _moment_of(question: Question) -> Pairs:
    return [pair for pair in question.pairs if pair[0] == PARAMETER]


def batches(ids: list[str]) -> Iterator[list[str]]:
    """As many ids at a time as one address takes."""
    return (ids[at : at + BATCH_IDS] for at in range(0, len(ids), BATCH_IDS))


def _parts(resource: Resource, path: tuple[str, ...]) -> Iterator[tuple[Resource, tuple[str, ...]]]:
    """The kinds of what is part of a record, and of what is part of that, each with the relations
    that lead from it to the record; without its own kind."""
    for child, column in parts_of(resource):
        relation = str(column.key).removesuffix("_id")
        steps = (relation, *path)
        if len(steps) <= _MAX_STEPS and child is not resource:
            yield child, steps
            yield from _parts(child, steps)


def _names_of(other: Resource, resource: Resource) -> Iterator[str]:
    """The fields by which a record of the other kind names one of this."""
    places: dict[str, Resource | Embedded] = {"": other}
    places |= {f"{name}__": part for name, part in other.embedded.items()}
    for prefix, at in places.items():
        for name, target in at.to_one.items():
            if target is resource and f"{name}_id" in table_of(at.table).c:
                yield f"{prefix}{name}_id"


def rates_in(answer: JsonValue) -> list[Json]:
    """The exchange rates that an answer tells of, wherever in it: each once."""
    found: list[Json] = []
    waiting = [answer]
    while waiting:
        value = waiting.pop(0)
        if isinstance(value, list):
            waiting += value
        elif isinstance(value, dict):
            rates = value.get("rates")
            if isinstance(rates, list):
                found += [rate for rate in rates if rate not in found]
            waiting += [inner for name, inner in value.items() if name != "rates"]
    return found
