"""Two backends on one database: what one commits, a hub that waits at the other hears at once."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import psycopg
import pytest

from backend.bootstrap import Backend
from backend.db.limits import BELL_RETRY_S
from backend.db.postgres_bell import PostgresBell
from backend.devices.model import DeviceKind
from backend.hub_api import pushes
from backend.mandates.model import MandateCommand, Side
from backend.mandates.service import ChangeMandate
from backend.mandates.telling import MANDATE_CHANGED
from protocol import answers, cbor
from protocol.messages import MandateChanged, parse_body
from tests.kit.patience import PATIENCE_S
from tests.support.backend import StepClock, initialised, make_backend
from tests.support.postgres import Cluster
from tests.support.shop import Shop
from tests.support.things import STORE, enrol_device

CHARGER, HUB = "charger-1", "hub-1"
NEVER_S, HEARD_S_MAX = 600, 10
"""How often a poll looks by itself here; by when it has heard (26 ms, busy), or hears nothing:
it would end after 25 s."""
pytestmark = [pytest.mark.postgres, pytest.mark.asyncio]


@pytest.fixture
def url(postgres_cluster: Cluster, postgres_template: str, request: pytest.FixtureRequest) -> str:
    name = f"pushes_{abs(hash(request.node.name))}"
    return postgres_cluster.create_database(name, template=postgres_template)


@asynccontextmanager
async def two_backends(url: str, path: Path, at_ms: int) -> AsyncIterator[tuple[Backend, Backend]]:
    made = []
    for name in ("one", "other"):
        settings, _ = initialised(path / name, database_url=url)
        made.append(make_backend(settings, clock=StepClock(at_ms)))
    for backend in made:
        await backend.start()
    try:
        yield made[0], made[1]
    finally:
        for backend in made:
            await backend.stop()


def suspend(payer: str, mandate_id: str) -> ChangeMandate:
    return ChangeMandate(
        side=Side.PAYER,
        party_id=payer,
        mandate_id=mandate_id,
        command=MandateCommand.SUSPEND,
    )


async def test_a_stop_by_the_owner_is_heard_at_the_other_backend_at_once(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pushes, "PUSH_RECHECK_S", NEVER_S)
    shop = Shop(url)
    shop.add_merchant()
    enrol_device(shop, CHARGER, DeviceKind.THING)
    payer = shop.add_payer(balance_minor=50_000)
    mandate_id = shop.add_mandate(payer, device=CHARGER)
    seen = max((row["seq"] for row in shop.rows("SELECT seq FROM outbox_push")), default=0)
    at_ms = shop.clock.at_ms
    shop.close()
    async with two_backends(url, tmp_path, at_ms) as (one, other):
        poll = asyncio.create_task(one.feed.next(HUB, STORE, seen, 25))
        await asyncio.sleep(0.5)
        assert not poll.done()
        await other.writer.submit(suspend(payer, mandate_id))
        async with asyncio.timeout(HEARD_S_MAX):
            [[_, _, device, wire]] = cbor.decode(await poll, bytes_max=2**16)
    said = answers.unseal(wire).answer
    assert (device, said.message_type) == (CHARGER, MANDATE_CHANGED)
    assert parse_body(MandateChanged, said.body).mandate_id == mandate_id


class Ear:
    """What one bell was told, in its order."""

    def __init__(self, url: str) -> None:
        self._said: asyncio.Queue[frozenset[str] | None] = asyncio.Queue()
        self.bell = PostgresBell(url, "test_bell")
        self.bell.start(self._said.put_nowait)

    async def next(self) -> frozenset[str] | None:
        async with asyncio.timeout(PATIENCE_S):
            return await self._said.get()

    @property
    def is_silent(self) -> bool:
        return self._said.empty()


def store(number: int) -> frozenset[str]:
    return frozenset({f"store-{number}"})


async def test_a_bell_is_heard_by_the_others_only_and_again_after_its_lines_were_cut(
    url: str, postgres_cluster: Cluster
) -> None:
    one, other = ears = [Ear(url) for _ in range(2)]
    try:
        assert [await ear.next() for ear in ears] == [None, None], "there may have been news before"
        one.bell.ring(store(1))
        assert await other.next() == store(1)
        other.bell.ring(store(2) | store(3))
        assert {await one.next(), await one.next()} == {store(2), store(3)}
        assert one.is_silent
        assert other.is_silent
        with psycopg.connect(postgres_cluster.dsn(url.rsplit("/", 1)[1]), autocommit=True) as line:
            line.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        assert [await ear.next() for ear in ears] == [None, None], "whoever listens anew looks"
        await asyncio.sleep(2 * BELL_RETRY_S)
        one.bell.ring(store(4))  # it finds that its line is gone, and is not told again
        await asyncio.sleep(2 * BELL_RETRY_S)
        one.bell.ring(store(5))
        assert await other.next() in {store(4), store(5)}
    finally:
        for ear in ears:
            await ear.bell.stop()
