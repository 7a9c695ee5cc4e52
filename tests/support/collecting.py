"""Workers that collect the same tests begin with different folders.

In a fresh clone the first to import a module compiles it. Workers that go through the same files in
the same order at the same time would each compile all of them; so each begins elsewhere, and finds
the rest compiled. Afterwards all have their tests in the one order that xdist asks for.
"""

from collections.abc import Generator

import pytest


class BeginsElsewhere:
    """The plugin of one of several workers."""

    def __init__(self, worker: int, workers: int) -> None:
        self._worker, self._workers = worker, workers

    @pytest.hookimpl(wrapper=True)
    def pytest_make_collect_report(
        self, collector: pytest.Collector
    ) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
        """A folder's files are gone through from this worker's share on."""
        report = yield
        if isinstance(collector, pytest.Directory):
            first = len(report.result) * self._worker // self._workers
            report.result = report.result[first:] + report.result[:first]
        return report

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Back into the order of their files."""
        items.sort(key=lambda item: item.path.parts)


def share_out(config: pytest.Config) -> None:
    """Let this process begin elsewhere if it is a worker."""
    told: dict[str, str | int] | None = getattr(config, "workerinput", None)
    if told is not None:
        worker = int(str(told["workerid"]).removeprefix("gw"))
        config.pluginmanager.register(BeginsElsewhere(worker, int(told["workercount"])))
