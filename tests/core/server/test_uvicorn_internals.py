"""What of uvicorn is relied on stands in one list, and is there."""

import ast
from importlib import import_module
from inspect import getsource
from pathlib import Path
from textwrap import dedent

from app.core.server import process, protocol, workers
from app.core.server.uvicorn_internals import UVICORN_INTERNALS

FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


def names_of(path: str) -> set[str]:
    """The methods of a class of uvicorn, and the attributes that they set."""
    module, _, name = path.partition(":")
    tree = ast.walk(ast.parse(dedent(getsource(getattr(import_module(module), name)))))
    return {
        node.name if isinstance(node, FUNCTIONS) else ast.unparse(node).removeprefix("self.")
        for node in tree
        if isinstance(node, FUNCTIONS)
        or (isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store))
    }


def touched() -> tuple[set[str], set[str]]:
    """The names of uvicorn that our server imports; those that it defines or uses as attributes."""
    imported, used = set(), set()
    for module in (process, protocol, workers):
        for node in ast.walk(ast.parse(Path(str(module.__file__)).read_text("utf-8"))):
            if isinstance(node, ast.ImportFrom) and str(node.module).startswith("uvicorn"):
                imported |= {f"{node.module}:{alias.name}" for alias in node.names}
            elif isinstance(node, FUNCTIONS):
                used.add(node.name)
            elif isinstance(node, ast.Attribute):
                used.add(node.attr)
    return imported, used


def test_what_is_relied_on_of_uvicorn_is_there_and_in_the_list() -> None:
    there = {path: names_of(path) for path in UVICORN_INTERNALS}
    imported, used = touched()
    listed = {name for reasons in UVICORN_INTERNALS.values() for name in reasons}
    faults = [
        *(
            f"{path}.{name} is gone"
            for path, reasons in UVICORN_INTERNALS.items()
            for name in reasons.keys() - there[path]
        ),
        *(f"{name} is not in the list" for name in used & set().union(*there.values()) - listed),
        *(f"{path} is not in the list" for path in imported - UVICORN_INTERNALS.keys()),
        *(f"{name} is in the list, and nobody needs it" for name in listed - used),
    ]
    assert not faults, "\n".join(sorted(faults))
