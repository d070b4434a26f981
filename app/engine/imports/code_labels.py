"""Codes by what people call them: labels in three languages, aliases and usual spellings."""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from sqlalchemy import Table, select
from sqlalchemy.orm import Session

from app.core.databases.expressions import TableColumn
from app.core.databases.interface import Base
from app.core.databases.types import ListedName
from app.core.errors import did_you_mean
from app.engine.codes import list_name, list_of_enumeration
from app.engine.imports.cell_error import CellError, shown
from app.engine.labels import label_key, spellings
from app.engine.paths import RecordField

_MAX_SHOWN: Final = 5
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
    by_label: dict[str, list[str]] = field(default_factory=dict)

    def add(self, code: str, parent: str | None, names: Iterable[str | None]) -> None:
        """Add a code, whose first name is what messages call it."""
        known = [name for name in names if name]
        self.codes[code], self.parents[code] = (known[0] if known else code), parent
        for name in (code, code.replace("_", " "), *known, *spellings(self.name).get(code, ())):
            found = self.by_label.setdefault(label_key(name), [])
            if code not in found:
                found.append(code)

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
        self._session = session
        self._lists: dict[str, CodeLabels] = {}

    def of(self, record_field: RecordField) -> CodeLabels:
        """The list of a field that holds codes, or values of an enumeration."""
        if record_field.codes is not None:
            return self.coded(record_field.codes)
        name = list_of(record_field)
        key = f"term {name} {','.join(record_field.choices)}"
        if key not in self._lists:
            self._lists[key] = self._terms(name, record_field.choices)
        return self._lists[key]

    def coded(self, column: TableColumn) -> CodeLabels:
        """The list whose codes stand in this column."""
        name = list_name(column)
        if name not in self._lists:
            c = column.table.c
            found = self._lists[name] = CodeLabels(name)
            statement = select(c.code, c.parent, c.aliases, c.en, c.ru, c.kk)
            rows = self._session.execute(statement.where(c.retired.is_(False)).order_by(c.code))
            for code, parent, aliases, *labels in rows:
                found.add(code, parent, (*labels, *(aliases or ())))
        return self._lists[name]

    def _terms(self, name: str, choices: tuple[str, ...]) -> CodeLabels:
        table = Base.metadata.tables["term"]
        assert isinstance(table, Table)
        c = table.c
        rows: Mapping[str, tuple[str | None, ...]] = {
            code: (*labels, *(aliases or ()))
            for code, aliases, *labels in self._session.execute(
                select(c.code, c.aliases, c.en, c.ru, c.kk).where(c.list == name)
            )
        }
        found = CodeLabels(name)
        for code in choices:
            found.add(code, None, rows.get(code, ()))
        return found


def list_of(record_field: RecordField) -> str:
    """The name of the list that the values of an enumeration are in."""
    if isinstance(record_field.type, ListedName):
        return list_of_enumeration(record_field.type.schema)
    return list_of_enumeration(getattr(record_field.type, "enum_class", type(None)).__name__)
