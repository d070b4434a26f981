"""What models of query strings can be marked with."""

from dataclasses import dataclass

from pydantic import BaseModel, PrivateAttr


@dataclass(frozen=True, slots=True)
class Several:
    """Annotates a parameter of several values, separated by commas: it may also be given more than
    once, as most generated clients send a list."""


class OpenQuery(BaseModel):
    """A query model that keeps the parameters it does not declare, for the endpoint to judge."""

    _others: list[tuple[str, str]] = PrivateAttr(default_factory=list)

    @property
    def others(self) -> list[tuple[str, str]]:
        """Names and values of what was sent besides, in the order in which it was sent."""
        return self._others
