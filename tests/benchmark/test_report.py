"""What a measurement tells: the table, the JSON, the chart, and which goals it meets."""

import json
from xml.etree import ElementTree

from app.benchmark.chart import as_svg
from app.benchmark.figures import Figure, Measure
from app.benchmark.goals import outcomes
from app.benchmark.growth import growth_jobs
from app.benchmark.report import Report, as_json, as_text

LIST = "list of 50, filtered and sorted"
COMMON = "search: word in all"


def figure(job: str, who: str, *values: float, p99: float | None = None) -> Figure:
    rounds = [Measure(value, p99=p99, processor=1 / value, others=0.25) for value in values]
    return Figure(job, "/s", who, rounds)


def report() -> Report:
    """One process, two, and peers; medians tell, not means."""
    figures = [
        figure("one record", "bare ASGI server", 40_000),
        figure("one record", "trade-missions", 11_000, 10_000, 90),
        figure("one record", "trade-missions × 2", 20_000),
        figure("one record", "PocketBase", 8_000),
        figure(LIST, "trade-missions", 1_000, p99=0.010),
        figure(LIST, "trade-missions × 2", 2_000, p99=0.010),
        figure(LIST, "PocketBase", 500),
        figure(COMMON, "trade-missions", 100, p99=0.040),
        figure("POST, 16 writers", "trade-missions", 500, p99=0.010),
        figure("POST, 16 writers", "trade-missions × 2", 1_100, p99=0.012),
        figure("POST, 16 writers", "PocketBase", 1_000),
        Figure("POST, 16 writers", "/s", "FastCRUD", fault="WrongAnswer: the status: 500"),
        Figure("start to first answer", "s", "trade-missions", [Measure(2.0)]),
    ]
    settings = {"trade-missions": "as shipped"}
    missing = {"Django REST framework": "install the extra."}
    return Report(figures, "10 agreements", "3 rounds of 1 s", True, settings, missing)


def test_peers_are_compared_with_all_processes_and_floors_with_one() -> None:
    found = {o.goal: (o.found, o.met) for o in outcomes(report().figures, on_sqlite=True)}
    assert found == {
        "trade-missions ≥ 0.3 × bare ASGI server": (0.25, False),
        "trade-missions × 2 ≥ 2 × PocketBase": (2.5, True),
        "trade-missions × 2 ≥ 5 × PocketBase": (4.0, False),
        "trade-missions × 2 ≥ 1 × PocketBase": (1.1, True),
        "trade-missions ≥ 0.8 × PocketBase": (0.5, False),
        "trade-missions ≤ 1.5 s": (2.0, False),
        "trade-missions: p99 ≤ 3 × that of the list": (4.0, False),
        "trade-missions × 2: p99 ≤ 1.5 × that of one process": (1.2, True),
    }


def test_a_job_that_the_service_does_not_do_misses_its_goals() -> None:
    wrong = Figure(COMMON, "/s", "trade-missions", fault="RuntimeError: 503")
    alone = Figure("one record", "/s", "trade-missions", fault="RuntimeError: 503")
    peer = figure("one record", "PocketBase", 8_000)
    found = outcomes([alone, peer, wrong], on_sqlite=True)
    assert [(outcome.job, outcome.found, outcome.met) for outcome in found] == [
        ("one record", None, False),
        (COMMON, None, False),
    ]


def test_an_answer_may_take_little_longer_where_there_are_many_records() -> None:
    one, page = growth_jobs(1_000_000)[0], growth_jobs(1_000_000)[2]
    figures = [
        figure(one, "trade-missions, 10,000 agreements", 0.10),
        figure(one, "trade-missions, 1,000,000 agreements", 0.11),
        figure(page, "trade-missions, 10,000 agreements", 0.10),
        figure(page, "trade-missions, 1,000,000 agreements", 0.13),
        figure(growth_jobs(1_000_000)[3], "trade-missions", 14.0),
        figure(growth_jobs(1_000_000)[3], "bare driver", 10.0),
    ]
    found = {o.job: (round(o.found or 0, 2), o.met) for o in outcomes(figures, on_sqlite=True)}
    assert found == {
        "growth: one record": (1.1, True),
        "growth: page 1,000": (1.3, False),
        "figures by status and currency, 1,000,000 agreements": (1.4, False),
    }


def test_on_postgresql_other_goals_hold() -> None:
    goals = {outcome.goal for outcome in outcomes(report().figures, on_sqlite=False)}
    assert not any("PocketBase" in goal for goal in goals - {"trade-missions ≥ 0.8 × PocketBase"})


def test_the_table_has_a_row_for_each_and_tells_what_is_missing_or_wrong() -> None:
    text = as_text(report())
    lines = [line.split("  ") for line in text.splitlines()]
    cells = [[cell.strip() for cell in line if cell.strip()] for line in lines]
    assert [
        "one record",
        "bare ASGI server",
        "40,000 /s",
        "0.25 ×",
        "0.25 ×",
        "25.0",
        "25%",
    ] in cells
    assert ["trade-missions", "10,000 /s", "100", "25%"] in cells
    assert ["PocketBase", "8,000 /s", "2.50 ×", "2.50 ×", "125", "25%"] in cells
    assert ["FastCRUD", "fault"] in cells
    assert "Others used 25% of the machine" in text
    assert "POST, 16 writers, FastCRUD: WrongAnswer: the status: 500" in text
    assert "Django REST framework was left out: install the extra." in text
    assert ["one record: trade-missions × 2 ≥ 2 × PocketBase", "2.50", "met"] in cells


def test_the_json_has_all_rounds_and_the_goals() -> None:
    told = json.loads(json.dumps(as_json(report())))
    (ours,) = (
        one
        for one in told["figures"]
        if (one["job"], one["contestant"]) == ("one record", "trade-missions")
    )
    assert [one["value"] for one in ours["rounds"]] == [11_000, 10_000, 90]
    assert ours["value"] == 10_000
    assert {
        "job": LIST,
        "goal": "trade-missions × 2 ≥ 5 × PocketBase",
        "found": 4.0,
        "met": False,
    } in (told["goals"])


def test_the_chart_is_svg_for_light_and_dark_with_a_bar_for_each_server() -> None:
    text = as_svg(report())
    root = ElementTree.fromstring(text)
    bars = [one.get("class") for one in root.iter("{http://www.w3.org/2000/svg}rect")]
    assert (bars.count("ours"), bars.count("peer")) == (6, 3)
    assert "prefers-color-scheme: dark" in text
    assert "http" not in text.replace("http://www.w3.org/2000/svg", "")
