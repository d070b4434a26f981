"""The dashboards of Grafana ask for what there is, and nothing in compose is missing."""

import json
import re
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import yaml

ROOT = Path(__file__).parent.parent.parent
FOLDER = ROOT / "dashboards" / "grafana"
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
    assert {title for title, _ in asked} - filled == {"Due and not done", "What came of them"}


async def test_every_metric_of_the_panels_is_one_that_the_service_tells(
    client: httpx.AsyncClient, database_kind: str
) -> None:
    if database_kind == "sqlite":
        return  # What compose starts is PostgreSQL.
    await client.get("/agreements")
    told = set(re.findall(r"^(\w+)[ {]", (await client.get("/metrics")).text, re.MULTILINE))
    asked = _asked("expr")
    words = {name for _, expr in asked for name in re.findall(r"\b[a-z]+_[a-z_]+\b", expr)}
    functions = {"histogram_quantile"}
    assert len(asked) > 5
    assert words - functions - told == set()


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
