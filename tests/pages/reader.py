"""A person who reads pages: no key, no script, and one who follows every link."""

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any

import httpx
from fastapi import FastAPI

from app.core.databases.places import reader

HTML = {"Accept": "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8", "Accept-Language": "en"}
_VOID = {"meta", "link", "input", "br", "img", "hr", "path", "rect", "line"}

#: What people see with room after it.
_APART = {"td", "th", "li", "dt", "dd", "p", "br", "option", "label"}


class Element:
    """An element of a page."""

    def __init__(self, name: str, attributes: dict[str, str]) -> None:
        self.name, self.attributes = name, attributes
        self.inner: list[Element | str] = []

    def all(self) -> Iterator["Element"]:
        """It and what is in it."""
        yield self
        for each in self.inner:
            if isinstance(each, Element):
                yield from each.all()

    def find(self, **wanted: str) -> list["Element"]:
        """Elements with these attributes; `cls` is one of the class names, `tag` the name."""
        return [each for each in self.all() if each.is_like(**wanted)]

    def is_like(self, cls: str = "", tag: str = "", **attributes: str) -> bool:
        if cls and cls not in self.attributes.get("class", "").split():
            return False
        if tag and tag != self.name:
            return False
        return all(self.attributes.get(n.replace("_", "-")) == v for n, v in attributes.items())

    @property
    def text(self) -> str:
        """What a person reads in it."""
        found = "".join(each if isinstance(each, str) else each.text for each in self.inner)
        found += " " if self.name in _APART else ""
        return re.sub(r"\s+", " ", found)


class Page(HTMLParser):
    """A page as it was answered; a tag that is not closed is a fault."""

    def __init__(self, answer: httpx.Response) -> None:
        super().__init__()
        self.answer = answer
        self.root = Element("root", {})
        self._open = [self.root]
        self.feed(answer.text)
        assert len(self._open) == 1, f"not closed: {[each.name for each in self._open]}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        made = Element(tag, {name: value or "" for name, value in attrs})
        self._open[-1].inner.append(made)
        if tag not in _VOID:
            self._open.append(made)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        made = Element(tag, {name: value or "" for name, value in attrs})
        self._open[-1].inner.append(made)

    def handle_endtag(self, tag: str) -> None:
        if tag in _VOID:
            return
        assert self._open[-1].name == tag, f"</{tag}> closes <{self._open[-1].name}>"
        self._open.pop()

    def handle_data(self, data: str) -> None:
        self._open[-1].inner.append(data)

    @property
    def text(self) -> str:
        return self.root.text

    @property
    def heading(self) -> str:
        return self.root.find(tag="h1")[0].text.strip()

    @property
    def links(self) -> set[str]:
        """The addresses that it leads to or needs."""
        found = {
            each.attributes[name]
            for each in self.root.all()
            for name in ("href", "src")
            if name in each.attributes
        }
        return {each for each in found if not each.startswith("#")}

    def rows(self, cls: str = "deals") -> list[dict[str, str]]:
        """The rows of a table by the heads of its columns."""
        tables = self.root.find(tag="table", cls=cls)
        if not tables:
            return []
        head, *rows = tables[0].find(tag="tr")
        names = [each.text.strip(" ↑↓") for each in head.find(tag="th")]
        return [
            dict(
                zip(
                    names,
                    (cell.text.strip() for cell in row.inner if isinstance(cell, Element)),
                    strict=True,
                )
            )
            for row in rows
        ]


class PageReader:
    """Opens pages of an application, as anybody."""

    def __init__(self, app: FastAPI) -> None:
        self._client = httpx.AsyncClient(
            transport=httpx.ASGITransport(app), base_url="http://test", headers=HTML
        )

    async def get(self, path: str, **headers: str) -> httpx.Response:
        reader.set("")
        return await self._client.get(path, headers=headers)

    async def open(self, path: str, status: int = 200, language: str = "en") -> Page:
        answer = await self.get(path, **{"Accept-Language": language})
        assert answer.status_code == status, answer.text[:500]
        assert answer.headers["content-type"] == "text/html; charset=utf-8", path
        return Page(answer)

    async def json(self, path: str) -> Any:
        answer = await self.get(path, Accept="application/json")
        assert answer.status_code == 200, answer.text
        return answer.json()
