"""Pictures as PNG, by a package that is installed for it or not."""

import asyncio
import re
from functools import lru_cache
from typing import Final

from app.charts.text_width import FONTS
from app.core.errors import NotAcceptable

#: So many pixels to one of the picture: screens and print show twice as many as pages count.
_SCALE: Final = 2
#: The package brings a font as wide as Arial, without Kazakh letters and others like them; of
#: those that have them this one is on most systems, and wider. Names have them in any language, and
#: a picture is written in one font.
_MORE_LETTERS: Final = re.compile("[\u048a-\u1dff]")
_WITH_ALL: Final = "'DejaVu Sans', sans-serif"
_USUAL: Final = "'Liberation Sans', Arial, 'DejaVu Sans', sans-serif"
_NARROWED: Final = 0.89
_SIZE: Final = re.compile(r'font-size="([0-9.]+)"')


async def png_of(svg: str) -> bytes:
    """The picture as PNG; NotAcceptable (406) where the package for it is not installed."""
    return await asyncio.to_thread(_drawn, svg)


@lru_cache(maxsize=32)
def _drawn(svg: str) -> bytes:
    try:
        import vl_convert
    except ImportError:
        raise NotAcceptable(
            "PNG needs one package more, which whoever runs the service adds to its environment:"
            " .venv/bin/pip install vl-convert-python. As .svg and .json each chart is there."
        ) from None
    drawn: bytes = vl_convert.svg_to_png(in_one_font(svg), scale=_SCALE)
    return drawn


def in_one_font(svg: str) -> str:
    """The picture in a font that has all of its letters."""
    if _MORE_LETTERS.search(svg) is None:
        return svg.replace(FONTS, _USUAL, 1)
    svg = svg.replace(FONTS, _WITH_ALL, 1)
    return _SIZE.sub(lambda found: f'font-size="{float(found[1]) * _NARROWED:.2f}"', svg)
