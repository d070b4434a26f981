"""What is around every picture: title, what is shown, legend, what is left out, and the source."""

from collections.abc import Callable

from app.charts.marks import DASHES
from app.charts.pictures import Style, Words
from app.charts.svg import Canvas, document, element, line, text
from app.charts.text_width import text_width, wrapped

MARGIN = 16.0
_TITLE, _SUBTITLE, _LEGEND, _NOTE = 20.0, 14.0, 13.0, 12.0
_SWATCH, _LINE = 14.0, 40.0
#: Draws from this height on, and tells where it ended; nothing is drawn where nothing is told.
Body = Callable[[Canvas, float], float | None]


def picture(words: Words, style: Style, draw: Body, about: str) -> str:
    """The whole picture as SVG; `about` says its figures in words."""
    canvas = Canvas(f"{style.name}-{style.theme}", style.theme)
    room = style.width - 2 * MARGIN
    y = _lines(canvas, words.title, MARGIN, _TITLE, room, is_bold=True)
    y = _lines(canvas, words.subtitle, y + 2, _SUBTITLE, room)
    if style.legend:
        y = _legend(canvas, style, y + 12)
    end = draw(canvas, y + 14)
    if end is None:
        end = _nothing(canvas, words.nothing, y + 14, style)
    y = end + 12
    canvas.add(line(MARGIN, y, style.width - MARGIN, y, canvas.ground.line))
    y += 4
    for note in words.notes:
        y = _lines(canvas, note, y + 2, _NOTE, room)
    y = _lines(canvas, words.source, y + 2, _NOTE, room)
    role = "img" if style.link is None else "group"
    return document(canvas, (style.width, y + 12), (words.title, about), style.language, role)


def _lines(
    canvas: Canvas, content: str, y: float, size: float, room: float, *, is_bold: bool = False
) -> float:
    colour = canvas.ground.text if is_bold else canvas.ground.quiet
    weight = "bold" if is_bold else None
    for each in wrapped(content, size, room, is_bold=is_bold):
        y += size * 1.35
        canvas.add(text(each, MARGIN, y - size * 0.3, size, fill=colour, font_weight=weight))
    return y


def _legend(canvas: Canvas, style: Style, y: float) -> float:
    """The marks with their names, in as many lines as they need."""
    x, wide = MARGIN, _LINE if style.is_of_lines else _SWATCH
    for key, label in style.legend:
        width = wide + 6 + text_width(label, _LEGEND) + 18
        if x > MARGIN and x + width > style.width - MARGIN + 18:
            x, y = MARGIN, y + 22
        canvas.add(_swatch(canvas, key, (x, y), style))
        canvas.add(text(label, x + wide + 6, y + 11.5, _LEGEND))
        x += width
    return y + _SWATCH


def _swatch(canvas: Canvas, key: str, at: tuple[float, float], style: Style) -> str:
    """The mark as it is drawn, in small."""
    x, y = at
    edge = canvas.edge(key, style.marks)
    if style.is_of_lines:
        dashes = DASHES[key] or None
        y += _SWATCH / 2
        return line(x, y, x + _LINE, y, edge, stroke_width=3, stroke_dasharray=dashes)
    fill = canvas.fill(key, style.marks)
    return element("rect", x=x, y=y, width=_SWATCH, height=_SWATCH, fill=fill, stroke=edge)


def _nothing(canvas: Canvas, words: str, y: float, style: Style) -> float:
    room, size = style.width - 2 * MARGIN, 16.0
    lines = wrapped(words, size, room - 2 * MARGIN)
    height = 76.0 + 20 * len(lines)
    ground = canvas.ground
    canvas.add(element("rect", x=MARGIN, y=y, width=room, height=height, rx=4, fill=ground.apart))
    for at, each in enumerate(lines):
        middle = y + 54 + 20 * at
        about = {"text_anchor": "middle", "fill": ground.quiet}
        canvas.add(text(each, style.width / 2, middle, size, **about))
    return y + height
