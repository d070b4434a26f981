"""The answers of the service as the guide shows them: cut to what matters, and masked."""

import json
import re
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

import httpx
from httpx import BasicAuth

from app.guide.command import read_command
from app.guide.text import Example

WIDTH = 88
#: What differs from run to run, and what is shown for it. Seeded records have fixed ids.
MASKS = (
    (re.compile(r"\b(?!015407c4-8400)[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b"), "‹id›"),
    (re.compile(r"\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z"), "‹time›"),
    (re.compile(r"\btmd_[a-z0-9]{8}_[a-z0-9]{43}\b"), "‹key›"),
    (re.compile(r"\btmd_[a-z0-9]{8}\b"), "‹prefix›"),
    (re.compile(r'W/"[^"]+"'), 'W/"‹tag›"'),
    (re.compile(r'(?<!W/)"(\d+)-[0-9a-f]{12}(-\d+)?-[0-9a-f]{6}(-public)?"'), r'"\1-‹tag›"'),
    (re.compile(r"(?<=cursor=)[\w-]{20,}"), "‹cursor›"),
)
MASKED_KEYS = {"request_id": "‹id›", "next_cursor": "‹cursor›", "prev_cursor": "‹cursor›"}


class Cut(dict[str, Any]):
    """An object of which some names are left out."""


class CutList(list[Any]):
    """A list whose later items are left out."""


async def send(client: httpx.AsyncClient, example: Example, kept: dict[str, str]) -> httpx.Response:
    """The answer to an example's command, with `$NAME` filled in from earlier answers."""
    call = read_command(example.command)
    path = _filled(call.path, kept)
    headers = {name: _filled(value, kept) for name, value in call.headers.items()}
    content = call.body.encode() if call.body is not None else None
    if call.body is not None and call.body.startswith("@"):
        content = kept[call.body].encode()
    sender = None if call.user is None else BasicAuth(*_filled(call.user, kept).split(":"))
    answer = await client.request(call.method, path, headers=headers, content=content, auth=sender)
    if call.saves and call.saves.endswith(".csv"):
        kept[f"@{call.saves}"] = answer.text
    for name, where in example.keep.items():
        kept[name] = _kept(answer, where)
    return answer


def _filled(text: str, kept: Mapping[str, str]) -> str:
    return re.sub(r"\$([A-Z]+)", lambda found: kept[found[1]], text)


def _kept(answer: httpx.Response, where: str) -> str:
    if where.endswith(":"):
        return answer.headers[where[:-1]]
    value: Any = answer.json()
    for step in where.split("."):
        value = value[int(step)] if isinstance(value, list) else value[step]
    return str(value)


def shown(answer: httpx.Response, show: Iterable[str]) -> str:
    """The status, the headers and the parts of the body that the example looks at."""
    lines = [f"HTTP {answer.status_code}"]
    paths = []
    for word in show:
        if word.endswith(":"):
            lines.append(f"{word} {answer.headers.get(word[:-1], '(none)')}")
        else:
            paths.append(word)
    if paths == ["lines"]:
        lines += _lines(answer)
    elif paths:
        body = json.loads(answer.text, parse_float=Decimal)
        lines.append(printed(body if paths == ["*"] else cut(body, paths)))
    return masked("\n".join(lines))


def _lines(answer: httpx.Response) -> list[str]:
    lines = answer.text.removeprefix("\ufeff").splitlines()
    if "ndjson" in answer.headers["content-type"]:
        # The two databases write different spaces.
        return [json.dumps(json.loads(line), ensure_ascii=False) for line in lines]
    return lines


def masked(text: str) -> str:
    """The text without what differs from run to run."""
    for pattern, put in MASKS:
        text = pattern.sub(put, text)
    return text


def cut(value: Any, paths: list[str]) -> Any:
    """Only what the paths lead to: `data.ref`, or `data=2.ref` for the first two of a list."""
    if "" in paths:
        return value
    if isinstance(value, list):
        return [cut(item, paths) for item in value]
    rests: dict[str, list[str]] = {}
    for path in paths:
        name, _, rest = path.partition(".")
        rests.setdefault(name, []).append(rest)
    found = Cut() if len(rests) < len(value) else {}
    for written, inner in rests.items():
        name, _, most = written.partition("=")
        item = value[name]
        if most and len(item) > int(most):
            item = CutList(item[: int(most)])
        part = cut(item, inner)
        found[name] = CutList(part) if isinstance(item, CutList) else part
    return found


def printed(value: Any, indent: int = 0, before: int = 0) -> str:
    """JSON in few lines, with `…` for what is left out."""
    flat = _flat(value)
    if len(flat) + indent + before <= WIDTH or not isinstance(value, dict | list) or not value:
        return flat
    inner = " " * (indent + 2)
    if isinstance(value, dict):
        heads = {name: f"{json.dumps(name, ensure_ascii=False)}: " for name in value}
        items = [
            heads[name] + printed(_masked_key(name, item), indent + 2, len(heads[name]) + 1)
            for name, item in value.items()
        ]
    else:
        items = [printed(item, indent + 2, 1) for item in value]
    items += ["…"] if isinstance(value, Cut | CutList) else []
    opening, closing = "{}" if isinstance(value, dict) else "[]"
    joined = ",\n".join(inner + item for item in items)
    return f"{opening}\n{joined}\n{' ' * indent}{closing}"


def _flat(value: Any) -> str:
    if isinstance(value, dict):
        items = [
            f"{json.dumps(name, ensure_ascii=False)}: {_flat(_masked_key(name, item))}"
            for name, item in value.items()
        ]
        items += ["…"] if isinstance(value, Cut) else []
        return "{" + ", ".join(items) + "}"
    if isinstance(value, list):
        items = [_flat(item) for item in value] + (["…"] if isinstance(value, CutList) else [])
        return "[" + ", ".join(items) + "]"
    text = str(value) if isinstance(value, Decimal) else json.dumps(value, ensure_ascii=False)
    return masked(text)


def _masked_key(name: str, value: Any) -> Any:
    return MASKED_KEYS[name] if value is not None and name in MASKED_KEYS else value
