"""Options and arguments of commands: what is wrong with one is told in our own words."""

from typing import Any

import typer
from typer.core import TyperGroup


class CommandGroup(TyperGroup):
    """A group whose commands tell of a wrong option as the API does of a wrong parameter."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command that was asked for."""
        try:
            return super().invoke(ctx)
        except typer.BadParameter as error:
            from pydantic import BaseModel, ValidationError

            from app.core.validation import explain

            if isinstance(error.__cause__, ValidationError):
                error.message = explain(error.__cause__.errors()[0], BaseModel)[1]
            raise
