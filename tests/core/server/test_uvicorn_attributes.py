"""What is touched of uvicorn beyond what it documents is listed, and is there."""

import ast
import inspect
from pathlib import Path

import pytest

import app
from app.core.server import (
    crowding,
    joined_cycle,
    process,
    protocol,
    request_head,
    uvicorn_attributes,
)
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
    "self._trusted": "_TrustedHosts",
}
#: Where uvicorn is touched.
MODULES = (process, protocol, joined_cycle, crowding, request_head)
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
            if isinstance(node, ast.Compare) and isinstance(node.ops[0], ast.In):
                owner = OBJECTS.get(ast.unparse(node.comparators[0]))
                found |= {(owner, "__contains__")} if isinstance(owner, str) else set()
            if isinstance(node, ast.Call) and ast.unparse(node.func) in BY_NAME:
                found.add((ast.unparse(node.func), "__init__"))
    return {(owner, name) for owner, name in found if name in known[owner]}


def test_the_list_is_what_is_touched_and_what_uvicorn_has() -> None:
    known = {name: attributes_of(owner) for name, owner in BY_NAME.items()}
    listed = {(owner.__name__, name) for owner, names in ATTRIBUTES.items() for name in names}
    gone = {(owner, name) for owner, name in listed if name not in known[owner]}
    sources = [inspect.getsource(module) for module in MODULES]
    used = set[tuple[str, str]]().union(*(touched(source, known) for source in sources))
    of_subclasses = {(owner, "__init__") for owner in SUBCLASSES.values()}
    used -= of_subclasses
    assert (gone, used - listed, listed - used) == (set(), set(), set())


def test_an_attribute_that_is_gone_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(BY_NAME["HttpToolsProtocol"], "on_header")
    with pytest.raises(AssertionError, match="on_header"):
        test_the_list_is_what_is_touched_and_what_uvicorn_has()


def test_what_is_private_in_uvicorn_is_imported_only_by_what_is_looked_at() -> None:
    listed = {Path(module.__file__ or "").name for module in (*MODULES, uvicorn_attributes)}
    faults = []
    for file in sorted(Path(app.__file__ or "").parent.rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text())):
            if not (isinstance(node, ast.ImportFrom) and (node.module or "").startswith("uvicorn")):
                continue
            private = {name.name for name in node.names if name.name.startswith("_")}
            if private - set(BY_NAME) or (private and file.name not in listed):
                faults.append(f"{file.name}: {sorted(private)}")
    assert faults == []
