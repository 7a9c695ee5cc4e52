"""Tests of one ``xdist_group`` run on one worker, one after the other.

xdist 3.8 hands the group on as the end of a test's id, ``test_it@group``, and writes it where
pytest before 9.2 kept that id. Later pytests keep it elsewhere, and every group was scattered.
"""

import pytest
from _pytest.nodeid import coerce_node_id
from xdist.remote import Producer
from xdist.scheduler import LoadGroupScheduling
from xdist.workermanage import WorkerController


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """After xdist: what it wrote becomes the test's id."""
    for item in items:
        grouped = vars(item).get("_nodeid")
        if grouped is not None:
            item._id = coerce_node_id(grouped)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> "Forgetful | None":
    """Tests are handed out in xdist's order, with less to count."""
    return Forgetful(config, log) if config.getvalue("dist") == "loadgroup" else None


class Forgetful(LoadGroupScheduling):  # type: ignore[misc]  # xdist tells no types
    """xdist counts after every test all those that the worker has run: ten thousand tests, five
    seconds. What has run is forgotten here.

    A worker runs a test only when it knows the next one, or that there is none. The one that xdist
    starts for a dead one is told of one group alone: if that is one test, and all other workers
    have ended, both sides wait for ever. Here it is told of a second group too."""

    def schedule(self) -> None:
        """As it is done for the first workers: twice."""
        late = self.collection is not None
        super().schedule()
        if late:
            super().schedule()

    def mark_test_complete(
        self, node: WorkerController, item_index: int, duration: float = 0
    ) -> None:
        """Nothing of it is asked for again."""
        nodeid = self.registered_collections[node][item_index]
        scope = self._split_scope(nodeid)
        units = self.assigned_work[node]
        del units[scope][nodeid]
        if not units[scope]:
            del units[scope]
        self._reschedule(node)
