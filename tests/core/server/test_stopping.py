"""A server that has nothing to finish ends as soon as it is told to."""

import os
import re
import signal
import sys
import time
from http.client import HTTPConnection
from pathlib import Path
from subprocess import PIPE, Popen

import pytest

from tests.keys import ADMIN_KEY

ROOT = Path(__file__).parents[3]
#: What ending may cost, in seconds of CPU: the time that passes depends on who else is at work.
CHEAP = 0.35


def cpu_seconds(pid: int) -> float:
    """What a process and those that it has started and not outlived have used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    used = sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return used + sum(cpu_seconds(int(child)) for child in children)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
async def test_ctrl_c_is_obeyed_at_once_also_with_an_idle_connection(fresh_url: str) -> None:
    # One process or several and either database are alike in this; two servers tell of both.
    workers = 1 if fresh_url.startswith("sqlite") else 2
    status, cost, took = stop_server(fresh_url, workers)
    assert status == 0
    assert cost < CHEAP * workers, f"{cost:.2f} s of CPU, {took:.2f} s"


def stop_server(url: str, workers: int) -> tuple[int, float, float]:
    """Start a server, let it settle and press Ctrl-C: its exit status, and how many seconds of CPU
    and of time it took to end."""
    environment = os.environ | {
        "TRADE_MISSIONS_DATABASE_URL": url,
        "TRADE_MISSIONS_ADMIN_KEY": ADMIN_KEY,
        "PYTHONUNBUFFERED": "1",
    }
    command = [sys.executable, "-m", "app", "serve", "--port", "0", "--workers", str(workers)]
    with Popen(command, cwd=ROOT, env=environment, stdout=PIPE, start_new_session=True) as server:
        try:
            assert server.stdout is not None
            found = re.search(rb"Documentation: http://(\S+):(\d+)/docs", server.stdout.readline())
            assert found is not None
            idle = HTTPConnection(found[1].decode(), int(found[2]))
            connect(idle)
            settle(server.pid)
            before, began = cpu_seconds(server.pid), time.monotonic()
            os.killpg(server.pid, signal.SIGINT)
            _, status, used = os.wait4(server.pid, 0)
            server.returncode = os.waitstatus_to_exitcode(status)
            took = time.monotonic() - began
            idle.close()
        finally:
            server.kill()
    return server.returncode, used.ru_utime + used.ru_stime - before, took


def connect(connection: HTTPConnection) -> None:
    """Ask until the server answers: it says where it will be before it is there."""
    end = time.monotonic() + 60
    while True:
        try:
            connection.request("GET", "/health/live")
            connection.getresponse().read()
        except OSError:
            connection.close()
            assert time.monotonic() < end
            time.sleep(0.05)
        else:
            return


def settle(pid: int) -> None:
    """Wait until all processes have started and do next to nothing."""
    end, used = time.monotonic() + 60, 0.0
    while (now := cpu_seconds(pid)) - used > 0.02:
        assert time.monotonic() < end
        used = now
        time.sleep(0.5)
