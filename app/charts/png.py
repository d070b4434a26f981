"""Pictures as PNG, by a package that is installed for it or not."""

import asyncio
import re
from functools import lru_cache
from typing import Final

from app.charts.text_width import FONTS
from app.core.errors import NotAcceptable

#: So many pixels to one of the picture: screens and print show twice as many as pages count.
_SCALE: Final = 2
#: The package brings a font as wide as Arial, without Kazakh letters; of those that have them this
#: one is on most systems, and wider.
_FONTS: Final = {"kk": ("'DejaVu Sans', sans-serif", 0.89)}
_USUAL: Final = ("'Liberation Sans', Arial, 'DejaVu Sans', sans-serif", 1.0)
_SIZE: Final = re.compile(r'font-size="([0-9.]+)"')


async def png_of(svg: str, language: str) -> bytes:
    """The picture as PNG; NotAcceptable (406) where the package for it is not installed."""
    return await asyncio.to_thread(_drawn, svg, language)


@lru_cache(maxsize=32)
def _drawn(svg: str, language: str) -> bytes:
    try:
        import vl_convert
    except ImportError:
        raise NotAcceptable(
            "PNG needs one package more, which whoever runs the service adds to its environment:"
            " .venv/bin/pip install vl-convert-python. As .svg and .json each chart is there."
        ) from None
    fonts, scale = _FONTS.get(language, _USUAL)
    svg = svg.replace(FONTS, fonts, 1)
    if scale != 1:
        svg = _SIZE.sub(lambda found: f'font-size="{float(found[1]) * scale:.2f}"', svg)
    drawn: bytes = vl_convert.svg_to_png(svg, scale=_SCALE)
    return drawn
