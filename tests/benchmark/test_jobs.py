"""Nothing that is wrong is timed: each job looks at an answer first, and says what is wrong."""

import json
from dataclasses import replace
from typing import Any

import pytest

from app.benchmark.data import Data, Search, normal_id
from app.benchmark.jobs import Job, Turn, WrongAnswer, loads
from app.benchmark.peers.service import Service
from app.benchmark.processes import Answer, Request, Server

IDS = [f"01a22517-206f-7680-9106-{number:012x}" for number in range(8)]
SERVICE = Service(1, "sqlite://", "key")
SEARCH = Search("word in all", ("synthetic",), {"status": "signed"}, 2)
DATA = Data(
    sample={IDS[0]: "Synthetic 0"},
    listed={normal_id(IDS[1]): ["A", "B"], normal_id(IDS[2]): ["C"]},
    searches=(SEARCH,),
    free=tuple(IDS[3:]),
    missions=(IDS[7],),
    agreements=8,
)


def record(key: str, *parties: str, **more: Any) -> dict[str, Any]:
    shown = [{"organization": {"name": name}} for name in parties]
    common = {"title": "Synthetic 0", "subject": "", "status": "signed", "parties": shown}
    return {"id": key, **common, **more}


def page(*records: dict[str, Any]) -> dict[str, Any]:
    return {"data": list(records)}


class Told(Server):
    """A server that answers by what is told for it, by method and the beginning of the address."""

    def __init__(self, answers: dict[str, tuple[int, Any]]) -> None:
        super().__init__(0, 0, 0)
        object.__setattr__(self, "answers", answers)

    def ask(self, request: Request, seconds: float = 0) -> Answer:
        asked = f"{request.method} {request.path}"
        answers: dict[str, tuple[int, Any]] = self.answers  # type: ignore[attr-defined]
        status, content = next(told for name, told in answers.items() if asked.startswith(name))
        return Answer(status, b"" if content is None else json.dumps(content).encode(), {})


LISTED = page(record(IDS[1], "A", "B"), record(IDS[2], "C"))
ONE, LIST = "GET /agreements/", "GET /agreements?"
#: By job: right answers, and wrong ones with the words that tell what is wrong.
CASES: dict[
    str, tuple[dict[str, tuple[int, Any]], list[tuple[dict[str, tuple[int, Any]], str]]]
] = {
    "one record": (
        {ONE: (200, record(IDS[0]))},
        [
            ({ONE: (404, {})}, "the status: 404, where 200"),
            ({ONE: (200, record(IDS[1]))}, "the id: "),
            ({ONE: (200, record(IDS[0], title="Another"))}, "the title: Another"),
        ],
    ),
    "list of 50, filtered and sorted": (
        {LIST: (200, LISTED)},
        [
            ({LIST: (200, page(record(IDS[2]), record(IDS[1])))}, "the records of the list"),
            ({LIST: (200, page(record(IDS[1])))}, "the records of the list"),
        ],
    ),
    "list of 50 with parties and organizations": (
        {LIST: (200, LISTED)},
        [({LIST: (200, page(record(IDS[1], "A"), record(IDS[2], "C")))}, "the parties of")],
    ),
    "unchanged list, If-None-Match": (
        {LIST: (304, None)},
        [({LIST: (200, LISTED)}, "the status: 200, where 304")],
    ),
    "search: word in all": (
        {LIST: (200, LISTED)},
        [
            ({LIST: (200, page(record(IDS[1])))}, "how many are found: 1, where 2"),
            ({LIST: (200, page(*[record(IDS[1], title="x")] * 2))}, "the words that"),
            ({LIST: (200, page(*[record(IDS[1], status="expired")] * 2))}, "status: expired"),
        ],
    ),
    "POST, 16 writers": (
        {
            "POST ": (201, {"id": IDS[4]}),
            ONE: (200, record(IDS[4], title="Measured agreement 0", amount=59_419_540)),
        },
        [({"POST ": (422, {})}, "the status: 422, where 201")],
    ),
    "PATCH, 16 writers": (
        {"PATCH ": (200, {}), ONE: (200, record(IDS[3], note="Changed to see it."))},
        [({"PATCH ": (200, {}), ONE: (200, record(IDS[3], note="old"))}, "the note: old")],
    ),
    "DELETE, 16 writers": (
        {"DELETE ": (204, None), ONE: (410, {})},
        [({"DELETE ": (204, None), ONE: (200, {})}, "a deleted record is answered with 200")],
    ),
}


def jobs() -> dict[str, Job]:
    reads, writes = loads(DATA)
    return {job.name: job for job in [*reads, *writes]}


def test_a_right_answer_passes_and_a_wrong_one_is_told() -> None:
    found = jobs()
    assert set(found) == set(CASES)
    amount = next(DATA.new_agreements(1))["amount"]
    for name, (right, wrongs) in CASES.items():
        for answer in right.values():
            if isinstance(answer[1], dict) and "amount" in answer[1]:
                answer[1]["amount"] = amount
        found[name].check(SERVICE, Turn(Told(right), DATA))
        for wrong, words in wrongs:
            with pytest.raises(WrongAnswer, match=words):
                found[name].check(SERVICE, Turn(Told(wrong), DATA))


def test_a_record_is_deleted_once_in_all_rounds() -> None:
    job = jobs()["DELETE, 16 writers"]
    turn = Turn(Told({}), DATA, rounds=2)
    paths = [
        request.path
        for number in range(2)
        for request in job.requests(SERVICE, replace(turn, number=number))
        if request is not None
    ]
    assert paths
    assert len(paths) == len(set(paths))
