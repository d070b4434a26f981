"""The stylesheet and the script of the pages, at addresses that change with what is in them."""

from collections.abc import Mapping
from functools import cache
from hashlib import sha256
from importlib.resources import files
from typing import Literal

from app.charts.marks import CLASS_MARKS, GROUNDS, PLAIN_MARKS, Mark, Theme
from app.charts.svg import Canvas
from app.core.public_path import public_path

Kind = Literal["css", "js"]
MEDIA_TYPES = {"css": "text/css; charset=utf-8", "js": "text/javascript; charset=utf-8"}
FOLDER = "/pages/assets"


@cache
def content_of(kind: Kind) -> bytes:
    """The file as it is sent."""
    text = (files("app.pages") / "assets" / f"page.{kind}").read_text("utf-8")
    return (text + _colours() if kind == "css" else text).encode()


@cache
def name_of(kind: Kind) -> str:
    """Its name, which has the hash of its content in it."""
    return f"page.{sha256(content_of(kind)).hexdigest()[:12]}.{kind}"


def address_of(kind: Kind) -> str:
    """Where it is."""
    return public_path(f"{FOLDER}/{name_of(kind)}")


@cache
def version() -> str:
    """Changes whenever a file does."""
    return sha256(name_of("css").encode() + name_of("js").encode()).hexdigest()[:8]


def colour(light: str, dark: str) -> str:
    """The custom property that is the one colour on a light page, and the other on a dark one."""
    return _names()[light, dark]


@cache
def _names() -> Mapping[tuple[str, str], str]:
    # Short ones: a chart names hundreds.
    return {pair: f"--c{at}" for at, pair in enumerate(sorted(_pairs()))}


def _pairs() -> set[tuple[str, str]]:
    grounds = [GROUNDS[theme] for theme in (Theme.light, Theme.dark)]
    found = {
        (getattr(grounds[0], name), getattr(grounds[1], name))
        for name in ("ground", "text", "quiet", "line", "apart")
    }
    for marks in (CLASS_MARKS, PLAIN_MARKS):
        for key, mark in marks.items():
            found |= set(zip(mark.fills[Theme.light], mark.fills[Theme.dark], strict=True))
            edges = [Canvas("", theme).edge(key, marks) for theme in Theme]
            found.add((edges[0], edges[1]))
    return found


def _colours() -> str:
    """The colours of charts and marks, as custom properties."""
    light = "".join(f"{name}:{pair[0]};" for pair, name in _names().items())
    dark = "".join(f"{name}:{pair[1]};" for pair, name in _names().items())
    return f":root{{{light}}}\n@media screen and (prefers-color-scheme: dark){{:root{{{dark}}}}}\n"


def fills_of(mark: Mark) -> tuple[str, str]:
    """The colours of the mark's area and of what is drawn on it, as properties."""
    light, dark = mark.fills[Theme.light], mark.fills[Theme.dark]
    return f"var({colour(light[0], dark[0])})", f"var({colour(light[1], dark[1])})"
