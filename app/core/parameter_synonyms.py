"""What parameters are called elsewhere, and what does the same here."""

from collections.abc import Collection

from app.core.errors import did_you_mean, possible

#: Names that other services have, the parameters that do it here, and an example where one helps.
_KNOWN: tuple[tuple[str, tuple[str, ...], str], ...] = (
    (
        "page p page_number page_no pagenumber pageno pagination",
        ("limit", "offset", "cursor"),
        "cursor is what page.next_cursor of the last answer says",
    ),
    (
        "per_page perpage page_size pagesize size top first last rows take max_results n",
        ("limit",),
        "limit=100",
    ),
    ("skip start from from_row", ("offset",), "offset=100"),
    (
        "after before next prev page_token pagetoken continuation starting_after ending_before",
        ("cursor",),
        "cursor is what page.next_cursor or page.prev_cursor of an answer says",
    ),
    (
        "order_by orderby order ordering sort_by sortby sort_order sortorder direction dir",
        ("sort",),
        "sort=-amount for the largest first",
    ),
    ("search query text term keyword keywords find", ("q",), "q=words"),
    ("select field columns attributes props properties only", ("fields",), "fields=id,ref"),
    ("include includes with embed populate join relations related", ("expand",), "expand=mission"),
    ("where filters", ("filter",), "filter=amount gt 5"),
    ("total with_total include_total with_count include_count", ("count",), "count=exact"),
    (
        "trashed with_trashed with_deleted include_deleted show_deleted is_deleted",
        ("deleted",),
        "deleted=include",
    ),
)
_BY_NAME = {name: (here, example) for names, here, example in _KNOWN for name in names.split()}
_FILES = {"format", "output", "as", "download", "export"}


def meant_instead(name: str, known: Collection[str], others: Collection[str] = ()) -> str:
    """What to use instead of a name that is not known, with a blank before it: what is called so
    elsewhere, else what is near, else the `others`, which are possible too; or nothing."""
    return called_here(name, known) or did_you_mean(name, known) or possible(others)


def called_here(name: str, known: Collection[str]) -> str:
    """What to use instead of a name that other services have, a blank before it; or nothing."""
    folded = name.casefold().lstrip("$").replace("-", "_")
    here, example = _BY_NAME.get(folded, ((), ""))
    found = [right for right in here if right in known]
    if found:
        return f" Here that is {', '.join(found)}: {example}."
    if folded in _FILES and "expand" in known:
        return " Files have addresses of their own: add .csv, .xlsx, .ndjson or .parquet."
    return ""
