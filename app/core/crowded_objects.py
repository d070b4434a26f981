"""Objects of JSON with more names than any body has: they are refused as wholes."""

from pydantic import BaseModel

from app.core.errors import Invalid
from app.core.json_pointer import write_pointer
from app.core.loose_types import Fields

#: How many names an object may have before they are looked at one by one, to tell of each.
MAX_NAMES = 1000
_MAX_SHOWN_CHARACTERS = 100
Location = tuple[int | str, ...]


def find_crowded(value: object) -> tuple[Fields, Location] | None:
    """The first object with more than `MAX_NAMES` names in the value, and where it is."""
    waiting: list[tuple[object, Location]] = [(value, ())]
    for each, at in waiting:
        if isinstance(each, dict):
            if len(each) > MAX_NAMES:
                return each, at
            waiting += [(inner, (*at, name)) for name, inner in each.items()]
        elif isinstance(each, list):
            waiting += [(inner, (*at, number)) for number, inner in enumerate(each)]
    return None


def too_many_names(value: Fields, at: Location, model: type[BaseModel]) -> Invalid:
    """The fault of an object of the model, told by the first name that it cannot have."""
    fields = model.model_fields
    known = {*fields, *(field.alias for field in fields.values())}
    name = next(str(name) for name in value if name not in known)[:_MAX_SHOWN_CHARACTERS]
    text = f"An object of {len(value):,} names: this one has at most {len(fields)}, and {name!r} is"
    return Invalid.at(write_pointer([*at, name]), "too_many", f"{text} none of them.")
