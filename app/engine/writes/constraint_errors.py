"""What the database refuses, told as the rule that was broken."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import CheckConstraint, Enum, Index, PrimaryKeyConstraint, UniqueConstraint
from sqlalchemy.exc import IntegrityError

from app.core.databases.interface import Base
from app.core.errors import Conflict, Invalid, Problem

Unique = UniqueConstraint | PrimaryKeyConstraint
Constraint = CheckConstraint | Unique | Index

_SQLITE = re.compile(r"(?:UNIQUE|CHECK) constraint failed: (?:index ')?([^']*)")


@contextmanager
def translate_integrity_errors() -> Iterator[None]:
    """Turn an IntegrityError into the problem that a client is told."""
    try:
        yield
    except IntegrityError as error:
        raise _problem(error) from error


def _problem(error: IntegrityError) -> Problem:
    found = _SQLITE.search(str(error.orig))
    # asyncpg's error, which SQLAlchemy wraps, knows the constraint's name.
    name = getattr(getattr(error.orig, "__cause__", None), "constraint_name", None)
    broken = _find_constraint(name or (found.group(1) if found else ""))
    if isinstance(broken, CheckConstraint):
        pointer, says = _broken(broken)
        return Invalid.at(pointer, "rule", f"{says}.")
    if broken is not None:
        fields = [column.name for column in broken.columns]
        alike = f"another record, perhaps in the trash, has the same {' and '.join(fields)}"
        text = broken.info.get("says", alike)
        return Conflict.at(broken.info.get("pointer", f"/{fields[-1]}"), "unique", f"{text}.")
    return Conflict("The records that this one refers to, or that refer to it, do not allow it.")


def _broken(rule: CheckConstraint) -> tuple[str, str]:
    """Where a rule is broken, and what it says."""
    if "says" in rule.info:
        return rule.info["pointer"], rule.info["says"]
    for column in rule.columns:
        if isinstance(column.type, Enum):
            # The schema has let the value pass, so it is the database that does not know it yet.
            values = ", ".join(column.type.enums)
            text = f"{column.name} is one of {values}, and this database does not take all of them"
            return f"/{column.name}", f"{text} yet: its operator has to migrate it"
    table = getattr(rule.table, "name", "record").replace("_", " ")
    return "", f"the values of this {table} do not go together"


def _find_constraint(name: str) -> Constraint | None:
    """The rule with this name; SQLite names a unique one by its columns: `mission.ref, …`."""
    columns = set(name.split(", "))
    for table in Base.metadata.tables.values():
        for item in (*table.constraints, *table.indexes):
            if not isinstance(item, Constraint):
                continue
            is_key = isinstance(item, PrimaryKeyConstraint) and name == f"{table.name}_pkey"
            if is_key or name in (item.name, f"ck_{table.name}_{item.name}"):
                return item
            unique = isinstance(item, Unique) or (isinstance(item, Index) and item.unique)
            if unique and columns == {f"{table.name}.{column.name}" for column in item.columns}:
                return item
    return None
