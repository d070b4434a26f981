"""The order in which rows that name each other can be stored."""

from collections.abc import Callable, Iterable, Sequence

from app.engine.imports.entry import Entry


def named_first(
    entries: Sequence[Entry], names_of: Callable[[Entry], Iterable[str]]
) -> list[Entry]:
    """The rows, each after those among them that it names; where they name each other in a circle
    no order would do. Tried as they stand, a row would wait for another as often as there are."""
    places = {name: at for at, entry in enumerate(entries) for name in names_of(entry)}
    ordered: list[Entry] = []
    seen: set[int] = set()
    for first in range(len(entries)):
        path = [] if first in seen else [first]
        while path:
            at = path[-1]
            seen.add(at)
            before = (places.get(name.strip()) for name in entries[at].mentioned_keys)
            wanted = next((each for each in before if each is not None and each not in seen), None)
            if wanted is None:
                ordered.append(entries[path.pop()])
            else:
                path.append(wanted)
    return ordered
