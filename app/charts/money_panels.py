"""Amounts: a panel for each currency, with a scale of its own, and a row for each class."""

from collections.abc import Sequence

from app.charts.frame import MARGIN, picture
from app.charts.numbers import Number, number_text, scale_steps, short_text
from app.charts.pictures import Amount, Currency, Style, Words
from app.charts.svg import Canvas, element, line, text, title
from app.charts.text_width import fitted, text_width

_LABEL, _FIGURE, _AXIS = 13.0, 13.0, 12.0
_THICK, _STEP = 20.0, 32.0
_NARROW = 560


def draw_money(currencies: Sequence[Currency], words: Words, style: Style) -> str:
    """The picture of these amounts."""

    def draw(canvas: Canvas, y: float) -> float | None:
        if not currencies:
            return None
        for at, currency in enumerate(currencies):
            y = _panel(canvas, currency, y + 14 * (at > 0), style)
        return y

    told = "; ".join(
        f"{currency.code}, {amount.label}: {amount.about}"
        for currency in currencies
        for amount in currency.amounts
    )
    return picture(words, style, draw, words.heard(told))


def _panel(canvas: Canvas, currency: Currency, y: float, style: Style) -> float:
    """The amounts in one currency."""
    wide = style.width - 2 * MARGIN
    name = fitted(f"{currency.code} · {currency.label}", 15, wide)
    canvas.add(text(name, MARGIN, y + 15, 15, font_weight="bold"))
    quiet = canvas.ground.quiet
    beside = MARGIN + text_width(name, 15, is_bold=True) + 12
    if beside + text_width(currency.about, _AXIS) < style.width - MARGIN:
        canvas.add(text(currency.about, beside, y + 15, _AXIS, fill=quiet))
    else:
        y += 16
        canvas.add(text(fitted(currency.about, _AXIS, wide), MARGIN, y + 15, _AXIS, fill=quiet))
    y += 28
    is_narrow = style.width < _NARROW
    labels = max(text_width(amount.label, _LABEL) for amount in currency.amounts) + 12
    left = MARGIN if is_narrow else MARGIN + min(labels, style.width * 0.34)
    figures = max(text_width(a.about, _FIGURE, is_bold=True) for a in currency.amounts) + 14
    is_above = is_narrow or figures > (style.width - left) * 0.5
    room = style.width - MARGIN - left - (18 if is_above else figures)
    most = max(_reach(amount) for amount in currency.amounts)
    top, pieces = y, len(canvas.pieces)
    for amount in currency.amounts:
        y = _row(canvas, amount, y, (left, room, most), style, is_above=is_above)
    canvas.pieces[pieces:pieces] = _grid(canvas, (top, y), (left, room, most), style)
    return y + 20


def _reach(amount: Amount) -> Number:
    """How far a row reaches along the scale."""
    ends = [each for each in (amount.value, amount.at_least, amount.at_most) if each is not None]
    return max(ends, default=0) or 1


def _row(
    canvas: Canvas,
    amount: Amount,
    y: float,
    scale: tuple[float, float, Number],
    style: Style,
    *,
    is_above: bool,
) -> float:
    left, room, most = scale
    if is_above:
        words = f"{amount.label}: {amount.about}"
        wide = style.width - MARGIN - left
        label = fitted(words if left == MARGIN else amount.about, _LABEL, wide)
        y += 17
        canvas.add(text(label, left, y - 5, _LABEL, font_weight="bold" if left > MARGIN else None))
    if left > MARGIN:
        label = fitted(amount.label, _LABEL, left - MARGIN - 10)
        middle = y + _THICK / 2 + 4.5
        canvas.add(text(label, left - 10, middle, _LABEL, text_anchor="end"))
    end = left + max(room * float((amount.value or 0) / most), 1.5)
    inner = title(f"{amount.label}: {amount.about}")
    inner += _bar(canvas, amount, (left, y, end - left), style)
    whisker, reach = _whisker(canvas, amount, y + _THICK / 2, scale)
    stated = None if amount.value is None else f"{amount.value:f}" if amount.value else "0"
    limits = {
        "data_at_least": None if amount.at_least is None else f"{amount.at_least}",
        "data_at_most": None if amount.at_most is None else f"{amount.at_most}",
    }
    canvas.add(element("g", inner + whisker, data_mark=amount.mark, data_value=stated, **limits))
    if not is_above:
        x = max(end, reach) + 8
        middle = y + _THICK / 2 + 4.5
        canvas.add(text(amount.about, x, middle, _FIGURE, font_weight="bold"))
    return y + _STEP


def _bar(canvas: Canvas, amount: Amount, at: tuple[float, float, float], style: Style) -> str:
    """A full bar of what is firm, and of the rest an outline."""
    x, y, wide = at
    place = {"x": x, "y": y, "width": wide, "height": _THICK}
    edge = canvas.edge(amount.mark, style.marks)
    if amount.is_firm:
        return element("rect", **place, fill=canvas.fill(amount.mark, style.marks), stroke=edge)
    # Its pattern shows at its end, so that the class can be told.
    swatch = {**place, "width": min(wide, 10.0)}
    area = element("rect", **swatch, fill=canvas.fill(amount.mark, style.marks))
    ground = canvas.ground.ground
    outline = element("rect", **place, fill=ground, stroke=edge, stroke_width=1.6)
    return outline + area + element("rect", **place, fill="none", stroke=edge, stroke_width=1.6)


def _whisker(
    canvas: Canvas, amount: Amount, y: float, scale: tuple[float, float, Number]
) -> tuple[str, float]:
    """What the sum is at least and at most, where it is not exact; and how far that reaches."""
    left, room, most = scale
    low = amount.at_least if amount.at_least is not None else 0
    if amount.value is None or low == amount.at_most:
        return "", left
    start = left + room * float(low / most)
    colour = canvas.ground.text
    ends = line(start, y - 6, start, y + 6, colour, stroke_width=1.6)
    if amount.at_most is None:
        stop = left + room * float(amount.value / most) + 14
        head = f"M{stop - 5:.1f} {y - 4:.1f}L{stop:.1f} {y:.1f}L{stop - 5:.1f} {y + 4:.1f}"
        ends += element("path", d=head, fill="none", stroke=colour, stroke_width=1.6)
    else:
        stop = left + room * float(amount.at_most / most)
        ends += line(stop, y - 6, stop, y + 6, colour, stroke_width=1.6)
    under = line(start, y, stop, y, canvas.ground.ground, stroke_width=4)
    return under + line(start, y, stop, y, colour, stroke_width=1.6) + ends, stop


def _grid(
    canvas: Canvas,
    between: tuple[float, float],
    scale: tuple[float, float, Number],
    style: Style,
) -> list[str]:
    (top, bottom), (left, room, most) = between, scale
    pieces: list[str] = []
    for step in scale_steps(most, max(2, int(room // 120))):
        if step > most:
            break
        x = left + room * float(step / most)
        colour = canvas.ground.quiet if step == 0 else canvas.ground.line
        pieces.append(line(x, top - 3, x, bottom - 6, colour))
        figure = short_text(step, style.language) if step else number_text(0, style.language)
        quiet = canvas.ground.quiet
        pieces.append(text(figure, x, bottom + 9, _AXIS, text_anchor="middle", fill=quiet))
    return pieces
