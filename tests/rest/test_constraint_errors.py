"""What the database refuses is told in words of the API, never by the name of a constraint."""

import pytest
from sqlalchemy import CheckConstraint, Enum, Index, UniqueConstraint
from sqlalchemy.exc import IntegrityError

from app.commands.unmigrated import declared
from app.core.errors import Problem
from app.engine.writes.constraint_errors import translate_integrity_errors


def told(name: str, on: str) -> Problem:
    """What a client is told when the database refuses by this constraint."""
    cause: Exception = Exception(f"CHECK constraint failed: {name}")
    if on == "postgresql":
        cause.__cause__ = Named(name)
    with pytest.raises(Problem) as problem, translate_integrity_errors():
        raise IntegrityError("INSERT", {}, cause)
    return problem.value


class Named(Exception):
    """As asyncpg's: it knows the constraint's name."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.constraint_name = name


def names() -> list[str]:
    """The names of everything that can refuse a row."""
    return [
        str(held.name)
        for table in declared().sorted_tables
        for held in (*table.constraints, *table.indexes)
        if isinstance(held, CheckConstraint | UniqueConstraint)
        or (isinstance(held, Index) and held.unique)
    ]


@pytest.mark.parametrize("on", ["sqlite", "postgresql"])
def test_no_refusal_names_a_constraint(on: str) -> None:
    found = {name: told(name, on) for name in names()}
    assert len(found) > 60
    wrong = {
        name: problem.detail
        for name, problem in found.items()
        if "_".join(name.split("_")[1:]) in problem.detail.split()
        or "ck_" in problem.detail
        or "uq_" in problem.detail
        or "is broken" in problem.detail
        or problem.detail.startswith("The records that")
    }
    assert wrong == {}


def test_a_value_that_the_database_does_not_know_yet_is_told_with_those_that_there_are() -> None:
    wrong = []
    for table in declared().sorted_tables:
        for column in table.columns:
            if isinstance(column.type, Enum):
                name = f"ck_{table.name}_{column.type.name}"
                problem = told(name, "postgresql")
                where = [fault.pointer for fault in problem.errors]
                if where != [f"/{column.name}"] or column.type.enums[-1] not in problem.detail:
                    wrong.append((name, problem.detail, where))
    assert wrong == []
