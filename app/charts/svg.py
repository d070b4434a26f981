"""Writing SVG: elements with presentation attributes alone.

The policy of our pages forbids `style`, as attribute and as element.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from xml.sax.saxutils import escape, quoteattr

from app.charts.marks import GROUNDS, Ground, Mark, Theme
from app.charts.text_width import FONTS

Attribute = str | float | int | None
_CONTROLS = dict.fromkeys((*range(9), 11, 12, *range(14, 32), 65534, 65535), " ")


def _clean(text: str) -> str:
    """The text without what XML does not take."""
    return text.translate(_CONTROLS)


def element(name: str, inner: str = "", /, **attributes: Attribute) -> str:
    """`<name a="…">inner</name>`; `_` stands for `-` in names of attributes, and what is None is
    left out."""
    told = "".join(
        [
            f" {_name(key)}={_quoted(value) if isinstance(value, str) else _number(value)}"
            for key, value in attributes.items()
            if value is not None
        ]
    )
    return f"<{name}{told}>{inner}</{name}>" if inner else f"<{name}{told}/>"


@lru_cache(maxsize=256)
def _name(key: str) -> str:
    return key.strip("_").replace("_", "-")


@lru_cache(maxsize=4096)
def _quoted(value: str) -> str:
    return quoteattr(_clean(value))


def _number(value: float) -> str:
    return f'"{round(value, 1):g}"' if abs(value) < 100_000 else f'"{value}"'


def text(content: str, x: float, y: float, size: float, /, **attributes: Attribute) -> str:
    """A line of text."""
    return element("text", escape(_clean(content)), x=x, y=y, font_size=size, **attributes)


def title(content: str) -> str:
    """What an element is: read out, and shown where the pointer rests."""
    return element("title", escape(_clean(content)))


def line(
    x1: float, y1: float, x2: float, y2: float, stroke: str, /, **attributes: Attribute
) -> str:
    """A line."""
    return element("line", x1=x1, y1=y1, x2=x2, y2=y2, stroke=stroke, **attributes)


@dataclass(slots=True)
class Canvas:
    """What is being drawn: pieces of SVG, and the patterns that they are filled with."""

    name: str
    theme: Theme
    pieces: list[str] = field(default_factory=list)
    _used: dict[str, str] = field(default_factory=dict)

    @property
    def ground(self) -> Ground:
        """The colours of all that is no mark."""
        return GROUNDS[self.theme]

    def add(self, *pieces: str) -> None:
        """Put these on top."""
        self.pieces += pieces

    def fill(self, key: str, marks: Mapping[str, Mark]) -> str:
        """What an area of this mark is filled with."""
        mark = marks[key]
        area, _ = mark.fills[self.theme]
        if not mark.pattern:
            return area
        pattern_id = f"{self.name}-{key.replace('_', '-')}"
        self._used[pattern_id] = _pattern(pattern_id, mark, self.theme)
        return f"url(#{pattern_id})"

    def edge(self, key: str, marks: Mapping[str, Mark]) -> str:
        """The colour around an area of this mark."""
        area, ink = marks[key].fills[self.theme]
        ground = self.ground.ground
        return self.ground.quiet if ground in (area, ink) else _farther(ink, area, ground)

    def definitions(self) -> str:
        """The patterns that were used."""
        return element("defs", "".join(self._used.values())) if self._used else ""


def _pattern(pattern_id: str, mark: Mark, theme: Theme) -> str:
    area, ink = mark.fills[theme]
    lines = element("path", d=mark.pattern, fill=ink)
    if not mark.is_filled:
        lines = element("path", d=mark.pattern, fill="none", stroke=ink, stroke_width=1.2)
    square = element("rect", width=8, height=8, fill=area)
    units = {"patternUnits": "userSpaceOnUse"}
    return element("pattern", square + lines, id=pattern_id, width=8, height=8, **units)


def lightness(colour: str) -> float:
    """How light a colour is to the eye: the relative luminance of WCAG."""
    parts = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """The contrast of two colours, from 1 to 21."""
    low, high = sorted((lightness(one), lightness(other)))
    return (high + 0.05) / (low + 0.05)


def _farther(one: str, other: str, ground: str) -> str:
    return max(one, other, key=lambda colour: contrast(colour, ground))


def document(
    canvas: Canvas, size: tuple[float, float], labels: tuple[str, str], language: str, role: str
) -> str:
    """The whole picture, with the title and the description that are read out; its role is `img`
    only where nothing in it is a link."""
    width, height = size
    heading, about = labels
    inner: Iterable[str] = (
        element("title", escape(_clean(heading)), id=f"{canvas.name}-title"),
        element("desc", escape(_clean(about)), id=f"{canvas.name}-desc"),
        canvas.definitions(),
        element("rect", width=width, height=height, fill=canvas.ground.ground, class_="ground"),
        *canvas.pieces,
    )
    namespaces = {"xmlns": "http://www.w3.org/2000/svg", "viewBox": f"0 0 {width:g} {height:g}"}
    return element(
        "svg",
        "".join(inner),
        **namespaces,
        width=width,
        height=height,
        lang=language,
        role=role,
        aria_labelledby=f"{canvas.name}-title",
        aria_describedby=f"{canvas.name}-desc",
        font_family=FONTS,
        fill=canvas.ground.text,
    )
