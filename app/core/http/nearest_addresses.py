"""For an address that leads nowhere: the addresses there are that it is nearest to."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from difflib import SequenceMatcher
from urllib.parse import quote

from starlette.routing import BaseRoute, Route

#: Steps of addresses below a place; the empty step says that an address ends there.
Tree = dict[str, "Tree"]
#: Texts that are known to stand in a parameter of an address, by its name.
Known = Mapping[str, Sequence[str]]

_ANY = "{}"
#: How near a step has to be, 0 to 1, and all of an address; and to be sure that it is meant.
_NEAR_STEP, _NEAR, _SURE = 0.6, 0.55, 0.85
#: What a step counts that stands for any text, and a step in front that has to go.
_FREE, _EXTRA, _LACKING = 0.9, 0.8, 0.84
#: How near an address is that is the same as a file of another format, or as no file.
_OTHER_FORMAT = 0.88
_MAX_STEPS, _MAX_LENGTH, _MAX_NAMED = 8, 300, 3


def tree_of(routes: Iterable[BaseRoute]) -> Tree:
    """All addresses, by their steps."""
    tree: Tree = {}
    for route in routes:
        if isinstance(route, Route) and route.path != "/":
            known: Known = getattr(route, "known", {})
            _grow(tree, route.path.strip("/").split("/"), known)
    return tree


def _grow(at: Tree, steps: list[str], known: Known) -> None:
    if not steps:
        at[""] = {}
        return
    step, *rest = steps
    is_any = step.startswith("{")
    for name in (_ANY, *known.get(step.strip("{}"), ())) if is_any else (step,):
        _grow(at.setdefault(name, {}), rest, known)


def suggestion(tree: Tree, path: str, root: str = "") -> str:
    """What to say to whoever asked for an address that is not there: the nearest ones, or those
    that lie below as much of it as there is. Addresses begin with the root."""
    if near := nearest(tree, path):
        return f"Did you mean {_either(near, root)}?"
    steps = _steps(path)
    for length in range(min(len(steps), _MAX_STEPS), 0, -1):
        below = _below(tree, steps[:length])
        if below and len(path) <= _MAX_LENGTH:
            return f"Below {root}/{_shown(steps[:length])} there are {', '.join(below)}."
    return f"{root}/ leads to the documentation of all addresses."


def misspelt(tree: Tree, path: str, root: str = "") -> str:
    """What to add where an address asks for a record that is not there, but may be meant for
    another address: ` Did you mean /missions/aggregate?`, or nothing."""
    near = [address for address in nearest(tree, path, _SURE) if address != quote(path)]
    return f" Did you mean {_either(near, root)}?" if near else ""


def _either(near: Iterable[str], root: str) -> str:
    return " or ".join(root + address for address in near)


def nearest(tree: Tree, path: str, least: float = _NEAR) -> list[str]:
    """Up to three addresses, nearest first; none when nothing is near, 0 to 1, enough."""
    steps = _steps(path)
    if len(path) > _MAX_LENGTH or len(steps) > _MAX_STEPS:
        return []
    found: dict[str, float] = {}
    # What other services have in front, such as /api/v1, is left out where it leads nowhere.
    for extra in range(min(3, len(steps))):
        for near, address in _walk(tree, steps[extra:]):
            score = near * _EXTRA**extra
            found[address] = max(score, found.get(address, 0))
    # What should be in front and is not: /countries are at /codes/countries.
    for top, inner in tree.items():
        literal = {step: rest for step, rest in inner.items() if step not in ("", _ANY)}
        for near, address in _walk(literal, steps, f"/{top}") if top not in ("", _ANY) else ():
            found[address] = max(near * _LACKING, found.get(address, 0))
    best = sorted(found, key=lambda address: -found[address])
    enough = max(least, found[best[0]] - 0.1) if best else least
    return [address for address in best[:_MAX_NAMED] if found[address] >= enough]


def _steps(path: str) -> list[str]:
    return [step for step in path.split("/") if step]


def _shown(steps: list[str]) -> str:
    return quote("/".join(steps))


def _walk(tree: Tree, steps: list[str], before: str = "") -> Iterator[tuple[float, str]]:
    """Addresses with as many steps, each with how near it is: the least near of its steps."""
    if not steps:
        if "" in tree:
            yield 1.0, before
        return
    step, *rest = steps
    for known, inner in tree.items():
        near, right = (_FREE, step) if known == _ANY else _alike(step, known)
        if known and near >= _NEAR_STEP:
            for of_rest, address in _walk(inner, rest, f"{before}/{quote(right)}"):
                yield min(near, of_rest), address


def _alike(step: str, known: str) -> tuple[float, str]:
    """How alike two steps are, and the known one with the suffix of a file that the other has."""
    name, dot, suffix = known.partition(".{")
    given, given_dot, given_suffix = step.partition(".")
    if dot:
        if not given_dot or not re.fullmatch(r"[A-Za-z]{1,10}", given_suffix):
            return 0.0, known
        known, step, suffix = name, given, f".{given_suffix.lower()}"
    elif given_dot and given == known.partition(".")[0] and given_suffix.isalnum():
        return _OTHER_FORMAT, known
    matcher = SequenceMatcher(None, step.casefold().replace("_", "-"), known)
    if matcher.real_quick_ratio() < _NEAR_STEP or matcher.quick_ratio() < _NEAR_STEP:
        return 0.0, known
    return matcher.ratio(), known + suffix


def _below(tree: Tree, steps: list[str]) -> list[str]:
    """The steps that can follow these; none when these lead nowhere."""
    for step in steps:
        tree = tree.get(step) or tree.get(_ANY) or {}
    return sorted(step for step in tree if step and step != _ANY and "." not in step)
