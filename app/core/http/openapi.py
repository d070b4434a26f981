"""The OpenAPI document that FastAPI makes, put right and made small: what repeats stands once."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping

from app.core import json_codec
from app.core.errors import PROBLEM_TYPE, FaultBody, ProblemBody
from app.core.loose_types import Json, JsonValue, Values

#: Keywords that say nothing of values of other types than their own.
_OF_TYPES = {
    *("type", "format", "pattern", "minLength", "maxLength", "minimum", "maximum"),
    *("items", "minItems", "maxItems", "properties", "required", "additionalProperties"),
}
_REF = "#/components/{}/{}"


def operations(document: Values) -> Iterator[tuple[str, str, Json]]:
    """Path, method and operation of all there are."""
    for path, item in document["paths"].items():
        for method, operation in item.items():
            yield path, method, operation


def add_problems(document: Json) -> None:
    """Add the schemas of problems, and drop FastAPI's own, which no operation answers with."""
    schemas = document["components"]["schemas"]
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    template = _REF.format("schemas", "{model}")
    problem = ProblemBody.model_json_schema(ref_template=template)
    problem.pop("$defs")
    problem["properties"]["errors"]["items"] = {"$ref": template.format(model="Fault")}
    schemas["Problem"] = problem
    schemas["Fault"] = FaultBody.model_json_schema()
    for _, _, operation in operations(document):
        answers = operation["responses"]
        content = answers.get("422", {}).get("content", {}).get("application/json", {})
        if "HTTPValidationError" in str(content):
            del answers["422"]


def simplify(document: Json) -> None:
    """Say of parameters only what holds: none can be null, and a title tells nothing new, nor that
    they can be left out, as all can that do not say otherwise."""
    for _, _, operation in operations(document):
        for parameter in operation.get("parameters", ()):
            if parameter.get("required") is False:
                del parameter["required"]
            if "schema" in parameter:
                parameter["schema"] = _never_null(parameter["schema"])
    for schema in document["components"]["schemas"].values():
        # It stands under its name.
        schema.pop("title", None)
        for field in schema.get("properties", {}).values():
            field.pop("title", None)


def join_nulls(document: Json) -> None:
    """Tell of fields that hold a plain type or null in one schema instead of three."""
    for schema in document["components"]["schemas"].values():
        fields = schema.get("properties", {})
        fields |= {name: _or_null(field) for name, field in fields.items()}


def _or_null(schema: Json) -> Json:
    match schema:
        case {"anyOf": [{"type": str(plain)} as option, {"type": "null"}], **rest}:
            # Of numbers that are exact there is a document in which they are texts.
            if option.keys() <= _OF_TYPES and option.get("format") != "decimal":
                return {**option, "type": [plain, "null"], **rest}
    return schema


def unwrap(node: JsonValue) -> None:
    """Join the lines of every description, which are broken as our source is; lists stay lists."""
    if isinstance(node, list):
        for item in node:
            unwrap(item)
    elif isinstance(node, dict):
        for name, value in node.items():
            if name == "description" and isinstance(value, str):
                node[name] = re.sub(r"(?<!\n)\n(?![\n*|-]) *", " ", value.strip())
            else:
                unwrap(value)


def _never_null(schema: Json) -> Json:
    kept = {name: value for name, value in schema.items() if name not in ("title", "description")}
    options = [option for option in kept.pop("anyOf", ()) if option != {"type": "null"}]
    if len(options) > 1:
        raise ValueError(f"a parameter of several types: {schema}")
    return {**options[0], **kept} if options else kept


def join_problems(document: Json, statuses: frozenset[str]) -> None:
    """Tell the problems of these statuses, which any operation can have, by one answer: `default`.

    An answer with another status than those that stand beside it is one of the problems that it
    lists. Its `x-statuses` are the same list for programs.
    """
    for _, _, operation in operations(document):
        answers = operation["responses"]
        joined = {status: answers.pop(status) for status in sorted(statuses & answers.keys())}
        lines = [f"* {status}: {answer['description']}" for status, answer in joined.items()]
        headers = {n: h for answer in joined.values() for n, h in answer["headers"].items()}
        answers["default"] = {
            "description": "\n".join(["What can go wrong with any request:", "", *lines]),
            "content": next(iter(joined.values()))["content"],
            "headers": headers,
            "x-statuses": [int(status) for status in joined],
        }


def share(document: Json) -> None:
    """Put parameters and responses that stand more than once where they can be referred to."""
    found = [operation for _, _, operation in operations(document)]
    found += [item["post"] for item in document["webhooks"].values()]
    parameters, responses = _Shared(document, "parameters"), _Shared(document, "responses")
    for operation in found:
        parameters.count(operation.get("parameters", ()))
        responses.count(operation["responses"].values())
    for operation in found:
        if "parameters" in operation:
            operation["parameters"] = [
                parameters.put(p, p.get("name", "")) for p in operation["parameters"]
            ]
        by_status = operation["responses"]
        operation["responses"] = {
            status: responses.put(by_status[status], _response_name(status, by_status[status]))
            for status in sorted(by_status)
        }


class _Shared:
    """One kind of components, of which each is made when it is first referred to."""

    def __init__(self, document: Json, kind: str) -> None:
        self.components: Json = document["components"].setdefault(kind, {})
        self.kind = kind
        self.times: Counter[bytes] = Counter()
        self.names: dict[bytes, str] = {}

    def count(self, items: JsonValue) -> None:
        self.times.update(json_codec.dumps(item) for item in items)

    def put(self, item: Json, name: str) -> Json:
        """The item, or a reference to it under the name, or one like it."""
        text = json_codec.dumps(item)
        if "$ref" in item or self.times[text] < 2:
            return item
        if text not in self.names:
            self.names[text] = free = self._free(name)
            self.components[free] = item
        return {"$ref": _REF.format(self.kind, self.names[text])}

    def _free(self, name: str) -> str:
        names = (name if at == 1 else f"{name}-{at}" for at in range(1, 1000))
        return next(free for free in names if free not in self.components)


def _response_name(status: str, response: Json) -> str:
    """What the response is called: a problem by its status, others by their schema, or by the first
    words of their description."""
    content = response.get("content", {})
    if PROBLEM_TYPE in content:
        return "Problem" if status == "default" else status
    (media, *_) = [content[kind] for kind in content] or [{}]
    if name := str(media.get("schema", {}).get("$ref", "")).rpartition("/")[2]:
        return name
    words = re.match(r"[A-Za-z ]+", response["description"])
    return "".join(word.title() for word in (words[0] if words else "Answer").split())


def name_types(document: Json, types: Mapping[str, Json]) -> None:
    """Put these types of values, each a schema, where they can be referred to by name."""
    schemas = document["components"]["schemas"]
    known = {_bare(type_): (name, type_.get("description")) for name, type_ in types.items()}
    for schema in schemas.values():
        _name_types(schema, known)
    schemas |= types


def _name_types(node: JsonValue, known: Mapping[frozenset[object], tuple[str, str | None]]) -> None:
    for key, inner in node.items() if isinstance(node, dict) else enumerate(node):
        if key in ("example", "examples") or not isinstance(inner, dict | list):
            continue
        if not isinstance(inner, dict) or inner.get("type") != "string" or "enum" in inner:
            _name_types(inner, known)
            continue
        name, own = known.get(_bare(inner), ("", None))
        if name:
            about = inner.get("description", own)
            beside = {} if about == own else {"description": about}
            node[key] = {"$ref": _REF.format("schemas", name), **beside}


def _bare(type_: Json) -> frozenset[object]:
    """What a type allows, whatever is said about it."""
    return frozenset(item for item in type_.items() if item[0] != "description")


def with_decimals_as_texts(document: Json) -> Json:
    """The document of a service that is always asked for decimals as texts: for generators, whose
    numbers are floats. It has no examples."""

    def written(node: JsonValue) -> JsonValue:
        if isinstance(node, list):
            return [written(item) for item in node]
        if not isinstance(node, dict):
            return node
        if node.get("format") == "decimal" and node.get("type") == "number":
            about = {"description": node["description"]} if "description" in node else {}
            pattern = r"^-?[0-9]{1,18}(\.[0-9]{1,18})?$"
            return {"type": "string", "format": "decimal", "pattern": pattern, **about}
        schema = {k: written(v) for k, v in node.items() if k not in ("example", "examples")}
        return _one_text(schema) if "anyOf" in schema else schema

    text: Json = written(document)
    return text


def _one_text(schema: Json) -> Json:
    """Of a number or a text that holds one, the text remains."""
    options = schema["anyOf"]
    texts = [option for option in options if option.get("format") == "decimal"]
    others = [option for option in options if option not in texts]
    if not texts:
        return schema
    left = [texts[-1], *others]
    rest = {name: value for name, value in schema.items() if name != "anyOf"}
    return {**rest, **left[0]} if len(left) == 1 else {**rest, "anyOf": left}


def drop_defaults(document: Json) -> None:
    """Leave the defaults out of bodies: generators take a field that has one for one that is always
    there. What it is, where it is not nothing, the description says."""
    schemas = document["components"]["schemas"]
    waiting = [o["requestBody"] for _, _, o in operations(document) if "requestBody" in o]
    seen: set[str] = set()
    while waiting:
        for reference in _references(waiting.pop()):
            name = reference.rpartition("/")[2]
            if name not in seen:
                seen.add(name)
                waiting.append(schemas[name])
    for name in seen:
        for field in schemas[name].get("properties", {}).values():
            default = field.pop("default", None)
            if default not in (None, [], False):
                about = field.get("description", "").rstrip()
                field["description"] = f"{about} By default `{default}`.".strip()


def _references(node: JsonValue) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"]
        for key, value in node.items():
            if key not in ("example", "examples"):
                yield from _references(value)
    elif isinstance(node, list):
        for value in node:
            yield from _references(value)
