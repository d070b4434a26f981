"""The query guide as a page: HTML that needs nothing but this one answer."""

from functools import cache
from hashlib import sha256
from html import escape
from importlib.resources import files
from string import Template

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from app.core.http.conditional import is_known, not_modified
from app.core.http.security_headers import page_headers
from app.guide.command import read_command
from app.guide.tables import TABLES
from app.guide.text import PARTS, Block, Box, Example, Prose, Section, Table, sections


def add_guide(app: FastAPI) -> None:
    """Serve `/guide`; the page is made when it is first asked for."""

    async def guide(request: Request) -> Response:
        body, tag = page()
        kept = {"ETag": tag, "Cache-Control": "no-cache"}
        if is_known(request, tag):
            return not_modified(tag, kept)
        return HTMLResponse(body, headers=kept | page_headers(body.decode()))

    app.router.add_route("/guide", guide, include_in_schema=False)


@cache
def page() -> tuple[bytes, str]:
    """The page and its entity tag."""
    skeleton = (files("app.guide") / "page.html").read_text("utf-8")
    found = sections()
    parts = {name: [found[slug] for slug in slugs] for name, slugs in PARTS.items()}
    contents = "\n".join(_contents(name, inner) for name, inner in parts.items())
    text = "\n".join(_section(section) for section in found.values())
    body = Template(skeleton).substitute(contents=contents, sections=text).encode()
    return body, f'"{sha256(body).hexdigest()[:16]}"'


def _contents(part: str, inner: list[Section]) -> str:
    links = "".join(f'<li><a href="#{s.slug}">{escape(s.title)}</a></li>' for s in inner)
    return f"<li><span>{escape(part)}</span><ul>{links}</ul></li>"


def _section(section: Section) -> str:
    title = escape(section.title)
    link = f'<a class=anchor href="#{section.slug}" aria-label="Address of {title}">#</a>'
    blocks = "\n".join(_block(block) for block in section.blocks)
    return (
        f'<section id="{section.slug}" aria-labelledby="{section.slug}-title">\n'
        f'<h2 id="{section.slug}-title">{title} {link}</h2>\n{blocks}\n</section>'
    )


def _block(block: Block) -> str:
    match block:
        case Prose():
            return block.html
        case Box():
            return f"<pre tabindex=0>{escape(block.text)}</pre>"
        case Table():
            return TABLES[block.name]()
        case Example():
            return _example(block)


def _example(example: Example) -> str:
    call = read_command(example.command)
    link = ""
    if call.is_link:
        link = f'<a href="{escape(call.path.removeprefix("/"))}">Open</a>'
    # Lines that were broken on purpose stay whole and scroll; a long one is wrapped.
    lines = "command lines" if "\n" in example.command else "command"
    kept = "".join(
        f"<p class=keep>Keep as <code>{name}</code>: {_place(where)}</p>"
        for name, where in example.keep.items()
    )
    return (
        f"<figure>\n<div class=bar>{link}</div>"
        f'<pre class="{lines}" tabindex=0><code>{escape(example.command)}</code></pre>\n'
        f"<pre class=answer tabindex=0><samp>{escape(example.answer)}</samp></pre>{kept}\n</figure>"
    )


def _place(where: str) -> str:
    if where.endswith(":"):
        return f"the header <code>{escape(where[:-1])}</code>"
    steps = [f"[{step}]" if step.lstrip("-").isdigit() else f".{step}" for step in where.split(".")]
    last = "".join(steps).lstrip(".").replace("[-1]", "[last]")
    return f"<code>{escape(last)}</code> of the answer"
