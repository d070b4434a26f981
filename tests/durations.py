"""What a run tells at its end: where its time went, by folder, and its ten slowest tests."""

from __future__ import annotations

from collections import Counter
from pathlib import PurePosixPath

import pytest

#: A run of fewer tests is looked through without a table.
FEW = 50
SLOWEST = 10


class Durations:
    """Adds up what each test took: set-up, call and teardown, on whatever worker it ran."""

    def __init__(self) -> None:
        self.seconds: Counter[str] = Counter()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self.seconds[report.nodeid] += report.duration  # type: ignore[assignment]

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if len(self.seconds) < FEW:
            return
        terminalreporter.section("seconds by folder")
        for folder, (seconds, tests) in sorted(self.by_folder().items(), key=lambda f: -f[1][0]):
            terminalreporter.line(f"{seconds:8.1f}  {folder} ({tests})")
        terminalreporter.section(f"{SLOWEST} slowest tests, in seconds")
        for name, seconds in self.seconds.most_common(SLOWEST):
            terminalreporter.line(f"{seconds:8.1f}  {name}")

    def by_folder(self) -> dict[str, tuple[float, int]]:
        """The seconds and the number of the tests of each folder, or of a file beside them."""
        found: dict[str, tuple[float, int]] = {}
        for name, seconds in self.seconds.items():
            folder = "/".join(PurePosixPath(name.partition("::")[0]).parts[:2])
            before = found.get(folder, (0.0, 0))
            found[folder] = (before[0] + seconds, before[1] + 1)
        return found
