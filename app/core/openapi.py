"""The OpenAPI document that FastAPI makes, put right and made small: what repeats stands once."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from app.core import jsontext
from app.core.errors import PROBLEM_TYPE, FaultBody, ProblemBody

Json = dict[str, Any]

_REF = "#/components/{}/{}"


def operations(document: Mapping[str, Any]) -> Iterator[tuple[str, str, Json]]:
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
    schemas["Fault"] = {**FaultBody.model_json_schema(), "title": "Fault"}
    for _, _, operation in operations(document):
        answers = operation["responses"]
        content = answers.get("422", {}).get("content", {}).get("application/json", {})
        if "HTTPValidationError" in str(content):
            del answers["422"]


def simplify(document: Json) -> None:
    """Say of parameters only what holds: none can be null, and a title tells nothing new."""
    for _, _, operation in operations(document):
        for parameter in operation.get("parameters", ()):
            if "schema" in parameter:
                parameter["schema"] = _never_null(parameter["schema"])
    for schema in document["components"]["schemas"].values():
        for field in schema.get("properties", {}).values():
            field.pop("title", None)


def unwrap(told: Any) -> None:
    """Join the lines of every description, which are broken as our source is; lists stay lists."""
    if isinstance(told, list):
        for item in told:
            unwrap(item)
    elif isinstance(told, dict):
        for name, value in told.items():
            if name == "description" and isinstance(value, str):
                told[name] = re.sub(r"(?<!\n)\n(?![\n*|-]) *", " ", value.strip())
            else:
                unwrap(value)


def _never_null(schema: Json) -> Json:
    kept = {name: value for name, value in schema.items() if name not in ("title", "description")}
    options = [option for option in kept.pop("anyOf", ()) if option != {"type": "null"}]
    if len(options) > 1:
        raise ValueError(f"a parameter of several types: {schema}")
    return {**options[0], **kept} if options else kept


def add_headers(answer: Json, *names: str) -> None:
    """Tell which of the document's headers an answer can have."""
    for name in names:
        answer.setdefault("headers", {})[name] = {"$ref": _REF.format("headers", name)}


def share(document: Json) -> None:
    """Put parameters and responses that stand more than once where they can be referred to."""
    found = list(operations(document))
    parameters = _Shared(document, "parameters", _parameter_name)
    responses = _Shared(document, "responses", _response_name)
    for _, _, operation in found:
        parameters.count(operation.get("parameters", ()))
        responses.count(operation["responses"].values())
    for _, _, operation in found:
        if "parameters" in operation:
            operation["parameters"] = [parameters.put(p) for p in operation["parameters"]]
        told = operation["responses"]
        operation["responses"] = {status: responses.put(told[status]) for status in sorted(told)}


class _Shared:
    """One kind of components, of which each is made when it is first referred to."""

    def __init__(self, document: Json, kind: str, name_of: Any) -> None:
        self.components: Json = document["components"].setdefault(kind, {})
        self.kind, self.name_of = kind, name_of
        self.times: Counter[bytes] = Counter()
        self.names: dict[bytes, str] = {}

    def count(self, items: Any) -> None:
        self.times.update(jsontext.dumps(item) for item in items)

    def put(self, item: Json) -> Json:
        """The item, or a reference to it."""
        text = jsontext.dumps(item)
        if "$ref" in item or self.times[text] < 2:
            return item
        if text not in self.names:
            self.names[text] = name = self._free(self.name_of(item))
            self.components[name] = item
        return {"$ref": _REF.format(self.kind, self.names[text])}

    def _free(self, name: str) -> str:
        names = (name if at == 1 else f"{name}{at}" for at in range(1, 1000))
        return next(free for free in names if free not in self.components)


def _parameter_name(parameter: Json) -> str:
    return str(parameter["name"])


def _response_name(response: Json) -> str:
    """What the response is called: by its schema, or by the first words of its description."""
    content = response.get("content", {})
    (media, *others) = [content[kind] for kind in content] or [{}]
    name = str(media.get("schema", {}).get("$ref", "")).rpartition("/")[2]
    if name and PROBLEM_TYPE not in content:
        return f"{name}OrFile" if others else name
    words = re.match(r"[A-Za-z ]+", response["description"])
    return "".join(word.title() for word in (words[0] if words else "Answer").split())
