"""Each part of `make up` is killed in the middle of a payment: it comes back by itself, and the
payment ends as the backend and the till both say it does.
"""

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from protocol.errors import CallerError, TillwayError
from tillway.demo.phone import draw_qr
from tillway.demo.phone_book import phone_of
from tillway.demo.ports import Ports
from tillway.demo.stack import HUB, Stack
from tillway.demo.till import Till
from tillway.demo.up import running_stack
from tillway.front.shop import shop_of
from tillway.revival import Phase
from tillway.supervisor import Supervisor

pytestmark = pytest.mark.xdist_group("demo")
AMOUNT_MINOR = 1_280
WAIT_S = 120
PARTS = ("pos-1-board", "pos-1", HUB, "backend", "netsunion", "sandbox")
NOT_SENT = {"gone", "scanning", "choosing"}
NOT_PAID = {*NOT_SENT, "declined", "cancelled"} - {"scanning"}
"""A code that a killed board, or a till, had not yet told of is lost; the payer shows another."""


def _until(seen: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + WAIT_S
    while not _or_silent(seen):
        assert time.monotonic() < deadline, what
        time.sleep(0.01)


def _sold(till: Till) -> str:
    """A sale's payment, keyed in once the till has its line again."""

    def has_line() -> bool:
        screen = till.screen()
        return bool(screen["is_link_up"] and screen["is_hub_online"])

    _until(has_line, "the till has its line again")
    return till.sell(AMOUNT_MINOR, "pay_code")


def _state(till: Till, payment_id: str) -> str:
    """The sale's; ``gone`` where the till was killed before the sale was stored."""
    try:
        return str(till.sale(payment_id)["state"])
    except CallerError as error:
        assert error.code == "payment_not_found"
        return "gone"


def _or_silent(seen: Callable[[], bool]) -> bool:
    """A part that is being started anew does not answer yet."""
    try:
        return seen()
    except TillwayError as error:
        if error.code != "server_unreachable":
            raise
        return False


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_part_that_is_killed_during_a_payment_comes_back_and_the_payment_ends_right(
    tmp_path: Path,
) -> None:
    said: list[str] = []
    with running_stack(tmp_path / "up", Ports(), said.append) as stack:
        with Supervisor(stack, said.append, stack.root / "logs") as supervisor:
            paid = sum(_pay_while_killed(stack, supervisor, name) for name in PARTS)
        assert shop_of(stack, supervisor).last_way() is not None
        assert paid
        pids = [program.process.pid for program in stack.programs.values()]
    assert [pid for pid in pids if Path(f"/proc/{pid}").exists()] == []


def _pay_while_killed(stack: Stack, supervisor: Supervisor, name: str) -> bool:
    """Whether the payment was paid; the money has moved just then."""
    till, phone = stack.till("pos-1"), phone_of(stack.root)
    before_minor = phone.balance_minor()
    payment_id = _sold(till)
    till.present(draw_qr(phone.pay_code()))
    if not name.endswith("-board"):
        _until(lambda: _state(till, payment_id) not in NOT_SENT, f"{name}: the payment is sent")
    pid = stack.programs[name].process.pid
    os.kill(pid, signal.SIGKILL)
    _until(lambda: supervisor.told()[name].ends == 1, f"{name}: its end is seen")
    _until(lambda: supervisor.told()[name].phase is Phase.RUNNING, f"{name} comes back")
    assert stack.programs[name].process.pid != pid
    ends = {"paid", *NOT_PAID}
    _until(lambda: _state(till, payment_id) in ends, f"{name}: the sale ends")
    is_paid = _state(till, payment_id) == "paid"
    if is_paid:
        payment = stack.operator.get(f"/operator/v1/payments/{payment_id}")
        assert payment["state"] == "captured"
    assert before_minor - phone.balance_minor() == is_paid * AMOUNT_MINOR
    screen = till.screen()["kind"]
    if screen != "keypad":
        till.cancel() if screen == "choosing" else till.dismiss()
    return is_paid
