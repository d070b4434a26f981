"""Places in words."""

from app.core.loose_types import Value
from app.pages.context import PageContext


def place(context: PageContext, record: Value, prefix: str = "") -> str | None:
    """A city, region and country, as far as they are stated."""
    told = [
        record.get(f"{prefix}city"),
        _name(context, "regions", record.get(f"{prefix}region")),
        _name(context, "countries", record.get(f"{prefix}country")),
    ]
    return ", ".join(each for each in told if each) or None


def _name(context: PageContext, list_name: str, code: str | None) -> str | None:
    return None if code is None else context.name(list_name, code)
