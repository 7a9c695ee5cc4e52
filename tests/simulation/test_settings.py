"""Settings on their whole way: backend, hub, terminal and back, with nothing going wrong."""

import pytest

from backend.twins.model import Standing, standing_of
from backend.twins.repository import TwinRepository
from backend.twins.service import ChangeSettings
from tests.simulation.runs import template_in
from tests.simulation.shop import Shop

SECOND_MS = 1_000


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    root = tmp_path_factory.mktemp("settings")
    return Shop(1, root, template_in(root))


def test_a_wish_is_in_force_at_the_till_in_a_second_and_confirmed_after_the_trial(
    shop: Shop,
) -> None:
    shop.schedule.run_until(20 * SECOND_MS)
    till, twins = shop.tills["till-1"], TwinRepository(shop.backend.reader)
    shop.backend.do(ChangeSettings(
        tid="till-1", changes={"receipt_footer_en": "Thank you"}, by="ann"
    ))  # fmt: skip
    shop.schedule.run_until(22 * SECOND_MS)
    assert till.agent.profile.receipt_footer_en == "Thank you"
    shop.schedule.run_until(50 * SECOND_MS)
    row = twins.twin("till-1")
    assert row is not None
    assert standing_of(row) is Standing.IN_FORCE
    assert row["version"] == 1
    assert shop.tills["till-2"].agent.profile.receipt_footer_en == ""
    shop.close()
