"""Several processes that serve as one: where their metrics come together."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from prometheus_client import values

#: The name is prometheus-client's.
_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"


@contextmanager
def shared_metrics(workers: int) -> Iterator[None]:
    """While it lasts, processes that are started count requests together, if there are several.

    It must surround the start of the worker processes, and must not run in one of them.
    """
    if workers < 2 or _VARIABLE in os.environ:
        yield
        return
    with TemporaryDirectory(prefix="trade-missions-metrics-", ignore_cleanup_errors=True) as folder:
        os.environ[_VARIABLE] = folder
        _choose_where_counts_are_kept()
        try:
            yield
        finally:
            del os.environ[_VARIABLE]
            _choose_where_counts_are_kept()


def _choose_where_counts_are_kept() -> None:
    """Look at the variable again: prometheus-client does when it is imported, and worker processes
    that are copies of this one have it from here."""
    values.ValueClass = values.get_value_class()  # type: ignore[no-untyped-call]


def shared_folder() -> Path | None:
    """Where the processes' counts come together; None where this one is alone."""
    folder = os.environ.get(_VARIABLE)
    return Path(folder) if folder else None


def living(folder: Path) -> list[int]:
    """The processes that serve now; what others left behind in gauges is cleared away.

    Their counts of requests stay, as a counter must never fall.
    """
    found = []
    for file in folder.glob("gauge_livesum_*.db"):
        pid = int(file.stem.rpartition("_")[2])
        if _lives(pid):
            found.append(pid)
            continue
        for left in folder.glob(f"gauge_live*_{pid}.db"):
            # Another process may be clearing away as well.
            with suppress(FileNotFoundError):
                left.unlink()
    return sorted(found)


def filled(folder: Path) -> list[str]:
    """The files with counts; one that another process is just making is empty for a moment, and
    would pass for a broken one."""
    found = []
    for file in folder.glob("*.db"):
        with suppress(FileNotFoundError):
            if file.stat().st_size:
                found.append(str(file))
    return found


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
