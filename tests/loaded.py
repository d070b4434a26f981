"""A process that has the program loaded and forks whatever a test starts.

`python -m tests.loaded FD` takes what is to be started from a socket, until that ends. A fork runs
a module as `python -m` would, with arguments and an environment of its own, but where an
interpreter is that has imported everything: it takes milliseconds, not a second of CPU.
"""

import atexit
import gc
import json
import multiprocessing.util
import os
import pkgutil
import select
import signal
import socket
import sys
import tempfile
import threading
import time
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any

from prometheus_client import values as prometheus_values

ROOT = Path(__file__).parent.parent
#: A request begins with its length in so many bytes; with them come its file descriptors.
LENGTH_BYTES = 8
#: Where a fork says its process id and, once it has ended, its exit status; both end in a line.
DESCRIPTORS = ("stdout", "stderr", "status")
#: What is imported only when it is needed; an unprivileged user may not even be able to.
LATE = (
    "app.core.databases.postgresql",
    "app.core.databases.sqlite",
    "encodings.idna",
    "encodings.utf_8_sig",
    "uvicorn.loops.auto",
    "uvicorn.protocols.http.auto",
    "uvicorn.lifespan.on",
    "typer.rich_utils",
)

#: What a new interpreter does on the signals that servers handle.
USUAL_SIGNALS: dict[int, Any] = {
    signal.SIGINT: signal.default_int_handler,
    signal.SIGTERM: signal.SIG_DFL,
}
_spawn_anew = multiprocessing.util.spawnv_passfds


def load() -> None:
    """Import and make what commands and servers need, without beginning anything."""
    import app.commands
    from app.core.databases.schema_revision import newest
    from app.main import create_app
    from app.settings import Settings

    for module in pkgutil.iter_modules(app.commands.__path__):
        import_module(f"app.commands.{module.name}")
    for name in LATE:
        import_module(name)
    # The files of the migrations are read by each command, and as often as one asks for them.
    newest()
    # The models of requests and answers are made once for all applications of a process.
    create_app(Settings(database_url="sqlite:///nowhere.db"))


def serve(requests: socket.socket) -> dict[str, Any] | None:
    """Fork for each request until they end; in a fork, returns what it is asked for."""
    woken, waking = socket.socketpair()
    waking.setblocking(False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(waking.fileno(), warn_on_full_buffer=False)
    children: dict[int, int] = {}
    while True:
        ready, _, _ = select.select([requests, woken], [], [])
        if woken in ready:
            woken.recv(4096)
        _tell_ends(children)
        if requests in ready:
            received = _receive(requests)
            if received is None:
                break
            asked, descriptors = received
            pid = os.fork()
            if not pid:
                _detach(*descriptors[:2])
                return asked
            for descriptor in descriptors[:2]:
                os.close(descriptor)
            children[pid] = descriptors[2]
            os.write(children[pid], b"%d\n" % pid)
    for pid in children:
        with suppress(ProcessLookupError):
            os.killpg(pid, signal.SIGKILL)
    return None


def _receive(requests: socket.socket) -> tuple[dict[str, Any], list[int]] | None:
    length, descriptors, _, _ = socket.recv_fds(requests, LENGTH_BYTES, len(DESCRIPTORS))
    if not length:
        return None
    text = b""
    while len(text) < int.from_bytes(length):
        text += requests.recv(int.from_bytes(length) - len(text))
    return json.loads(text), descriptors


def _tell_ends(children: dict[int, int]) -> None:
    with suppress(ChildProcessError):
        while (ended := os.waitpid(-1, os.WNOHANG))[0]:
            pid, status = ended
            told = children.pop(pid)
            with suppress(BrokenPipeError):
                os.write(told, b"%d\n" % os.waitstatus_to_exitcode(status))
            os.close(told)


def _detach(out: int, err: int) -> None:
    """In a fork: leave what belongs to the process that forked it."""
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.setsid()
    for place, descriptor in enumerate((os.open(os.devnull, os.O_RDONLY), out, err)):
        os.dup2(descriptor, place)
    _close_all_but(set())


def _close_all_but(kept: set[int]) -> None:
    lowest = 3
    for descriptor in sorted(kept):
        os.closerange(lowest, descriptor)
        lowest = max(lowest, descriptor + 1)
    os.closerange(lowest, os.sysconf("SC_OPEN_MAX"))


def _spawn(path: bytes, arguments: list[str], descriptors: list[int]) -> int:
    """In place of multiprocessing's: the worker processes of a server are forks too.

    What they are given and how they are watched stays as it is where they are started anew.
    """
    if "--multiprocessing-fork" not in arguments:
        return int(_spawn_anew(path, arguments, descriptors))
    # What comes before its own ways with signals are set would be lost to the parent's.
    signal.pthread_sigmask(signal.SIG_BLOCK, USUAL_SIGNALS)
    pid = os.fork()
    if pid:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, USUAL_SIGNALS)
        return pid
    # The frames of the parent's are still there: their ends must not be run.
    status = 1
    try:
        atexit._clear()
        _close_all_but(set(descriptors))
        for number, usual in USUAL_SIGNALS.items():
            signal.signal(number, usual)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, USUAL_SIGNALS)
        # It looks at the environment when it is imported.
        prometheus_values.ValueClass = prometheus_values.get_value_class()  # type: ignore[no-untyped-call]
        sys.argv = ["-c", "--multiprocessing-fork"]
        exec(arguments[arguments.index("-c") + 1], {})
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else 1
    except BaseException:
        sys.excepthook(*sys.exc_info())
    finally:
        atexit._run_exitfuncs()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def _become(asked: dict[str, Any]) -> Any:
    """In a fork: the module that is asked for, as the program of this process."""
    os.environ.clear()
    os.environ.update(asked["environment"])
    time.tzset()
    tempfile.tempdir = None
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    module = import_module(asked["module"])
    sys.modules["__main__"] = module
    sys.argv = [str(module.__file__), *asked["arguments"]]
    return module


def _status_of(module: Any) -> int:
    """What a module ends with by itself; whatever else it raises is for the interpreter, as in a
    process that was started for it."""
    try:
        module.main()
    except SystemExit as end:
        if not isinstance(end.code, int | None):
            raise
        return end.code or 0
    return 0


def _end(status: int) -> None:
    """End as the interpreter would, but leave what was loaded before the fork as it is: to take it
    apart is to have all of it copied, which takes longer than most commands."""
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    gc.collect()
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except OSError:
        sys.exit(status)
    os._exit(status)


def main() -> None:
    os.chdir(ROOT)
    gc.disable()
    load()
    multiprocessing.util.spawnv_passfds = _spawn  # type: ignore[assignment]
    assert threading.active_count() == 1, threading.enumerate()
    gc.freeze()
    gc.enable()
    asked = serve(socket.socket(fileno=int(sys.argv[1])))
    if asked is not None:
        _end(_status_of(_become(asked)))


if __name__ == "__main__":
    main()
