"""What is touched of uvicorn beyond what it documents is listed, and is there."""

import ast
import inspect

import pytest

from app.core.server import joined_cycle, process, protocol
from app.core.server.uvicorn_attributes import ATTRIBUTES

METHOD = ast.FunctionDef | ast.AsyncFunctionDef
#: Our classes that are made from uvicorn's.
SUBCLASSES = {
    "BoundedHttp": "HttpToolsProtocol",
    "JoinedCycle": "RequestResponseCycle",
    "Server": "Server",
}
#: What our code calls the objects of uvicorn.
OBJECTS: dict[str, str | dict[str, str]] = {
    "self": SUBCLASSES,
    "super()": SUBCLASSES,
    **dict.fromkeys(("self.cycle", "self.running", "cycle"), "RequestResponseCycle"),
    "self.flow": "FlowControl",
    "self.server_state": "ServerState",
    "self.lifespan": "LifespanOn",
    "protocol": "HttpToolsProtocol",
}
BY_NAME = {listed.__name__: listed for listed in ATTRIBUTES}


def assigned(tree: ast.AST) -> set[str]:
    """The names that the methods of a class set on `self`."""
    return {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and isinstance(node.ctx, ast.Store)
        and ast.unparse(node.value) == "self"
    }


def attributes_of(owner: type) -> set[str]:
    """The attributes of its instances."""
    classes = [each for each in owner.__mro__ if each.__module__.startswith("uvicorn")]
    sources = [ast.parse(inspect.getsource(each)) for each in classes]
    own = {name for each in classes for name in vars(each)}
    return own.union(*map(assigned, sources))


def touched(source: str, known: dict[str, set[str]]) -> set[tuple[str, str]]:
    """The attributes of uvicorn's objects that the source overrides, reads or sets."""
    found = set()
    for part in ast.parse(source).body:
        if not isinstance(part, ast.ClassDef):
            continue
        if base := SUBCLASSES.get(part.name):
            found |= {(base, item.name) for item in part.body if isinstance(item, METHOD)}
        for node in ast.walk(part):
            if isinstance(node, ast.Attribute):
                owner = OBJECTS.get(ast.unparse(node.value))
                owner = owner.get(part.name) if isinstance(owner, dict) else owner
                if owner is not None:
                    found.add((owner, node.attr))
    return {(owner, name) for owner, name in found if name in known[owner]}


def test_the_list_is_what_is_touched_and_what_uvicorn_has() -> None:
    known = {name: attributes_of(owner) for name, owner in BY_NAME.items()}
    listed = {(owner.__name__, name) for owner, names in ATTRIBUTES.items() for name in names}
    gone = {(owner, name) for owner, name in listed if name not in known[owner]}
    sources = [inspect.getsource(module) for module in (process, protocol, joined_cycle)]
    used = set[tuple[str, str]]().union(*(touched(source, known) for source in sources))
    used = {(owner, name) for owner, name in used if name != "__init__"}
    assert (gone, used - listed, listed - used) == (set(), set(), set())


def test_an_attribute_that_is_gone_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(BY_NAME["HttpToolsProtocol"], "on_header")
    with pytest.raises(AssertionError, match="on_header"):
        test_the_list_is_what_is_touched_and_what_uvicorn_has()
