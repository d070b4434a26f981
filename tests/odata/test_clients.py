"""OData as clients of others see it, which take the metadata at its word."""

import asyncio
import json
from pathlib import Path
from typing import Any

from tests.clients import tools

HERE = Path(__file__).parent / "clients"
TITLE = "Договор поставки «Нобел АФФ» — «Катрен»"


async def _seen(*command: str | Path, folder: Path) -> dict[str, Any]:
    """What a program that uses a client prints last."""
    said = await asyncio.to_thread(tools.run, *command, folder=folder)
    found: dict[str, Any] = json.loads(said.strip().splitlines()[-1])
    return found


async def test_clients_of_python_work_as_they_come(root: str) -> None:
    python = await asyncio.to_thread(tools.python, HERE)
    found = await _seen(python, "walk.py", root, folder=HERE)
    assert found["python-odata"] == [TITLE, 5000000, "novosibirsk-april", 2]
    assert found["odatapy"] == [TITLE, 5000000]


async def test_clients_of_javascript_work_as_they_come(root: str, tmp_path: Path) -> None:
    (tmp_path / "node_modules").symlink_to(await asyncio.to_thread(tools.packages, HERE))
    for name in ("package.json", "walk.mjs"):
        (tmp_path / name).write_text((HERE / name).read_text())
    found = await _seen(tools.NODE / "node", "walk.mjs", root, folder=tmp_path)
    assert found["client"] == [TITLE, 5000000, 1]
    assert found["o"] == [TITLE, 5000000, 3]
    assert found["csdl"] == [[], True]
