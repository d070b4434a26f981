"""Parts that columns of a sheet name, as far as the record at hand has them already."""

from collections.abc import Iterable

from app.core.loose_types import Fields, JsonValue
from app.engine.writes.store import State


def keep_untold(values: Fields, names: Iterable[str], before: State) -> None:
    """Let the rows of these parts keep what their columns do not tell, such as who signed for a
    party: a cell says no more than who it is, and as what."""
    for name in names:
        rows, known = values.get(name), list(before[name])
        if isinstance(rows, list):
            values[name] = [_with_untold(row, known) for row in rows]


def _with_untold(row: JsonValue, known: list[Fields]) -> JsonValue:
    told = {name: str(value) for name, value in row.items() if value is not None}
    for at, old in enumerate(known):
        if all(str(old[name]) == value for name, value in told.items()):
            # Each of them is one party, also where two are alike.
            return {n: value for n, value in known.pop(at).items() if value is not None} | row
    return row
