"""What is touched of uvicorn beyond what it documents, each with the reason.

Uvicorn may change these in any minor version, so `pyproject.toml` pins it below the next. A test
compares the list with uvicorn as it is installed, and with what this package touches.
"""

from collections.abc import Mapping

from uvicorn.lifespan.on import LifespanOn
from uvicorn.middleware.proxy_headers import _TrustedHosts
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import Server, ServerState

ATTRIBUTES: Mapping[type, Mapping[str, str]] = {
    HttpToolsProtocol: {
        # Overridden: called by asyncio, by the parser, or by uvicorn itself.
        "connection_made": "a connection beyond the limit is told so",
        "connection_lost": "the request that is worked on learns it, not only the last one",
        "data_received": "bytes are counted, and what is no HTTP is answered as a problem",
        "pause_writing": "tells that the client reads again from one that still does not",
        "on_message_begin": "a head that is being received has a time limit",
        "on_url": "the length of an address is limited",
        "on_header": "trailers are no headers",
        "on_headers_complete": "size, Host and Transfer-Encoding are checked before it is handled",
        "on_body": "a body that is thrown away is limited",
        "on_message_complete": "the next head has its time from here",
        "on_response_complete": "a refusal waits for the answers before it",
        "shutdown": "a connection that was refused closes at once",
        "_start_asgi_task": "which of several requests on a connection is worked on",
        # Read or set.
        "_unset_keepalive_if_required": "a connection that is read or refused is not idle",
        "client": "whose connection it is",
        "connections": "how many are open, and which is idle for longest",
        "cycle": "the request that came last",
        "expect_100_continue": "set by `on_header`, which does not call uvicorn's",
        "flow": "whether reading or writing is paused",
        "headers": "filled by `on_header`; counted and checked",
        "loop": "the time",
        "parser": "version, method, and what follows a refused upgrade",
        "pipeline": "how many requests wait on a connection",
        "root_path": "what the addresses that a refusal tells begin with",
        "server_state": "default headers of refusals, and the count of requests",
        "transport": "answers refusals, and closes",
        "url": "filled by `on_url`; an absolute address is made a path",
    },
    RequestResponseCycle: {
        "send": "head and body leave in one piece",
        "chunked_encoding": "set as `send` does for a body of a known length",
        "default_headers": "begin the head",
        "scope": "an answer to HEAD has a length and no body",
        "expected_content_length": "set by `send`, which does not call uvicorn's",
        "keep_alive": "the head of a last answer is left to uvicorn",
        "waiting_for_100_continue": "no longer so, once an answer has begun",
        "disconnected": "the application learns that its client is gone",
        "message_event": "wakes the application that waits for its body",
        "response_complete": "whether a body is still wanted",
        "response_started": "whether an answer can still be given",
        "transport": "replaced by one that lets the client read before it closes",
    },
    FlowControl: {
        "read_paused": "a body that we do not read has no time limit",
        "resume_reading": "a refused client's bytes are read, or it would lose the answer",
        "write_paused": "a client that does not read its answer has a time limit",
    },
    ServerState: {
        "connections": "all connections, looked at every second and cut at the end",
        "default_headers": "refusals carry them too",
        "total_requests": "counted as uvicorn does, where its own counting is passed by",
    },
    Server: {
        "handle_exit": "a second signal ends the process at once; the end has a time limit",
        "startup": "connections are looked at from here on",
        "shutdown": "streams are told to end, and connections are cut in time",
        "config": "the limits of connections",
        "lifespan": "the application's state",
        "server_state": "the open connections",
        "should_exit": "whether a signal is the first",
    },
    LifespanOn: {"state": "the event that tells streams to end"},
    _TrustedHosts: {
        "__init__": "the proxies of the setting, read as uvicorn reads them",
        "__contains__": "whether a connection is of a proxy, and so of many clients",
    },
}
