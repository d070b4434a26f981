"""Checks a database: reachable, migrated, and its records consistent with their rules."""

from sqlalchemy import Connection, and_, func, or_, select, text
from sqlalchemy.orm import aliased

from app.commands.encrypt import unreadable
from app.commands.locales import locale_faults
from app.commands.readiness import refuse_unready
from app.commands.reindex import count, kinds
from app.commands.snapshot import snapshot_run
from app.commands.unmigrated import declared, unmigrated
from app.core.databases.expressions import AnyTable
from app.core.databases.public_reads import ALL
from app.datasets.views import outdated_views
from app.engine.history.change_log import Change, ChangeCounter
from app.engine.search.index import SearchEntry, is_current
from app.engine.shown_indexes import missing_indexes
from app.engine.withholding import pointers_of
from app.resources.citation import Citation


async def run(url: str) -> list[str]:
    """Everything that is wrong, a line each; empty when all is well.

    DatabaseUnusable where there is nothing to check: out of reach, empty, or of another version.
    """
    await refuse_unready(url)
    return await snapshot_run(url, lambda on: [*locale_faults(on), *faults(on), *_secrets(on)])


def faults(connection: Connection) -> list[str]:
    """What is wrong with a database that is migrated, a line each; empty when all is well."""
    # With Alembic, which a server that only asks whether it may start does not load.
    from app.commands.differences import differences

    if unmigrated(connection):
        # What follows reads the tables as they are declared.
        return differences(connection)
    return [
        *differences(connection),
        *_missing(connection),
        *_foreign_keys(connection),
        *_gaps(connection),
        *_versions(connection),
        *_loose_citations(connection),
        *_shown(connection),
        *_index(connection),
    ]


def _missing(connection: Connection) -> list[str]:
    names = missing_indexes(connection, declared())
    faults = [f"the index {name} is not there. Run: trade-missions migrate" for name in names]
    return faults + [
        f"the view {name} is not what the program declares. Run: trade-missions migrate"
        for name in outdated_views(connection)
    ]


def _secrets(connection: Connection) -> list[str]:
    return [] if unmigrated(connection) else unreadable(connection)


def _foreign_keys(connection: Connection) -> list[str]:
    # PostgreSQL cannot hold a row that breaks one; SQLite can, when it was written by another tool.
    if connection.dialect.name != "sqlite":
        return []
    damaged = [row[0] for row in connection.execute(text("PRAGMA quick_check")) if row[0] != "ok"]
    broken = connection.execute(text("PRAGMA foreign_key_check")).all()
    return damaged + [
        f"{row[0]}, row {row[1]}: what it refers to in {row[2]} is gone" for row in broken
    ]


def _gaps(connection: Connection) -> list[str]:
    counted, last = connection.execute(select(func.count(), func.max(Change.seq))).one()
    counter = connection.scalar(select(ChangeCounter.seq))
    return change_log_gaps(counted, last or 0, counter or 0)


def change_log_gaps(count: int, last: int, counter: int) -> list[str]:
    """What is wrong with a change log of so many changes; empty when it has no gap."""
    if count == last == counter:
        return []
    return [f"The change log has {count} changes, the last is {last}, the counter says {counter}."]


def _versions(connection: Connection) -> list[str]:
    """A record is at the version that its last change says."""
    faults = []
    for resource in kinds():
        table: AnyTable = resource.table
        # Joined and not as a subquery of each row, which distributed PostgreSQL does not run where
        # records are on every node and the log is spread over them.
        differing = (
            select(table.id)
            .join(Change, (Change.kind == resource.record_type) & (Change.record_id == table.id))
            .group_by(table.id, table.version)
            .having(table.version != func.max(Change.version))
            .subquery()
        )
        count = connection.scalar(select(func.count()).select_from(differing))
        if count:
            faults.append(f"{count} of {resource.plural} differ from their last change.")
    return faults


def _loose_citations(connection: Connection) -> list[str]:
    faults = []
    for resource in kinds():
        table: AnyTable = aliased(resource.table)  # Citations are cited as well.
        loose = (
            select(func.count())
            .select_from(Citation)
            .outerjoin(table, Citation.record_id == table.id)
            .where(Citation.record_kind == resource.record_type, table.id.is_(None))
        )
        count = connection.scalar(loose)
        if count:
            faults.append(f"{count} citations back a {resource.singular} that does not exist.")
    names = [resource.record_type for resource in kinds()]
    unknown = select(Citation.record_kind).where(Citation.record_kind.not_in(names)).distinct()
    return faults + [
        f"Citations back a {kind}, which is no kind." for kind in connection.scalars(unknown)
    ]


def _shown(connection: Connection) -> list[str]:
    """What belongs to a record that is withheld is withheld too."""
    faults = []
    for resource in kinds():
        table: AnyTable = resource.table
        wrong = [and_(table.confidential.is_(True), table.hidden.is_distinct_from(ALL))]
        for pointer in pointers_of(resource):
            if pointer.is_whole:
                owner: AnyTable = aliased(pointer.target.table)
                withheld = select(owner.id).where(owner.hidden == ALL)
                key = getattr(table, pointer.key)
                wrong.append(and_(key.in_(withheld), table.hidden.is_distinct_from(ALL)))
        count = connection.scalar(select(func.count()).select_from(table).where(or_(*wrong)))
        if count:
            faults.append(f"{count} of {resource.plural} are shown, and are to be withheld.")
    return faults


def _index(connection: Connection) -> list[str]:
    """Each record is in the search index, which the present analyser made."""
    mend = "Run: trade-missions reindex"
    if not is_current(connection):
        return [f"The search index was made by another version. {mend}"]
    total = count(connection)
    indexed = connection.scalar(select(func.count()).select_from(SearchEntry))
    if total == indexed:
        return []
    return [f"The search index has {indexed} of {total} records. {mend}"]
