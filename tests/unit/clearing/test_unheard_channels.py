"""A channel that cannot be heard, or whose file is refused, is named and holds up nobody else."""

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from backend.channels.day_file import DayFile, Spool, open_day_file, write_day_file
from backend.channels.iso20022 import Statement
from backend.channels.model import ADVANCING_BANK, NUCC
from protocol.errors import CallerError, OperatingError, TillwayError
from tests.support.channel_world import CARD_TOKEN, FUND_TOKEN
from tests.support.clearing import World
from tests.unit.clearing.conftest import pay, pays_with
from tests.unit.clearing.test_breaks_over_days import cases
from tests.unit.clearing.test_channel_days import (
    DAY,
    NEXT_DAY,
    PAYOUT_ACCOUNT,
    check_closed,
    sell,
)

pytestmark = pytest.mark.asyncio
Spoil = Callable[[bytes], bytes]


@pytest.fixture
def world(channel_world: World) -> World:
    return channel_world


def spoil_file(world: World, channel_id: str, spoil: Spoil) -> Callable[[], None]:
    """The channel's file arrives spoilt, until what is returned is called."""
    channel = world.channels[channel_id]
    true = channel.day_file

    async def spoilt(day: date) -> DayFile:
        content = b"".join(write_day_file(day, channel.book.rows(day)))
        return open_day_file(Spool.of([spoil(content)]))

    channel.day_file = spoilt  # type: ignore[method-assign]

    def mend() -> None:
        channel.day_file = true  # type: ignore[method-assign]

    return mend


def silenced(world: World, channel_id: str, call: str) -> Callable[[], None]:
    """One of the channel's calls is not answered, until what is returned is called."""
    channel: Any = world.channels[channel_id]
    true = getattr(channel, call)

    async def silent(day: date) -> Any:
        raise OperatingError("timeout", f"nobody at {channel_id}")

    setattr(channel, call, silent)
    return lambda: setattr(channel, call, true)


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda file: file[:-9], "line 3: the file ends within a line"),
        (lambda file: file * 2, "line 4: something follows the trailer"),
        (
            lambda file: file.replace(b"payment", "付款".encode("gbk")),
            "line 2: not UTF-8 at byte 1",
        ),
        (
            lambda file: file.replace(b"TRAILER,1,", b"TRAILER,2,"),
            "line 3: the trailer's count: 2, and not 1",
        ),
    ],
)
async def test_a_refused_file_is_named_with_its_line_and_all_else_goes_on(
    world: World, spoil: Spoil, reason: str
) -> None:
    await sell(world)
    mend = spoil_file(world, ADVANCING_BANK, spoil)
    world.next_day()
    report = await world.day_end.run(DAY)
    assert report["unheard"] == {ADVANCING_BANK: f"file_rejected: {reason}"}
    assert (report["state"], report["swept_minor"]) == ("open", 0)
    assert (report["reconciliation"]["found"], report["reconciliation"]["breaks"]) == (0, 0)
    assert {one["state"] for one in report["windows"]} == {"closed"}
    assert world.at_bank(PAYOUT_ACCOUNT) == 14_000 - 84
    mend()
    report = await world.day_end.run(DAY)
    assert report["unheard"] == {}
    check_closed(world, report)


@pytest.mark.parametrize("call", ["settle", "day_file"])
async def test_a_silent_channel_holds_up_nobody_elses_money(world: World, call: str) -> None:
    payer = await world.payer_since_yesterday()
    day = world.today
    world.shop.pay(payer, 2_000)
    await pay(world, pays_with(world, "card", CARD_TOKEN), 10_000)
    speak = silenced(world, NUCC, call)
    world.next_day()
    report = await world.day_end.run(day)
    assert report["unheard"] == {NUCC: f"timeout: nobody at {NUCC}"}
    assert (report["state"], report["swept_minor"]) == ("open", 0)
    has_paid = call == "day_file"
    assert world.at_bank(PAYOUT_ACCOUNT) == 1_988 + (9_940 if has_paid else 0)
    speak()
    report = await world.day_end.run(day)
    assert (report["state"], report["unheard"], report["open_because"]) == ("closed", {}, [])
    assert world.at_bank(PAYOUT_ACCOUNT) == 1_988 + 9_940
    assert world.shop.verify().is_whole


async def test_what_a_file_said_before_stands_while_it_cannot_be_read(world: World) -> None:
    """A break does not go because nobody looked."""
    await sell(world)
    mend = spoil_file(world, ADVANCING_BANK, lambda _file: b"".join(write_day_file(DAY, [])))
    world.next_day()
    await world.day_end.run(DAY)
    found = cases(world, "pooled") + cases(world, "waiting")
    assert {kind for kind, _ in found} == {"SHORT_MISSING_CHANNEL", "FUNDS"}
    mend()
    speak = silenced(world, ADVANCING_BANK, "day_file")
    report = await world.day_end.run(DAY)
    assert report["reconciliation"]["breaks"] == 1
    assert cases(world, "pooled") + cases(world, "waiting") == found
    speak()
    check_closed(world, await world.day_end.run(DAY))


async def test_a_break_does_not_age_on_a_day_whose_file_is_not_read(world: World) -> None:
    paid = await pay(world, pays_with(world, "fund", FUND_TOKEN), 5_000)
    channel = world.channels[ADVANCING_BANK]
    true = channel.book.rows
    channel.book.rows = lambda day: [  # type: ignore[method-assign]
        row for row in true(day) if row.reference != paid
    ]
    missing = [("SHORT_MISSING_CHANNEL", paid)]
    for day in (DAY, NEXT_DAY):
        world.next_day()
        assert (await world.day_end.run(day))["open_because"] == []
    assert cases(world, "pooled") == missing
    world.next_day()
    speak = silenced(world, ADVANCING_BANK, "day_file")
    last = date(2026, 11, 25)
    assert (await world.day_end.run(last))["state"] == "open"
    assert cases(world, "pooled") == missing
    speak()
    await world.day_end.run(last)
    assert cases(world, "posted") == missing


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (OperatingError("timeout", "the reserve bank"), "timeout: the reserve bank"),
        (CallerError("file_rejected", "line 1: not UTF-8"), "file_rejected: line 1: not UTF-8"),
    ],
)
async def test_without_the_bank_the_run_stops_and_says_at_which_step(
    world: World, error: TillwayError, words: str
) -> None:
    await sell(world)
    world.next_day()
    true = world.near.statement

    async def silent(account: str, day: date) -> Statement:
        raise error

    world.near.statement = silent  # type: ignore[method-assign]
    with pytest.raises(OperatingError, match=f"day_run_stopped: bring in: {words}"):
        await world.day_end.run(DAY)
    world.near.statement = true  # type: ignore[method-assign]
    check_closed(world, await world.day_end.run(DAY))
