"""What of SQL distributed PostgreSQL does not run, found in the text of statements."""

import re
from dataclasses import dataclass

#: What no statement has, by what it is called.
KEPT_AWAY_FROM = {
    "a recursive query": r"\bWITH RECURSIVE\b",
    "a write in a WITH": r"\bAS (?:(?:NOT )?MATERIALIZED )?\(\s*(?:INSERT|UPDATE|DELETE)\b",
    "a sequence": r"\b(?:nextval|currval|lastval|setval)\b",
    "an advisory lock": r"\bpg_(?:try_)?advisory",
    "a lock of a whole table": r"^\s*LOCK\b",
    "a lock of rows of several tables": r"\b(?:JOIN|FROM [\w ]+,).*\bFOR (?:UPDATE|SHARE)\b",
    "grouping sets": r"\b(?:GROUPING SETS|CUBE|ROLLUP)\b",
    "a lateral join": r"\bLATERAL\b",
    "a full join": r"\bFULL (?:OUTER )?JOIN\b",
    "a sample of a table": r"\bTABLESAMPLE\b",
    "a column of the system's": r"\b(?:ctid|xmin|xmax|tableoid)\b",
    "MERGE": r"\bMERGE INTO\b",
    "a message to sessions": r"^\s*(?:LISTEN|NOTIFY)\b|\bpg_notify\b",
    "a temporary table": r"^\s*CREATE\b",
}
_PATTERNS = {name: re.compile(text, re.DOTALL) for name, text in KEPT_AWAY_FROM.items()}
_TEXT = re.compile(r"'(?:[^']|'')*'")
_SUBQUERY = re.compile(r"\(\s*(?=(?:SELECT|WITH)\b)")
_FROM = re.compile(
    r"\bFROM\b(.*?)(?:\b(?:WHERE|GROUP BY|ORDER BY|HAVING|LIMIT|UNION|FOR)\b|$)", re.DOTALL
)
_BRACKET = re.compile(r"[()]")
_TARGET = re.compile(r"\b(?:UPDATE|INTO)\s+(\w+)")
_COLUMN = re.compile(r"\b([A-Za-z_]\w*)\.[A-Za-z_]")


def found_in(sql: str) -> list[str]:
    """What of these the statement has."""
    plain = _TEXT.sub("''", sql)
    return [name for name, pattern in _PATTERNS.items() if pattern.search(plain)]


@dataclass
class Query:
    """A SELECT, or a statement of another kind, without those within it, which are `inner`."""

    own: str
    inner: "list[Query]"

    @classmethod
    def read(cls, sql: str) -> "Query":
        plain = _TEXT.sub("''", sql).replace('"', "").replace("DISTINCT FROM", "DISTINCT")
        return cls._read(plain)

    @classmethod
    def _read(cls, text: str) -> "Query":
        own, inner, at = "", [], 0
        while begins := _SUBQUERY.search(text, at):
            ends = _closing(text, begins.start())
            own += text[at : begins.start()] + " "
            inner.append(cls._read(text[begins.end() : ends]))
            at = ends + 1
        return cls(own + text[at:], inner)

    def tables(self) -> set[str]:
        """The tables that are read, and the names they have here."""
        clauses = [*_FROM.findall(self.own), *_TARGET.findall(self.own)]
        return {word for clause in clauses for word in re.findall(r"(?<!\.)\b\w+\b(?!\.)", clause)}

    def from_outside(self) -> set[str]:
        """The names of tables whose columns are used here and that are not read here."""
        used = set(_COLUMN.findall(self.own)).union(*(query.from_outside() for query in self.inner))
        return used - self.tables()

    def all(self) -> "list[Query]":
        return [self, *(each for query in self.inner for each in query.all())]

    def correlated(self) -> "list[Query]":
        """The subqueries that are asked anew for each row of what they are in."""
        return [query for query in self.all()[1:] if query.from_outside()]


def _closing(text: str, at: int) -> int:
    """Where the bracket that opens at a place is closed."""
    depth = 0
    for bracket in _BRACKET.finditer(text, at):
        depth += 1 if bracket[0] == "(" else -1
        if depth == 0:
            return bracket.start()
    return len(text)
