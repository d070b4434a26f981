"""Names for what the libraries leave open, so that a signature says what is meant by it."""

from collections.abc import Mapping
from typing import Any, TypeAlias

#: A value in Python's type: of a record's column, of a statement's parameter, of an option.
Value: TypeAlias = Any
#: Such values by name.
Values = Mapping[str, Value]
#: The same, where they are being put together.
Fields = dict[str, Value]

#: Whatever JSON can hold: an object, a list, a text, a number (with its digits), true, false, null.
JsonValue: TypeAlias = Any
#: An object of JSON.
Json = dict[str, JsonValue]
#: What a route says of its answers, by status.
Responses = dict[int | str, Json]

#: A type as it stands in an annotation: a class, a union, `Annotated[…]`.
TypeForm: TypeAlias = Any
