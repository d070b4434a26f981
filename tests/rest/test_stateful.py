"""Whatever is done in whatever order, records are what a plain model of them says."""

import asyncio
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test

from app.resources.status import AgreementStatus, moves_from
from tests.conftest import client_of, serving
from tests.examples import Body
from tests.rest.machines import Modelled, Talk

QUIET = settings(
    max_examples=8,
    stateful_step_count=12,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)

lines = st.sampled_from(["a", "Ёлка", "c'd", '"', "\\", "{}"])
FIELDS: dict[str, st.SearchStrategy[object]] = {
    "full_name": lines,
    "full_name_en": lines | st.none(),
    "other_names": st.lists(lines, max_size=3),
    "note": lines | st.none(),
}
DEFAULTS: Body = {"full_name_en": None, "other_names": [], "note": None}
bodies = st.fixed_dictionaries(
    {"full_name": lines}, optional={n: FIELDS[n] for n in FIELDS if n != "full_name"}
)
patches = st.fixed_dictionaries({}, optional=FIELDS)


class People(RuleBasedStateMachine):
    """All writes of one kind of record."""

    talk: Talk

    def __init__(self) -> None:
        super().__init__()
        self.people: list[Modelled] = []

    def _some(self, data: st.DataObject) -> Modelled:
        return data.draw(st.sampled_from(self.people))

    def _done(self, person: Modelled) -> None:
        self.talk.check("people", person)

    def _made(self, told: Body, body: Body) -> None:
        person = Modelled(told["id"])
        person.become("create", **{**body, "ref": told["ref"], "in_trash": False})
        self.people.append(person)
        self._done(person)

    @rule(body=bodies)
    def create(self, body: Body) -> None:
        body = {**body, "ref": f"r{uuid4().hex}"}
        self._made(self.talk.ask("POST", "/people", body, 201), _whole(body))

    @rule(body=bodies)
    def create_at_a_ref(self, body: Body) -> None:
        ref = f"r{uuid4().hex}"
        told = self.talk.ask("PUT", f"/people/{ref}", body, 201, if_none_match="*")
        self._made(told, _whole({**body, "ref": ref}))

    @precondition(lambda self: self.people)
    @rule(data=st.data(), patch=patches)
    def patch(self, data: st.DataObject, patch: Body) -> None:
        person = self._some(data)
        status = 404 if person.in_trash else 200
        self.talk.ask("PATCH", f"/people/{person.id}", patch, status)
        if status == 200:
            person.become("update", **patch)
        self._done(person)

    @precondition(lambda self: self.people)
    @rule(data=st.data(), body=bodies)
    def put(self, data: st.DataObject, body: Body) -> None:
        person = self._some(data)
        status = 404 if person.in_trash else 200
        self.talk.ask("PUT", f"/people/{person.id}", body, status)
        if status == 200:
            person.become("replace", **{**DEFAULTS, "ref": None, **body})
        self._done(person)

    @precondition(lambda self: self.people)
    @rule(data=st.data())
    def delete(self, data: st.DataObject) -> None:
        person = self._some(data)
        self.talk.ask("DELETE", f"/people/{person.id}", status=404 if person.in_trash else 204)
        person.become("delete", in_trash=True)
        self._done(person)

    @precondition(lambda self: self.people)
    @rule(data=st.data())
    def restore(self, data: st.DataObject) -> None:
        person = self._some(data)
        self.talk.ask("POST", f"/people/{person.id}/restore")
        person.become("restore", in_trash=False)
        self._done(person)

    @precondition(lambda self: self.people)
    @rule(data=st.data())
    def restore_version(self, data: st.DataObject) -> None:
        person = self._some(data)
        version = data.draw(st.integers(1, len(person.states) + 1))
        status = 200 if version <= len(person.states) else 404
        self.talk.ask("POST", f"/people/{person.id}/restore?version={version}", status=status)
        if status == 200:
            then = person.states[version - 1]
            person.become("restore", in_trash=False)
            person.become("restore", **{**then, "in_trash": False})
        self._done(person)

    @precondition(lambda self: self.people)
    @rule(data=st.data(), body=bodies)
    def upsert(self, data: st.DataObject, body: Body) -> None:
        person = self._some(data)
        ref = person.now["ref"]
        if ref is None:
            return
        operations = [{"op": "upsert", "body": {**body, "ref": ref}}]
        status = 422 if person.in_trash else 200
        self.talk.ask("POST", "/people/bulk", {"operations": operations}, status)
        if status == 200:
            person.become("update", **body)
        self._done(person)


def _whole(body: Body) -> Body:
    return {**DEFAULTS, **body}


class Moves(RuleBasedStateMachine):
    """An agreement that moves from status to status, with an outcome for each move."""

    talk: Talk

    def __init__(self) -> None:
        super().__init__()
        body: Body = {"title": "A", "instrument": "supply_contract", "status": "announced"}
        body |= {"parties": [{"role": "buyer", "description": "B"}]}
        told = self.talk.ask("POST", "/agreements", body, 201)
        self.agreement = Modelled(told["id"])
        self.agreement.become("create", status="announced", in_trash=False)
        self.moves: list[str] = []
        self.address = f"/agreements/{told['id']}"

    def _check(self) -> None:
        self.talk.check("agreements", self.agreement)
        told = [one["status"] for one in self.talk.list(f"{self.address}/outcomes")]
        assert told == self.moves

    def _status(self, status: AgreementStatus) -> int:
        now = AgreementStatus(self.agreement.now["status"])
        return 200 if status == now or status in moves_from(now) else 409

    def _moved(self, status: AgreementStatus) -> None:
        if status != self.agreement.now["status"]:
            self.moves.append(status)
            self.agreement.become("update", status=str(status))

    @rule(status=st.sampled_from(AgreementStatus))
    def move(self, status: AgreementStatus) -> None:
        expected = self._status(status)
        self.talk.ask("PATCH", self.address, {"status": status}, expected)
        if expected == 200:
            self._moved(status)
        self._check()

    @rule(status=st.sampled_from(AgreementStatus))
    def enter_an_outcome(self, status: AgreementStatus) -> None:
        expected = self._status(status)
        body = {"agreement_id": self.agreement.id, "status": status}
        self.talk.ask("POST", "/outcomes", body, 201 if expected == 200 else 409)
        if expected == 200 and status == self.agreement.now["status"]:
            self.moves.append(status)
        elif expected == 200:
            self._moved(status)
        self._check()

    @rule(data=st.data())
    def restore_version(self, data: st.DataObject) -> None:
        version = data.draw(st.integers(1, len(self.agreement.states)))
        status = AgreementStatus(self.agreement.states[version - 1]["status"])
        expected = self._status(status)
        self.talk.ask("POST", f"{self.address}/restore?version={version}", status=expected)
        if expected == 200:
            assert status == self.agreement.now["status"]
        self._check()


@pytest.mark.parametrize("machine", [People, Moves], ids=lambda m: m.__name__.lower())
async def test_records_are_what_a_model_of_them_says(
    fresh_url: str, machine: type[People | Moves]
) -> None:
    await asyncio.to_thread(_play, fresh_url, machine)


def _play(url: str, machine: type[People | Moves]) -> None:
    """Run the machine, which is no coroutine, beside a loop of its own."""
    with asyncio.Runner() as runner:
        entered = serving(url)
        app = runner.run(entered.__aenter__())
        try:
            talking = type(machine.__name__, (machine,), {"talk": Talk(runner, client_of(app))})
            run_state_machine_as_test(talking, settings=QUIET)
        finally:
            runner.run(entered.__aexit__(None, None, None))
