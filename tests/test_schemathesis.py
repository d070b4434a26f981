"""Every operation does as the document says, tried by Schemathesis with all its checks: with what
the document allows and with what it forbids, what is answered is what is documented."""

import json
import os
import re
import signal
import traceback
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from fastapi import FastAPI
from schemathesis import Case, HookContext
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import events, from_schema
from schemathesis.generation.meta import CoveragePhaseData
from schemathesis.python.asgi import shutdown_lifespans
from schemathesis.specs.openapi.schemas import OpenApiSchema

from app.api import COLLECTIONS, RESOURCES
from app.changes.stream import StreamRules
from app.engine.paths import fields_of
from app.main import create_app
from app.settings import Settings
from tests.conftest import copy_of
from tests.keys import BEARER

Json = dict[str, Any]

KINDS = [resource.path for resource in RESOURCES]
TAGS = (
    *KINDS,
    "insights",
    "questions",
    "receipts",
    "search",
    "changes",
    "webhooks",
    "codes",
    "api-keys",
    "operation",
)
#: The names of the fields that lists are filtered by.
FILTERED = {name for resource in RESOURCES for name in fields_of(resource)}
#: Of random data for each operation, and with `--long`.
MAX_EXAMPLES, MANY_EXAMPLES = 1, 5
LONGEST_SECONDS = 1800

# What no schema can tell, and so is refused although the document allows it: a key of nothing
# (404); a ref that is taken, or a status that cannot follow (409); a position of no change (410); a
# tag of another version (412); an id of nothing, fields that go together, sums of several
# currencies (422).
REFUSED_BY_RULES = ["404", "409", "410", "412", "422", "428"]
#: The parameters whose values can be wrong (400) though they are as the document says, and why.
REFUSED_PARAMETERS = {
    "filter": "a grammar with parentheses, over the fields of a kind; writes need a filter",
    "having": "a grammar with parentheses, over what is counted",
    "group_by": "fields of related records, at any depth, and parts of dates",
    "metrics": "fields of related records, at any depth",
    "timezone": "names of zones are those of the tz database, which no schema lists",
    "sort": "of groups: by what else the request asks for",
    "empty_groups": "at most 10,000, by what else the request asks for",
    **dict.fromkeys(("from", "to", "today"), "days of the calendar, the first not after the last"),
    "cursor": "signed, and bound to a list, its filters and its order",
    "columns": "headers of the file and fields of the kind",
    "sheet": "goes with XLSX alone",
    "format": "goes with a type of content that says the same or nothing",
    "labels": "goes with tables alone",
    **dict.fromkeys(("rate_date", "rate_provider", "max_rate_age"), "go with `convert_to` alone"),
    "convert_to": "a list of some hundred codes, and sums alone are converted",
    **dict.fromkeys(("delimiter", "decimal", "encoding", "quote"), "go with CSV alone"),
    "provider": "a line, without characters that nobody sees",
    "Idempotency-Key": "goes without `dry_run`",
    "as_of": "goes without `q`, and of one record without `fields` and `expand`",
    "offset": "goes without `cursor`",
    **dict.fromkeys(("since", "Last-Event-ID"), "no further than the newest change"),
    "updated_since": "goes with datasets of records, and not of sums",
    "level": "goes with the chart of sectors alone",
    "parent": "only the codes of some lists belong to another",
    **dict.fromkeys(
        (
            name
            for resource in RESOURCES
            for name, field in fields_of(resource).items()
            if field.codes is not None
            and field.codes.table.name in ("region", "legal_form", "sector")
        ),
        "a list of thousands of codes, of which the document tells the form",
    ),
}


def config(examples: int, *, coverage: bool, stateful: bool) -> SchemathesisConfig:
    """What is tried: examples and random data always; each limit of the schemas with `coverage`;
    calls that follow from each other's answers with `stateful`."""
    return SchemathesisConfig.from_dict(
        {
            "seed": 1,
            "request-timeout": 60,
            "continue-on-failure": True,
            "headers": BEARER,
            # Validators are compiled for each field and each literal of the program, for seconds.
            "analysis": {"constants": {"enabled": examples == MANY_EXAMPLES}},
            "generation": {"max-examples": examples, "deterministic": True, "no-shrink": True},
            "checks": {
                "positive_data_acceptance": {
                    "expected-statuses": ["2xx", "304", *REFUSED_BY_RULES]
                },
                "negative_data_rejection": {
                    "expected-statuses": ["400", "405", "406", "413", "415", *REFUSED_BY_RULES]
                },
            },
            "phases": {
                "examples": {"enabled": True},
                "coverage": {"enabled": coverage, "unexpected-methods": ["query", "trace"]},
                # Answers hold new ids each time: with them no run would be like another.
                "fuzzing": {
                    "extra-data-sources": {"responses": False},
                    "error-feedback": {"enabled": False},
                },
                "stateful": {"enabled": stateful, "generation": {"max-examples": 2}},
            },
        }
    )


@pytest.fixture(scope="module")
async def url(template_url: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    async with copy_of(template_url, tmp_path_factory.mktemp("schemathesis")) as url:
        yield url


@pytest.fixture(scope="module")
def app(anyio_backend: str, url: str) -> FastAPI:
    app = create_app(Settings(database_url=url))
    # Streams end while somebody waits for them.
    app.state.stream_rules = StreamRules(lifetime=0.1)
    # The document is made once, for all copies of this process.
    app.openapi()
    return app


def told(document: Json) -> Json:
    """The document with the answers of `default` under each status that it lists, as any other
    status is a fault; and without what operations of their own try in full."""
    made = {"schemas": _shallow(document), "parameters": _with_tags(document)}
    document = document | {"components": document["components"] | made}
    paths: Json = {}
    for path, item in document["paths"].items():
        for method, operation in item.items():
            answers = dict(operation["responses"])
            default = answers.pop("default")
            name = default.get("$ref", "").rpartition("/")[2]
            statuses = document["components"]["responses"].get(name, default)["x-statuses"]
            answers |= {str(status): default for status in statuses}
            paths.setdefault(path, {})[method] = operation | {"responses": answers}
    return document | {"paths": paths}


def once_each(document: Json) -> Json:
    """The document for the limits of schemas, of which what many operations take alike is tried
    once: a filter, which one function reads, where it comes first; another parameter in the first
    kind whose operation has it; and the fields of a kind where one of its records is made and
    where one is changed. The body of other operations that take them is the example."""
    known: set[tuple[str, ...]] = set()
    paths: Json = {}
    for path, item in document["paths"].items():
        for method, operation in item.items():
            (tag,), kept = operation["tags"], []
            form = (method, _form_of(path, tag))
            for parameter in operation.get("parameters", ()):
                told = _resolved(document, parameter)
                is_filter = tag in KINDS and told["name"].partition("__")[0] in FILTERED
                key = (*(() if is_filter else form), told["name"], json.dumps(told.get("schema")))
                if key not in known or told.get("required"):
                    kept.append(parameter)
                known.add(key)
            changed = operation | {"parameters": kept}
            if "requestBody" in operation and _is_tried_elsewhere(method, path):
                changed["requestBody"] = _of_example(operation["requestBody"])
            paths.setdefault(path, {})[method] = changed
    return document | {"paths": paths}


def _is_tried_elsewhere(method: str, path: str) -> bool:
    """Whether a body has the fields of another operation's: POST to a list, PATCH of a record."""
    if method == "post":
        return _LIST_UNDER.search(path) is not None
    if method == "put":
        return path.endswith("/{key}") and not path.startswith(f"/{KINDS[0]}/")
    return method == "patch" and path[1:] in KINDS


def _form_of(path: str, tag: str) -> str:
    """The address as all kinds have it, of any list under a record and any file of parts."""
    if tag not in KINDS:
        return path
    form = _LIST_UNDER.sub("{key}/list", path.replace(tag, "kind", 1))
    return _FILE_OF_PARTS.sub("/kind/parts.{format}", form)


def _resolved(document: Json, parameter: Json) -> Json:
    name = parameter.get("$ref", "").rpartition("/")[2]
    told: Json = document["components"]["parameters"][name] if name else parameter
    return told


def _of_example(body: Json) -> Json:
    content = {
        kind: told | {"schema": {"enum": [told["example"]]}} if "example" in told else told
        for kind, told in body["content"].items()
    }
    return body | {"content": content}


def _with_tags(document: Json) -> Json:
    """The parameters, with some entity tags to choose from: their pattern is overlooked."""
    tags = {"type": "string", "enum": ['"0"', "*", 'W/"0", "1"']}
    return {
        name: told | {"schema": tags} if told["name"] in ("If-Match", "If-None-Match") else told
        for name, told in document["components"]["parameters"].items()
    }


def _shallow(document: Json) -> Json:
    """The schemas, with records that stand within others being there already, or the example of
    the operation that makes them under one and tries them in full, with the bodies in lists of
    operations being those of the example, and without lists of thousands."""
    schemas = {name: dict(schema) for name, schema in document["components"]["schemas"].items()}
    under = {
        json.dumps(body["schema"]): {"enum": [body["example"]]}
        for path, item in document["paths"].items()
        if "/{key}/" in path and "requestBody" in item.get("post", ())
        for body in item["post"]["requestBody"]["content"].values()
        if "example" in body
    }
    link = {"$ref": "#/components/schemas/Link"}
    for schema in schemas.values():
        fields = schema.get("properties", {})
        linked = [name for name, field in fields.items() if link in field.get("anyOf", ())]
        told = {name: {"anyOf": [link, {"type": "null"}]} for name in linked}
        short = {
            name: {key: value for key, value in field.items() if key != "maxItems"}
            for name, field in fields.items()
            if "maxItems" in field
        }
        within = {
            name: {"type": "array", "items": under[items]}
            for name, field in fields.items()
            if (items := json.dumps(field.get("items"))) in under
        }
        schema["properties"] = fields | told | short | within
    for resource in RESOURCES:
        bulk = document["paths"][f"/{resource.path}/bulk"]["post"]["requestBody"]["content"]
        upsert, update = bulk["application/json"]["example"]["operations"]
        for verb, body in (("Create", upsert), ("Upsert", upsert), ("Update", update)):
            schema = schemas[f"{resource.name}{verb}Operation"]
            schema["properties"] = schema["properties"] | {"body": {"enum": [body["body"]]}}
    return schemas


#: A list of records under another one; what is none has an address of its own.
_LIST_UNDER = re.compile(rf"{{key}}/({'|'.join(sorted({c.name for c in COLLECTIONS}))})(?![\w/-])")
_FILE_OF_PARTS = re.compile(r"^/kind/[\w-]+\.\{format\}")


def told_apart() -> Callable[[HookContext, Case[Any]], bool]:
    """Lets pass of the cases at the limits of schemas one of each kind: a kind of limit, of a
    parameter or of a field of the body. A list of codes is tried with one of them; of the lists
    under a record, which one function answers, the limits of a parameter are tried with one."""
    had: set[tuple[object, ...]] = set()

    def filter_case(context: HookContext, case: Case[Any]) -> bool:
        phase = case.meta.phase.data if case.meta else None
        if not isinstance(phase, CoveragePhaseData):
            return True
        field = re.split("->|:", phase.description)[0]
        path = _LIST_UNDER.sub("{key}/list", case.path) if case.method == "GET" else case.path
        place = (case.method, path, phase.scenario, phase.parameter, field)
        fresh = place not in had
        had.add(place)
        return fresh

    return filter_case


def loaded(app: FastAPI, how: SchemathesisConfig, *, whole: bool) -> OpenApiSchema:
    document = told(app.openapi())
    chosen = document if whole else once_each(document)
    schema: OpenApiSchema = schemathesis.openapi.from_dict(chosen, config=how)
    schema.app, schema.location = app, "/openapi.json"
    schema.hook(told_apart())
    return schema


@pytest.mark.parametrize("tag", TAGS)
def test_operations_do_as_the_document_says(
    app: FastAPI, long: bool, database_kind: str, tag: str, tmp_path: Path
) -> None:
    examples = MANY_EXAMPLES if long else MAX_EXAMPLES
    thorough = long or is_thorough(tag, database_kind)
    how = config(examples, coverage=thorough, stateful=thorough)
    schema = loaded(app, how, whole=long or not thorough)
    found = in_a_copy_of_this_process(lambda: tried(schema.include(tag=tag)), tmp_path / "found")
    assert found["faults"] == []
    assert found["called"] == sorted(
        f"{method.upper()} {path}"
        for path, item in app.openapi()["paths"].items()
        for method, operation in item.items()
        if operation["tags"] == [tag]
    )


def is_thorough(tag: str, database_kind: str) -> bool:
    """Whether the limits of schemas, and calls that follow from each other, are tried too: on one
    of the databases, in turn."""
    return (TAGS.index(tag) % 2 == 0) == (database_kind == "sqlite")


def in_a_copy_of_this_process(work: Callable[[], Json], file: Path) -> Json:
    """What the work finds. Schemathesis keeps what it makes of a document, half a gigabyte for each
    tag, which goes with the copy."""
    child = os.fork()
    if child == 0:
        status = 1
        # Of a copy that waits for ever the test fails.
        signal.alarm(LONGEST_SECONDS)
        try:
            file.write_text(json.dumps(work()))
            status = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(status)
    assert os.waitpid(child, 0)[1] == 0
    found: Json = json.loads(file.read_text())
    return found


def tried(chosen: Any) -> Json:
    """What is wrong with the operations, and those that were called."""
    faults, called = [], set()
    for event in from_schema(chosen).execute():
        match event:
            case events.ScenarioFinished():
                if event.recorder.cases and event.label and " /" in event.label:
                    called.add(event.label)
                faults += list(_faults(event))
            case events.NonFatalError():
                faults.append(f"{event.label}: {event.value}")
            case events.FatalError():
                raise event.exception
    shutdown_lifespans()
    return {"faults": faults, "called": sorted(called)}


#: Whose answers the schema of the 200 is not compared with: `fields` leaves out keys of the whole
#: record; and of a stream of events the document tells the text, which is taken for each event.
_OTHER_ANSWERS = ("fields=", "/changes/stream")


def _faults(event: events.ScenarioFinished) -> Iterator[str]:
    for case_id, checks in event.recorder.checks.items():
        for check in checks:
            if check.failure_info is not None:
                interaction = event.recorder.interactions[case_id]
                other = any(sign in interaction.request.uri for sign in _OTHER_ANSWERS)
                if other and check.name == "response_schema_conformance":
                    continue
                answer = interaction.response
                if check.name == "positive_data_acceptance" and answer and _untold(answer):
                    continue
                # A key that was revoked is shown as such, and the history of what was deleted.
                kept = r"/api-keys/|/history(\?|$)"
                if check.name == "use_after_free" and re.search(kept, interaction.request.uri):
                    continue
                # A name with a dot is that of a question and a form, which is only read.
                path = interaction.request.uri.partition("?")[0]
                if (
                    answer
                    and answer.status_code == 405
                    and "." in path.rpartition("/questions/")[2]
                ):
                    continue
                # A source that was just made has no text yet.
                is_text = interaction.request.uri.partition("?")[0].endswith("/text")
                if check.name == "ensure_resource_availability" and is_text:
                    continue
                told = answer.content[:500].decode(errors="replace") if answer else "no answer"
                failure, sent = check.failure_info.failure, check.failure_info.code_sample
                yield f"{check.name}: {failure.title}\n{failure.message}\n{sent}\n{told}"


def _untold(answer: Any) -> bool:
    """Whether nothing is refused but parameters that no schema can tell wholly."""
    if answer.status_code != 400:
        return False
    problem = json.loads(answer.content)
    # The size of an exponent is no matter of a schema.
    tiny = "a number's exponent is beyond" in problem["detail"]
    # A form has one field, of a file.
    if any(words in problem["detail"] for words in ("a field of the type file", "address, as ?")):
        return True
    of_groups = "/aggregate" in problem["instance"]
    excused = [_is_excused(fault, of_groups=of_groups) for fault in problem["errors"]]
    return tiny or (bool(excused) and all(excused))


def _is_excused(fault: Json, *, of_groups: bool) -> bool:
    """Whether the value of a parameter may be refused; what leads to any number of records is shown
    by `fields` and `expand` of lists, but is no column of a file, and `sort` takes a field once. No
    text holds a NUL, and the length of a list of names is that of its parts."""
    name = str(fault["parameter"]).partition("__")[0]
    if fault["code"] == "nul":
        return True
    if name in ("fields", "expand"):
        return bool(fault["code"] in ("many", "length"))
    if name == "sort" and fault["code"] == "repeated":
        return True
    return name in REFUSED_PARAMETERS and (of_groups or name != "sort")


def test_every_tag_of_the_document_is_tried(app: FastAPI) -> None:
    assert [tag["name"] for tag in app.openapi()["tags"]] == list(TAGS)
