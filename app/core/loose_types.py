"""Names for what the libraries leave open, so that a signature says what is meant by it."""

from collections.abc import Mapping
from typing import Any

#: Whatever JSON can hold: an object, a list, a text, a number (with its digits), true, false, null.
JsonValue = Any
#: An object of JSON.
Json = dict[str, JsonValue]
#: Values in Python's types by name: of a record's columns, of a statement's parameters.
Values = Mapping[str, Any]
#: The same, where they are being put together.
Fields = dict[str, Any]
#: What a route says of its answers, by status.
Responses = dict[int | str, Json]
