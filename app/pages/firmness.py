"""How firm the deals of a page are: the strip, and the classes with their counts."""

from functools import partial

from markupsafe import Markup

from app.pages.bars import Part, strip
from app.pages.context import PageContext
from app.pages.figures import Figures
from app.pages.filters import replaced


def strip_of(context: PageContext, figures: Figures, here: str) -> Markup | None:
    """The strip of all deals by class; None where there are none."""
    if not figures.total:
        return None
    return strip(figures, partial(_part, context, here), context.say("strip_about"))


def class_parts(context: PageContext, figures: Figures, here: str) -> list[Part]:
    """All classes with their counts; what nothing was replaced by is not told of."""
    return [
        _part(context, here, key, count)
        for key, count in figures.counts.items()
        if count or key != "replaced"
    ]


def _part(context: PageContext, here: str, key: str, count: int) -> Part:
    address = context.page(here, replaced(context.pairs, "firmness", key), "#deals")
    return Part(key, count, context.number(count), address, context.name("firmness", key))
