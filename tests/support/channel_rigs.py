"""Every adapter of ``ChannelPort``, each with an institution behind it, for one contract test.

An adapter joins by one entry in ``RIGS``: its near twin, and its real self over a socket.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from backend.channels.model import ADVANCING_BANK, CUP, NUCC
from backend.channels.ports import ChannelPort
from protocol.money import Money
from tests.support.acp_world import AcpWorld, acp_world
from tests.support.alipay_world import AlipayWorld, alipay_world
from tests.support.channel_world import CARD_TOKEN, FUND_TOKEN
from tests.support.channels import NearChannel, near_channels
from tests.support.institutions import NearInstitutions
from tests.support.netsunion_world import TOKEN as NETSUNION_TOKEN
from tests.support.netsunion_world import NetsUnionWorld, netsunion_world
from tests.support.shop import ShopClock
from tests.support.unionpay_world import TOKEN as UNIONPAY_TOKEN
from tests.support.unionpay_world import UnionPayWorld, unionpay_world

OPENING_MINOR = 100_000


class Rig(Protocol):
    """A channel, and what a test may do behind its back."""

    @property
    def port(self) -> ChannelPort:
        """The adapter."""
        ...

    @property
    def token(self) -> str:
        """What the channel calls an account that holds ``OPENING_MINOR``."""
        ...

    def left_minor(self) -> int:
        """What that account holds now."""
        ...

    def lose_next_answer(self) -> None:
        """The next request is carried out, and its answer never comes."""
        ...

    async def close_day(self) -> None:
        """Let the channel's present day end and be settled."""
        ...


@dataclass
class NearRig:
    """A near twin over the sandbox's own order book."""

    near: NearInstitutions
    channel: NearChannel
    account: str
    token: str

    @property
    def port(self) -> ChannelPort:
        return self.channel

    def left_minor(self) -> int:
        return self.near.bank.balance(self.account).amount_minor

    def lose_next_answer(self) -> None:
        self.channel.mishaps = ["silent"]

    async def close_day(self) -> None:
        self.channel.close_early(self.channel.day())


def near_rig(channel_id: str, token: str) -> "RigMaker":
    """The rig of a channel that the near institutions have."""

    @asynccontextmanager
    async def make(_root: Path) -> AsyncIterator[Rig]:
        near = NearInstitutions(ShopClock())
        channel = near_channels(near.world)[channel_id]
        near.bank.open_account("PAYER-1", "李雷", Money(OPENING_MINOR, "CNY"), day=channel.day())
        channel.book.bind(token, "PAYER-1")
        yield NearRig(near, channel, "PAYER-1", token)
        near.close()

    return make


@dataclass
class UnionPayRig:
    """The adapter to UnionPay and the switch, over a real line."""

    world: UnionPayWorld
    token: str = UNIONPAY_TOKEN

    @property
    def port(self) -> ChannelPort:
        return self.world.adapter

    def left_minor(self) -> int:
        return self.world.left_minor()

    def lose_next_answer(self) -> None:
        self.world.arm(drop_answer_after_commit=1)

    async def close_day(self) -> None:
        self.world.next_day()


@asynccontextmanager
async def unionpay_rig(root: Path) -> AsyncIterator[Rig]:
    """``UnionPayRig`` in a world of its own."""
    async with unionpay_world(root, timeout_ms=2_000) as world:
        await world.adapter.echo()  # signed on: the next answer is an order's
        yield UnionPayRig(world)


@dataclass
class NetsUnionRig:
    """The adapter to NetsUnion and the clearing house, over real HTTP."""

    world: NetsUnionWorld
    token: str = NETSUNION_TOKEN

    @property
    def port(self) -> ChannelPort:
        return self.world.adapter

    def left_minor(self) -> int:
        return self.world.left_minor()

    def lose_next_answer(self) -> None:
        self.world.arm(drop_answer_after_commit=1)

    async def close_day(self) -> None:
        await self.world.next_day()


@asynccontextmanager
async def netsunion_rig(_root: Path) -> AsyncIterator[Rig]:
    """``NetsUnionRig`` in a world of its own."""
    async with netsunion_world() as world:
        yield NetsUnionRig(world)


@dataclass
class WalletRig:
    """The adapter to another wallet and its gateway, over real HTTP. A code is shown once."""

    world: AlipayWorld | AcpWorld
    token: str

    @property
    def port(self) -> ChannelPort:
        return self.world.adapter

    def left_minor(self) -> int:
        return self.world.left_minor()

    def lose_next_answer(self) -> None:
        self.world.arm(drop_answer_after_commit=1)

    async def close_day(self) -> None:
        await self.world.next_day()


@asynccontextmanager
async def alipay_rig(_root: Path) -> AsyncIterator[Rig]:
    """``WalletRig`` of Alipay in a world of its own."""
    async with alipay_world(ShopClock()) as world:
        yield WalletRig(world, world.code())


@asynccontextmanager
async def acp_rig(_root: Path) -> AsyncIterator[Rig]:
    """``WalletRig`` of UnionPay in a world of its own."""
    async with acp_world(ShopClock()) as world:
        yield WalletRig(world, world.code())


RigMaker = Callable[[Path], AbstractAsyncContextManager[Rig]]
RIGS: dict[str, RigMaker] = {
    "near NetsUnion": near_rig(NUCC, CARD_TOKEN),
    "near UnionPay": near_rig(CUP, CARD_TOKEN),
    "near fund": near_rig(ADVANCING_BANK, FUND_TOKEN),
    "alipay": alipay_rig,
    "unionpay qr": acp_rig,
    "netsunion": netsunion_rig,
    "unionpay": unionpay_rig,
}
