"""Makes synthetic missions, companies and agreements, marked as such, to try things at size."""

import asyncio
import random
from collections.abc import Callable, Iterator, Mapping
from datetime import date, timedelta
from decimal import Decimal
from itertools import islice
from uuid import UUID

from rich.progress import Progress
from sqlalchemy import Connection, Table, insert, select, text, update

from app.api import RESOURCES
from app.commands.connection import engine_run
from app.commands.readiness import refuse_unready
from app.core import json_codec
from app.core.databases.interface import Base
from app.core.databases.types import now, uuid7
from app.core.loose_types import Fields
from app.engine.history.change_log import Action, Change, ChangeCounter
from app.engine.registry import by_record_type
from app.engine.search.index import index_many
from app.resources.agreement import Agreement
from app.resources.delegate import Certainty
from app.resources.firmness import NEVER_SIGNED, firmness_of
from app.resources.instrument import DEFAULT_BINDINGNESS, Bindingness, Instrument
from app.resources.mission import Mission, MissionKind, MissionStatus
from app.resources.money import AmountKind, Bound
from app.resources.organization import Organization, OrganizationKind
from app.resources.party import PartyRole
from app.resources.status import AgreementStatus

ACTOR = "generate"
NOTE = "Synthetic: made by `trade-missions generate`, not a fact."
BATCH = 2_000

_COUNTRIES = ("KZ", "RU", "CN", "DE", "TR", "UZ", "IN", "FR", "IT", "PL")
_CURRENCIES = ("USD", "EUR", "KZT", "RUB", "CNY")
_SECTORS = ("F", "C10", "C1050", "C20", "C21", "C2732", "C2910", "G4649", "A01", "J62")
_FIRST_DAY = date(2010, 1, 1)

Row = Fields
OnProgress = Callable[[int], None]


def run(url: str, missions: int, companies: int, agreements: int, random_seed: int) -> str:
    """Add this many of each in one transaction; returns what was done, in words."""
    asyncio.run(refuse_unready(url))
    with Progress() as progress:
        task = progress.add_task("Generating", total=missions + companies + agreements)

        def on_progress(made: int) -> None:
            progress.advance(task, made)

        def work(connection: Connection) -> None:
            Generator(connection, random_seed, on_progress).run(missions, companies, agreements)

        asyncio.run(engine_run(url, work))
    return f"Made {missions} missions, {companies} companies and {agreements} agreements."


class Generator:
    """Writes the rows in batches; the same random seed makes the same data under other ids."""

    def __init__(self, connection: Connection, random_seed: int, on_progress: OnProgress) -> None:
        self.connection = connection
        self.kinds = by_record_type(RESOURCES)
        self.random = random.Random(random_seed)  # noqa: S311 (data to try things, no secret)
        self.on_progress = on_progress
        self.stamp = now()
        # Taken at once and held until the commit, as every write does at its end.
        self.seq = self._lock_counter()

    def run(self, missions: int, companies: int, agreements: int) -> None:
        """Missions and companies first, as agreements refer to them."""
        self.missions = list(self._write(Mission, (self._mission(n) for n in range(missions))))
        self.companies = list(
            self._write(Organization, (self._company(n) for n in range(companies)))
        )
        for _ in self._write(Agreement, (self._agreement(n) for n in range(agreements))):
            pass
        self.connection.execute(update(ChangeCounter).values(seq=self.seq))
        # So many rows at once make the planner's statistics wrong until it counts again.
        self.connection.execute(text("ANALYZE"))

    def _lock_counter(self) -> int:
        counter = select(ChangeCounter.seq).with_for_update()
        return int(self.connection.execute(counter).scalar_one())

    def _write(self, table: type[Base], rows: Iterator[Row]) -> Iterator[UUID]:
        """Store the rows with those of their parts and their entries in the change log; yields
        ids."""
        stored = table.__table__
        assert isinstance(stored, Table)
        embedded = self.kinds[stored.name].embedded
        while batch := list(islice(rows, BATCH)):
            parts = [{name: row.pop(name) for name in embedded if name in row} for row in batch]
            self.connection.execute(insert(stored), batch)
            for name, part in embedded.items():
                of_all = [each for of_row in parts for each in of_row.get(name, ())]
                if of_all:
                    self.connection.execute(insert(part.table), of_all)
            changes = [
                self._change(stored.name, row, self._shown(stored.name, of_row))
                for row, of_row in zip(batch, parts, strict=True)
            ]
            self.connection.execute(insert(Change), changes)
            index_many(self.connection, self.kinds[stored.name], batch)
            self.on_progress(len(batch))
            yield from (row["id"] for row in batch)

    def _shown(self, kind: str, parts: Mapping[str, list[Row]]) -> Row:
        """The parts of a record as it shows them."""
        fields = {
            name: part.fields.model_fields for name, part in self.kinds[kind].embedded.items()
        }
        return {
            name: [{field: row.get(field) for field in fields[name]} for row in rows]
            for name, rows in parts.items()
        }

    def _change(self, kind: str, row: Row, parts: Row) -> Row:
        self.seq += 1
        changes = {
            name: [None, value]
            for name, value in (row | parts).items()
            if value is not None and name not in ("id", "version", "created_at", "updated_at")
        }
        return {
            "seq": self.seq,
            "at": self.stamp,
            "actor": ACTOR,
            "action": Action.CREATE,
            "kind": kind,
            "record_id": row["id"],
            "version": 1,
            "changes": json_codec.dumps(changes).decode(),
        }

    def _record(self) -> Row:
        stamps = {"created_at": self.stamp, "updated_at": self.stamp}
        return {"id": uuid7(), "version": 1, "note": NOTE, **stamps}

    def _day(self) -> date:
        return _FIRST_DAY + timedelta(days=self.random.randrange(16 * 365))

    def _mission(self, number: int) -> Row:
        sending, host = self.random.sample(_COUNTRIES, 2)
        day = self._day()
        until = day + timedelta(days=3)
        row = self._record()
        return row | {
            "stops": [{"mission_id": row["id"], "position": 0, "country": host}],
            "title": f"Synthetic mission {number}",
            "kind": self.random.choice(list(MissionKind)),
            "status": MissionStatus.held,
            "sending_country": sending,
            "host_country": host,
            "dates": f"{day}/{until}",
            "dates_earliest": day,
            "dates_latest": until,
            "sectors": [self.random.choice(_SECTORS)],
        }

    def _company(self, number: int) -> Row:
        return self._record() | {
            "kind": OrganizationKind.company,
            "name": f"Synthetic company {number}",
            "country": self.random.choice(_COUNTRIES),
            "sectors": [self.random.choice(_SECTORS)],
            "other_names": [],
            "is_named": True,
        }

    def _agreement(self, number: int) -> Row:
        choose = self.random.choice
        row = self._record() | _unsaid()
        instrument = choose(list(Instrument))
        plan = instrument is Instrument.announced_plan
        day = None if plan or self.random.random() < 0.1 else self._day()
        binding = DEFAULT_BINDINGNESS.get(instrument, Bindingness.binding)
        status = AgreementStatus.announced if plan else choose(list(AgreementStatus)[2:])
        row |= {
            "mission_id": choose(self.missions),
            "title": f"Synthetic agreement {number}",
            "subject": f"A made-up deal about {choose(_SECTORS)}",
            "instrument": instrument,
            "bindingness": binding,
            "status": status,
            "firmness": firmness_of(status, binding),
            "was_signed": not plan and binding not in NEVER_SIGNED,
            "signed": day and day.isoformat(),
            "signed_earliest": day,
            "signed_latest": day,
            "sectors": [choose(_SECTORS)],
            "parties": self._parties(row["id"], instrument),
        }
        return row if self.random.random() < 0.2 else row | self._amount()

    def _amount(self) -> Row:
        return {
            "amount": Decimal(self.random.randrange(1_000, 100_000_000)),
            "currency": self.random.choice(_CURRENCIES),
            "amount_bound": Bound.exact,
            "amount_kind": AmountKind.contract_value,
        }

    def _parties(self, agreement: UUID, instrument: Instrument) -> list[Row]:
        founding = instrument is Instrument.founding_agreement
        roles = [PartyRole.founder] * 2 if founding else [PartyRole.supplier, PartyRole.buyer]
        return [
            {
                "agreement_id": agreement,
                "position": position,
                "organization_id": self.random.choice(self.companies),
                "description": None,
                "role": role,
                "share_percent": None,
            }
            for position, role in enumerate(roles)
        ]


def _unsaid() -> Row:
    """What some agreements have and others not: a batch must name the same columns in each row."""
    names = ("amount", "currency", "amount_bound", "amount_kind")
    return {**dict.fromkeys(names), "certainty": Certainty.certain, "readings": []}
