"""Tests of one ``xdist_group`` run on one worker, one after the other.

xdist 3.8 hands the group on as the end of a test's id, ``test_it@group``, and writes it where
pytest before 9.2 kept that id. Later pytests keep it elsewhere, and every group was scattered.
"""

import pytest
from _pytest.nodes import coerce_node_id


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """After xdist: what it wrote becomes the test's id."""
    for item in items:
        grouped = vars(item).get("_nodeid")
        if grouped is not None:
            item._id = coerce_node_id(grouped)
