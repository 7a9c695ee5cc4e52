"""OCPP 2.0.1: an end whose beginning stays away is settled by a person, once."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from backend.mandates.model import MandateCommand
from hub.cli import app
from hub.ocpp.early import EarlyEnd, shown_end
from hub.ocpp.limits import EARLY_ENDS_MAX, WH_MAX
from hub.ocpp.model import ChargeState
from protocol.errors import CallerError
from tests.support.charging import CARD, CHARGER, ChargingStop
from tests.support.mandates import payer_says
from tests.support.shop import Shop
from tests.unit.hub_ocpp.conftest import MakeStop
from tests.unit.hub_ocpp.test_early_ends import MANDATE, TOKEN, Events, ready

pytestmark = pytest.mark.parametrize("stop", ["ocpp2.0.1"], indirect=True)


def settle(one: ChargingStop, *, tag: str = "", **shown_wh: int) -> None:
    with one.journal.transaction():
        early = one.journal.early_end(CHARGER, "tx-1")
        assert early is not None
        one.journal.settle_end(early.settled(tag=tag, **shown_wh))


def waive(one: ChargingStop) -> None:
    with one.journal.transaction():
        early = one.journal.early_end(CHARGER, "tx-1")
        assert early is not None
        one.journal.settle_end(early.waived())


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("ended", "more", "said", "minor"),
    [
        ([3_000], TOKEN, {"start_wh": 1_000}, 300),
        ([], TOKEN, {"start_wh": 1_000, "end_wh": 3_000}, 300),
        ([1_000, 3_000], {}, {"tag": CARD}, 300 + 60),
    ],
    ids=["its card and one reading", "its card", "both readings"],
)
async def test_what_a_person_completes_is_paid_once_whatever_the_charger_says_later(
    shop: Shop, stop: MakeStop, ended: list[int], more: Any, said: Any, minor: int
) -> None:
    """Without the reading of the beginning nobody knows when it was: energy alone is paid then."""
    one, payer, events = await ready(shop, stop)
    await events.say("Ended", 600, *ended, **more)
    [waiting] = one.journal.early_ends()
    assert shown_end(waiting)["state"] == "waiting"
    settle(one, **said)
    assert shown_end(one.journal.early_ends()[0])["state"] == "settled"
    await events.say("Ended", 600, *ended, **more)
    one.journal.close()
    one.begin()
    await one.pass_s(5)
    [charge] = one.charges()
    assert (charge.state, charge.energy_wh) == (ChargeState.PAID, 2_000)
    assert (charge.amount_minor, charge.end_reason) == (minor, "EVDisconnected")
    await events.say("Started", 0, 500, **TOKEN)
    await events.say("Ended", 600, *ended, **more)
    await one.pass_s(5)
    assert shop.payer_balance(payer) == 50_000 - minor
    assert len(one.payments()) == 1
    assert one.journal.early_ends() == []
    assert [kept.why for kept in one.journal.unread()] == ["a beginning after its end"]


@pytest.mark.asyncio
async def test_what_is_waived_stays_free_when_its_beginning_comes(
    shop: Shop, stop: MakeStop
) -> None:
    one, payer, events = await ready(shop, stop)
    await events.say("Ended", 600, 3_000, **TOKEN)
    waive(one)
    await one.pass_s(2)
    [charge] = one.charges()
    assert (charge.state, charge.end_reason) == (ChargeState.FREE, "waived")
    assert one.journal.unread() == []
    assert one.journal.early_ends() == []
    await events.say("Started", 0, 1_000, **TOKEN)
    await events.say("Ended", 600, 3_000, **TOKEN)
    await one.pass_s(5)
    assert one.payments() == []
    assert shop.payer_balance(payer) == 50_000


@pytest.mark.asyncio
@pytest.mark.parametrize("is_waived", [True, False])
async def test_a_persons_word_stands_where_the_beginning_comes_before_it_was_done(
    shop: Shop, stop: MakeStop, *, is_waived: bool
) -> None:
    one, payer, events = await ready(shop, stop)
    await events.say("Ended", 600, 3_000, **TOKEN)
    if is_waived:
        waive(one)
    else:
        settle(one, start_wh=2_000)
    await events.say("Started", 0, 1_000, **TOKEN)
    await one.pass_s(5)
    [charge] = one.charges()
    expected = (ChargeState.FREE, 0) if is_waived else (ChargeState.PAID, 150)
    assert (charge.state, charge.amount_minor) == expected
    assert shop.payer_balance(payer) == 50_000 - charge.amount_minor


@pytest.mark.asyncio
async def test_what_the_backend_declines_is_unsettled_with_its_reason(
    shop: Shop, stop: MakeStop
) -> None:
    payer = shop.add_payer(balance_minor=50_000)
    one = stop()
    mandate = shop.add_mandate(payer, **MANDATE)
    one.bind(mandate)
    await Events(one).say("Ended", 600, 3_000, **TOKEN)
    payer_says(shop, payer, mandate, MandateCommand.TERMINATE)
    settle(one, start_wh=1_000)
    await one.pass_s(5)
    [charge] = one.charges()
    assert charge.state is ChargeState.UNSETTLED
    assert charge.error_code
    assert shop.payer_balance(payer) == 50_000


END = EarlyEnd(charger=CHARGER, key="tx-1", at_ms=9, reason="Local", tag=CARD, last=(3_000, 9))


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({"tag": "ANOTHER", "start_wh": 1_000}, "card: another"),
        ({"tag": ""}, "start_wh: missing"),
        ({"tag": "", "start_wh": 1_000, "end_wh": 4_000}, "end_wh: the charger said 3000"),
        ({"tag": "", "start_wh": 3_001}, "end_wh: lower than start_wh"),
        ({"tag": "", "start_wh": -1}, "start_wh"),
        ({"tag": "", "start_wh": WH_MAX + 1}, "start_wh"),
    ],
)
def test_a_person_completes_what_the_end_says_and_changes_none_of_it(
    stop: MakeStop, said: Any, why: str
) -> None:
    del stop
    with pytest.raises(CallerError, match=re.escape(why)):
        END.settled(**said)


@pytest.mark.asyncio
async def test_what_nobody_has_to_pay_goes_before_what_somebody_has(
    shop: Shop, stop: MakeStop
) -> None:
    """Cables that come and go without a card push out no debt."""
    one, _, events = await ready(shop, stop)
    await events.say("Ended", 600, 3_000, **TOKEN)
    for number in range(2, EARLY_ENDS_MAX + 4):
        await events.say("Ended", 600, 3_000, tx=f"tx-{number}")
    keys = [early.key for early in one.journal.early_ends()]
    assert len(keys) == EARLY_ENDS_MAX
    assert keys[:2] == ["tx-1", "tx-5"]


def told(config: Path, *words: str) -> tuple[int, list[dict[str, Any]]]:
    """The exit code of ``tillway hub`` and what it shows."""
    ran = CliRunner().invoke(app, [*words, "--config", str(config)])
    return ran.exit_code, [json.loads(line) for line in ran.stdout.splitlines()]


@pytest.mark.asyncio
async def test_an_operator_sees_an_end_settles_it_and_sees_how_it_went(
    shop: Shop, stop: MakeStop
) -> None:
    one, payer, events = await ready(shop, stop)
    config = one.path / "hub.toml"
    charger = f'[[ocpp.chargers]]\nname = "{CHARGER}"\nmerchant_id = "m"\nper_kwh_minor = 150\n'
    backend = '[backend]\nurl = "https://127.0.0.1:1"\n'
    config.write_text(f'state_dir = "{one.path}"\n{backend}{charger}')
    await events.say("Ended", 600, 3_000)
    code, [waiting] = told(config, "early-ends")
    assert (code, waiting["transaction"], waiting["state"]) == (0, "tx-1", "waiting")
    assert (waiting["has_card"], waiting["start_wh"], waiting["end_wh"]) == (False, None, 3_000)
    settle = ("settle-end", CHARGER, "tx-1")
    assert told(config, *settle, "--card", CARD)[0] != 0, "a reading is missing"
    assert told(config, *settle, "--card", "NOBODY", "--start-wh", "1000")[0] != 0
    assert told(config, "settle-end", CHARGER, "tx-2", "--waive")[0] != 0
    code, [settled] = told(config, *settle, "--card", CARD, "--start-wh", "1000")
    assert (code, settled["state"]) == (0, "settled")
    assert told(config, "early-ends") == (0, [settled])
    await one.pass_s(5)
    assert told(config, "early-ends") == (0, [])
    assert shop.payer_balance(payer) == 50_000 - 300
