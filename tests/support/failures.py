"""Names each failure when it happens: the whole suite takes long enough to begin mending one."""

import pytest


class FailuresNamed:
    """Writes a failed test's name, and what failed of it, among the dots."""

    def __init__(self, config: pytest.Config) -> None:
        self._plugins = config.pluginmanager

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        terminal = self._plugins.get_plugin("terminalreporter")
        if report.failed and terminal is not None:  # a worker has none: its parent tells
            crash = getattr(report.longrepr, "reprcrash", None)
            why = "" if crash is None else f": {crash.message[:200].splitlines()[0]}"
            terminal.ensure_newline()
            terminal.write_line(f" {report.when} of {report.nodeid} failed{why}")
