"""Which rows of a dataset can show something else than at a time: as the change log tells it."""

from collections.abc import Iterator

from sqlalchemy import ColumnElement, and_, bindparam, or_, select, union

from app.core.databases.expressions import AnyTable, Expression, Selection
from app.core.databases.public_reads import including_withheld
from app.datasets.columns import cells
from app.datasets.declared import Dataset
from app.engine.history.change_log import Action, Change
from app.engine.query.conditions import Path
from app.engine.resource import Resource
from app.resources.agreement import agreement
from app.resources.related import RelatedAgreement


def can_have_changed(dataset: Dataset) -> ColumnElement[bool]:
    """Whether a row can have changed at the time `since` or later: its record, one that it shows
    something of, or one of those that it counts. Some rows are found that have not.

    What is related is looked for among all records, and its changes among those that whoever asks
    may know of: that something is withheld now is one.
    """
    table = dataset.resource.table
    ways: list[ColumnElement[bool]] = [table.updated_at >= _since()]
    ways += (table.id.in_(naming) for naming in _naming_what_changed(dataset))
    if dataset.counted:
        kinds = [each.record_type for each in dataset.counted]
        ways.append(select(Change.seq).where(Change.kind.in_(kinds), *_is_since()).exists())
    if "left_out" in dataset.derived:
        ways += _left_out_otherwise(table)
    return or_(*ways)


def _since() -> Expression:
    return bindparam("since", type_=Change.__table__.c.at.type)


def _is_since() -> tuple[ColumnElement[bool], ...]:
    return (Change.at >= _since(),)


def _changed(of: Resource) -> Selection:
    """The ids of what was changed of a kind."""
    found: Selection = select(Change.record_id)
    return found.where(Change.kind == of.record_type, *_is_since())


def _naming_what_changed(dataset: Dataset) -> Iterator[Selection]:
    """The ids of the records that name what was changed, and of those with a part that does."""
    resource = dataset.resource
    for path in sorted(_relations(dataset)):
        *within, name = path
        at = resource.embedded[within[0]] if within else resource
        every = including_withheld(at.table).c
        owner = at.owner if within else "id"  # type: ignore[union-attr]
        yield select(every[owner]).where(every[f"{name}_id"].in_(_changed(at.to_one[name])))


def _relations(dataset: Dataset) -> set[Path]:
    """The relations that columns are read by: `("mission",)`, `("parties", "organization")`."""
    found = {cell.path[:-1] for cell in cells(dataset)}
    found |= {path for each in dataset.derived.values() for path in each.reads}
    return found - {(), (dataset.row_of or "",)}


def _left_out_otherwise(table: AnyTable) -> Iterator[ColumnElement[bool]]:
    """That something else can hold an agreement than did: what is tied to others, where one of
    these was changed; and all, where one can have been tied to what it is not any more."""
    related = including_withheld(RelatedAgreement).c
    tied = union(select(related.owner_id), select(related.agreement_id))
    is_tied = select(Change.seq).where(
        Change.kind == agreement.record_type, Change.record_id.in_(tied), *_is_since()
    )
    yield and_(table.id.in_(tied), is_tied.exists())
    was_written = Change.action.in_((Action.UPDATE, Action.REPLACE))
    loose = select(Change.seq).where(
        Change.kind == agreement.record_type,
        *_is_since(),
        or_(
            Change.action == Action.PURGE,
            Change.turn.is_not(None),
            and_(was_written, Change.changes.contains('"related"')),
        ),
    )
    yield loose.exists()
