"""Files that hold records, keys' digests and secrets are for their owner alone."""

import logging
import os
import stat
from contextlib import suppress
from pathlib import Path

log = logging.getLogger("trade_missions")

_OWNER_ONLY, _OTHERS = 0o600, 0o007
#: What SQLite keeps beside a database; it gives new ones the permissions of the database.
_ENDINGS = ("", "-wal", "-shm", "-journal")


def keep_private(path: str | Path) -> None:
    """Make a database that is not there yet an empty file of its owner's; take one that anybody
    may read from all but its owner. One that is kept from others, and open to a group, is left so:
    that was somebody's decision.

    What is impossible is told by SQLite, which opens the file next.
    """
    with suppress(OSError):
        # Never one that is there: closing it would take away the locks that SQLite holds on it
        # for another connection of this process.
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, _OWNER_ONLY))
    for ending in _ENDINGS:
        with suppress(OSError):
            file = Path(f"{path}{ending}")
            mode = file.stat().st_mode
            # A folder whose address was given by mistake is left so.
            if stat.S_ISREG(mode) and mode & _OTHERS:
                file.chmod(_OWNER_ONLY)
                log.warning("%s could be read by anybody; now by its owner alone", file)
