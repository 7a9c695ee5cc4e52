"""What the payer's side of a till tells of cash, the drawer, a card and a coupon."""

import asyncio
from pathlib import Path

import pytest

from protocol.errors import OperatingError, advice
from terminal import shell
from terminal.ports import CardOutcome, CardResult
from tests.kit.patience import PATIENCE_S
from tests.support.tills import CASHIER_PIN, hire_both, running_till


@pytest.mark.asyncio
async def test_the_payer_s_side_tells_what_is_due_in_cash_and_what_comes_back(
    tmp_path: Path,
) -> None:
    async with running_till(tmp_path) as till:
        await till.post("shift/open", float_minor=0)
        assert "Welcome" in await till.payer_reads()
        draft = (await till.get("api/draft"))["draft_id"]
        await till.post("draft", draft_id=draft, digits="4550")
        assert (await till.post("sales/current/cash"))[0] == 409, "no amount is on the screen"
        await till.post("sales", amount_minor=4_550, draft_id=draft)
        status, keyed = await till.post("sales/current/cash")
        assert (status, keyed["digits"]) == (200, "4550")
        assert "To pay in cash 应付现金 ¥ 45.50" in await till.payer_reads()
        assert (await till.get("api/screen"))["at_counter"]["kind"] == "cash_due"
        url = f"{till.base}/"
        async with till.client.get(url, allow_redirects=False) as answer:
            assert answer.headers.get("location") == "/cash"
        await till.post("cash", draft_id=draft, amount_minor=4_550, tendered_minor=5_000)
        told = await till.payer_reads()
        assert "Cash received 现金已收 ¥ 45.50" in told
        assert "Given 50.00 · Change 4.50 Thank you" in told
        await till.post("counter/leave")
        assert "Welcome" in await till.payer_reads()
        await till.post("cash/1/refund", refund_id="back-1", amount_minor=50)
        assert "Cash refunded 退还现金 ¥ 0.50" in await till.payer_reads()
        draft = (await till.get("api/draft"))["draft_id"]
        await till.post("draft", draft_id=draft, digits="1")
        assert "Welcome" in await till.payer_reads(), "the next one's amount is keyed"


@pytest.mark.asyncio
@pytest.mark.parametrize("meanwhile", ["power cut", "left", "keyed"])
async def test_cash_that_is_due_is_found_again_after_a_power_cut(
    tmp_path: Path, meanwhile: str
) -> None:
    async with running_till(tmp_path) as till:
        await till.post("shift/open", float_minor=0)
        draft = (await till.get("api/draft"))["draft_id"]
        await till.post("draft", draft_id=draft, digits="4550")
        await till.post("sales", amount_minor=4_550, draft_id=draft)
        assert (await till.post("draft/given", draft_id=draft, digits="5"))[0] == 409, "none is due"
        await till.post("sales/current/cash")
        assert (await till.post("draft/given", draft_id=draft, digits="10000"))[0] == 200
        if meanwhile == "left":
            await till.post("counter/leave")
        if meanwhile == "keyed":
            await till.post("draft", draft_id=draft, digits="45500")
    async with running_till(tmp_path) as till:
        is_due = meanwhile == "power cut"
        told = await till.payer_reads()
        assert ("To pay in cash 应付现金 ¥ 45.50" in told) is is_due
        async with till.client.get(f"{till.base}/", allow_redirects=False) as answer:
            assert (answer.headers.get("location") == "/cash") is is_due
        assert (await till.get("api/draft"))["given"] == ("10000" if is_due else "")
        amount = {"power cut": 4_550, "left": 4_550, "keyed": 45_500}[meanwhile]
        assert (await till.post("cash", draft_id=draft, amount_minor=amount))[0] == 200
    async with running_till(tmp_path) as till:
        assert "Welcome" in await till.payer_reads()


@pytest.mark.asyncio
async def test_what_the_drawer_did_is_no_refusal_because_its_slip_must_wait(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running_till(tmp_path) as till:
        await till.post("shift/open", float_minor=0)

        async def busy(_: object) -> None:
            raise OperatingError("busy")

        monkeypatch.setattr(till.shell, "command", busy)
        paid_in = {"kind": "pay_in", "amount_minor": 500, "reason": "change"}
        assert (await till.post("shift/move", **paid_in))[0] == 200
        status, closed = await till.post("shift/close", counted_minor=500)
        assert (status, closed["expected_minor"]) == (200, 500)
    async with running_till(tmp_path) as till:
        async with asyncio.timeout(PATIENCE_S):
            while len(till.printer.receipts) < 2:  # noqa: ASYNC110  # the printer has no event
                await asyncio.sleep(0.01)


@pytest.mark.asyncio
async def test_the_payer_s_side_tells_what_the_card_is_asked_for_and_how_it_went(
    tmp_path: Path,
) -> None:
    async with running_till(tmp_path) as till:
        await till.post("shift/open", float_minor=0)
        outcomes: tuple[tuple[CardResult, str], ...] = (
            ("approved", "Paid 支付成功 ¥ 168.00"),
            ("declined", "nothing was charged"),
            ("unknown", "do not pay again"),
        )
        for number, (outcome, words) in enumerate(outcomes, 1):
            draft = (await till.get("api/draft"))["draft_id"]
            await till.post("draft", draft_id=draft, digits="16800")
            await till.post("sales", amount_minor=16_800, draft_id=draft)
            await till.post("sales/current/card")
            told = await till.payer_reads()
            assert "Tap or insert your card at the PIN pad" in told
            assert "¥ 168.00" in told
            await till.post("counter/leave")
            assert await till.payer_reads() == told, "not while the card is asked for"
            till.pinpad.hold(CardOutcome(outcome))
            await till.get(f"api/cards/{number}/outcome")
            assert words in await till.payer_reads()
        await till.post("sales", amount_minor=100)
        assert "To pay" in await till.payer_reads(), "another sale has begun"
        await till.post("sales/current/cancel")
        assert "Welcome" in await till.payer_reads()


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("insufficient_balance", "Nothing was charged; please pay another way"),
        ("payer_frozen", "Nothing was charged; please pay another way"),
        ("pay_code_used", "The pay code is over; please show a new one"),
        ("payer_refused", "Refused on the phone; nothing was charged"),
    ],
)
async def test_a_decline_tells_the_payer_what_to_do_and_the_line_behind_nothing(
    tmp_path: Path, code: str, told: str
) -> None:
    async with running_till(tmp_path) as till:
        hire_both(till.people)
        await till.counter.sign_in.sign_in(2, CASHIER_PIN)
        found = advice(code)
        error = {"code": code, "retry": found.retry, "zh": found.zh, "en": found.en}
        till.backend.state, till.backend.fields = "declined", {"error": error}
        await till.post("sales", amount_minor=1_990, method="merchant_qr")
        shown = await till.screen("declined")
        assert shown["error"]["code"] == code
        read = await till.payer_reads()
        assert told in read
        assert found.en not in read
        assert found.zh in (await till.get("?lang=zh")).decode()


@pytest.mark.asyncio
async def test_what_is_over_bears_no_hourglass_on_either_side(tmp_path: Path) -> None:
    async with running_till(tmp_path) as till:
        hire_both(till.people)
        await till.counter.sign_in.sign_in(2, CASHIER_PIN)
        till.backend.state, till.backend.fields = "awaiting_payer", {"code_url": "tillway://p/1"}
        await till.post("sales", amount_minor=500, method="merchant_qr")
        await till.screen("qr")
        await till.post("sales/current/cancel")
        await till.screen("closed")
        for path, title in (
            ("?lang=zh", "订单已关闭，未收款"),
            ("customer?lang=zh", "已取消，没有扣款"),
        ):
            page = (await till.get(path)).decode()
            assert title in page
            assert "M7 3h10M7 21h10" not in page


@pytest.mark.asyncio
async def test_what_a_coupon_paid_is_told_to_cashier_and_payer(tmp_path: Path) -> None:
    async with running_till(tmp_path) as till:
        hire_both(till.people)
        await till.counter.sign_in.sign_in(2, CASHIER_PIN)
        till.backend.fields = {"coupon_minor": 500}
        await till.post("sales", amount_minor=2_500, method="merchant_qr")
        shown = await till.screen("paid")
        assert (shown["coupon"], shown["payer_paid"]) == ("5.00", "20.00")
        assert "Coupon 5.00 · Paid by the payer 20.00" in await till.payer_reads()
        assert "实付 20.00" in (await till.get("?lang=zh")).decode()


@pytest.mark.asyncio
async def test_how_cash_went_is_shown_for_a_while_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shell, "COUNTER_SHOWN_S", 0.05)
    async with running_till(tmp_path) as till:
        await till.post("shift/open", float_minor=0)
        draft = (await till.get("api/draft"))["draft_id"]
        await till.post("cash", draft_id=draft, amount_minor=100)
        async with asyncio.timeout(PATIENCE_S):
            while "Welcome" not in await till.payer_reads():  # noqa: ASYNC110  # as a page asks
                await asyncio.sleep(0.01)
