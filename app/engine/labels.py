"""Labels in English, Russian and Kazakh: what people call fields, and the spellings of codes."""

import csv
import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Final, Literal, NamedTuple, get_args

from app.core.data_files import seeds_folder
from app.core.databases.types import composed
from app.engine.paths import relations_of
from app.engine.record import bound_names
from app.engine.resource import Embedded, Resource

Language = Literal["en", "ru", "kk"]
LANGUAGES: Final[tuple[Language, ...]] = get_args(Language)
#: A text in each of them.
Told = Mapping[Language, str]

#: Stand between a relation and a field of its record in a header: `Миссия: Название`.
_JOINT: Final = ": "
#: What fields of parts are declared under, of whichever kind they are part.
_PART: Final = "part"
_SAYS_NOTHING: Final = re.compile(r"[.«»“”„\"'’`*]+")
_BLANKS: Final = re.compile(r"[\s_\u00ad\u200b\u2060-]+")
_BOUNDS: Final[Mapping[str, tuple[str, str]]] = {
    "en": ("earliest", "latest"),
    "ru": ("не ранее", "не позднее"),
    "kk": ("ең ерте", "ең кеш"),
}


def told(en: str, ru: str, kk: str) -> Told:
    """A text in each language."""
    return {"en": en, "ru": ru, "kk": kk}


class _Labels(NamedTuple):
    """What a field is called, by language, and what else people call it."""

    by_language: Mapping[str, str]
    others: tuple[str, ...]


def label_key(text: str) -> str:
    """A label as labels are compared: without regard to case, blanks, quotes and points."""
    folded = composed(text).casefold()
    if folded.isalpha():  # Most are, and it takes a third of the time.
        return folded.replace("ё", "е")
    return _BLANKS.sub(" ", _SAYS_NOTHING.sub("", folded.replace("ё", "е"))).strip(" :")


def _rows(name: str) -> Iterator[dict[str, str]]:
    with (seeds_folder() / "labels" / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


@cache
def spellings(list_name: str) -> Mapping[str, tuple[str, ...]]:
    """How people write the codes of a list besides its labels, by code."""
    return {
        row["code"]: tuple(row["spellings"].split(";"))
        for row in _rows("spellings")
        if row["list"] == list_name
    }


@cache
def term_labels(list_name: str) -> frozenset[str]:
    """All that the seeded codes of a list are called, as `label_key` has it."""
    with (seeds_folder() / "codes" / "terms.csv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["list"] == list_name]
    names = [row[name] for row in rows for name in ("code", *LANGUAGES)]
    names += [each for several in spellings(list_name).values() for each in several]
    return frozenset(label_key(name) for name in names if name)


@cache
def _declared() -> Mapping[tuple[str, str], _Labels]:
    return {
        (row["kind"], row["field"]): _Labels(
            {language: row[language] for language in LANGUAGES},
            tuple(other for other in row["others"].split(";") if other),
        )
        for row in _rows("fields")
    }


def _labels(at: Resource | Embedded, name: str) -> _Labels | None:
    declared = _declared()
    kind = at.record_type if isinstance(at, Resource) else _PART
    return declared.get((kind, name)) or declared.get(("*", name))


def is_labelled(resource: Resource, name: str) -> bool:
    """Whether a field or relation has labels of its own, or one that it follows has."""
    return any(_labels(resource, each) for each in (name, *_followed(resource, name)))


def _followed(at: Resource | Embedded, name: str) -> list[str]:
    """The relation of an id, or the stated date of a bound, whose label makes this one."""
    relation = name.removesuffix("_id")
    if name != relation and relation in at.to_one:
        return [relation]
    return [each for each in at.edtf_dates if name in bound_names(each)]


def label(resource: Resource, path: tuple[str, ...], language: Language) -> str:
    """What a field, or one of a related record, is called: `Миссия: Название`."""
    at: Resource | Embedded = resource
    words: list[str] = []
    for name in path:
        words.append(_label(at, name, language))
        relation = relations_of(at).get(name)
        at = relation.target if relation is not None else at
    return _JOINT.join(words)


def _label(at: Resource | Embedded, name: str, language: Language) -> str:
    if found := _labels(at, name):
        return found.by_language[language]
    for followed in _followed(at, name):
        before = _label(at, followed, language)
        if name.endswith("_id"):
            return f"{before}{_JOINT}ID"
        is_latest = name == bound_names(followed)[1]
        return f"{before}{_JOINT}{_BOUNDS[language][is_latest]}"
    return _words(name)


def _words(name: str) -> str:
    return name.replace("_", " ").capitalize()


@cache
def fields_by_label(resource: Resource) -> Mapping[str, str]:
    """The dotted names of fields by all that they are called, as `label_key` has it; what a kind
    says itself goes before what is said of all, and a label before other spellings."""
    names = [*resource.read_fields, *resource.to_one]
    found: dict[str, str] = {}
    for name in names:
        for language in LANGUAGES:
            found.setdefault(label_key(_label(resource, name, language)), name)
    for is_own in (True, False):
        for name in names:
            labels = _labels(resource, name)
            if labels and ((resource.record_type, name) in _declared()) == is_own:
                for other in labels.others:
                    found.setdefault(label_key(other), name)
    for relation, target in resource.to_one.items():
        for name in target.read_fields:
            for language in LANGUAGES:
                words = label(resource, (relation, name), language)
                found.setdefault(label_key(words), f"{relation}.{name}")
    return found
