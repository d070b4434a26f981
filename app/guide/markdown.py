"""Markdown as HTML; the library is imported when it is first needed."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from markdown_it import MarkdownIt
    from markdown_it.token import Token


@cache
def _parser() -> MarkdownIt:
    from markdown_it import MarkdownIt

    return MarkdownIt("commonmark", {"html": False})


def parse(text: str) -> list[Token]:
    """The tokens of a text: those of each block side by side, one after the other."""
    return _parser().parse(text)


def render(tokens: Sequence[Token]) -> str:
    """Tokens of whole blocks as HTML."""
    parser = _parser()
    return str(parser.renderer.render(tokens, parser.options, {}))


def render_inline(text: str) -> str:
    """A text of one paragraph as HTML, without the element around it."""
    return str(_parser().renderInline(text))
