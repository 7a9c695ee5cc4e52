"""A car charges, others leave a car park: things that pay by themselves."""

import time
from collections.abc import Callable

from tillway.demo.machines import CARD, STAYED_MINUTES, Car
from tillway.demo.story import FINAL, Play, outcome
from tillway.demo.till import Shown, wait_for

CAR_POWER_W = 150_000
CHARGE_S_MIN = 4
"""Long enough for an amount that is worth a look."""


def charging_and_parking(play: Play) -> None:
    """A car charges while others leave the car park: each pays by itself, by a code, or nothing."""
    _plug_in(play)
    began_at_s = time.monotonic()
    _leave_by_mandate(play)
    _leave_by_code(play)
    _leave_at_once(play)
    time.sleep(max(0.0, CHARGE_S_MIN - (time.monotonic() - began_at_s)))
    _unplug(play)


def _plug_in(play: Play) -> None:
    play.charger.post("/devices/charger/acts/plug", {"power_w": CAR_POWER_W})
    play.charger.post("/devices/charger/acts/tap", {"token": CARD})
    charge = _charge(play, lambda found: found["state"] == "running", "a running charge")
    play.note("charging: the card's mandate stands", "running", charge["state"])


def _unplug(play: Play) -> None:
    before = play.bob.balance_minor()
    play.charger.post("/devices/charger/acts/unplug", {})
    ended = {"paid", "free", "asked", "unsettled"}
    charge = _charge(play, lambda found: found["state"] in ended, "the charge's end")
    said = (
        f"{charge['state']} ({charge['error_code']})" if charge["error_code"] else charge["state"]
    )
    play.note("charging: paid when the cable is out", "paid", said, minor=charge["cost_minor"])
    metered = str(charge["energy_wh"] * charge["per_kwh_minor"] // 1000)
    charged = str(before - play.bob.balance_minor())
    play.note("charging: charged what was metered", metered, charged)


def _leave_by_mandate(play: Play) -> None:
    payment_id = play.exit.next_sale(lambda: _drive_up(play, Car.WITH_MANDATE), "a car that pays")
    sale = play.exit.wait_sale(payment_id, *FINAL)
    play.note_sale("parking: a stay under the mandate", "paid", sale)
    play.note("parking: the arm", "up", _arm(play))
    _drive_out(play)


def _leave_by_code(play: Play) -> None:
    payment_id = play.exit.next_sale(
        lambda: _drive_up(play, Car.WITHOUT), "a car without a mandate"
    )
    play.exit.wait_sale(payment_id, "showing_qr")
    play.note("parking: the arm before the code is paid", "down", str(_gate(play)["arm"]))
    play.alice.pay_merchant_code(play.exit.qr_picture(), now_ms=play.stack.now_ms())
    sale = play.exit.wait_sale(payment_id, *FINAL)
    play.note("parking: a stay by the exit's code", "paid", outcome(sale),
              minor=sale["amount_minor"])  # fmt: skip
    _arm(play)
    _drive_out(play)


def _leave_at_once(play: Play) -> None:
    before = len(play.exit.recent())
    _drive_up(play, Car.JUST_IN)
    _arm(play)
    asked = len(play.exit.recent()) - before
    play.note("parking: a stay that is free", "0 payments", f"{asked} payments")
    _drive_out(play)
    play.note("parking: cars that left", str(len(STAYED_MINUTES)), str(_gate(play)["passages"]))


def _drive_up(play: Play, tag: int) -> None:
    assert play.exit.machine is not None
    play.exit.machine.post("/devices/gate/acts/drive_up", {"tag": tag})


def _drive_out(play: Play) -> None:
    """The car leaves, and the arm is down before the next one comes."""
    assert play.exit.machine is not None
    play.exit.machine.post("/devices/gate/acts/drive_out")
    wait_for(lambda: _gate(play), lambda gate: gate["arm"] == "down", "the arm down again")


def _arm(play: Play) -> str:
    """Where the arm is, once it has risen."""
    return str(wait_for(lambda: _gate(play), lambda gate: gate["arm"] == "up", "the arm up")["arm"])


def _gate(play: Play) -> Shown:
    assert play.exit.machine is not None
    state: Shown = play.exit.machine.get("/devices/gate")["state"]
    return state


def _charge(play: Play, is_there: Callable[[Shown], bool], what: str) -> Shown:
    """The newest charge, once it is so."""
    nothing = {"state": "nothing"}
    return wait_for(lambda: next(iter(play.charges()), nothing), is_there, what)
