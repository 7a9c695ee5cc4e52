"""What a player of the demo does at a till."""

from typing import Any

import pytest

from protocol.errors import CallerError, OperatingError
from tillway.demo import till as demo_till
from tillway.demo.till import Till
from tillway.json_api import JsonApi

PAYMENT = "pay_01M8H5DVHY52HT5B2K0AEV066C"
ASKED = {"amount_minor": 1_280, "method": "pay_code"}


class Refusing:
    """A till's port that refuses a sale some times, and then takes it."""

    def __init__(self, code: str, times: int) -> None:
        self.code, self.left = code, times
        self.asked: list[tuple[str, object]] = []

    def post(self, path: str, body: object = None) -> dict[str, Any]:
        self.asked.append((path, body))
        self.left -= 1
        if self.left >= 0:
            raise CallerError(self.code)
        return {"kind": "scanning", "subject": PAYMENT}


def till_of(port: Refusing, monkeypatch: pytest.MonkeyPatch) -> Till:
    monkeypatch.setattr(demo_till, "POLL_GAP_S", 0)
    monkeypatch.setattr(JsonApi, "post", port.post)
    return Till("pos-1", JsonApi("http://127.0.0.1:1"))


def test_a_till_that_has_no_line_yet_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    port = Refusing("offline_not_this_way", 3)
    assert till_of(port, monkeypatch).sell(1_280, "pay_code") == PAYMENT
    assert port.asked == [("/api/sales", ASKED)] * 4


def test_a_till_that_never_has_a_line_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo_till, "WAIT_S", 0.01)
    with pytest.raises(OperatingError, match="pos-1: pay_code; last seen: offline_not_this_way"):
        till_of(Refusing("offline_not_this_way", 2**62), monkeypatch).sell(1_280, "pay_code")


def test_any_other_refusal_is_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    port = Refusing("amount_invalid", 1)
    with pytest.raises(CallerError, match="amount_invalid"):
        till_of(port, monkeypatch).sell(1_280, "pay_code")
    assert len(port.asked) == 1
