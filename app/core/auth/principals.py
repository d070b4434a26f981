"""Callers and what they may do: scopes, and what each operation needs."""

from dataclasses import dataclass
from enum import StrEnum

from app.core.errors import Forbidden


class Scope(StrEnum):
    """What a caller may do; each scope includes those before it."""

    READ = "read"
    WRITE = "write"
    ADMIN = "admin"

    def includes(self, other: "Scope") -> bool:
        """Whether whoever has this scope may do what the other allows."""
        return _RANKS[self] >= _RANKS[other]


_RANKS = {scope: rank for rank, scope in enumerate(Scope)}


class Permission(StrEnum):
    """What an operation asks of its caller."""

    #: Nothing: it shows no records.
    PUBLIC = "nothing"
    #: The scope `read`, or nothing at all where reading is public.
    READ_OR_PUBLIC = "reading"
    #: The scope `read`, public or not.
    READ = "read"
    WRITE = "write"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class Principal:
    """Who makes a request.

    `name` is what history tells and what limits and Idempotency-Keys are counted by; `path` is the
    one address that a key for a spreadsheet opens.
    """

    name: str
    scope: Scope | None = None
    path: str | None = None

    @property
    def sees_withheld(self) -> bool:
        """Whether it is shown what is withheld from the public: who may write is."""
        return self.path is None and self.scope is not None and self.scope.includes(Scope.WRITE)

    def check(self, need: Permission) -> None:
        """Forbidden (403) unless the caller's scope covers the need, which is one of a scope."""
        needed = Scope.READ if need is Permission.READ_OR_PUBLIC else Scope(need)
        if self.scope is None or not self.scope.includes(needed):
            has = "none" if self.scope is None else f"{self.scope.value!r}"
            raise Forbidden(f"This needs the scope {needed.value!r}; {self.name!r} has {has}.")


ANONYMOUS = Principal("anonymous")
#: What the names of those begin with who come with a token of an outside issuer.
OIDC_PREFIX = "oidc:"
