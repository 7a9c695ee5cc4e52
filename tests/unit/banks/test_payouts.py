"""A payment from the reserve to a customer of a commercial bank, and back."""

import pytest

from backend.channels import iso20022
from backend.channels.iso20022 import TransferStatus
from backend.sandbox.institution.books import VAULT_ACCOUNT
from protocol.errors import CallerError, OperatingError
from tests.support.banks import LIQUIDITY, OWN, RESERVE, BankWorld, instruction
from tests.support.iso20022 import cny

DAY_MS = 86_400_000


def at(world: BankWorld, account: str) -> int:
    bank = world.b if account.startswith("B-") else world.a
    return bank.books.balance(account).amount_minor


async def status(world: BankWorld, name: str, amount_minor: int, to: str) -> tuple[str, str]:
    (said,) = (await world.pay(name, amount_minor, to)).transfers
    return said.status, said.reason


@pytest.mark.asyncio
async def test_a_payout_reaches_the_shop_over_both_banks(world: BankWorld) -> None:
    assert await status(world, "P1", 600, "A-SHOP") == ("ACSC", "")
    assert await status(world, "P2", 400, "B-SHOP") == ("ACSC", "")
    assert (at(world, "A-SHOP"), at(world, "B-SHOP"), world.at_reserve()) == (600, 400, 99_000)
    assert world.at_reserve("SETTLE-BANK-B") == LIQUIDITY + 400
    assert world.entries() == [("STL-NUCC-20260922", 100_000), ("P1", -600), ("P2", -400)]


@pytest.mark.asyncio
async def test_again_gets_the_first_answer_and_other_content_a_refusal(world: BankWorld) -> None:
    first = await world.pay("P1", 600, "A-SHOP")
    assert await world.pay("P1", 600, "A-SHOP") == first
    with pytest.raises(CallerError) as caught:
        await world.pay("P1", 601, "A-SHOP")
    assert caught.value.code == "idempotency_conflict"
    assert at(world, "A-SHOP") == 600


@pytest.mark.parametrize(
    ("mark", "account", "reason"),
    [("", "A-NOBODY", "AC01"), ("AC04", "A-SHOP", "AC04"), ("AC06", "A-SHOP", "AC06")],
)
@pytest.mark.asyncio
async def test_the_creditors_bank_refuses_and_the_money_stays(
    world: BankWorld, mark: str, account: str, reason: str
) -> None:
    if mark:
        world.a.mark(account, mark)
    assert await status(world, "P1", 600, account) == ("RJCT", reason)
    assert world.at_reserve() == world.reserve.rtgs.available(RESERVE) == 100_000


@pytest.mark.asyncio
async def test_either_bank_may_be_told_to_refuse(world: BankWorld) -> None:
    for bank in (world.reserve.house, world.a.house):
        bank.faults.arm({"reject_payout": 1})
        name = f"P-{bank.name}"
        assert await status(world, name, 600, "A-SHOP") == ("RJCT", "AC04")
        assert await status(world, name, 600, "A-SHOP") == ("RJCT", "AC04")
    assert (at(world, "A-SHOP"), world.at_reserve()) == (0, 100_000)


@pytest.mark.asyncio
async def test_a_message_delivered_twice_pays_once(world: BankWorld) -> None:
    data = iso20022.write_instruction(instruction("P1", 600, "A-SHOP", RESERVE))
    assert await world.reserve.instruct(data) == await world.reserve.instruct(data)
    asked = world.reserve.books.db.execute("SELECT message FROM transfer").fetchone()[0]
    assert world.a.receive(asked) == world.a.receive(asked)
    with pytest.raises(CallerError) as caught:
        world.a.receive(asked.replace(b">6.00<", b">7.00<"))
    assert caught.value.code == "idempotency_conflict"
    assert (at(world, "A-SHOP"), world.at_reserve()) == (600, 99_400)


@pytest.mark.asyncio
async def test_no_more_is_paid_than_is_there_and_not_set_aside(world: BankWorld) -> None:
    world.near.deaf = 1
    assert await status(world, "P1", 70_000, "A-SHOP") == ("PDNG", "")
    assert await status(world, "P2", 70_000, "B-SHOP") == ("RJCT", "AM04")
    await world.time_passes()
    report = world.reserve.status("P1")
    assert report is not None
    assert iso20022.read_status_report(report).transfers == (TransferStatus("P1", "ACSC"),)
    assert (world.at_reserve(), at(world, "A-SHOP")) == (30_000, 70_000)


@pytest.mark.asyncio
async def test_a_lost_answer_of_the_bank_is_asked_for_and_credited_once(world: BankWorld) -> None:
    world.near.silent = 2
    assert await status(world, "P1", 600, "A-SHOP") == ("PDNG", "")
    assert world.at_reserve() == 100_000
    assert await status(world, "P1", 600, "A-SHOP") == ("PDNG", "")
    assert await status(world, "P1", 600, "A-SHOP") == ("ACSC", "")
    assert (at(world, "A-SHOP"), world.at_reserve()) == (600, 99_400)


@pytest.mark.asyncio
async def test_a_bank_returns_a_payout_days_later_under_its_own_reference(
    world: BankWorld,
) -> None:
    world.a.house.faults.arm({"return_later": 1})
    assert await status(world, "P1", 600, "A-SHOP") == ("ACSC", "")
    world.clock.at_ms += DAY_MS
    world.near.deaf = 1
    await world.time_passes()
    assert world.entries() == []
    world.near.silent = 1
    await world.time_passes()
    await world.time_passes()
    assert world.entries() == [("RTN-P1", 600)]
    assert (at(world, "A-SHOP"), world.at_reserve()) == (0, 100_000)
    world.a.return_now("P1", "AC04")
    await world.time_passes()
    assert world.entries() == [("RTN-P1", 600)]


@pytest.mark.asyncio
async def test_a_return_of_more_or_of_nothing_known_is_refused(world: BankWorld) -> None:
    await world.pay("P1", 600, "A-SHOP")
    for name, amount, reason in (("P1", 601, "AM09"), ("P9", 600, "NOOR")):
        back = iso20022.Return(f"RTN-{name}", name, cny(amount), "AC04")
        message = iso20022.Returns(f"M-{name}", world.clock.now_ms(), world.today, (back,))
        answer = world.reserve.give_back(iso20022.write_returns(message))
        assert iso20022.read_status(answer).transfers == (TransferStatus(name, "RJCT", reason),)


@pytest.mark.asyncio
async def test_a_recall_comes_back_while_the_shop_has_the_money(world: BankWorld) -> None:
    await world.pay("P1", 600, "A-SHOP")
    assert (await world.recall("C1", "P1", 600)).confirmation == "CNCL"
    await world.time_passes()
    assert world.entries()[-1] == ("RTN-P1", 600)
    assert (await world.recall("C1", "P1", 600)).confirmation == "CNCL"
    again = await world.recall("C2", "P1", 600)
    assert (again.confirmation, again.reason) == ("RJCR", "ARDT")


@pytest.mark.asyncio
async def test_a_recall_is_refused_with_its_reason(world: BankWorld) -> None:
    await world.pay("P1", 600, "A-SHOP")
    unknown = await world.recall("C1", "P9", 600)
    assert (unknown.confirmation, unknown.reason) == ("RJCR", "NOOR")
    world.a.house.faults.arm({"refuse_recall": 1})
    refused = await world.recall("C2", "P1", 600)
    assert (refused.confirmation, refused.reason) == ("RJCR", "CUST")
    world.a.books.move("SPENT", "A-SHOP", VAULT_ACCOUNT, cny(100), world.today, "")
    spent = await world.recall("C3", "P1", 600)
    assert (spent.confirmation, spent.reason) == ("RJCR", "AM04")
    assert world.entries()[-1] == ("P1", -600)


@pytest.mark.asyncio
async def test_a_recall_whose_answer_is_lost_may_be_asked_again(world: BankWorld) -> None:
    await world.pay("P1", 600, "A-SHOP")
    world.near.silent = 1
    with pytest.raises(OperatingError):
        await world.recall("C1", "P1", 600)
    assert (await world.recall("C1", "P1", 600)).confirmation == "CNCL"
    await world.time_passes()
    assert world.entries()[-1] == ("RTN-P1", 600)


@pytest.mark.asyncio
async def test_our_own_money_comes_into_the_reserve_over_our_bank(world: BankWorld) -> None:
    world.near.silent = 1
    (said,) = (await world.pay_from_own("S1", 2_000, RESERVE)).transfers
    assert said.status == "PDNG"
    (said,) = (await world.pay_from_own("S1", 2_000, RESERVE)).transfers
    assert said.status == "ACSC"
    assert (at(world, OWN), world.at_reserve()) == (498_000, 102_000)
    assert world.entries()[-1] == ("S1", 2_000)
    await world.pay("S2", 500, OWN)
    assert at(world, OWN) == 498_500


@pytest.mark.asyncio
async def test_our_own_money_that_the_reserve_bank_refuses_is_ours_again(world: BankWorld) -> None:
    (said,) = (await world.pay_from_own("S1", 2_000, "RESERVE-NOBODY")).transfers
    assert (said.status, said.reason) == ("RJCT", "AC01")
    assert at(world, OWN) == 500_000


@pytest.mark.asyncio
async def test_a_status_that_nobody_defined_is_not_taken_for_an_answer(world: BankWorld) -> None:
    world.reserve.house.faults.arm({"unknown_status": 1})
    with pytest.raises(CallerError):
        await world.pay("P1", 600, "A-SHOP")
    assert await status(world, "P1", 600, "A-SHOP") == ("ACSC", "")
    world.a.house.faults.arm({"unknown_status": 1})
    assert await status(world, "P2", 600, "A-SHOP") == ("PDNG", "")
    assert await status(world, "P2", 600, "A-SHOP") == ("ACSC", "")


@pytest.mark.asyncio
async def test_a_payment_past_the_cut_off_stands_on_the_next_days_statement(
    world: BankWorld,
) -> None:
    world.reserve.house.faults.arm({"delay_past_cutoff": 1})
    await world.pay("P1", 600, "A-SHOP")
    assert [name for name, _ in world.entries()] == ["STL-NUCC-20260922"]
    world.clock.at_ms += DAY_MS
    assert world.entries() == [("P1", -600)]


@pytest.mark.parametrize(
    ("fault", "left"),
    [
        ("amount_off_by_one", [100_001, -600]),
        ("row_missing", [100_000]),
        ("row_twice", [100_000, -600, 100_000]),
    ],
)
@pytest.mark.asyncio
async def test_a_spoilt_statement_still_reads_and_differs(
    world: BankWorld, fault: str, left: list[int]
) -> None:
    await world.pay("P1", 600, "A-SHOP")
    world.reserve.house.faults.arm({fault: 1})
    assert [minor for _, minor in world.entries()] == left
    assert [minor for _, minor in world.entries()] == [100_000, -600]


@pytest.mark.asyncio
async def test_bookings_are_told_once_each_from_a_cursor(world: BankWorld) -> None:
    first = iso20022.read_notification(world.reserve.notification(RESERVE, 0))
    await world.pay("P1", 600, "A-SHOP")
    second = iso20022.read_notification(world.reserve.notification(RESERVE, first.cursor))
    assert [one.reference for one in second.entries] == ["P1"]
    third = iso20022.read_notification(world.reserve.notification(RESERVE, second.cursor))
    assert (third.entries, third.cursor) == ((), second.cursor)
    there = iso20022.read_notification(world.a.notification("A-SHOP", 0))
    assert [one.amount.amount_minor for one in there.entries] == [600]


def test_what_is_not_a_message_moves_nothing(world: BankWorld) -> None:
    data = iso20022.write_instruction(instruction("P1", 600, "A-SHOP", RESERVE))
    for take in (world.reserve.financial, world.reserve.give_back, world.a.receive, world.a.recall):
        with pytest.raises(CallerError) as caught:
            take(data)
        assert caught.value.code == "file_rejected"
    assert world.at_reserve() == 100_000
