"""What parameters are called elsewhere, and what does the same here."""

from collections.abc import Collection

from app.core.errors import did_you_mean

_PAGE = "page p page_number page_no pagenumber pageno"
_LIMIT = "per_page perpage page_size pagesize size top first last rows take max_results n"
#: Names that other services have, the parameters that do it here, and how.
_KNOWN: tuple[tuple[str, tuple[str, ...], str], ...] = (
    (
        _PAGE,
        ("limit", "offset", "cursor"),
        "The next page is at cursor={page.next_cursor}; or skip records with offset. limit says how"
        " many a page has.",
    ),
    (_LIMIT, ("limit",), "limit says how many there are on a page; cursor or offset turns it."),
    ("skip start from from_row", ("offset",), "offset says how many records to skip."),
    (
        "after before next prev page_token pagetoken continuation starting_after ending_before",
        ("cursor",),
        "cursor takes what page.next_cursor or page.prev_cursor of an answer says.",
    ),
    (
        "order_by orderby order ordering sort_by sortby sort_order sortorder direction dir",
        ("sort",),
        "sort=name sorts by a field, sort=-name the other way round.",
    ),
    ("search query text term keyword keywords find", ("q",), "q searches in all texts."),
    (
        "select field columns attributes props properties only",
        ("fields",),
        "fields=id,ref shows these fields alone.",
    ),
    (
        "include includes with embed populate join relations related",
        ("expand",),
        "expand shows related records whole.",
    ),
    ("where filters", ("filter",), "filter takes one expression, and each field is a parameter."),
    (
        "total with_total include_total with_count include_count",
        ("count",),
        "count=exact tells how many there are in all.",
    ),
    (
        "trashed with_trashed with_deleted include_deleted show_deleted is_deleted",
        ("deleted",),
        "deleted=include shows what is in the trash too.",
    ),
    (
        "format output as type download export",
        ("fields", "expand"),
        "Files have addresses of their own: add .csv, .xlsx, .ndjson or .parquet to the path.",
    ),
)
_BY_NAME = {name: (here, how) for names, here, how in _KNOWN for name in names.split()}


def meant_instead(name: str, known: Collection[str]) -> str:
    """What to use instead of a name that is not known, with a blank before it; or nothing."""
    here, how = _BY_NAME.get(name.casefold().lstrip("$").replace("-", "_"), ((), ""))
    if here and all(right in known for right in here):
        return f" {how}"
    return did_you_mean(name, known)
