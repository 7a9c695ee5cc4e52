"""No fen is lost: whatever is sent, claimed, repeated and left to expire, in whatever order."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from backend.red_packets.limits import LIFE_MS, SHARE_MINOR_MAX, SHARES_MAX
from backend.red_packets.model import RedPacketKind, split
from backend.red_packets.service import ClaimRedPacket, ExpireRedPacket, SendRedPacket
from protocol.errors import CallerError
from tests.support.migrated import migrated_sqlite
from tests.support.shop import Shop, bugs_in

PAYERS = 4
_who = st.integers(0, PAYERS - 1)
_which = st.integers(0, 9)
STEPS = st.lists(
    st.one_of(
        st.tuples(
            st.just("send"),
            _who,
            st.integers(1, 500),
            st.integers(1, 6),
            st.sampled_from(RedPacketKind),
        ),
        st.tuples(st.just("claim"), _which, st.lists(_who, min_size=1, max_size=4)),
        st.tuples(st.just("claim"), _which, st.lists(_who, min_size=1, max_size=4)),
        st.tuples(st.just("wait"), st.sampled_from([1, LIFE_MS // 2, LIFE_MS])),
        st.tuples(st.just("expire"), _which),
    ),
    min_size=5,
    max_size=25,
)


@given(
    share_count=st.integers(1, SHARES_MAX),
    kind=st.sampled_from(RedPacketKind),
    seed=st.binary(max_size=32),
    data=st.data(),
)
@settings(max_examples=150)
def test_the_shares_are_the_sum(
    share_count: int, kind: RedPacketKind, seed: bytes, data: st.DataObject
) -> None:
    total = data.draw(st.integers(share_count, share_count * SHARE_MINOR_MAX))
    shares = split(total, share_count, kind, seed=seed)
    assert (len(shares), sum(shares)) == (share_count, total)
    assert all(1 <= share <= SHARE_MINOR_MAX for share in shares)
    if kind is RedPacketKind.EQUAL:
        assert max(shares) - min(shares) <= 1


@dataclass
class Story:
    """Payers and the packets between them."""

    shop: Shop
    payers: list[str]
    money_minor: int = 0
    packets: list[str] = field(default_factory=list)

    def send(self, who: int, total: int, count: int, kind: RedPacketKind) -> None:
        command = SendRedPacket(
            red_packet_id=self.shop.id("rpk"), sender_id=self.payers[who], kind=kind,
            total_minor=total, share_count=count, currency="CNY", wish="",
            seed=self.shop.id("rpk").encode(), rules=self.shop.rules,
        )  # fmt: skip
        outcomes = self.shop.apply(command, command)
        if outcomes[0].error is None:
            assert outcomes[1].error is None
            self.packets.append(command.red_packet_id)
        else:
            assert isinstance(outcomes[0].error, CallerError)

    def claim(self, which: int, who: list[int]) -> None:
        """All in one group, the first once more."""
        if self.packets:
            packet = self.packets[which % len(self.packets)]
            claims = [
                ClaimRedPacket(
                    red_packet_id=packet, payer_id=self.payers[one], rules=self.shop.rules
                )
                for one in [*who, who[0]]
            ]
            for outcome in self.shop.apply(*claims):
                assert outcome.error is None or isinstance(outcome.error, CallerError)

    def wait(self, duration_ms: int) -> None:
        self.shop.clock.at_ms += duration_ms

    def expire(self, which: int) -> None:
        if self.packets:
            packet = self.packets[which % len(self.packets)]
            self.shop.apply(*[ExpireRedPacket(red_packet_id=packet, rules=self.shop.rules)] * 2)

    def check(self) -> None:
        held = 0
        for packet_id in self.packets:
            [row] = self.shop.rows(f"SELECT * FROM red_packet WHERE red_packet_id = '{packet_id}'")
            claims = self.shop.rows(
                f"SELECT * FROM red_packet_claim WHERE red_packet_id = '{packet_id}'"
            )
            taken = sum(claim["amount_minor"] for claim in claims)
            assert taken + row["left_minor"] == row["total_minor"]
            assert len(claims) + row["left_count"] == row["share_count"]
            assert sorted(claim["number"] for claim in claims) == [*range(1, len(claims) + 1)]
            assert len({claim["payer_id"] for claim in claims}) == len(claims)
            assert (row["state"] == "taken") == (row["left_count"] == 0)
            held += row["left_minor"] if row["state"] == "open" else 0
        assert self.shop.balance("C:REDPKT:CNY") == held
        balances = [self.shop.payer_balance(payer) for payer in self.payers]
        assert sum(balances) + held == self.money_minor


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    shop = Shop(migrated_sqlite(tmp_path / "backend.db"))
    with capture_logs() as logs:
        yield shop
    shop.close()
    assert not bugs_in(logs)


@given(steps=STEPS)
@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_fen_is_lost(shop: Shop, steps: list[tuple[Any, ...]]) -> None:
    held_before = [
        row["red_packet_id"]
        for row in shop.rows("SELECT red_packet_id FROM red_packet WHERE state = 'open'")
    ]
    shop.clock.at_ms += LIFE_MS
    for packet in held_before:
        shop.do(ExpireRedPacket(red_packet_id=packet, rules=shop.rules))
    payers = [shop.add_payer(balance_minor=700) for _ in range(PAYERS)]
    story = Story(shop, payers, 700 * PAYERS)
    for name, *arguments in steps:
        getattr(story, name)(*arguments)
        story.check()
