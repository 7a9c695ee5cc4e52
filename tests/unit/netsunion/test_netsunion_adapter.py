"""The adapter and the clearing house over real HTTP, with every fault."""

from collections.abc import AsyncIterator
from datetime import date

import pytest
import pytest_asyncio
from starlette.testclient import TestClient

from backend.channels.day_file import DayRow
from backend.channels.epcc import frame, ids
from backend.channels.epcc.model import (
    BUSINESS_OPEN_DAY,
    Query,
    SignAgreement,
    VerifyAccount,
)
from backend.channels.model import PayOrder, PayoutOrder, RefundOrder
from backend.channels.netsunion import NetsUnion, Reserve
from backend.channels.ports import NotSentError
from backend.sandbox.netsunion.netting import bilateral, of_bilateral
from backend.sandbox.netsunion.server import build_app
from protocol.crypto.keys import generate
from protocol.errors import CallerError, OperatingError
from protocol.ids import mint
from protocol.money import Money
from tests.support.netsunion_world import (
    ACCOUNT,
    BANK,
    OPENING_MINOR,
    TOKEN,
    NetsUnionWorld,
    batch_of,
    netsunion_world,
)
from tests.support.shop import START_MS

pytestmark = pytest.mark.asyncio


@pytest_asyncio.fixture
async def world() -> AsyncIterator[NetsUnionWorld]:
    async with netsunion_world() as world:
        yield world


def an_id(prefix: str, number: int = 1) -> str:
    return mint(prefix, time_ms=START_MS, random_bytes=number.to_bytes(10, "big"))


def an_order(number: int = 1, amount_minor: int = 1_000) -> PayOrder:
    return PayOrder(an_id("pay", number), TOKEN, Money(amount_minor, "CNY"), START_MS)


def a_refund(order: PayOrder, number: int = 1, amount_minor: int = 400) -> RefundOrder:
    return RefundOrder(an_id("rfd", number), order.order_id, Money(amount_minor, "CNY"))


def a_payout(amount_minor: int = 700) -> PayoutOrder:
    return PayoutOrder(an_id("wdr"), TOKEN, "李雷", Money(amount_minor, "CNY"), START_MS)


async def test_a_payment_names_its_transaction_and_the_clearing_houses_day(
    world: NetsUnionWorld,
) -> None:
    answer = await world.adapter.pay(an_order())
    assert answer.reference == ids.trx_id(an_order().order_id, "pay")
    assert answer.settlement_date == world.clearing.today().isoformat()
    assert await world.adapter.query(an_order()) == answer


@pytest.mark.parametrize("fault", ["drop_answer_after_commit", "bad_signature", "unknown_status"])
async def test_a_payment_carried_out_without_a_good_answer_is_unknown_until_asked(
    world: NetsUnionWorld, fault: str
) -> None:
    world.arm(**{fault: 1})
    with pytest.raises(OperatingError) as caught:
        await world.adapter.pay(an_order())
    assert not isinstance(caught.value, NotSentError)
    found = await world.adapter.query(an_order())
    assert found is not None
    assert found.state == "succeeded"
    assert world.left_minor() == OPENING_MINOR - 1_000


async def test_a_payment_that_runs_twice_moves_money_once(world: NetsUnionWorld) -> None:
    world.arm(duplicate=1)
    assert (await world.adapter.pay(an_order())).state == "succeeded"
    assert world.left_minor() == OPENING_MINOR - 1_000


async def test_a_late_payment_finds_the_tombstone_of_its_reversal(world: NetsUnionWorld) -> None:
    world.arm(arrive_late=1)
    with pytest.raises(OperatingError):
        await world.adapter.pay(an_order())
    assert await world.adapter.query(an_order()) is None
    assert (await world.adapter.reverse(an_order())).state == "reversed"
    assert await world.deliver_late() == 1
    found = await world.adapter.query(an_order())
    assert found is not None
    assert found.state == "reversed"
    assert (await world.adapter.pay(an_order())).state == "reversed"
    assert world.left_minor() == OPENING_MINOR


async def test_a_payment_delayed_past_the_cut_off_says_its_other_day(
    world: NetsUnionWorld,
) -> None:
    world.arm(delay_past_cutoff=1)
    answer = await world.adapter.pay(an_order())
    assert answer.settlement_date > world.clearing.today().isoformat()


async def test_a_clearing_house_that_is_down_leaves_the_outcome_unknown(
    world: NetsUnionWorld,
) -> None:
    world.arm(be_down=1)
    with pytest.raises(OperatingError):
        await world.adapter.pay(an_order())
    assert await world.adapter.query(an_order()) is None


async def test_a_slow_answer_is_an_answer(world: NetsUnionWorld) -> None:
    world.arm(be_slow=1)
    assert (await world.adapter.pay(an_order())).state == "succeeded"


async def test_what_could_not_leave_us_is_known_not_to_have_been_sent() -> None:
    def nowhere() -> str:
        raise OperatingError("timeout", "not running")

    key = generate()
    for url in (nowhere, lambda: "http://127.0.0.1:9"):
        adapter = NetsUnion(url=url, key=key, peer=key.public, clock=_Clock())
        with pytest.raises(NotSentError):
            await adapter.pay(an_order())
        await adapter.close()


class _Clock:
    def now_ms(self) -> int:
        return START_MS


async def test_refusals_are_final_and_say_why(world: NetsUnionWorld) -> None:
    world.arm(refuse_order=1, refuse_refund=1)
    assert (await world.adapter.pay(an_order())).state == "refused"
    paid = await world.adapter.pay(an_order(2))
    assert paid.state == "succeeded"
    refused = await world.adapter.refund(a_refund(an_order(2)))
    assert (refused.state, bool(refused.reason)) == ("refused", True)


async def test_a_stranger_is_answered_by_a_system_code_only(world: NetsUnionWorld) -> None:
    stranger = NetsUnion(
        url=world.adapter._line._find, key=generate(), peer=world.house.key.public,
        clock=world.clock,
    )  # fmt: skip
    with pytest.raises(OperatingError, match="ES000025"):
        await stranger.pay(an_order())
    await stranger.close()
    assert world.left_minor() == OPENING_MINOR


async def test_a_payout_is_paid_once_and_stands_in_the_days_list(world: NetsUnionWorld) -> None:
    first = await world.adapter.payout(a_payout())
    assert first.state == "succeeded"
    assert await world.adapter.payout(a_payout()) == first
    assert await world.adapter.query_payout(a_payout()) == first
    assert world.left_minor() == OPENING_MINOR + 700


async def test_a_payout_returned_later_is_unknown_and_then_refused(world: NetsUnionWorld) -> None:
    world.arm(return_later=1)
    with pytest.raises(OperatingError):
        await world.adapter.payout(a_payout())
    with pytest.raises(OperatingError):
        await world.adapter.query_payout(a_payout())
    world.clearing.fail_accepted()
    found = await world.adapter.query_payout(a_payout())
    assert found is not None
    assert (found.state, found.reason) == ("refused", "AC04")
    assert world.left_minor() == OPENING_MINOR


async def test_an_agreement_is_made_with_the_code_on_the_payers_phone(
    world: NetsUnionWorld,
) -> None:
    verification, signing = ids.trx_id(an_id("ins"), "pay"), ids.trx_id(an_id("ins", 2), "pay")

    def asked(name: str) -> VerifyAccount:
        return VerifyAccount(
            trx_id=verification, at_ms=START_MS, payer_bank=BANK, payer_account_type="00",
            payer_account=ACCOUNT, payer_name=name, paper_number="110101199003070000",
            phone="13800138000",
        )  # fmt: skip

    def signed(code: str) -> SignAgreement:
        return SignAgreement(
            trx_id=signing, at_ms=START_MS, payer_bank=BANK, verification_trx_id=verification,
            code=code,
        )  # fmt: skip

    assert not await world.adapter.verify_account(asked("韩梅梅"))
    assert await world.adapter.verify_account(asked("李雷"))
    assert await world.adapter.sign_agreement(signed("wrong")) is None
    agreement = await world.adapter.sign_agreement(
        signed(world.clearing.customers.code_sent(verification) or "")
    )
    assert agreement
    order = PayOrder(an_id("pay"), agreement, Money(5, "CNY"), START_MS)
    assert (await world.adapter.pay(order)).state == "succeeded"


async def test_a_card_is_agreed_on_under_our_own_id_and_its_bank_s_text_is_the_newest(
    world: NetsUnionWorld,
) -> None:
    ours, number, customers = an_id("ins", 3), "6222021234567894", world.clearing.customers
    opening, day = Money(100, "CNY"), world.clearing.today()
    customers.open(number, "李雷", Reserve().payers_bank, opening, day=day)
    card = {"account": number, "phone": "13800138000"}
    assert not await world.adapter.send_code(ours, name="韩梅梅", **card)
    assert customers.text_of(number) is None
    assert await world.adapter.send_code(ours, name="李雷", **card)
    code = customers.text_of(number)
    assert await world.adapter.agree(ours, code="wrong") is None
    agreement = await world.adapter.agree(ours, code=code or "")
    assert agreement is not None
    assert agreement == await world.adapter.agree(ours, code=code or "")
    order = PayOrder(an_id("pay", 3), agreement, Money(5, "CNY"), START_MS)
    assert (await world.adapter.pay(order)).state == "succeeded"


async def a_day(world: NetsUnionWorld) -> date:
    """A payment, a refund and a pay-out; then midnight passes."""
    day = world.clearing.today()
    await world.adapter.pay(an_order())
    await world.adapter.refund(a_refund(an_order()))
    await world.adapter.payout(a_payout())
    return day


async def test_totals_position_and_settlement_say_the_same() -> None:
    async with netsunion_world(traffic_count=200) as world:
        day, batch = await a_day(world), batch_of(world)
        totals = await world.adapter.batch_totals(batch)
        assert (totals.received_count, totals.paid_count) == (1, 2)
        assert (totals.received, totals.paid) == (Money(1_000, "CNY"), Money(1_100, "CNY"))
        assert (await world.adapter.positions(day)).business_code == BUSINESS_OPEN_DAY
        assert await world.adapter.net_position(day) is None
        await world.next_day()
        nets = {m.issuer: m.net.amount_minor for m in (await world.adapter.positions(day)).members}
        assert nets[ids.INSTITUTION] == await world.adapter.net_position(day) == -100
        assert sum(nets.values()) == 0
        by_pairs = of_bilateral(nets, bilateral(world.clearing.obligations(day)))
        assert by_pairs == nets
        told = {order.reference: order for order in world.reserve_bank.told}
        ours = told[f"STL-NUCC-{day:%Y%m%d}"]
        assert (ours.debtor, ours.creditor) == ("RESERVE-TILLWAY", "SETTLE-NUCC")
        assert ours.amount == Money(100, "CNY")
        assert len(told) == sum(net != 0 for net in nets.values())


async def test_a_closed_day_takes_no_reversal_and_is_settled_once(world: NetsUnionWorld) -> None:
    order, day = an_order(), world.clearing.today()
    await world.adapter.pay(order)
    with pytest.raises(OperatingError):
        await world.adapter.settle(day)
    world.reserve_bank.deaf = 1
    await world.next_day()
    assert not world.reserve_bank.told
    await world.adapter.settle(day)
    await world.clearing.outbox.tell(world.reserve_bank)
    await world.clearing.outbox.tell(world.reserve_bank)
    assert [o.reference for o in world.reserve_bank.told].count(f"STL-NUCC-{day:%Y%m%d}") == 1
    said = await world.adapter.reverse(order)
    assert (said.state, said.settlement_date) == ("refused", day.isoformat())


async def the_list(world: NetsUnionWorld, day: date) -> list[DayRow]:
    with await world.adapter.day_file(day) as file:
        rows = list(file.rows())
        assert (file.day, file.count) == (day, len(rows))
        return rows


async def test_the_days_list_holds_every_kind_and_replays_alike(world: NetsUnionWorld) -> None:
    day = await a_day(world)
    first = await the_list(world, day)
    assert [(row.kind, row.reference, row.amount.amount_minor) for row in first] == [
        ("payment", an_id("pay"), 1_000),
        ("refund", an_id("rfd"), 400),
        ("payout", an_id("wdr"), 700),
    ]
    assert first[0].channel_reference == ids.trx_id(an_id("pay"), "pay")
    assert {row.settlement_date for row in first} == {day}
    assert await the_list(world, day) == first


async def test_a_top_up_and_a_lost_dispute_are_named_as_we_name_them(
    world: NetsUnionWorld,
) -> None:
    day, order = world.clearing.today(), an_order()
    await world.adapter.pay(order)
    top_up = PayOrder(an_id("top"), ACCOUNT, Money(50, "CNY"), START_MS)
    assert (await world.adapter.pay(top_up)).state == "succeeded"
    world.clearing.book.charge_back("CASE-1", order.order_id, Money(300, "CNY"), day=day)
    rows = {row.kind: row.reference for row in await the_list(world, day)}
    assert rows["topup"] == top_up.order_id
    assert rows["chargeback"] == ids.dispute_id("CASE-1")


@pytest.mark.parametrize(
    ("fault", "count", "minor"),
    [("amount_off_by_one", 3, 1_001), ("row_missing", 2, 1_000), ("row_twice", 4, 1_000)],
)
async def test_a_spoilt_list_is_whole_but_wrong(
    world: NetsUnionWorld, fault: str, count: int, minor: int
) -> None:
    day = await a_day(world)
    world.arm(**{fault: 1})
    rows = await the_list(world, day)
    assert (len(rows), rows[0].amount.amount_minor) == (count, minor)


async def test_disputes_are_read_with_their_payment(world: NetsUnionWorld) -> None:
    order, day = an_order(), world.clearing.today()
    await world.adapter.pay(order)
    world.clearing.dispute("CASE-1", order.order_id, Money(300, "CNY"), "goods_not_received")
    world.clearing.dispute("CASE-1", order.order_id, Money(300, "CNY"), "goods_not_received")
    (row,) = await world.adapter.disputes(day)
    assert (row.case_id, row.original_order_id) == ("CASE-1", order.order_id)
    assert row.amount == Money(300, "CNY")
    assert ids.dispute_id(row.case_id) == ids.dispute_id("CASE-1")
    assert ids.dispute_id(an_id("dsp")) == an_id("dsp")
    with pytest.raises(CallerError):
        world.clearing.dispute("CASE-2", an_id("pay", 9), Money(300, "CNY"), "x")


async def test_an_old_answer_answers_no_new_question(world: NetsUnionWorld) -> None:
    line = world.adapter._line
    request, headers = world.adapter._signed("303", Query(original_trx_id="0" * 31))
    old = await line.ask(frame.PATH, request, headers)

    async def replayed(*_: object, **__: object) -> bytes:
        return old

    await world.adapter.pay(an_order())
    line.ask = replayed  # type: ignore[method-assign]
    with pytest.raises(OperatingError, match="another request"):
        await world.adapter.query(an_order())


async def test_a_message_that_its_http_headers_contradict_is_not_taken(
    world: NetsUnionWorld,
) -> None:
    request, headers = world.adapter._signed("303", Query(original_trx_id="0" * 31))
    for name in ("MsgTp", "OriIssrId"):
        answer = await world.adapter._line.ask(frame.PATH, request, headers | {name: "other"})
        assert b"ES000011" in answer


@pytest.mark.parametrize("noise", [b"", b"x", b"<root/>", b"<root/>\n{S:AAAA}", b"\xff\n{S:AAAA}"])
async def test_noise_is_answered_by_a_system_code(world: NetsUnionWorld, noise: bytes) -> None:
    answer = await world.adapter._line.ask(frame.PATH, noise, {"MsgTp": "x"})
    assert b"<SysRtnCd>ES0000" in answer


async def test_other_content_under_a_known_number_is_refused_and_moves_nothing(
    world: NetsUnionWorld,
) -> None:
    await world.adapter.pay(an_order())
    with pytest.raises(OperatingError):
        await world.adapter.pay(an_order(amount_minor=1_001))
    await world.adapter.payout(a_payout())
    with pytest.raises(OperatingError):
        await world.adapter.payout(a_payout(701))
    assert world.left_minor() == OPENING_MINOR - 1_000 + 700


async def test_the_control_routes_open_accounts_bind_and_dispute(world: NetsUnionWorld) -> None:
    http = TestClient(build_app(world.clearing, {}))
    opened = {"account": "6217-2", "name": "韩梅梅", "bank": BANK, "opening_minor": 900}
    assert http.post("/control/accounts", json=opened).status_code == 200
    assert http.post("/control/accounts", json=opened | {"name": "x"}).status_code == 400
    assert http.post("/control/accounts", json=opened | {"bank": "x"}).status_code == 400
    token = {"token": "SGN-2", "account": "6217-2"}
    assert http.post("/control/tokens", json=token).json() == {"token": "SGN-2"}
    order = PayOrder(an_id("pay"), "SGN-2", Money(300, "CNY"), START_MS)
    assert (await world.adapter.pay(order)).state == "succeeded"
    assert http.get("/control/accounts/6217-2").json()["balance_minor"] == 600
    case = {"case_id": "CASE-1", "order_id": order.order_id, "amount_minor": 100}
    assert http.post("/control/disputes", json=case).json()["case_id"] == "CASE-1"
    assert http.post("/control/chargebacks", json=case).json()["case_id"] == "CASE-1"
    assert http.get("/control/accounts/6217-2").json()["balance_minor"] == 700
    assert http.get("/control/codes/1").json() == {"code": None}
