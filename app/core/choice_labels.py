"""What people call the values of enumerations, to say which one is meant."""

import csv
from collections.abc import Collection, Iterator
from functools import cache

from app.core.data_files import seeds_folder


def meant_choice(text: str, choices: Collection[str]) -> str:
    """` Did you mean 'signed'?` for `подписан` among the values of a field; or nothing."""
    found = sorted(_by_label().get(" ".join(text.casefold().split()), frozenset()) & set(choices))
    return f" Did you mean {' or '.join(map(repr, found))}?" if 1 <= len(found) <= 3 else ""


@cache
def _by_label() -> dict[str, frozenset[str]]:
    found = dict[str, frozenset[str]]()
    for code, label in _labels():
        key = label.casefold()
        found[key] = found.get(key, frozenset()) | {code}
    return found


def _labels() -> Iterator[tuple[str, str]]:
    for name, columns in (("codes/terms", ("en", "ru", "kk")), ("labels/spellings", ())):
        path = (seeds_folder() / name).with_suffix(".csv")
        with path.open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                labels = [row[each] for each in columns] or row["spellings"].split(";")
                yield from ((row["code"], label) for label in labels if label)
