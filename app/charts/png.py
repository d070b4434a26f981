"""Pictures as PNG, by a package that is installed for it or not."""

import asyncio
from functools import lru_cache

from app.core.errors import NotAcceptable

#: So many pixels to one of the picture: screens and print show twice as many as pages count.
_SCALE = 2


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
    drawn: bytes = vl_convert.svg_to_png(svg, scale=_SCALE)
    return drawn
