"""The thing that pays under a mandate is told when that is stopped, and when it goes on."""

import pytest

from backend.devices.model import DeviceKind
from backend.mandates.model import MandateCommand
from tests.support.mandates import merchant_says, payer_says
from tests.support.shop import Shop
from tests.support.things import enrol_device, told_to


def test_a_stop_and_its_end_are_each_told_once(shop: Shop) -> None:
    payer = shop.add_payer()
    mandate = shop.add_mandate(payer)
    enrol_device(shop, "vend1", DeviceKind.THING)
    for command in (MandateCommand.SUSPEND, MandateCommand.SUSPEND, MandateCommand.RESUME):
        payer_says(shop, payer, mandate, command)
    merchant_says(shop, mandate, MandateCommand.TERMINATE)
    told = told_to(shop, "vend1")
    assert [kind for kind, _ in told] == ["mandate.changed"] * 3
    assert {body["mandate_id"] for _, body in told} == {mandate}


@pytest.mark.parametrize("kind", [DeviceKind.TERMINAL, None])
def test_nobody_is_told_but_a_thing_of_a_store(shop: Shop, kind: DeviceKind | None) -> None:
    payer = shop.add_payer()
    mandate = shop.add_mandate(payer)
    if kind is not None:
        enrol_device(shop, "vend1", kind)
    assert payer_says(shop, payer, mandate, MandateCommand.SUSPEND) == "suspended_by_payer"
    assert told_to(shop, "vend1") == []
