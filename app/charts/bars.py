"""Bars side by side, each of segments: what is counted, by group and class."""

from collections.abc import Sequence
from dataclasses import dataclass

from app.charts.frame import MARGIN, picture
from app.charts.numbers import number_text, scale_steps
from app.charts.pictures import Bar, Segment, Style, Words
from app.charts.svg import Canvas, contrast, element, line, text, title
from app.charts.text_width import fitted, text_width, wrapped

_LABEL, _FIGURE, _AXIS = 13.0, 13.0, 12.0
_THICK, _GAP, _LINE = 24.0, 11.0, 15.0
#: Below this, labels stand above their bars.
_NARROW = 560
#: The least that is seen of a segment, however few it counts beside the others.
_LEAST = 1.5


@dataclass(frozen=True, slots=True)
class _Place:
    """Where bars begin, how long the longest can be, and what that stands for."""

    left: float
    room: float
    most: int
    is_narrow: bool

    def x(self, value: float) -> float:
        return self.left + self.room * value / self.most


def draw_bars(bars: Sequence[Bar], words: Words, style: Style) -> str:
    """The picture of these bars."""

    def draw(canvas: Canvas, y: float) -> float | None:
        if not any(bar.total for bar in bars):
            return None
        place = _place(bars, style)
        top, under = y, len(canvas.pieces)
        apart = False
        for bar in bars:
            y = _bar(canvas, bar, y + 6 * (bar.is_apart and not apart), place, style)
            apart = bar.is_apart
        grid = _grid(canvas, top, y, place, words.axis, style)
        # What is read off lies under what is shown.
        canvas.pieces[under:under] = grid
        return y + 40

    return picture(words, style, draw, told(bars, words, style))


def told(bars: Sequence[Bar], words: Words, style: Style) -> str:
    """The figures in words, for whoever hears the picture."""
    rows = (
        f"{bar.heading + ' — ' if bar.heading else ''}{bar.label}:"
        f" {number_text(bar.total, style.language)}"
        for bar in bars
    )
    return words.heard("; ".join(rows))


def _place(bars: Sequence[Bar], style: Style) -> _Place:
    is_narrow = style.width < _NARROW
    widest = max(text_width(bar.label, _LABEL) for bar in bars) + 10
    left = MARGIN if is_narrow else MARGIN + min(widest, style.width * 0.36)
    most = max(bar.total for bar in bars)
    figure = text_width(number_text(most, style.language), _FIGURE, is_bold=True) + 10
    return _Place(left, style.width - MARGIN - left - figure, most, is_narrow)


def _bar(canvas: Canvas, bar: Bar, y: float, place: _Place, style: Style) -> float:
    if bar.heading is not None:
        for each in wrapped(bar.heading, 14, style.width - 2 * MARGIN):
            y += 20
            wide = text_width(each, 14, is_bold=True) + 8
            ground = canvas.ground.ground
            # No line of the scale goes through it.
            canvas.add(element("rect", x=MARGIN, y=y - 19, width=wide, height=21, fill=ground))
            canvas.add(text(each, MARGIN, y - 4, 14, font_weight="bold"))
        y += 6
    room = style.width - 2 * MARGIN if place.is_narrow else place.left - MARGIN - 10
    lines = wrapped(bar.label, _LABEL, room, 2)
    high = _THICK + (len(lines) * _LINE if place.is_narrow else 0)
    if bar.is_apart:
        _apart(canvas, y, high, style)
    fill = canvas.ground.quiet if bar.is_apart else None
    if place.is_narrow:
        for each in lines:
            y += _LINE
            canvas.add(text(each, MARGIN, y - 4, _LABEL, fill=fill))
        across = y
    else:
        across = y + max(0, (len(lines) - 1) * _LINE - _THICK / 2) / 2
        first = across + _THICK / 2 + 4.5 - (len(lines) - 1) * _LINE / 2
        for at, each in enumerate(lines):
            x = place.left - 10
            canvas.add(text(each, x, first + at * _LINE, _LABEL, text_anchor="end", fill=fill))
    _segments(canvas, bar, across, place, style)
    return across + _THICK + _GAP


def _apart(canvas: Canvas, y: float, high: float, style: Style) -> None:
    ground = canvas.ground.apart
    wide = style.width - 2 * MARGIN + 8
    canvas.add(element("rect", x=MARGIN - 4, y=y - 4, width=wide, height=high + _GAP, fill=ground))


def _segments(canvas: Canvas, bar: Bar, y: float, place: _Place, style: Style) -> None:
    x, end = place.left, place.x(bar.total)
    done = 0
    for segment in bar.segments:
        if not segment.value:
            continue
        done += segment.value
        to = max(place.x(done), x + _LEAST)
        canvas.add(_segment(canvas, bar, segment, (x, y, to - x), style))
        x = to
    figure = number_text(bar.total, style.language)
    at = max(x, end) + 6
    canvas.add(text(figure, at, y + _THICK / 2 + 4.5, _FIGURE, font_weight="bold"))


def _segment(
    canvas: Canvas, bar: Bar, segment: Segment, at: tuple[float, float, float], style: Style
) -> str:
    """One part of a bar, with its figure where there is room for it."""
    x, y, wide = at
    figure = number_text(segment.value, style.language)
    area = element(
        "rect",
        x=x,
        y=y,
        width=wide,
        height=_THICK,
        fill=canvas.fill(segment.mark, style.marks),
        stroke=canvas.edge(segment.mark, style.marks),
        stroke_width=0.8,
    )
    inner = title(f"{bar.label}: {segment.label}: {figure}") + area
    is_only = segment.value == bar.total
    if not is_only and wide > text_width(figure, _AXIS) + 14:
        inner += inside(canvas, segment, style, (x + wide / 2, y + _THICK / 2), _AXIS)
    if style.link is not None and segment.chosen_by:
        inner = element("a", inner, href=style.link(segment.chosen_by))
    return element(
        "g",
        inner,
        data_group=bar.key,
        data_mark=segment.mark,
        data_key=segment.key or None,
        data_value=str(segment.value),
    )


def inside(
    canvas: Canvas, segment: Segment, style: Style, at: tuple[float, float], size: float
) -> str:
    """The figure of a segment, in the middle of it: on a plate where a pattern would make it hard
    to read."""
    x, y = at
    figure = number_text(segment.value, style.language)
    mark = style.marks[segment.mark]
    area, ground = mark.fills[style.theme][0], canvas.ground
    words = {"text_anchor": "middle"}
    if not mark.pattern:
        clear = max(ground.text, ground.ground, key=lambda colour: contrast(colour, area))
        return text(figure, x, y + size * 0.36, size, fill=clear, **words)
    wide, high = text_width(figure, size) + 8, size + 4
    plate = element(
        "rect", x=x - wide / 2, y=y - high / 2, width=wide, height=high, rx=3, fill=ground.ground
    )
    return plate + text(figure, x, y + size * 0.36, size, **words)


def _grid(
    canvas: Canvas, top: float, bottom: float, place: _Place, axis: str, style: Style
) -> list[str]:
    wanted = max(2, int(place.room // 110))
    pieces: list[str] = []
    for step in scale_steps(place.most, wanted):
        if step > place.most:
            break
        x = place.x(float(step))
        colour = canvas.ground.quiet if step == 0 else canvas.ground.line
        pieces.append(line(x, top - 4, x, bottom, colour))
        figure = number_text(int(step), style.language)
        pieces.append(
            text(figure, x, bottom + 16, _AXIS, text_anchor="middle", fill=canvas.ground.quiet)
        )
    words = fitted(axis, _AXIS, style.width - MARGIN - place.left)
    pieces.append(text(words, place.left, bottom + 33, _AXIS, fill=canvas.ground.quiet))
    return pieces
