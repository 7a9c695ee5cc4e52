"""A database for tests whose subject is not the database (they run on SQLite only), and a shop
whose payers have cards and funds."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from backend.channels.model import ADVANCING_BANK, FUND, NUCC
from tests.support.channel_world import CARD_TOKEN, FUND_TOKEN
from tests.support.channels import NearNetsUnion
from tests.support.clearing import World, clearing_world
from tests.support.migrated import migrated_sqlite


@pytest.fixture
def lite_url(tmp_path: Path) -> str:
    return migrated_sqlite(tmp_path / "backend.db")


@pytest.fixture
def channel_world(migrated_url: str) -> Iterator[World]:
    with clearing_world(migrated_url) as world:
        for channel, token, account in (
            (NUCC, CARD_TOKEN, "CARD-1"),
            (ADVANCING_BANK, FUND_TOKEN, "FUND-1"),
        ):
            world.near.open(account, 100_000)
            world.channels[channel].book.bind(token, account)
        world.channels[FUND].book.bind(FUND_TOKEN, "FUND-1")
        yield world


def nets_union_of(world: World) -> NearNetsUnion:
    near = world.channels[NUCC]
    assert isinstance(near, NearNetsUnion)
    return near


def pays_with(world: World, kind: str, token: str) -> str:
    """The payer of that token, who has no other instrument."""
    for row in world.shop.rows(
        "SELECT payer_id, token FROM instrument JOIN instrument_channel USING (instrument_id)"
    ):
        if row["token"] == token:
            return str(row["payer_id"])
    payer = world.shop.add_payer()
    world.shop.add_instrument(payer, kind, token=token)
    return payer


async def pay(world: World, payer: str, amount_minor: int) -> str:
    """A payment's id; its channel has spoken."""
    paid = world.shop.pay(payer, amount_minor)
    await world.runner.settle(date.max)
    return str(paid["payment_id"])
