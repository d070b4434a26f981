"""The templates, compiled once."""

from functools import cache
from typing import TYPE_CHECKING

from app.core.loose_types import Value

if TYPE_CHECKING:
    from jinja2 import Environment


@cache
def _environment() -> "Environment":
    # Imported where it is used: a service that shows no page needs none of it.
    from jinja2 import Environment, PackageLoader, StrictUndefined

    return Environment(
        loader=PackageLoader("app.pages", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )


def render(name: str, values: dict[str, Value]) -> str:
    """The page of a template with these values."""
    return _environment().get_template(f"{name}.html").render(values)
