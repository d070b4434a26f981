"""Two columns of parties, with a line for what two of them agreed on."""

from collections.abc import Sequence
from dataclasses import dataclass

from app.charts.frame import MARGIN, picture
from app.charts.marks import DASHES
from app.charts.numbers import number_text
from app.charts.pictures import Deal, Party, Style, Words
from app.charts.svg import Canvas, element, text, title
from app.charts.text_width import fitted, text_width

_NAME, _STEP, _BOX = 12.5, 26.0, 5.0
_THINNEST, _THICKER, _FEW = 1.6, 7.0, 8
_COLUMN = 0.37


@dataclass(frozen=True, slots=True)
class _Place:
    """Where lines to a party end."""

    x: float
    y: float
    is_left: bool


def draw_lines(parties: Sequence[Party], deals: Sequence[Deal], words: Words, style: Style) -> str:
    """The picture of these deals."""

    def draw(canvas: Canvas, y: float) -> float | None:
        if not deals:
            return None
        places = _places(parties, y, style)
        most = max(segment.value for deal in deals for segment in deal.segments)
        # What is many is drawn first, so that what is few is seen on it.
        for deal in sorted(deals, key=lambda deal: -deal.total):
            _deal(canvas, deal, places, most, style)
        for party in parties:
            _party(canvas, party, places[party.key], style)
        return max(place.y for place in places.values()) + _STEP / 2

    names = {party.key: party.label for party in parties}
    told = "; ".join(
        f"{names[deal.left]} – {names[deal.right]}: {number_text(deal.total, style.language)}"
        for deal in deals
    )
    return picture(words, style, draw, words.heard(told))


def _places(parties: Sequence[Party], y: float, style: Style) -> dict[str, _Place]:
    """Each party in its column, the shorter one in the middle of the longer."""
    columns = [[p for p in parties if p.is_left is side] for side in (True, False)]
    longest = max(map(len, columns))
    found: dict[str, _Place] = {}
    for column in columns:
        top = y + _STEP / 2 + (longest - len(column)) * _STEP / 2
        for at, party in enumerate(column):
            share = _COLUMN if party.is_left else 1 - _COLUMN
            found[party.key] = _Place(style.width * share, top + at * _STEP, party.is_left)
    return found


def _party(canvas: Canvas, party: Party, place: _Place, style: Style) -> None:
    x = place.x - _BOX if place.is_left else place.x
    box = element("rect", x=x, y=place.y - 9, width=_BOX, height=18, rx=1, fill=canvas.ground.text)
    room = style.width * _COLUMN - MARGIN - _BOX - 6
    about = f"\u00a0{party.about}" if party.about else ""
    name = fitted(party.label, _NAME, room - text_width(about, _NAME))
    at = x - 6 if place.is_left else x + _BOX + 6
    anchor = "end" if place.is_left else None
    quiet = element("tspan", about, fill=canvas.ground.quiet) if about else ""
    label = text(name, at, place.y + 4.4, _NAME, text_anchor=anchor)
    label = label.removesuffix("</text>") + quiet + "</text>"
    canvas.add(element("g", title(party.label + about) + box + label))


def _deal(canvas: Canvas, deal: Deal, places: dict[str, _Place], most: int, style: Style) -> None:
    """A line for each class, side by side."""
    start, end = places[deal.left], places[deal.right]
    segments = [segment for segment in deal.segments if segment.value]
    for at, segment in enumerate(segments):
        aside = (at - (len(segments) - 1) / 2) * 4
        figure = number_text(segment.value, style.language)
        line = element(
            "path",
            d=_curve(start, end, aside),
            fill="none",
            stroke=canvas.edge(segment.mark, style.marks),
            stroke_width=_THINNEST + _THICKER * (segment.value - 1) / max(most, _FEW),
            stroke_dasharray=DASHES[segment.mark] or None,
        )
        canvas.add(
            element(
                "g",
                title(f"{segment.label}: {figure}") + line,
                data_left=deal.left,
                data_right=deal.right,
                data_mark=segment.mark,
                data_value=str(segment.value),
            )
        )


def _curve(start: _Place, end: _Place, aside: float) -> str:
    """From one party to the other; two of a column by a bow into the middle."""
    one, other = start.y + aside, end.y + aside
    first, last = f"{start.x:.1f} {one:.1f}", f"{end.x:.1f} {other:.1f}"
    middle = (start.x + end.x) / 2
    if start.is_left == end.is_left:
        middle = start.x + (70 if start.is_left else -70)
    return f"M{first}C{middle:.1f} {one:.1f} {middle:.1f} {other:.1f} {last}"
