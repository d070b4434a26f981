"""Charts as Vega-Lite, for notebooks: the figures with how they are drawn."""

from collections.abc import Mapping, Sequence

from app.charts.marks import Mark, Theme
from app.core.loose_types import Json, JsonValue

SCHEMA = "https://vega.github.io/schema/vega-lite/v5.json"


def colours(legend: Sequence[tuple[str, str]], marks: Mapping[str, Mark], theme: Theme) -> Json:
    """The colours of the classes, as they are in our own pictures."""
    return {
        "domain": [label for _, label in legend],
        "range": [marks[key].fills[theme][0] for key, _ in legend],
    }


def stacked(*, is_upright: bool = False) -> Json:
    """Bars of segments: of rows with `group`, `class` and `value`."""
    groups: Json = {"field": "group", "type": "nominal", "sort": None, "title": None}
    values: Json = {"field": "value", "type": "quantitative", "stack": "zero"}
    across, along = ("x", "y") if is_upright else ("y", "x")
    return {
        "mark": {"type": "bar", "tooltip": True},
        "encoding": {
            across: groups,
            along: values,
            "color": {"field": "class", "type": "nominal", "title": None},
            "order": {"field": "place", "type": "quantitative"},
        },
    }


def amounts() -> Json:
    """Bars of amounts with their limits, each currency on a scale of its own."""
    groups: Json = {"field": "class", "type": "nominal", "sort": None, "title": None}
    return {
        "facet": {"row": {"field": "currency", "type": "nominal", "title": None}},
        "resolve": {"scale": {"x": "independent"}},
        "spec": {
            "layer": [
                {
                    "mark": {"type": "bar", "tooltip": True},
                    "encoding": {
                        "y": groups,
                        "x": {"field": "value", "type": "quantitative", "title": None},
                        "color": {"field": "class", "type": "nominal", "title": None},
                    },
                },
                {
                    "mark": {"type": "rule", "tooltip": True},
                    "encoding": {
                        "y": groups,
                        "x": {"field": "at_least", "type": "quantitative"},
                        "x2": {"field": "at_most"},
                    },
                },
            ]
        },
    }


def pairs() -> Json:
    """Circles where two parties meet, as large as what they agreed on is many."""
    return {
        "mark": {"type": "circle", "tooltip": True},
        "encoding": {
            "y": {"field": "left", "type": "nominal", "sort": None, "title": None},
            "x": {"field": "right", "type": "nominal", "sort": None, "title": None},
            "size": {"field": "value", "type": "quantitative", "title": None},
            "color": {"field": "class", "type": "nominal", "title": None},
        },
    }


def spec(
    how: Json, rows: Sequence[Json], scale: Json, title: Sequence[str], width: int, axis: str
) -> Json:
    """The specification, with its data in it."""
    made: Json = {
        "$schema": SCHEMA,
        "title": {"text": title[0], "subtitle": list(title[1:])},
        "data": {"values": list(rows)},
        **_completed(how, scale, axis),
    }
    if "mark" in made:
        made |= {"width": width}
    return made


def _completed(how: JsonValue, scale: Json, axis: str) -> JsonValue:
    """The drawing with the colours of the classes, and what is counted along its axis."""
    if isinstance(how, list):
        return [_completed(each, scale, axis) for each in how]
    if not isinstance(how, dict):
        return how
    found = {name: _completed(each, scale, axis) for name, each in how.items()}
    if found.get("field") == "class" and "sort" not in found:
        found["scale"] = scale
    if found.get("stack"):
        found["title"] = axis
    return found
