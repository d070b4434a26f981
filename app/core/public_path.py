"""Addresses as they are from outside, where a proxy shows the service below a path of its own."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TypeVar

S = TypeVar("S")
T = TypeVar("T")

_root: ContextVar[str] = ContextVar("root", default="")


def public_path(path: str) -> str:
    """The path, which begins with `/`, as whoever asks would have to write it."""
    return _root.get() + path


def public_url(url: str) -> str:
    """The address of a read of this service, which was stored with the root or without, as whoever
    asks would have to write it."""
    root = _root.get()
    return root + without_root(url, root)


def public_root() -> str:
    """What all addresses begin with: `/trade`, or nothing."""
    return _root.get()


@contextmanager
def below(root: str) -> Iterator[None]:
    """Addresses that are told inside begin with the root."""
    token = _root.set(root)
    try:
        yield
    finally:
        _root.reset(token)


def with_root(work: Callable[[S], T]) -> Callable[[S], T]:
    """The work, which tells addresses as they are here in another thread too."""
    root = _root.get()

    def rooted(session: S) -> T:
        with below(root):
            return work(session)

    return rooted if root else work


def without_root(path: str, root: str) -> str:
    """The path as it is here, whether or not a proxy has taken the root away."""
    if path == root or path.startswith(root + "/"):
        return path[len(root) :] or "/"
    return path
