"""Small files by which the processes of one user that use the same database know of each other."""

import os
from hashlib import sha256
from pathlib import Path
from tempfile import gettempdir


def open_shared(purpose: str, database: str) -> int:
    """The handle of the file for this purpose, which is made where there is none.

    Raises OSError where that is impossible, or where somebody else has put something in its place.
    """
    digest = sha256(f"{os.getuid()} {database}".encode()).hexdigest()[:24]
    path = Path(gettempdir(), f"trade-missions-{purpose}-{digest}")
    # Nobody else may have put something there for us to write into.
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    if os.fstat(handle).st_uid != os.getuid():
        os.close(handle)
        raise PermissionError(path)
    return handle
