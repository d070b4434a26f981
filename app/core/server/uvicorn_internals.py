"""What of uvicorn is relied on here without being promised by it: each name with its reason.

Uvicorn's own supervisor, `uvicorn.supervisors.Multiprocess`, kills a process that does not answer
its pings within five seconds (by default), waits without end for those that stop, returns no exit
status, and leaves its processes to themselves when it is killed. So the supervisor here
(`workers.py`) uses nothing of it: each of its processes runs `Server`.

A new version of uvicorn is looked at name by name; a test compares this list with the program, and
with the version that is installed.
"""

from typing import Final

UVICORN_INTERNALS: Final[dict[str, dict[str, str]]] = {
    "uvicorn.config:Config": {
        "__init__": "takes the protocol as a class (`http=`), and options as keywords",
    },
    "uvicorn.server:Server": {
        "__init__": "is given a lifeline beside the configuration",
        "config": "has the bounds of connections, which are ours",
        "handle_exit": "is called with each signal: the time of the stop begins",
        "lifespan": "has the state of the application, and in it the event of stopping",
        "run": "serves on the socket that all processes share, until it is told to stop",
        "server_state": "has the connections",
        "should_exit": "ends the server in order",
        "shutdown": "waits for connections: streams must be told before, and what is left is cut",
        "startup": "what is there after it stays to the end, and is no garbage",
    },
    "uvicorn.server:ServerState": {
        "connections": "are looked at every second, and cut at the end",
        "default_headers": "belong to a refusal as to any answer",
        "total_requests": "counts answers that are complete, also on a connection that is given up",
    },
    "uvicorn.lifespan.on:LifespanOn": {
        "state": "holds the event of stopping, which the application put there",
    },
    "uvicorn.protocols.http.httptools_impl:HttpToolsProtocol": {
        "__init__": "is made by the server for each connection, always with these arguments",
        "_start_asgi_task": "is where a request begins to be worked on, pipelined ones too",
        "_unset_keepalive_if_required": "ends the waiting for another request",
        "connection_lost": "tells only the request that came last that its client is gone",
        "connection_made": "counts the connection among `connections`",
        "connections": "are all open ones, whose number has a limit",
        "cycle": "is the request that came last",
        "data_received": "is replaced: it answers garbage at once, before what came earlier",
        "expect_100_continue": "is set by `on_header`, which is replaced",
        "flow": "says which direction is paused, and lets reading go on",
        "headers": "grow without bounds, and are checked when the head is complete",
        "loop": "has the time",
        "on_body": "counts bytes, so that one that trickles is seen",
        "on_header": "is replaced: it takes trailers for headers",
        "on_headers_complete": "makes the request; what nobody should act upon is refused before",
        "on_message_begin": "is where the time of a head begins",
        "on_message_complete": "is where the time of a body ends",
        "on_response_complete": "begins the next request, or is where a refusal is told",
        "on_url": "is replaced: an address grows without bounds",
        "parser": "is fed by `data_received`",
        "pause_writing": "tells that the client does not read",
        "pipeline": "holds the requests that wait, whose number has a limit",
        "server_state": "has `default_headers` and `total_requests`",
        "shutdown": "must not wait for a connection that is given up",
        "transport": "is written to, closed and aborted",
        "url": "is bounded, and made a path where it is a whole address",
    },
    "uvicorn.protocols.http.httptools_impl:RequestResponseCycle": {
        "disconnected": "tells the application that its client is gone",
        "message_event": "wakes an application that waits for a body",
        "response_complete": "says that what still comes of the body is thrown away",
        "response_started": "says that it is too late for a refusal",
        "transport": "is replaced by one whose closing leaves time to read",
    },
    "uvicorn.protocols.http.flow_control:FlowControl": {
        "read_paused": "says that the client waits for us, not we for it",
        "resume_reading": "lets what is thrown away come in",
        "write_paused": "says that the client does not read",
    },
}
