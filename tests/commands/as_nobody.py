"""A command as an unprivileged user runs it, for `tests.processes`."""

import os

from app import __main__

#: Somebody who owns nothing and may do nothing that not everybody may.
NOBODY = 65534


def main() -> None:
    if os.geteuid() == 0:
        os.setgroups([])
        os.setgid(NOBODY)
        os.setuid(NOBODY)
    __main__.main()
