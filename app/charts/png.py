"""Pictures as PNG, by a package that is installed for it or not."""

import asyncio
import re
import subprocess
import sys
from functools import lru_cache
from importlib.util import find_spec
from typing import Final

from app.charts.text_width import FONTS
from app.core.databases.places import Places
from app.core.databases.reader_turns import ReaderTurns
from app.core.errors import NotAcceptable, Unavailable

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

#: Draws what it is sent in a process of its own: the package keeps the interpreter to itself for as
#: long as it draws, up to a second, in which nobody else would be answered.
_PROGRAM: Final = f"""
import sys, vl_convert
svg = sys.stdin.buffer.read().decode()
sys.stdout.buffer.write(vl_convert.svg_to_png(svg, scale={_SCALE}))
"""
_DRAWING_SECONDS: Final = 30.0
#: How many pictures are drawn at a time.
_DRAWN_AT_A_TIME: Final = 2


class Drawer:
    """Makes PNG of pictures, for each reader one at a time, in the turns that all charts take."""

    def __init__(self, turns: ReaderTurns) -> None:
        self.turns, self._places = turns, Places(_DRAWN_AT_A_TIME, per_caller=1)

    async def png_of(self, svg: str) -> bytes:
        """The picture as PNG; NotAcceptable (406) where the package for it is not installed."""
        if find_spec("vl_convert") is None:
            raise NotAcceptable(
                "PNG needs one package more, which whoever runs the service adds to its"
                " environment: .venv/bin/pip install vl-convert-python. As .svg and .json each"
                " chart is there."
            )
        async with self.turns.taken(), self._places.taken():
            return await asyncio.to_thread(_drawn, svg)


@lru_cache(maxsize=32)
def _drawn(svg: str) -> bytes:
    try:
        return subprocess.run(  # noqa: S603 (our own program; what it draws is no part of it)
            [sys.executable, "-P", "-c", _PROGRAM],
            input=in_one_font(svg).encode(),
            stdout=subprocess.PIPE,
            check=True,
            timeout=_DRAWING_SECONDS,
        ).stdout
    except subprocess.TimeoutExpired:
        text = "There was no time to draw the picture. As .svg the chart is there."
        raise Unavailable(text, headers={"Retry-After": "10"}) from None


def in_one_font(svg: str) -> str:
    """The picture in a font that has all of its letters."""
    if _MORE_LETTERS.search(svg) is None:
        return svg.replace(FONTS, _USUAL, 1)
    svg = svg.replace(FONTS, _WITH_ALL, 1)
    return _SIZE.sub(lambda found: f'font-size="{float(found[1]) * _NARROWED:.2f}"', svg)
