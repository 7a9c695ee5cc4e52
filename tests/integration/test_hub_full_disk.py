"""A whole hub whose disk is full says so, and nothing of what it took is lost."""

from pathlib import Path

import aiohttp
import pytest

from protocol.answers import Answer
from tests.integration.test_hub_process import post
from tests.kit.hub_world import World, now_ms, running_world, until
from tests.support.full_disk import no_larger_files

TID = "vend-1"


class Asker:
    """One device that says hello by CoAP, each time in a new envelope."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._counter = 0

    async def ask(self, request_id: str | None = None) -> tuple[str, str | None]:
        """The request's id, and the code of the refusal if it was one."""
        self._counter += 1
        shop = self._world.shop
        request_id = request_id or shop.request_id()
        body = {"software": "t" * 60, "profile": "pos", "started_at_ms": 1, "pad": "x" * 3_000}
        wire = shop.envelope(
            TID, self._counter, transport="coap", sent_at_ms=now_ms(), request_id=request_id,
            body=body,
        )  # fmt: skip
        said: Answer = (await post(self._world.hub.ports["coap"], wire)).answer
        return request_id, said.body["error"]["code"] if said.message_type == "refusal" else None


async def readiness(world: World) -> tuple[int, str]:
    """What ``/readyz`` says, and of the disk."""
    async with aiohttp.ClientSession() as person, person.get(f"{world.http}/readyz") as answer:
        return answer.status, (await answer.json())["disk"]


@pytest.mark.asyncio
async def test_a_full_disk_is_told_to_devices_and_probes_and_room_makes_it_go_on(
    tmp_path: Path,
) -> None:
    async with running_world(tmp_path, TID, forward={"unknown_after_ms": 100}) as world:
        asker = Asker(world)
        world.backend.mode = "503"
        log = tmp_path / "hub-1" / "spool.db-wal"
        accepted = []
        with no_larger_files(log.stat().st_size + 100_000) as grow:
            while True:
                request_id, code = await asker.ask()
                if code == "spool_unwritable":
                    break
                assert code == "backend_unreachable"
                accepted.append(request_id)
                assert len(accepted) < 60, "the disk is never full"
            assert len(accepted) > 3
            assert await readiness(world) == (503, "full")
            world.backend.mode = "good"  # it answers, and nothing can be removed
            await until(lambda: len(world.backend.carried_out) == len(accepted))
            grow()
        assert await asker.ask(request_id) == (request_id, None), "the same request comes again"
        assert world.backend.carried_out == [*accepted, request_id], "all, in order, once"
        assert await readiness(world) == (200, "writable")
