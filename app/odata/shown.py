"""What of each entity is shown: `$select` and `$expand`, also within each other."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from app.core.errors import BadRequest, Fault, did_you_mean
from app.engine.paths import MAX_DEPTH, Relation, relations_of
from app.engine.query.conditions import Path
from app.engine.query.filter_reader import ParsedFilter
from app.engine.query.parameters import RelatedList, View
from app.engine.resource import Embedded, Resource
from app.odata.errors import NotSupported, in_options
from app.odata.filter.reading import read_condition
from app.odata.model import navigations_of, parts_of, properties_of
from app.odata.options import Options, bad_option, split
from app.odata.orders import read_order

_EVERYTHING: Final = "*"
_CHOOSING = ("$filter", "$orderby", "$top", "$skip", "$count")
_NESTED = ("$select", "$expand", *_CHOOSING)
_UNSUPPORTED = ("$search", "$levels", "$apply", "$compute")
At = Resource | Embedded


@dataclass(slots=True)
class Shown:
    """What is shown of a record or part: the properties that are selected, None for all, as they
    were written; and of each relation or part that was gone into, the same."""

    select: tuple[str, ...] | None = None
    expand: "dict[str, Shown]" = field(default_factory=dict)
    #: Whether it was named by `$expand` itself, and not on the way to what was.
    is_expanded: bool = False
    #: Which of many entities are shown, where that was asked.
    related: RelatedList | None = None

    @property
    def is_narrowed(self) -> bool:
        """Whether something was selected, here or within."""
        return self.select is not None or any(each.is_narrowed for each in self.expand.values())


def read_shown(at: Resource, options: Options, parsed: ParsedFilter) -> Shown:
    """What `$select` and `$expand` ask for; BadRequest for what is not there. The values of what
    chooses related entities come to stand in `parsed`."""
    return _Reader(parsed).shown(at, options, 0)


class _Reader:
    """Reads what is shown, and what within each other."""

    def __init__(self, parsed: ParsedFilter) -> None:
        self.parsed = parsed

    def shown(self, at: At, options: Options, depth: int) -> Shown:
        """What the options ask for of a record or part, so many steps from the first one."""
        shown = Shown()
        select, expand = options.get("$select"), options.get("$expand")
        if select is not None:
            names = tuple(dict.fromkeys(split("$select", select, ",")))
            for name in names:
                _check_selected(at, name)
            shown.select = None if _EVERYTHING in names else names
        for item in split("$expand", expand, ",") if expand is not None else ():
            self._expand(at, shown, item, options, depth)
        return shown

    def _expand(self, at: At, shown: Shown, item: str, options: Options, depth: int) -> None:
        """Add what an item such as `mission($select=title)` or `parties/organization` asks for."""
        path, opening, inner = item.partition("(")
        if opening and not inner.endswith(")"):
            raise bad_option("$expand", f"There is no ) at the end of {item[:100]!r}.", "syntax")
        for step in (word.strip() for word in path.split("/")):
            relation = _relation(at, step)
            depth += 1
            if depth > MAX_DEPTH:
                text = f"{item[:100]!r} has more than {MAX_DEPTH} steps."
                raise bad_option("$expand", text, "too_deep")
            at, shown = relation.target, shown.expand.setdefault(step, Shown())
        if isinstance(at, Embedded):
            text = f"{path} belongs to the record and is always shown: leave it out."
            raise bad_option("$expand", text, "unknown")
        if shown.is_expanded:
            raise bad_option("$expand", f"{path} is given more than once.", "repeated")
        sent = _nested(inner.removesuffix(")")) if opening else {}
        try:
            nested = Options(sent, options.aliases)
            found = self.shown(at, nested, depth)
            shown.related = self._related(relation, at, nested)
        except BadRequest as problem:
            text = f"In {path}: {in_options(problem)}"
            raise bad_option("$expand", text, problem.errors[0].code) from None
        shown.select, shown.is_expanded = found.select, True
        shown.expand |= found.expand

    def _related(self, relation: Relation, at: Resource, nested: Options) -> RelatedList | None:
        """Which of many entities are shown; None for all of them."""
        asked = [name for name in _CHOOSING if nested.get(name) is not None]
        if not asked:
            return None
        if not relation.is_to_many:
            text = f"It is of many, and {relation.name} is one."
            raise bad_option(asked[0], text, "unknown")
        return RelatedList(
            read_condition(at, nested, self.parsed),
            read_order(at, nested.get("$orderby")),
            self._slot(nested.top),
            self._slot(nested.skip or None),
            f"{relation.name}@odata.count" if nested.counts else None,
        )

    def _slot(self, number: int | None) -> str | None:
        """The parameter that has this value."""
        if number is None:
            return None
        slot = f"f{len(self.parsed.values)}"
        self.parsed.values[slot] = number
        return slot


def _check_selected(at: Resource | Embedded, name: str) -> None:
    if name == _EVERYTHING:
        return
    first, slash, rest = name.partition("/")
    part = parts_of(at).get(first)
    if slash and part is not None:
        _check_selected(part, rest)
        return
    known = selectable(at)
    if name not in known:
        near = did_you_mean(name, known) or f" Possible: {', '.join(known)}."
        if slash and first in navigations_of(at):
            near = f" Write $expand={first}($select={rest})."
        raise bad_option("$select", f"There is no property {name[:100]!r}.{near}", "unknown")


def selectable(at: Resource | Embedded) -> list[str]:
    """The names that can be selected."""
    return [*properties_of(at), *parts_of(at), *navigations_of(at)]


def _relation(at: At, step: str) -> Relation:
    """The relation of this name; BadRequest without one."""
    if step in ("$ref", "$count", _EVERYTHING):
        _refuse(f"{step} in $expand")
    found = relations_of(at).get(step)
    if found is None:
        known = [*navigations_of(at), *parts_of(at)]
        near = did_you_mean(step, known) or f" Possible: {', '.join(known) or 'none'}."
        raise bad_option("$expand", f"There is no relation {step[:100]!r}.{near}", "unknown")
    return found


def _nested(text: str) -> dict[str, str]:
    """The options within the parentheses of an item."""
    found: dict[str, str] = {}
    for option in split("$expand", text, ";") if text.strip() else ():
        name, equals, value = (piece.strip() for piece in option.partition("="))
        if name in _UNSUPPORTED:
            _refuse(f"{name} in $expand")
        if name not in _NESTED or not equals:
            near = did_you_mean(name, _NESTED) or f" Possible: {', '.join(_NESTED)}."
            raise bad_option(
                "$expand", f"There is no option {name[:100]!r} in it.{near}", "unknown"
            )
        if name in found:
            raise bad_option("$expand", f"{name} is given more than once.", "repeated")
        found[name] = value
    return found


def _refuse(what: str) -> None:
    text = f"{what} is not supported: read the related entities by their own set, with $filter."
    raise NotSupported(text, [Fault("not_supported", text, parameter="$expand")])


def view_of(resource: Resource, shown: Shown) -> View:
    """The same for the statements of the engine."""
    related = tuple(sorted(_related(shown, ()), key=lambda found: found[0]))
    if not shown.is_narrowed:
        return View(None, tuple(sorted(_expanded(shown, ()))), related)
    return View(tuple(sorted(set(_fields(resource, shown, ())))), (), related)


def _related(shown: Shown, before: Path) -> Iterator[tuple[Path, RelatedList]]:
    for name, inner in shown.expand.items():
        if inner.related is not None:
            yield (*before, name), inner.related
        yield from _related(inner, (*before, name))


def _expanded(shown: Shown, before: Path) -> Iterator[Path]:
    for name, inner in shown.expand.items():
        if inner.is_expanded:
            yield (*before, name)
        yield from _expanded(inner, (*before, name))


def _fields(at: Resource | Embedded, shown: Shown, before: Path) -> Iterator[Path]:
    """The paths of all that is shown, each with where it stands."""
    for name in _own(at, shown):
        first, *rest = name.split("/")
        part = parts_of(at).get(first)
        inner = shown.expand.get(first)
        if part is None or rest:
            yield (*before, *name.split("/"))
        else:
            yield from _fields(part, inner or Shown(), (*before, first))
    for name, inner in shown.expand.items():
        if name in navigations_of(at):
            yield from _fields(relations_of(at)[name].target, inner, (*before, name))


def _own(at: Resource | Embedded, shown: Shown) -> list[str]:
    """The properties and parts that are shown; the first of all where only relations are named."""
    if shown.select is None:
        return [*properties_of(at), *parts_of(at)]
    own = [name for name in shown.select if name not in navigations_of(at)]
    gone_into = (name for name in shown.expand if name in parts_of(at) and name not in own)
    return [*own, *gone_into] or [next(iter(properties_of(at)))]


def select_list(shown: Shown) -> str:
    """What a context URL says of it: `(title,mission)`, `(title,mission(title))`; nothing where
    nothing is selected (OData 4.0 Protocol, 10.7 to 10.10).

    In 4.0 a relation without a selection of its own has no parentheses: Excel and Power BI refuse
    an answer whose context URL has `mission()`.
    """
    listed = list(_listed(shown, ""))
    return f"({','.join(listed)})" if shown.is_narrowed and listed else ""


def _listed(shown: Shown, before: str) -> Iterator[str]:
    gone_into = {f"{before}{name}": inner for name, inner in shown.expand.items()}
    for name in shown.select or ():
        if f"{before}{name}" not in gone_into:
            yield f"{before}{name}"
    for name, inner in gone_into.items():
        if not inner.is_expanded:
            yield from _listed(inner, f"{name}/")
        elif inner.is_narrowed:
            yield f"{name}{select_list(inner)}"
        elif shown.select is not None:
            yield name
