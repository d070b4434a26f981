"""Fills a database with the code lists and the articles' facts; again changes nothing."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from hashlib import sha256
from pathlib import Path
from uuid import UUID

from sqlalchemy import Text, cast, insert, select, update
from sqlalchemy.orm import Session

from app.admin.code_list import LISTS
from app.commands.readiness import refuse_unready
from app.core import json_codec
from app.core.data_files import seeds_folder
from app.core.databases.diagnosis import diagnosed
from app.core.databases.interface import Base, Database
from app.core.databases.opening import open_database
from app.core.errors import Invalid
from app.core.loose_types import Fields
from app.engine.history.change_log import Change, log_changes
from app.engine.query.render import record_json
from app.engine.writes import store
from app.engine.writes.records import find_record
from app.resources.code import Term
from app.resources.source import Source, source
from app.resources.source_text import attach_text
from app.seeds import Fact, code_rows, facts, terms

ACTOR = "seed"


@dataclass
class Report:
    """What a run did: records by what became of them, and notes for the operator."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    kept: list[str] = field(default_factory=list)
    codes: int = 0
    texts: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)


async def seed(database: Database, texts: Path | None = None) -> Report:
    """Seed all in one transaction and report; `texts` is a folder of articles' texts."""

    def work(session: Session) -> Report:
        report = Report(codes=_seed_codes(session))
        stored = _stored(session)
        for fact in facts():
            _seed_fact(session, fact, stored.get(fact.id), report)
        _attach_texts(session, texts or seeds_folder() / "texts", report)
        log_changes(session, ACTOR)
        return report

    return await database.write(work)


def _seed_codes(session: Session) -> int:
    """Make the code lists what their files say; how many codes were new or changed."""
    changed = 0
    for name, table in LISTS.items():
        changed += _seed_list(session, table, [_code(row) for row in code_rows(name)], "code")
    rows = [_code(row) for row in terms()]
    return changed + _seed_list(session, Term, rows, "list", "code")


def _code(row: Mapping[str, str]) -> Fields:
    values: Fields = {name: text or None for name, text in row.items()}
    values["retired"] = row["retired"] == "true"
    values["aliases"] = row["aliases"].split(";") if row.get("aliases") else []
    if "decimals" in row:
        values["decimals"] = int(row["decimals"]) if row["decimals"] else None
    if row.get("valid_until"):
        values["valid_until"] = date.fromisoformat(row["valid_until"])
    return values


def _seed_list(session: Session, table: type[Base], rows: list[Fields], *key: str) -> int:
    columns = table.__table__.c
    stored = {
        tuple(row[name] for name in key): dict(row)
        for row in session.execute(select(*columns)).mappings()
    }
    new: list[Fields] = []
    changed = 0
    for row in rows:
        old = stored.get(tuple(row[name] for name in key))
        if old is None:
            new.append({column.name: row.get(column.name) for column in columns})
        elif any(old[name] != value for name, value in row.items()):
            session.execute(update(table).where(*(columns[n] == row[n] for n in key)).values(row))
            changed += 1
    if new:
        session.execute(insert(table), new)
    return len(new) + changed


def _stored(session: Session) -> dict[UUID, store.State]:
    """The records that are there already, a SELECT a kind: a second start has to be quick."""
    states: dict[UUID, store.State] = {}
    for resource in {fact.resource.record_type: fact.resource for fact in facts()}.values():
        ids = [fact.id for fact in facts() if fact.resource.record_type == resource.record_type]
        body = cast(record_json(resource), Text)
        rows = session.execute(select(resource.table.id, body).where(resource.table.id.in_(ids)))
        states |= {record_id: json_codec.loads(text) for record_id, text in rows}
    return states


def _seed_fact(session: Session, fact: Fact, state: store.State | None, report: Report) -> None:
    resource = fact.resource
    given = json_codec.loads(json_codec.dumps(dict(fact.fields)))
    body = resource.create.model_validate(given)
    if state is not None and all(
        state[name] == value
        for name, value in json_codec.loads(json_codec.dumps(store.written(body))).items()
    ):
        report.unchanged += 1
        return
    record = find_record(session, resource, "id", fact.id)
    if record is None:
        store.create(session, resource, body, fact.id)
        report.created += 1
    elif record.version == 1 or _last_actor(session, fact) == ACTOR:
        version = record.version
        if record.deleted_at is None:
            version = store.update(session, resource, str(fact.id), body).version
        report.updated += version != record.version
        report.unchanged += version == record.version
    else:
        report.kept.append(f"{resource.singular} {fact.fields['ref']}")


def _last_actor(session: Session, fact: Fact) -> str | None:
    newest = (
        select(Change.actor)
        .where(Change.kind == fact.resource.record_type, Change.record_id == fact.id)
        .order_by(Change.seq.desc())
        .limit(1)
    )
    return session.scalar(newest)


def _attach_texts(session: Session, folder: Path, report: Report) -> None:
    """Attach each text file whose SHA-256 is that of a source without its text."""
    if not folder.is_dir():
        return
    contents = {
        sha256(c).hexdigest(): c for c in (p.read_bytes() for p in folder.iterdir() if p.is_file())
    }
    without = select(Source.id).where(Source.sha256.in_(contents), Source.text.is_(None))
    for source_id in session.scalars(without).all():
        found = find_record(session, source, "id", source_id)
        assert isinstance(found, Source)
        try:
            attach_text(session, found, contents[str(found.sha256)])
        except Invalid as refusal:
            report.refused.append(f"{found.ref}: {refusal.detail}")
        else:
            report.texts.append(found.ref or str(source_id))


async def run(url: str, texts: Path | None = None) -> str:
    """Seed the database at the address and tell what was done.

    DatabaseUnusable where it is out of reach, empty or of another version.
    """
    await refuse_unready(url)
    database = open_database(url)
    with diagnosed(url):
        await database.start()
        try:
            report = await seed(database, texts)
        finally:
            await database.stop()
    return _summary(report)


def _summary(report: Report) -> str:
    lines = [
        f"Seeded: {report.created} records created, {report.updated} updated,"
        f" {report.unchanged} unchanged, {report.codes} codes written."
    ]
    if report.kept:
        lines.append(f"Kept as users changed them: {', '.join(report.kept)}.")
    if report.texts:
        lines.append(f"Texts attached to: {', '.join(report.texts)}.")
    lines += [f"Not attached to {refusal}" for refusal in report.refused]
    return "\n".join(lines)
