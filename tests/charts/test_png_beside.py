"""Pictures are drawn as PNG where nobody else waits for them."""

import asyncio
import time

import pytest

from app.charts import png
from app.charts.png import Drawer
from app.core.databases.reader_turns import ReaderTurns
from app.core.errors import Unavailable

#: One that takes some tenths of a second.
_LABELS = "".join(
    f'<text x="{n % 40 * 20}" y="{n // 40 * 12}">Name {n}</text>' for n in range(2400)
)
PICTURE = f'<svg xmlns="http://www.w3.org/2000/svg" width="800" height="720">{_LABELS}</svg>'


async def test_others_are_answered_while_a_picture_is_drawn() -> None:
    pytest.importorskip("vl_convert")
    drawing = asyncio.create_task(Drawer(ReaderTurns(1, "wait")).png_of(PICTURE))
    began = last = time.monotonic()
    longest = 0.0
    while not drawing.done():
        await asyncio.sleep(0.001)
        longest, last = max(longest, time.monotonic() - last), time.monotonic()
    assert (await drawing).startswith(b"\x89PNG")
    assert longest < (last - began) / 2


async def test_a_picture_for_which_there_is_no_time_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pytest.importorskip("vl_convert")
    monkeypatch.setattr(png, "_DRAWING_SECONDS", 0.001)
    with pytest.raises(Unavailable, match=r"As \.svg the chart is there"):
        await Drawer(ReaderTurns(1, "wait")).png_of(f"<!-- slow -->{PICTURE}")
