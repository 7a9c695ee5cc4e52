"""NetsUnion's nets reach the reserve bank, over the line between them, however often it breaks."""

from pathlib import Path

import pytest

from backend.channels.epcc import ids
from backend.channels.model import PayOrder
from backend.channels.netsunion import NetsUnion
from backend.sandbox.institution.program import Place, serving
from backend.sandbox.institution.settling import SettlementOutbox
from backend.sandbox.registry import find
from protocol.crypto.keys import generate
from protocol.ids import mint
from protocol.money import Money
from tests.support.houses import HandClock

DAY_MS = 86_400_000
NOON_MS = 1_795_406_400_000 + 4 * 3_600_000
OURS = generate()

pytestmark = pytest.mark.asyncio


def places(root: Path, clock: HandClock) -> dict[str, Place]:
    return {
        name: Place(name, root, told=(OURS.public,), clock=clock)
        for name in ("reserve-bank", "netsunion")
    }


async def test_every_members_net_is_settled_after_the_reserve_bank_comes_back(
    tmp_path: Path,
) -> None:
    clock = HandClock(NOON_MS)
    found = places(tmp_path, clock)
    clearing = (find("netsunion").build(), found["netsunion"])
    async with serving([clearing]) as served:
        house, address = served.houses["netsunion"], served.addresses["netsunion"]
        adapter = NetsUnion(
            url=lambda: f"http://{address.host}:{address.ports['http']}",
            key=OURS, peer=address.key, clock=clock,
        )  # fmt: skip
        day = ids.china_day(clock.now_ms())
        house.books.open_account("6217", "李雷", Money(10_000, "CNY"), day=day)
        house.books.db.execute("INSERT INTO channel_token VALUES ('NUCC', '6217', '6217')")
        order = PayOrder(
            mint("pay", time_ms=NOON_MS, random_bytes=bytes(10)), "6217", Money(700, "CNY"), NOON_MS
        )
        assert (await adapter.pay(order)).state == "succeeded"
        clock.ms += DAY_MS
        await house.time_passes()
        nets = {row.issuer: row.net for row in (await adapter.positions(day)).members}
        assert nets[ids.INSTITUTION] == Money(700, "CNY")
        waiting = SettlementOutbox(house.books).waiting()
        assert len(waiting) == sum(net.amount_minor != 0 for net in nets.values()) > 1
        await adapter.close()
    async with serving([(find("reserve-bank").build(), found["reserve-bank"]), clearing]) as served:
        house, reserve = served.houses["netsunion"], served.houses["reserve-bank"]
        await house.time_passes()
        await house.time_passes()
        outbox = SettlementOutbox(house.books)
        assert not outbox.waiting()
        reference = f"STL-NUCC-{day:%Y%m%d}"
        assert outbox.word(reference).state == "settled"
        assert reserve.books.balance("RESERVE-TILLWAY") == Money(700, "CNY")
        for order_ in waiting:
            assert outbox.word(order_.reference).state == "settled"
