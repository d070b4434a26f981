"""The feed of new agreements and outcomes, as RFC 4287 writes it."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from xml.etree.ElementTree import Element, SubElement, tostring

from app.engine.labels import Language

NAMESPACE: Final = "http://www.w3.org/2005/Atom"
#: What XML 1.0 cannot hold, however it is written.
_IMPOSSIBLE: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
#: When a feed without entries was changed.
_NEVER: Final = "1970-01-01T00:00:00Z"
_HTML: Final = "text/html"
_JSON: Final = "application/json"


@dataclass(frozen=True, slots=True)
class Entry:
    """A record that was entered."""

    id: str
    kind: str
    title: str
    summary: str
    created_at: str
    updated_at: str
    #: Its page, and its address for programs.
    page: str
    api: str


@dataclass(frozen=True, slots=True)
class Feed:
    """Entries, newest first."""

    title: str
    author: str
    language: Language
    #: Where it is, and where the first page of the service is.
    address: str
    home: str
    entries: Sequence[Entry]

    def xml(self) -> bytes:
        """The whole feed."""
        root = Element("feed", {"xmlns": NAMESPACE, "xml:lang": self.language})
        _text(root, "id", self.address)
        _text(root, "title", self.title)
        _text(root, "updated", max((each.updated_at for each in self.entries), default=_NEVER))
        _text(SubElement(root, "author"), "name", self.author)
        _link(root, "self", "application/atom+xml", self.address)
        _link(root, "alternate", _HTML, self.home)
        for each in self.entries:
            _add(root, each)
        return bytes(tostring(root, encoding="utf-8", xml_declaration=True))


def _add(root: Element, entry: Entry) -> None:
    node = SubElement(root, "entry")
    _text(node, "id", f"urn:uuid:{entry.id}")
    _text(node, "title", entry.title)
    _text(node, "published", entry.created_at)
    _text(node, "updated", entry.updated_at)
    _link(node, "alternate", _HTML, entry.page)
    _link(node, "alternate", _JSON, entry.api)
    SubElement(node, "category", {"term": entry.kind})
    _text(node, "summary", entry.summary)


def _text(parent: Element, name: str, text: str) -> None:
    SubElement(parent, name).text = _IMPOSSIBLE.sub("", text)


def _link(parent: Element, relation: str, media: str, address: str) -> None:
    href = _IMPOSSIBLE.sub("", address)
    SubElement(parent, "link", {"rel": relation, "type": media, "href": href})
