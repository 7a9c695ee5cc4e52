"""A car charges, others leave a car park: things that pay by themselves."""

import time

from tillway.demo.at_work import STAYED_MINUTES, Car
from tillway.demo.story import FINAL, Play, outcome

CHARGE_S_MIN = 4
"""Long enough for an amount that is worth a look."""


def charging_and_parking(play: Play) -> None:
    """A car charges while others leave the car park: each pays by itself, by a code, or nothing."""
    charge = play.charger.plug_in()
    play.note("charging: the card's mandate stands", "running", charge["state"])
    began_at_s = time.monotonic()
    _leave_by_mandate(play)
    _leave_by_code(play)
    _leave_at_once(play)
    time.sleep(max(0.0, CHARGE_S_MIN - (time.monotonic() - began_at_s)))
    _pull_out(play)


def _pull_out(play: Play) -> None:
    before = play.bob.balance_minor()
    charge = play.charger.pull_out()
    said = (
        f"{charge['state']} ({charge['error_code']})" if charge["error_code"] else charge["state"]
    )
    play.note("charging: paid when the cable is out", "paid", said, minor=charge["cost_minor"])
    metered = str(charge["energy_wh"] * charge["per_kwh_minor"] // 1000)
    charged = str(before - play.bob.balance_minor())
    play.note("charging: charged what was metered", metered, charged)


def _leave_by_mandate(play: Play) -> None:
    payment_id = play.exit.next_sale(
        lambda: play.car_park.drive_up(Car.WITH_MANDATE), "a car that pays"
    )
    sale = play.exit.wait_sale(payment_id, *FINAL)
    play.note_sale("parking: a stay under the mandate", "paid", sale)
    play.note("parking: the arm", "up", play.car_park.arm_up())
    play.car_park.drive_out()


def _leave_by_code(play: Play) -> None:
    payment_id = play.exit.next_sale(
        lambda: play.car_park.drive_up(Car.WITHOUT), "a car without a mandate"
    )
    play.exit.wait_sale(payment_id, "showing_qr")
    arm = str(play.car_park.gate()["arm"])
    play.note("parking: the arm before the code is paid", "down", arm)
    play.alice.pay_merchant_code(play.exit.qr_picture(), now_ms=play.stack.now_ms())
    sale = play.exit.wait_sale(payment_id, *FINAL)
    play.note("parking: a stay by the exit's code", "paid", outcome(sale),
              minor=sale["amount_minor"])  # fmt: skip
    play.car_park.arm_up()
    play.car_park.drive_out()


def _leave_at_once(play: Play) -> None:
    before = len(play.exit.recent())
    play.car_park.drive_up(Car.JUST_IN)
    play.car_park.arm_up()
    asked = len(play.exit.recent()) - before
    play.note("parking: a stay that is free", "0 payments", f"{asked} payments")
    play.car_park.drive_out()
    passages = str(play.car_park.gate()["passages"])
    play.note("parking: cars that left", str(len(STAYED_MINUTES)), passages)
