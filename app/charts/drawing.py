"""What a chart is: which figures it asks for, and the picture that they make."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Literal

from pydantic import Field
from starlette.requests import Request

from app.charts.marks import Mark, Theme
from app.charts.pictures import Style, Words
from app.charts.words import TITLES
from app.core.loose_types import Json, Value
from app.engine.labels import Language, Told
from app.engine.resource import Resource
from app.insights.choice import ChoiceQuery

Pairs = list[tuple[str, str]]
SectorLevel = Literal["section", "division", "group", "class"]


class ChartQuery(ChoiceQuery):
    """Parameters of a chart, besides the filters of its list."""

    lang: Language = "en"
    """The language of the picture."""
    theme: Theme = Theme.light
    """Whether it lies on a light or on a dark page."""
    width: int = Field(760, ge=320, le=1600)
    """How wide it is, in pixels."""
    level: SectorLevel = "division"
    """Of `sectors` alone: how finely they are told apart."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked for, as a chart needs to know it."""

    language: Language
    level: SectorLevel
    #: The day from which is counted how long ago something was.
    today: date
    #: What codes are called, by the dotted name of their field.
    labels: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def say(self, words: Told, **values: Value) -> str:
        """The words in the language that is asked for."""
        said = words[self.language]
        return said.format(**values) if values else said

    def name(self, path: str, code: str) -> str:
        """What a code of the field is called."""
        return self.labels[path].get(code, code)


@dataclass(frozen=True, slots=True)
class Drawing:
    """A chart with its figures."""

    #: Makes the picture.
    draw: Callable[[Words, Style], str]
    marks: Mapping[str, Mark]
    #: The marks that stand in it, with what they mean.
    legend: Sequence[tuple[str, str]]
    #: The figures one by one, as Vega-Lite takes them, and how it draws them.
    rows: Sequence[Json]
    vega: Json
    axis: Told
    nothing: Told
    notes: Sequence[str] = ()
    #: What it is about, where that says more than its first sentence.
    subtitle: str | None = None
    #: Whether its marks are lines.
    is_of_lines: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Chart:
    """A chart: it draws what a read of the service answers, so that no figure is made twice."""

    name: str
    #: Whose list's filters it takes.
    resource: Resource
    #: What it asks, with these parameters besides the filters.
    path: str
    pairs: Callable[[Asked], Pairs]
    #: The fields whose codes it tells.
    fields: Sequence[str]
    compose: Callable[[Json, Asked], Drawing]
    #: Parameters of what it asks that it hands on.
    options: Sequence[str] = ()
    #: What reads its figures where no address answers them.
    read: Callable[[Request, ChoiceQuery], Awaitable[Json]] | None = None

    @property
    def has_levels(self) -> bool:
        """Whether it takes a `level`."""
        return self.name == "sectors"

    def title(self, language: Language) -> str:
        """Its title."""
        return TITLES[self.name][0][language]

    def subtitle(self, language: Language) -> str:
        """Its first sentence."""
        return TITLES[self.name][1][language]
