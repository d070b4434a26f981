"""Where what stands at one key now stands at another: the address of a request, as it is there."""

from collections.abc import Mapping
from urllib.parse import quote

from starlette.requests import Request

from app.core.errors import Moved, NotFound, Problem
from app.core.public_path import public_path


def located(request: Request, path: str, problem: Problem) -> Problem:
    """The problem; one of a record that is at another key with the Location of that, where the key
    stands in the path of this template, and else a 404."""
    if not isinstance(problem, Moved) or "Location" in problem.headers:
        return problem
    steps: Mapping[str, str] = request.path_params
    if problem.key not in steps.values():
        return NotFound(problem.detail)
    texts = {n: problem.successor if s == problem.key else s for n, s in steps.items()}
    found = {name: quote(text, safe="") for name, text in texts.items()}
    address = public_path(problem.within(path).format(**found))
    if sent := request.scope["query_string"].decode("latin-1"):
        address += f"?{sent}"
    problem.headers["Location"] = address
    return problem
