"""The process of the load generator, and what it is told."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

from app.benchmark import load
from app.benchmark.load import Load, Timing
from app.benchmark.processes import Program, ended_with


class Generator:
    """Runs loads in a process of its own, one at a time."""

    def __init__(self, process: "subprocess.Popen[bytes]") -> None:
        self.process = process

    def run(self, wanted: Load) -> Timing:
        """What came of a load. RuntimeError where a server answered otherwise than it should."""
        asked, answers = self.process.stdin, self.process.stdout
        assert asked is not None
        assert answers is not None
        asked.write(json.dumps(asdict(wanted)).encode() + b"\n")
        asked.flush()
        told = json.loads(answers.readline())
        if "error" in told:
            raise RuntimeError(told["error"])
        return Timing(**told)


@contextmanager
def load_generator(log: Path) -> Iterator[Generator]:
    """The generator, until the end of the block."""
    command = (sys.executable, "-P", load.__file__)
    program = Program(command, {}, Path(load.__file__).parent)
    with (
        log.open("ab") as output,
        ended_with(program, output, subprocess.PIPE, subprocess.PIPE) as process,
    ):
        yield Generator(process)
