"""PocketBase: a compiled server in Go with SQLite inside."""

import json
import shutil
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from app.benchmark.data import LISTED, PAGE, Row, Search, normal_id
from app.benchmark.peers.contestant import Api, Place, json_request
from app.benchmark.processes import Answer, Program, Request, run_to_end
from app.resources.instrument import Bindingness, Instrument
from app.resources.money import AmountKind, Bound
from app.resources.party import PartyRole
from app.resources.status import AgreementStatus

RECORDS = "/api/collections/agreements/records"
#: How many requests are put into a batch; 50 unless set.
BATCHED = 1_000
_TEXTS = {
    "organizations": "ref note kind name name_en legal_form country region city",
    "missions": "ref note title kind status",
    "agreements": "ref note event_id title title_en subject subject_en signed signed_earliest"
    " signed_latest due due_earliest due_latest currency amount_period amount_text certainty"
    " place_country place_region place_city",
    "parties": "description",
}
_LISTS = {"organizations": "other_names sectors", "agreements": "sectors readings"}
_NUMBERS = {
    "organizations": "version",
    "missions": "version",
    "agreements": "version amount amount_years",
    "parties": "position share_percent",
}
_CHOICES: dict[str, dict[str, Any]] = {
    "agreements": {
        "instrument": Instrument,
        "bindingness": Bindingness,
        "status": AgreementStatus,
        "amount_bound": Bound,
        "amount_kind": AmountKind,
    },
    "parties": {"role": PartyRole},
}
_RELATIONS = {
    "agreements": {"mission": "missions"},
    "parties": {"agreement": "agreements", "organization": "organizations"},
}
_INDEXES = {
    "agreements": [
        "CREATE INDEX ix_status_amount ON agreements (status, amount, id)",
        "CREATE INDEX ix_amount ON agreements (amount, id)",
        "CREATE INDEX ix_mission ON agreements (mission)",
    ],
    "parties": ["CREATE INDEX ix_agreement ON parties (agreement, position)"],
}
#: Its collections, with the files that they are loaded from.
_FILES = {
    "organizations": "organization",
    "missions": "mission",
    "agreements": "agreement",
    "parties": "agreement_party",
}


def find(folder: Path) -> Path | None:
    """The program in the folder of an environment's programs, or on the path."""
    found = shutil.which("pocketbase", path=str(folder)) or shutil.which("pocketbase")
    return None if found is None else Path(found)


class PocketBase(Api):
    """The server with collections that everybody may read and write, so that it checks nothing."""

    name = "PocketBase"
    imports = True
    created = 200

    def __init__(self, executable: Path, version: str) -> None:
        self.executable = executable
        self.settings = (
            f"{version}, `pocketbase serve`, open rules, its log of requests off, `skipTotal`,"
            f" batches of {BATCHED:,}; SQLite with synchronous=NORMAL, as it sets it"
        )

    def set_up(self, place: Place) -> None:
        migrations = place.folder / "migrations"
        migrations.mkdir()
        (migrations / "1_collections.js").write_text(_migration())
        run_to_end(self._program(place, "migrate", "up"), place.folder / "migrate.log")
        with closing(sqlite3.connect(place.folder / "data" / "data.db")) as connection:
            for collection, file in _FILES.items():
                _load(connection, collection, place.files[file])
            connection.execute("ANALYZE")
            connection.commit()

    def program(self, place: Place, port: int) -> Program:
        return self._program(place, "serve", f"--http=127.0.0.1:{port}")

    def _program(self, place: Place, *arguments: str) -> Program:
        folders = (f"--dir={place.folder}/data", f"--migrationsDir={place.folder}/migrations")
        return Program((self.executable, *arguments, *folders), {}, place.folder)

    def record(self, key: str) -> Request:
        return Request("GET", f"{RECORDS}/{normal_id(key)}")

    def listing(self) -> Request:
        return _page(filter=f"status='{LISTED}'", sort="-amount,-id")

    def expanded(self) -> Request:
        expand = "parties_via_agreement.organization"
        return _page(filter=f"status='{LISTED}'", sort="-amount,-id", expand=expand)

    def search(self, search: Search) -> Request:
        conditions = [f"(title ~ '{word}' || subject ~ '{word}')" for word in search.words]
        conditions += [f"{name}='{value}'" for name, value in search.filters.items()]
        sort = "-amount,-id" if search.filters else "-@rowid"
        return _page(filter=" && ".join(conditions), sort=sort)

    def create(self, row: Row) -> Request:
        return json_request("POST", RECORDS, _written(row))

    def change(self, key: str, note: str) -> Request:
        return json_request("PATCH", f"{RECORDS}/{normal_id(key)}", {"note": note})

    def delete(self, key: str) -> Request:
        return Request("DELETE", f"{RECORDS}/{normal_id(key)}")

    def batches(self, rows: Iterable[Row]) -> Iterator[Request]:
        left = iter(rows)
        while batch := list(islice(left, BATCHED)):
            requests = [{"method": "POST", "url": RECORDS, "body": _written(row)} for row in batch]
            yield json_request("POST", "/api/batch", {"requests": requests})

    def records(self, answer: Answer) -> list[Row]:
        found: list[Row] = json.loads(answer.body)["items"]
        return found

    def parties_of(self, record: Row) -> list[str]:
        parties = record["expand"]["parties_via_agreement"]
        parties.sort(key=lambda party: party["position"])
        found = (party.get("expand", {}).get("organization") for party in parties)
        return [organization["name"] for organization in found if organization]


def _page(**parameters: str) -> Request:
    asked = urlencode({"perPage": PAGE, "skipTotal": 1, **parameters})
    return Request("GET", f"{RECORDS}?{asked}")


def _written(row: Row) -> Row:
    found = {name: value for name, value in row.items() if name != "mission_id"}
    return {**found, "mission": normal_id(row["mission_id"])}


def _migration() -> str:
    """Its collections as a migration, the way it has for that."""
    rules = {f"{verb}Rule": "" for verb in ("list", "view", "create", "update", "delete")}
    lines = ["migrate((app) => {", "const ids = {};"]
    for name in _FILES:
        made = {"type": "base", "name": name, **rules, "indexes": _INDEXES.get(name, [])}
        lines.append(f"const {name} = new Collection({json.dumps(made)});")
        for field in _fields(name):
            target = field.pop("target", None)
            text = json.dumps(field)
            if target is not None:
                text = f"{text[:-1]}, collectionId: {target}.id}}"
            lines.append(f"{name}.fields.add(new Field({text}));")
        lines.append(f"app.save({name});")
    lines += [
        "const settings = app.settings();",
        "settings.logs.maxDays = 0;",
        "settings.batch.enabled = true;",
        f"settings.batch.maxRequests = {BATCHED};",
        "settings.batch.timeout = 60;",
        "app.save(settings);",
        "});",
    ]
    return "\n".join(lines)


def _fields(name: str) -> Iterator[dict[str, Any]]:
    for field in _TEXTS[name].split():
        yield {"type": "text", "name": field, "required": field in ("title", "name")}
    for field in _LISTS.get(name, "").split():
        yield {"type": "json", "name": field}
    for field in _NUMBERS[name].split():
        yield {"type": "number", "name": field}
    for field, values in _CHOICES.get(name, {}).items():
        yield {"type": "select", "name": field, "values": list(values)}
    for field, target in _RELATIONS.get(name, {}).items():
        cascade = field == "agreement"
        yield {"type": "relation", "name": field, "target": target, "cascadeDelete": cascade}
    for field in ("created_at", "updated_at"):
        update = field == "updated_at"
        yield {"type": "autodate", "name": field, "onCreate": True, "onUpdate": update}


def _load(connection: sqlite3.Connection, collection: str, file: Path) -> None:
    stored = connection.execute("SELECT name, dflt_value FROM pragma_table_info(?)", [collection])
    columns = {name: {"''": "", "0": 0}.get(default) for name, default in stored}
    names = ", ".join(f"`{name}`" for name in columns)
    marks = ", ".join("?" * len(columns))
    sql = f"INSERT INTO `{collection}` ({names}) VALUES ({marks})"  # noqa: S608 (our own names)
    with file.open() as lines:
        connection.executemany(sql, (_stored(json.loads(line), columns) for line in lines))


def _stored(row: Row, columns: dict[str, Any]) -> list[Any]:
    values: list[Any] = []
    for name, default in columns.items():
        value: Any
        if name == "id":
            key = row.get("id") or f"{row['agreement_id']}{row['position']:x}"
            value = normal_id(key)
        elif f"{name}_id" in row:
            value = normal_id(row[f"{name}_id"] or "")
        else:
            value = row.get(name)
        if isinstance(value, list):
            value = json.dumps(value)
        elif name == "amount" and value is not None:
            value = float(value)
        values.append(default if value is None else value)
    return values
