"""The dashboards of Grafana ask for what there is, and nothing in compose is missing."""

import asyncio
import json
import math
import re
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest
import yaml
from fastapi import FastAPI

from tests.clients import tools
from tests.examples import create
from tests.keys import ADMIN_KEY
from tests.listening import free_port, installed, listening
from tests.serving import served

ROOT = Path(__file__).parent.parent.parent
FOLDER = ROOT / "dashboards" / "grafana"
#: The types of dashboards, for TypeScript.
TYPES = Path(__file__).parent / "grafana"
#: How long it may take until Prometheus knows what the panels show.
SCRAPE_SECONDS = 30
#: It has one writer, and no connections of it.
NOT_OF_SQLITE = {"sum(trade_missions_database_write_connections_busy)"}
BOARDS: list[dict[str, Any]] = [json.loads(path.read_text()) for path in FOLDER.glob("*.json")]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
#: In the place of the variable: all missions, one that is not there, and what tries to break out.
CHOICES = ("'all'", "'015407c4-8400-7515-a6b6-97a29d0eaa22'", "'O''Neill'")


def _asked(key: str) -> list[tuple[str, str]]:
    """The questions of the panels, each with the title of its panel."""
    return [
        (panel["title"], target[key])
        for board in BOARDS
        for panel in board["panels"]
        for target in panel["targets"]
        if key in target
    ]


async def test_every_panel_of_the_views_is_answered_by_the_role_for_dashboards(role: Any) -> None:
    reading, _, _ = role
    wrong: list[tuple[str, str]] = []
    asked = _asked("rawSql")
    asked += [(v["name"], v["query"]) for board in BOARDS for v in board["templating"]["list"]]
    filled: set[str] = set()
    for title, sql in asked:
        for choice in CHOICES:
            try:
                if await reading.fetch(sql.replace("${mission:sqlstring}", choice)):
                    filled.add(title)
            except asyncpg.PostgresError as error:
                wrong.append((title, str(error)))
    assert len(asked) > 5
    assert not wrong
    # Of the article's facts these have none yet.
    assert {title for title, _ in asked} - filled == {
        "Due and not done",
        "What came of them",
        "What fell through",
    }


async def test_panels_of_a_mission_are_of_its_parts_too(
    role: Any, fresh: httpx.AsyncClient
) -> None:
    reading, _, _ = role
    chosen, above = "", None
    for title in ("Journey", "Leg", "Leg of a leg"):
        above = await create(
            fresh,
            "missions",
            {"title": title, "kind": "official_visit", "parent_id": above and above["id"]},
        )
        chosen = chosen or f"'{above['id']}'"
    deal = {"mission_id": above and above["id"], "instrument": "supply_contract", "stands_for": 5}
    signed = {"status": "signed", "parties": [{"role": "buyer", "description": "x"}]}
    money = {"amount": 7, "currency": "EUR"}
    made = await create(
        fresh, "agreements", {**deal, **signed, **money, "title": "S", "due": "2020"}
    )
    await create(fresh, "agreements", {**deal, "title": "F", "status": "cancelled"})
    await create(fresh, "outcomes", {"agreement_id": made["id"], "date": "2021"})
    shown = {
        title: await reading.fetch(sql.replace("${mission:sqlstring}", chosen))
        for title, sql in _asked("rawSql")
        if "${mission" in sql
    }
    assert {title for title, rows in shown.items() if not rows} == set()
    assert sum(row["Agreements"] for row in shown["Agreements by class"]) == 10
    assert [row["Agreements"] for row in shown["Missions"]] == [10]


@pytest.fixture
async def prometheus(shared_app: FastAPI, tmp_path: Path) -> AsyncIterator[str]:
    """The address of a Prometheus that reads the service as dashboards/prometheus.yaml says."""
    program = installed("prometheus")
    if program is None:
        pytest.skip("Prometheus is not installed: apt-get install prometheus")
    async with served(shared_app) as address:
        settings = yaml.safe_load((ROOT / "dashboards" / "prometheus.yaml").read_text())
        for job in settings["scrape_configs"]:
            # So long a reading may take, too, on a machine that is busy.
            job["scrape_interval"] = "1s"
            job["authorization"]["credentials_file"] = str(tmp_path / "key")
            job["static_configs"] = [{"targets": [address.removeprefix("http://")]}]
        (tmp_path / "key").write_text(ADMIN_KEY)
        (tmp_path / "prometheus.yaml").write_text(yaml.safe_dump(settings))
        port = free_port()
        command = [program, f"--config.file={tmp_path}/prometheus.yaml", "--log.level=error"]
        command += [f"--storage.tsdb.path={tmp_path}", f"--web.listen-address=127.0.0.1:{port}"]
        with listening(command, port):
            yield f"http://127.0.0.1:{port}/api/v1"


async def test_every_panel_of_the_metrics_is_answered_by_prometheus(
    client: httpx.AsyncClient, prometheus: str, database_kind: str
) -> None:
    asked = {expr for _, expr in _asked("expr")}
    if database_kind == "sqlite":
        asked -= NOT_OF_SQLITE
    missing = set(asked)
    async with httpx.AsyncClient(base_url=prometheus) as asking:
        deadline = time.monotonic() + SCRAPE_SECONDS
        # A rate takes two readings, between which something was answered.
        while missing and time.monotonic() < deadline:
            await client.get("/agreements?limit=1")
            await asyncio.sleep(0.2)
            missing -= {expr for expr in missing if await _values(asking, expr)}
        others = {"trade_missions_no_such_metric", *NOT_OF_SQLITE} - asked
        assert [expr for expr in others if await _values(asking, expr)] == []
    assert len(asked) > 5
    assert not missing


async def _values(asking: httpx.AsyncClient, expr: str) -> list[float]:
    """What a panel shows of the last minute."""
    now = time.time()
    query: dict[str, Any] = {"query": expr, "start": now - 60, "end": now, "step": 1}
    answer = (await asking.get("/query_range", params=query)).json()
    assert answer["status"] == "success", (expr, answer)
    values = [float(v) for series in answer["data"]["result"] for _, v in series["values"]]
    return [value for value in values if not math.isnan(value)]


#: What makes a dashboard one that Grafana does not know.
WRONG = (
    ('"barchart"', '"barchrt"'),
    ('"bottom"', '"under"'),
    ('"cellHeight": "sm"', '"cellHeight": "small"'),
    ('"showHeader"', '"showHeaders"'),
    ('"refresh": 1', '"refresh": 7'),
    ('"gridPos"', '"gridpos"'),
    ('"rawSql"', '"sql"'),
)


def test_dashboards_are_what_the_types_of_grafana_say(tmp_path: Path) -> None:
    (tmp_path / "node_modules").symlink_to(tools.packages(TYPES))
    for name in ("board.ts", "package.json"):
        (tmp_path / name).write_text((TYPES / name).read_text())
    right = (FOLDER / "deals.json").read_text()
    assert [this for this, _ in WRONG if this not in right] == []
    wrong = [json.dumps(json.loads(right.replace(*one, 1))) for one in WRONG]
    text = "\n".join(
        [
            'import type { Board } from "./board.ts";',
            *(f"export const {p.stem}: Board = {p.read_text()};" for p in FOLDER.glob("*.json")),
            # An error has to be on the next line.
            *(
                f"// @ts-expect-error\nexport const not{n}: Board = {w};"
                for n, w in enumerate(wrong)
            ),
        ]
    )
    (tmp_path / "boards.ts").write_text(text)
    options = ["--strict", "--noEmit", "--allowImportingTsExtensions", "--module", "nodenext"]
    tools.run(tmp_path / "node_modules" / ".bin" / "tsc", *options, "boards.ts", folder=tmp_path)


def test_the_types_are_those_of_the_version_that_compose_starts() -> None:
    package = json.loads((TYPES / "package.json").read_text())
    _, version = COMPOSE["services"]["grafana"]["image"].split(":")
    assert package["devDependencies"]["@grafana/schema"] == version


def test_dashboards_name_sources_that_are_provided_and_panels_that_do_not_lie_on_others() -> None:
    sources = yaml.safe_load((FOLDER / "datasources.yaml").read_text())["datasources"]
    known = {(source["type"], source["uid"]) for source in sources}
    wrong: list[object] = []
    for board in BOARDS:
        taken: dict[tuple[int, int], str] = {}
        if len({panel["id"] for panel in board["panels"]}) != len(board["panels"]):
            wrong.append((board["title"], "panels share an id"))
        for panel in board["panels"]:
            used = [panel["datasource"], *(target["datasource"] for target in panel["targets"])]
            wrong += [one for one in used if (one["type"], one["uid"]) not in known]
            at = panel["gridPos"]
            for x in range(at["x"], at["x"] + at["w"]):
                for y in range(at["y"], at["y"] + at["h"]):
                    if x >= 24 or (x, y) in taken:
                        wrong.append((panel["title"], taken.get((x, y))))
                    taken[x, y] = panel["title"]
    assert not wrong


def test_compose_starts_dashboards_only_when_asked_and_from_files_that_are_there() -> None:
    added = {name: s for name, s in COMPOSE["services"].items() if "profiles" in s}
    assert {*COMPOSE["services"]} - {*added} == {"api", "database"}
    assert all(service["profiles"] == ["dashboards"] for service in added.values())
    for service in added.values():
        for mount in service["volumes"]:
            source = mount.split(":")[0]
            assert (ROOT / source).is_file() or source in COMPOSE["volumes"], source
        assert {*service.get("secrets", ())} <= {*COMPOSE["secrets"]}
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", ()))
    given = added["grafana"]["environment"]
    text = (FOLDER / "datasources.yaml").read_text()
    assert set(re.findall(r"\$(\w+)", text)) <= {*given}
