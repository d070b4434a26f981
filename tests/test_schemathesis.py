"""Every operation does as the document says, tried by Schemathesis with all its checks: with what
the document allows and with what it forbids, what is answered is what is documented."""

import json
import os
import traceback
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from fastapi import FastAPI
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import events, from_schema
from schemathesis.python.asgi import shutdown_lifespans
from schemathesis.specs.openapi.schemas import OpenApiSchema

from app.api import RESOURCES
from app.crud.feed.stream import StreamRules
from app.main import create_app
from app.settings import Settings
from tests.conftest import copy_of
from tests.keys import BEARER

Json = dict[str, Any]

TAGS = (
    *(resource.path for resource in RESOURCES),
    "search",
    "changes",
    "webhooks",
    "codes",
    "api-keys",
    "operation",
)
#: Of random data for each operation, and with `--long`.
MAX_EXAMPLES, MANY_EXAMPLES = 1, 5

# What no schema can tell, and so is refused although the document allows it: a filter expression
# or a cursor that says nothing, a code that no list has or a repeated name (400); a key of nothing
# (404); a ref that is taken, or a status that cannot follow (409); a tag of another version (412);
# an id of nothing, fields that go together, sums of several currencies (422).
REFUSED_BY_RULES = ["400", "404", "409", "412", "422", "428"]

# Where the limits of schemas and calls that follow from each other are always tried. Of records,
# whose bodies hold up to 10,000 operations, that takes minutes: it is done with `--long`.
THOROUGH = ("codes", "search", "changes")


def config(examples: int, *, coverage: bool, stateful: bool) -> SchemathesisConfig:
    """What is tried: examples and random data always; each limit of the schemas with `coverage`;
    calls that follow from each other's answers with `stateful`."""
    return SchemathesisConfig.from_dict(
        {
            "seed": 1,
            "request-timeout": 60,
            "headers": BEARER,
            "generation": {"max-examples": examples, "deterministic": True, "no-shrink": True},
            "checks": {
                "positive_data_acceptance": {
                    "expected-statuses": ["2xx", "304", *REFUSED_BY_RULES]
                },
                "negative_data_rejection": {
                    "expected-statuses": ["405", "406", "413", "415", *REFUSED_BY_RULES]
                },
            },
            "phases": {
                "examples": {"enabled": True},
                "coverage": {"enabled": coverage},
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


def loaded(app: FastAPI, how: SchemathesisConfig) -> OpenApiSchema:
    schema: OpenApiSchema = schemathesis.openapi.from_dict(app.openapi(), config=how)
    schema.app, schema.location = app, "/openapi.json"
    return schema


@pytest.mark.parametrize("tag", TAGS)
def test_operations_do_as_the_document_says(
    app: FastAPI, long: bool, tag: str, tmp_path: Path
) -> None:
    examples, thorough = MANY_EXAMPLES if long else MAX_EXAMPLES, long or tag in THOROUGH
    schema = loaded(app, config(examples, coverage=thorough, stateful=thorough))
    found = in_a_copy_of_this_process(lambda: tried(schema.include(tag=tag)), tmp_path / "found")
    assert found["faults"] == []
    assert found["called"] == sorted(
        f"{method.upper()} {path}"
        for path, item in app.openapi()["paths"].items()
        for method, operation in item.items()
        if operation["tags"] == [tag]
    )


def in_a_copy_of_this_process(work: Callable[[], Json], file: Path) -> Json:
    """What the work finds. Schemathesis keeps what it makes of a document, half a gigabyte for each
    tag, which goes with the copy."""
    child = os.fork()
    if child == 0:
        status = 1
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
                told = answer.content[:500].decode(errors="replace") if answer else "no answer"
                failure, sent = check.failure_info.failure, check.failure_info.code_sample
                yield f"{check.name}: {failure.title}\n{failure.message}\n{sent}\n{told}"


def test_every_tag_of_the_document_is_tried(app: FastAPI) -> None:
    assert [tag["name"] for tag in app.openapi()["tags"]] == list(TAGS)
