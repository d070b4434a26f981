"""Charts by the package that draws PNG and Vega-Lite, where it is installed."""

import json

import httpx
import pytest

from app.charts.gallery import CHARTS


async def test_png_is_drawn_or_it_is_said_what_it_needs(client: httpx.AsyncClient) -> None:
    try:
        import vl_convert  # noqa: F401
    except ImportError:
        refused = await client.get("/charts/firmness.png")
        assert refused.status_code == 406
        assert "vl-convert-python" in refused.json()["detail"]
        assert ".svg" in refused.json()["detail"]
        return
    for language in ("ru", "kk"):
        drawn = await client.get(f"/charts/firmness.png?lang={language}")
        assert drawn.headers["content-type"] == "image/png"
        assert drawn.content.startswith(b"\x89PNG")


async def test_every_specification_is_one_that_vega_lite_draws(client: httpx.AsyncClient) -> None:
    vl_convert = pytest.importorskip("vl_convert")
    wrong = []
    for chart in CHARTS:
        spec = json.loads((await client.get(f"/charts/{chart.name}.json")).content)
        drawn = vl_convert.vegalite_to_svg(spec)
        for row in spec["data"]["values"]:
            label = row.get("group") or row.get("left") or row["currency"]
            if label.split()[0] not in drawn:
                wrong.append((chart.name, label))
    assert not wrong
