"""Disputes that a channel's file brings are opened once each, and trouble is told."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import pytest

from backend.channels.epcc.ids import dispute_id
from backend.channels.epcc.model import DisputeRow
from backend.channels.model import NUCC
from backend.disputes.from_channel import ChannelDisputes
from protocol.errors import OperatingError
from protocol.money import Money
from tests.support.shop import Shop

pytestmark = pytest.mark.asyncio
DAY = date(2026, 11, 23)


@dataclass
class Files:
    """``CaseSource`` with given rows."""

    rows: list[DisputeRow] = field(default_factory=list)
    is_silent: bool = False

    async def disputes(self, day: date) -> Sequence[DisputeRow]:
        if self.is_silent:
            raise OperatingError("timeout")
        return self.rows if day == DAY else []


def a_row(payment_id: str, amount_minor: int = 300, case_id: str = "CASE-1") -> DisputeRow:
    return DisputeRow(
        case_id=case_id, original_trx_id="0" * 31, original_order_id=payment_id,
        amount=Money(amount_minor, "CNY"), reason="goods_not_received",
    )  # fmt: skip


def reader_of(shop: Shop, files: Files) -> ChannelDisputes:
    async def submit(command: Any) -> Any:
        return shop.do(command)

    return ChannelDisputes(
        submit=submit, sources={NUCC: files}, dispute_id=dispute_id, rules=shop.rules
    )


@pytest.fixture
def paid(shop: Shop) -> str:
    return str(shop.pay(shop.add_payer(balance_minor=5_000), 1_000)["payment_id"])


def opened(shop: Shop) -> list[dict[str, Any]]:
    return shop.rows("SELECT dispute_id, payment_id, amount_minor, reference, state FROM dispute")


async def test_a_days_cases_are_opened_once_however_often_the_file_is_read(
    shop: Shop, paid: str
) -> None:
    reader = reader_of(shop, Files([a_row(paid), a_row(paid, 200, "CASE-2")]))
    first = await reader.read(DAY)
    assert (first.taken, first.refused) == (2, ())
    found = opened(shop)
    assert {row["dispute_id"] for row in found} == {dispute_id("CASE-1"), dispute_id("CASE-2")}
    assert {row["reference"] for row in found} == {"CASE-1", "CASE-2"}
    await reader.read(DAY)
    assert opened(shop) == found
    assert shop.verify().is_whole


async def test_a_case_that_cannot_be_opened_is_told_and_holds_up_nothing(
    shop: Shop, paid: str
) -> None:
    unknown = a_row(shop.id("pay"), case_id="CASE-0")
    said = await reader_of(shop, Files([unknown, a_row(paid, 9_999, "CASE-9"), a_row(paid)])).read(
        DAY
    )
    assert said.taken == 1
    assert [line.split(": ")[1] for line in said.refused] == ["CASE-0", "CASE-9"]


async def test_another_day_brings_nothing_and_silence_opens_nothing(shop: Shop, paid: str) -> None:
    assert (await reader_of(shop, Files([a_row(paid)])).read(date(2026, 11, 24))).taken == 0
    said = await reader_of(shop, Files(is_silent=True)).read(DAY)
    assert (said.taken, [*said.unheard]) == (0, ["NUCC"])
    assert not opened(shop)


async def test_a_case_seen_again_with_another_amount_is_told(shop: Shop, paid: str) -> None:
    await reader_of(shop, Files([a_row(paid)])).read(DAY)
    said = await reader_of(shop, Files([a_row(paid, 301)])).read(DAY)
    assert said.refused == ("NUCC: CASE-1: idempotency_conflict",)
