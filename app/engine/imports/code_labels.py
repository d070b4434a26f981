"""Codes by what people call them: labels in three languages, aliases and usual spellings."""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from sqlalchemy import ColumnElement, Dialect, func, literal, select
from sqlalchemy.orm import Session

from app.core import json_codec
from app.core.databases.expressions import AnyTable, Selection
from app.core.databases.interface import Base, CompiledQuery, compile_query
from app.core.databases.made_once import made_once
from app.core.databases.types import ListedName
from app.core.errors import did_you_mean
from app.engine.codes import Row, is_ever_right, list_name, list_of_enumeration
from app.engine.imports.cell_error import CellError, shown
from app.engine.labels import LANGUAGES, Language, label_key, spellings
from app.engine.paths import RecordField

_MAX_SHOWN: Final = 5
#: For how many texts the nearest label is looked for, and how long these may be: among the names of
#: all regions it takes a tenth of a second.
_MAX_LOOKED_FOR: Final = 20
_MAX_LENGTH: Final = 100
#: What may be a code: its own rules say of such a text what is wrong with it.
_LIKE_A_CODE: Final = re.compile(r"[A-Za-z0-9_-]{1,40}")
#: `Казахстан (KZ)`: how a label is written that several codes have.
_WITH_CODE: Final = re.compile(r".*\(([A-Za-z0-9_-]{1,40})\)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class SeveralCodes:
    """A text that is the label of several codes, of which the rest of the row may tell one."""

    text: str
    codes: tuple[str, ...]
    of: "CodeLabels"

    def settled(self, others: Collection[str]) -> str:
        """The only one of the codes that belongs to one of the others, as a region or a legal form
        to its country; CellError without."""
        left = [code for code in self.codes if self.of.parents.get(code) in others]
        if len(left) == 1:
            return left[0]
        known = " or ".join(f"{code} ({self.of.about(code)})" for code in self.codes[:_MAX_SHOWN])
        raise CellError(f"{shown(self.text)} could be {known}: write the code.")


@dataclass(slots=True)
class CodeLabels:
    """One list of codes; `by_label` has all that they are called."""

    name: str
    codes: dict[str, str] = field(default_factory=dict)
    parents: dict[str, str | None] = field(default_factory=dict)
    labels: dict[str, Mapping[Language, str | None]] = field(default_factory=dict)
    _names: dict[str, tuple[str, ...]] = field(default_factory=dict)
    _by_label: dict[str, list[str]] = field(default_factory=dict)
    _old: set[str] = field(default_factory=set)
    _looked_for: int = 0

    def add(
        self, code: str, parent: str | None, names: Iterable[str | None], *, is_old: bool = False
    ) -> None:
        """Add a code, whose first name is what messages call it. One that `is_old`, for records as
        old alone, is meant by what no other is called."""
        known = tuple(dict.fromkeys(name for name in names if name))
        self.codes[code], self.parents[code] = (known[0] if known else code), parent
        self._names[code] = known
        if is_old:
            self._old.add(code)

    @property
    def by_label(self) -> Mapping[str, list[str]]:
        """The codes by all that they are called; made when it is first asked for, since most files
        have nothing but codes."""
        if not self._by_label:
            known = spellings(self.name)
            in_use = dict[str, list[str]]()
            for code in sorted(self._names, key=self._old.__contains__):
                names = (code, *self._names[code], *known.get(code, ()))
                for key in {label_key(name) for name in names}:
                    if code not in self._old:
                        in_use.setdefault(key, []).append(code)
                    elif key not in in_use:
                        self._by_label.setdefault(key, []).append(code)
            self._by_label |= in_use
        return self._by_label

    def about(self, code: str) -> str:
        """What a code means, with what it belongs to."""
        parent = self.parents.get(code)
        return f"{self.codes[code]}, {parent}" if parent else self.codes[code]

    def find(self, text: str) -> str | SeveralCodes | None:
        """The code that a text is or stands for; None where there is none."""
        text = text.strip()
        if text in self.codes:
            return text
        if (found := _WITH_CODE.fullmatch(text)) and found[1] in self.codes:
            return found[1]
        codes = self.by_label.get(label_key(text), [])
        # The whole of a group may be one class of the same name: the wider one says as much.
        widest = [code for code in codes if not self._above(code) & set(codes)]
        if len(widest) == 1:
            return widest[0]
        return SeveralCodes(text, tuple(codes), self) if codes else None

    def name_of(self, code: str, language: Language) -> str:
        """What a code is called."""
        labels = self.labels.get(code, {})
        return labels.get(language) or labels.get("en") or code

    def label(self, code: str, language: Language) -> str:
        """What a code is called, such that `find` finds it: with the code where others are called
        so, too."""
        text = self.name_of(code, language)
        return text if code not in self.codes or self.find(text) == code else f"{text} ({code})"

    def _above(self, code: str) -> set[str]:
        found = set[str]()
        while (parent := self.parents.get(code)) and parent not in found:
            found.add(parent)
            code = parent
        return found

    def unknown(self, text: str) -> CellError:
        """What is said of a text that is no code."""
        near = self._near(text)
        place = f" The codes are at /codes/{self.name}." if self.name else ""
        return CellError(f"{shown(text)} is neither a code nor a label.{near or place}")

    def _near(self, text: str) -> str:
        if len(text) > _MAX_LENGTH or self._looked_for >= _MAX_LOOKED_FOR:
            return ""
        self._looked_for += 1
        key = label_key(text)
        begun = [name for name in self.by_label if len(key) > 2 and name.startswith(key)]
        near = begun[:_MAX_SHOWN]
        if not near:
            near = re.findall(r"'([^']*)'", did_you_mean(key, self.by_label))[:1]
        codes = list(dict.fromkeys(code for name in near for code in self.by_label.get(name, ())))
        known = " or ".join(f"{code} ({self.codes[code]})" for code in codes[:_MAX_SHOWN])
        return f" Did you mean {known}?" if known else ""


def is_like_a_code(text: str) -> bool:
    """Whether a text is written as codes are."""
    return _LIKE_A_CODE.fullmatch(text) is not None


class CodeLists:
    """The code lists of a database with their labels, each read when it is first asked for."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self._lists: dict[tuple[str, tuple[str, ...]], CodeLabels] = {}

    def of(self, record_field: RecordField) -> CodeLabels:
        """The list of a field that holds codes, or values of an enumeration."""
        key = (list_of(record_field), record_field.choices)
        if key not in self._lists:
            rows = self.session.execute(labels_statement(record_field))
            self._lists[key] = labels_of_rows(record_field, rows)
        return self._lists[key]


def labels_statement(record_field: RecordField) -> Selection:
    """Reads the codes that a field can have, with all that they are called."""
    c, condition = _listed(record_field)
    columns = (c.code, c.parent, c.retired, c.aliases, c.en, c.ru, c.kk)
    return select(*columns).where(condition).order_by(c.code)


@made_once(512)
def names_statement(
    record_field: RecordField, language: Language, dialect: Dialect
) -> CompiledQuery:
    """Reads `(code, name)` of the codes that a field can have: in English where there is no other
    name."""
    c, condition = _listed(record_field)
    name = func.coalesce(c[language], c.en)
    return compile_query(select(c.code, name).where(condition), dialect)


def names_of_rows(record_field: RecordField, rows: Iterable[Row]) -> Mapping[str, str]:
    """What the codes of a field are called by such rows, as `CodeLabels.name_of` has it."""
    choices = record_field.choices
    return {code: name for code, name in rows if name and (not choices or code in choices)}


def _listed(record_field: RecordField) -> tuple[AnyTable, ColumnElement[bool]]:
    """The columns of the table that has the codes of a field, and which of its rows are these."""
    if record_field.codes is not None:
        table = record_field.codes.table
        return table.c, is_ever_right(table)
    columns = Base.metadata.tables["term"].c
    return columns, columns.list == literal(list_of(record_field))


def labels_of_rows(record_field: RecordField, rows: Iterable[Row]) -> CodeLabels:
    """The list of a field of such rows; the values of an enumeration are there without labels
    too."""
    found = CodeLabels(list_of(record_field))
    for code, parent, is_old, aliases, *labels in rows:
        if not record_field.choices or code in record_field.choices:
            # As the driver gives them they are JSON still.
            several = json_codec.loads(aliases) if isinstance(aliases, str) else aliases
            found.add(code, parent, (*labels, *(several or ())), is_old=bool(is_old))
            found.labels[code] = dict(zip(LANGUAGES, labels, strict=True))
    for code in record_field.choices:
        if code not in found.codes:
            found.add(code, None, ())
    return found


def list_of(record_field: RecordField) -> str:
    """The name of the list that the values of a field are in."""
    if record_field.codes is not None:
        return list_name(record_field.codes)
    if isinstance(record_field.type, ListedName):
        return list_of_enumeration(record_field.type.schema)
    return list_of_enumeration(getattr(record_field.type, "enum_class", type(None)).__name__)
