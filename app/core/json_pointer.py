"""JSON Pointers (RFC 6901): the place of a value within a JSON document."""

from collections.abc import Iterable


def write_pointer(location: Iterable[object]) -> str:
    """The pointer of names and positions, from the outermost inwards."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in location)


def read_pointer(pointer: str) -> list[str]:
    """The names and positions of a pointer, which begins with a slash."""
    return [token.replace("~1", "/").replace("~0", "~") for token in pointer[1:].split("/")]
