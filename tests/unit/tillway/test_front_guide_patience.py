"""Goal: a newcomer is never stuck: what is the matter is said, a press waits for a part that is
being started anew, and a code that was lost with the scanner is shown again.
"""

import re
from dataclasses import replace
from typing import Any

import pytest
from fastapi.testclient import TestClient

from protocol.errors import OperatingError
from tests.support.front_shop import (
    ENDED,
    GAVE_UP,
    FakeKeeper,
    FakePhone,
    FakeTill,
    Program,
    fake_shop,
)
from tillway.front.app import build_app
from tillway.front.guide import Guide, Manner, Step
from tillway.front.matters import Matter, matters
from tillway.front.parts import Part
from tillway.front.shop import Shop
from tillway.revival import TRIES_MAX, Revival


class _Losing(FakeTill):
    """Its board ends with the first code before the scanner; ``silent`` is how often it is then
    asked in vain."""

    silent = 3
    shown = 0

    def present(self, picture: bytes) -> None:
        self.shown += 1
        if self.shown == 1:
            self.state, self.declines = "choosing", "device_disconnected"
        else:
            super().present(picture)

    def reach_scanner(self) -> None:
        if self.silent:
            self.silent -= 1
            raise OperatingError("server_unreachable")


@pytest.mark.parametrize("manner", [Manner.CODE, Manner.FINGER])
def test_a_code_before_a_scanner_that_was_lost_is_told_and_a_fresh_one_shown(
    manner: Manner,
) -> None:
    till = _Losing()
    with TestClient(build_app(_shop_with(till), "t0ken"), base_url="http://127.0.0.1") as http:
        known = {"x-page-token": "t0ken"}
        http.post("/guide/choose", json={"manner": manner}, headers=known)
        amount_minor = 52_000 if manner is Manner.FINGER else 1_280
        http.post("/guide/key", json={"amount_minor": amount_minor}, headers=known)
        if manner is Manner.CODE:
            http.post("/guide/show", headers=known)
        told = http.post("/guide/scan", headers=known).json()
        assert told["step"] == "scan"
        assert till.silent == 0
        assert till.state == "scanning", "it waits for a code again"
        assert "付款码没有送到：什么都没发出，没有动钱" in told["guide"]
        page = http.get("/?lang=en").text
        assert "nothing was sent, and no money moved" in page
        picture = re.search(r"/guide/code-\d+\.png", page)
        assert picture is not None
        assert http.get(picture[0]).status_code == 200
        told = http.post("/guide/scan", headers=known).json()
        assert told["step"] == ("lay" if manner is Manner.FINGER else "receipt")
        assert "no money moved" not in told["guide"]


def _shop_with(till: FakeTill, keeper: FakeKeeper | None = None) -> Shop:
    shop = fake_shop(Program())
    assert isinstance(shop.phone, FakePhone)
    phone = replace(shop.phone, till=till)
    return replace(shop, till=till, tills=(till,), phone=phone, keeper=keeper or FakeKeeper())


class _Silent(FakeTill):
    """Does not answer a few times, as while it is being started anew."""

    silent = 3

    def screen(self) -> dict[str, Any]:
        if self.silent:
            self.silent -= 1
            raise OperatingError("server_unreachable")
        return super().screen()


def test_a_press_waits_for_a_till_that_is_being_started_anew() -> None:
    till = _Silent()
    guide = Guide(_shop_with(till))
    guide.key_in(1_280)
    assert (guide.step, till.silent) == (Step.SHOW, 0)


def test_a_press_does_not_wait_for_what_nobody_starts_any_more() -> None:
    till = _Silent()
    guide = Guide(_shop_with(till, FakeKeeper(GAVE_UP)))
    with pytest.raises(OperatingError, match="server_unreachable"):
        guide.key_in(1_280)
    assert till.silent == 2


def test_a_payment_whose_answer_was_lost_is_not_confirmed_twice(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    guide = Guide(fake_shop(Program()))
    confirm, asked = FakePhone.confirm, []

    def loses(phone: FakePhone, payment_id: str, *, now_ms: int) -> dict[str, Any]:
        asked.append(payment_id)
        confirm(phone, payment_id, now_ms=now_ms)
        raise OperatingError("server_unreachable")

    monkeypatch.setattr(FakePhone, "confirm", loses)
    guide.choose(Manner.QR)
    guide.key_in(2_350)
    guide.read()
    with pytest.raises(OperatingError, match="server_unreachable"):
        guide.confirm()
    guide.confirm()
    assert (guide.step, len(asked)) == (Step.RECEIPT, 1)


def _part(name: str, state: str) -> Part:
    return Part("till", name, "", (), state, (), programs=(name,))


@pytest.mark.parametrize(
    ("revival", "answer", "found"),
    [
        (Revival("hub-1"), "ready", []),
        (ENDED, "silent", [Matter("hub-1", "waiting", 1)]),
        (ENDED.started(1), "silent", [Matter("hub-1", "starting", 1)]),
        (GAVE_UP, "silent", [Matter("hub-1", "failed", TRIES_MAX)]),
        (Revival("hub-1"), "not_ready", [Matter("hub-1", "not_ready")]),
        (ENDED.started(1).came_up(2), "ready", []),
    ],
)
def test_what_keeps_the_guide_waiting_is_what_it_needs_and_is_not_well(
    revival: Revival, answer: str, found: list[Matter]
) -> None:
    parts = [_part("hub-1", answer), _part("pos-2", "silent")]
    assert list(matters(("pos-1", "hub-1"), parts, {"hub-1": revival})) == found


@pytest.mark.parametrize(
    ("revival", "zh", "en"),
    [
        (ENDED.started(1), "hub-1 正在重新启动（第 1 次，最多 5 次）。<br>现在按下的，等它好了",
         "hub-1 is being started anew (try 1 of 5).<br>What you press now is done once it is"),
        (GAVE_UP, "hub-1 接连 5 次没有站住", "hub-1 has ended 5 times in a row"),
    ],
)  # fmt: skip
def test_the_guide_says_what_is_the_matter_while_a_part_is_not_well(
    revival: Revival, zh: str, en: str
) -> None:
    shop = replace(fake_shop(Program()), keeper=FakeKeeper(revival))
    with TestClient(build_app(shop), base_url="http://127.0.0.1") as http:
        for language, words in (("zh", zh), ("en", en)):
            page = http.get(f"/?lang={language}").text
            said = page[page.index('data-matter="hub-1"') : page.index("</h2>")]
            assert words in said
