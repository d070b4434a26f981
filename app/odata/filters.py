"""`$filter`: which entities there are in the answer."""

from app.engine.query.filter_reader import ParsedFilter, read_filters
from app.engine.resource import Resource
from app.odata.options import Options, bad_option

_MAX_LENGTH = 8000


def read_filter(resource: Resource, options: Options) -> ParsedFilter:
    """The condition that `$filter` states; 400 tells where its first mistake is."""
    text = options.get("$filter")
    if text is None:
        return ParsedFilter()
    if not text.strip():
        raise bad_option("$filter", "Is empty: write a condition, or leave it out.", "empty")
    return read_filters(resource, (), text)
