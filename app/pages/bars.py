"""The strip of firmness and the bars of amounts: SVG that grows and shrinks with the page."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cache

from markupsafe import Markup

from app.charts.marks import CLASS_MARKS, Mark
from app.charts.svg import element, text, title
from app.pages.assets import fills_of
from app.pages.figures import Figures, Sum

_HEIGHT, _GAP = 48.0, 0.3
#: The narrowest part, in per cent, so that one of many thousands is still seen.
_LEAST_SHARE = 0.6
#: How wide the strip is on a screen, and on paper or a phone, in pixels.
_WIDTH, _NARROW = 1000, 330
_BAR = 14.0


def _id(key: str) -> str:
    return f"m-{key.replace('_', '-')}"


@cache
def patterns() -> Markup:
    """What the classes are filled with, once a page."""
    inner = "".join(_pattern(key, mark) for key, mark in CLASS_MARKS.items())
    hidden = element("svg", element("defs", inner), width=0, height=0, class_="defs")
    return Markup(hidden.replace("<svg", '<svg aria-hidden="true" focusable="false"', 1))  # noqa: S704 (our own)


def _pattern(key: str, mark: Mark) -> str:
    area, ink = fills_of(mark)
    square = element("rect", width=8, height=8, fill=area)
    lines = ""
    if mark.pattern and mark.is_filled:
        lines = element("path", d=mark.pattern, fill=ink)
    elif mark.pattern:
        lines = element("path", d=mark.pattern, fill="none", stroke=ink, stroke_width=1.2)
    size: dict[str, str | float] = {"width": 8, "height": 8, "patternUnits": "userSpaceOnUse"}
    return element("pattern", square + lines, id=_id(key), **size)


@cache
def swatch(key: str | None) -> Markup:
    """A class in small, beside its name; nothing where the class is not to be seen."""
    if key is None or key not in CLASS_MARKS:
        return Markup("")
    square = element("rect", width=14, height=14, rx=2, fill=f"url(#{_id(key)})", class_="mark")
    made = element("svg", square, width=14, height=14, class_="swatch")
    return Markup(made.replace("<svg", '<svg aria-hidden="true"', 1))  # noqa: S704 (our own)


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the strip."""

    key: str
    count: int
    told: str
    address: str
    about: str


def strip(figures: Figures, part_of: Callable[[str, int], Part], about: str) -> Markup:
    """One bar of all agreements by class: each part leads to the list of it."""
    parts = [part_of(key, count) for key, count in figures.counts.items() if count]
    shares = _shares([part.count for part in parts])
    x, pieces = 0.0, []
    for part, share in zip(parts, shares, strict=True):
        pieces.append(_strip_part(part, x, share))
        x += share
    made = element(
        "svg", "".join(pieces), width="100%", height=_HEIGHT, role="group", class_="strip"
    )
    return Markup(made.replace("<svg", f'<svg aria-label="{Markup.escape(about)}"', 1))  # noqa: S704 (escaped)


def _strip_part(part: Part, x: float, share: float) -> str:
    wide = max(share - _GAP, 0.2)
    fill = f"url(#{_id(part.key)})"
    at: dict[str, str | float] = {"x": f"{x:.3f}%", "width": f"{wide:.3f}%", "height": _HEIGHT}
    inner = title(f"{part.told} · {part.about}") + element("rect", **at, fill=fill, class_="mark")
    inner += _number(part.told, share, f"{x + wide / 2:.3f}%")
    return element("a", inner, href=part.address)


def _number(told: str, share: float, middle: str) -> str:
    """The number on a part that has room for it; beside it stands the legend, which has all."""
    size = 16.0 + 10 * len(told)
    if share / 100 * _WIDTH < size:
        return ""
    # Its own ground behind it: a number must be read on every pattern.
    moved = f"translate({-size / 2:g} 0)"
    chip = element(
        "rect", x=middle, y=11, width=size, height=26, rx=13, class_="chip", transform=moved
    )
    figure = text(told, 0, 30, 17, text_anchor="middle").replace('x="0"', f'x="{middle}"', 1)
    is_tight = share / 100 * _NARROW < size
    return element("g", chip + figure, class_="tight") if is_tight else chip + figure


def _shares(counts: Sequence[int]) -> list[float]:
    """The widths in per cent, none of which is too narrow to be seen."""
    total = sum(counts)
    wide = [max(100 * count / total, _LEAST_SHARE) for count in counts]
    return [100 * each / sum(wide) for each in wide]


def money_bar(each: Sum, most: Decimal) -> Markup:
    """A sum: filled where it binds or is done, else an outline; a whisker from what it is at
    least to what it is at most, which has an arrow where there is no limit."""
    value = _share(each.value, most)
    fill = f"url(#{_id(each.firmness)})" if each.is_firm else "none"
    colour = fills_of(CLASS_MARKS[each.firmness])[1 if not each.is_firm else 0]
    bar = element(
        "rect",
        x="0",
        y=3,
        width=f"{max(value, 0.4):.2f}%",
        height=_BAR,
        fill=fill,
        stroke=colour,
        stroke_width=1.5,
        stroke_dasharray=None if each.is_firm else "5 3",
        class_="mark",
    )
    whisker = _whisker(each, most) if each.not_exact else ""
    made = element("svg", bar + whisker, width="100%", height=_BAR + 6, class_="bar")
    return Markup(made.replace("<svg", '<svg aria-hidden="true"', 1))  # noqa: S704 (our own)


def _whisker(each: Sum, most: Decimal) -> str:
    low = 0.0 if each.at_least is None else _share(each.at_least, most)
    high = 100.0 if each.at_most is None else _share(each.at_most, most)
    middle = 3 + _BAR / 2
    lines = [(low, high, middle, middle)]
    lines += [(low, low, 5.0, 15.0)] if each.at_least is not None else []
    lines += [(high, high, 5.0, 15.0)] if each.at_most is not None else []
    return "".join(
        element("line", x1=f"{a:.2f}%", x2=f"{b:.2f}%", y1=c, y2=d, class_="whisker")
        for a, b, c, d in lines
    )


def _share(value: int | Decimal | None, most: Decimal) -> float:
    """Where a value lies on the scale, in per cent of the room: an open end needs some."""
    return 0.0 if not value or not most else float(Decimal(str(value)) / most) * 92


def most_of(sums: Sequence[Sum]) -> Decimal:
    """What the scale of a currency goes up to."""
    values = [v for s in sums for v in (s.value, s.at_least, s.at_most) if v is not None]
    return max((Decimal(str(v)) for v in values), default=Decimal(0))
