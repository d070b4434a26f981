"""Columns over time, and at the right edge a strip of its own for what has no place in it."""

from collections.abc import Sequence

from app.charts.bars import inside, told
from app.charts.frame import MARGIN, picture
from app.charts.numbers import number_text, scale_steps
from app.charts.pictures import Bar, Style, Words
from app.charts.svg import Canvas, element, line, text, title
from app.charts.text_width import text_width, wrapped
from app.charts.words import NONE_DATED

_HIGH, _AXIS = 220.0, 12.0
#: Where nothing has a place in time, and the strip is all there is.
_LOW = 120.0
_STRIP, _STRIP_GAP = 104.0, 20.0
_WIDEST = 56.0


def draw_columns(bars: Sequence[Bar], words: Words, style: Style) -> str:
    """The picture of these columns; those that stand apart are the strip."""
    dated = [bar for bar in bars if not bar.is_apart]
    undated = [bar for bar in bars if bar.is_apart]
    tall = _HIGH if dated else _LOW

    def draw(canvas: Canvas, y: float) -> float | None:
        most = max((bar.total for bar in bars), default=0)
        if not most:
            return None
        y += 8
        steps = scale_steps(most, 4)
        top = int(steps[-1])
        scale = text_width(number_text(top, style.language), _AXIS) + 8
        left, strip = MARGIN + scale, (_STRIP + _STRIP_GAP) * bool(undated)
        right = style.width - MARGIN - strip
        canvas.add(text(words.axis, MARGIN, y, _AXIS, fill=canvas.ground.quiet))
        y += 12
        bottom = y + tall
        if undated:
            x = style.width - MARGIN - _STRIP
            high = tall + 50
            ground = canvas.ground.apart
            canvas.add(element("rect", x=x, y=y - 6, width=_STRIP, height=high, rx=4, fill=ground))
        for step in steps:
            at = bottom - tall * float(step) / top
            colour = canvas.ground.quiet if step == 0 else canvas.ground.line
            canvas.add(line(left, at, style.width - MARGIN, at, colour))
            figure = number_text(int(step), style.language)
            quiet = canvas.ground.quiet
            canvas.add(text(figure, left - 8, at + 4, _AXIS, text_anchor="end", fill=quiet))
        if dated:
            slot = (right - left) / len(dated)
            _label_columns(canvas, dated, left, slot, bottom)
            for at, bar in enumerate(dated):
                _column(
                    canvas,
                    bar,
                    left + slot * (at + 0.5),
                    min(slot * 0.78, _WIDEST),
                    (bottom, tall / top),
                    style,
                )
        else:
            _tell_nothing(canvas, (left, right), bottom - tall / 2, style)
        for bar in undated:
            middle = style.width - MARGIN - _STRIP / 2
            _column(canvas, bar, middle, _WIDEST, (bottom, tall / top), style)
            for at, each in enumerate(wrapped(bar.label, _AXIS, _STRIP - 8, 2)):
                quiet = canvas.ground.quiet
                y = bottom + 18 + at * 15
                canvas.add(text(each, middle, y, _AXIS, text_anchor="middle", fill=quiet))
        return bottom + 46

    return picture(words, style, draw, told(bars, words, style))


def _tell_nothing(canvas: Canvas, room: tuple[float, float], middle: float, style: Style) -> None:
    """Why there is no column, where the columns would be."""
    left, right = room
    lines = wrapped(NONE_DATED[style.language], _AXIS, right - left - 24, 3)
    for at, each in enumerate(lines):
        y = middle + (at - (len(lines) - 1) / 2) * 16
        x, quiet = (left + right) / 2, canvas.ground.quiet
        canvas.add(text(each, x, y, _AXIS, text_anchor="middle", fill=quiet))


def _column(
    canvas: Canvas, bar: Bar, middle: float, wide: float, scale: tuple[float, float], style: Style
) -> None:
    bottom, each = scale
    y, done = bottom, 0
    for segment in bar.segments:
        if not segment.value:
            continue
        done += segment.value
        to = min(bottom - each * done, y - 1)
        figure = number_text(segment.value, style.language)
        area = element(
            "rect",
            x=middle - wide / 2,
            y=to,
            width=wide,
            height=y - to,
            fill=canvas.fill(segment.mark, style.marks),
            stroke=canvas.edge(segment.mark, style.marks),
            stroke_width=0.8,
        )
        inner = title(f"{bar.label}: {segment.label}: {figure}") + area
        fits = y - to > 17 and wide > text_width(figure, _AXIS) + 10
        if fits and segment.value != bar.total:
            inner += inside(canvas, segment, style, (middle, (y + to) / 2), _AXIS)
        canvas.add(
            element(
                "g",
                inner,
                data_group=bar.key,
                data_mark=segment.mark,
                data_value=str(segment.value),
            )
        )
        y = to
    figure = number_text(bar.total, style.language)
    if bar.total and text_width(figure, _AXIS, is_bold=True) < wide * 1.25:
        canvas.add(text(figure, middle, y - 5, _AXIS, text_anchor="middle", font_weight="bold"))


def _label_columns(
    canvas: Canvas, bars: Sequence[Bar], left: float, slot: float, bottom: float
) -> None:
    """The names of as many columns as there is room for, evenly."""
    widest = max(text_width(bar.label, _AXIS) for bar in bars) + 10
    every = max(1, int(-(-widest // slot)))
    for at in range(0, len(bars), every):
        x = left + slot * (at + 0.5)
        canvas.add(line(x, bottom, x, bottom + 4, canvas.ground.quiet))
        label = bars[at].label
        quiet = canvas.ground.quiet
        canvas.add(text(label, x, bottom + 18, _AXIS, text_anchor="middle", fill=quiet))
