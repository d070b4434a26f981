"""Tells what is served: the OpenAPI document, and a table of routes."""

import json

from app import api
from app.main import create_app
from app.settings import Settings


def openapi_document() -> str:
    """The OpenAPI 3.1 document as indented JSON; needs no database."""
    app = create_app(Settings())
    return json.dumps(app.openapi(), ensure_ascii=False, indent=2)


def route_table() -> str:
    """One line an operation: method, path, operation id."""
    lines = [
        (method, route.path, route.operation_id or "")
        for route in api.routes()
        for method in sorted(route.methods or ())
    ]
    width = max(len(path) for _, path, _ in lines)
    return "\n".join(f"{method:6} {path:{width}}  {name}" for method, path, name in lines)
