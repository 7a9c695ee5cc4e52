"""The enrolment ports: the twin in memory and the one on the database keep the same promises."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio

from backend.devices.model import DeviceCommand
from backend.devices.service import ChangeDevice
from backend.identity.enrolment import EnrolmentCode, Grant
from backend.identity.limits import CODE_ATTEMPTS_MAX
from backend.identity.memory import MemoryRegistry
from backend.identity.registry import SqlRegistry
from protocol.crypto import generate
from protocol.errors import CallerError
from tests.support.backend import NOW_MS, STORE, Machine, enrol, initialised, make_backend

Registry = MemoryRegistry | SqlRegistry
DIGEST, WRONG = b"d" * 32, b"w" * 32
ANN, BEN = b"ann" * 8, b"ben" * 8
GRANT = Grant(tid="till-2", kind="terminal", store=STORE, hub_urls=("mqtts://hub:8883",))


@pytest_asyncio.fixture(params=["memory", "sql"])
async def registry(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Registry]:
    if request.param == "memory":
        yield MemoryRegistry()
        return
    backend = make_backend(initialised(tmp_path)[0])
    await backend.start()
    await enrol(backend, Machine("till-1"))
    found = backend.enrolment.codes
    assert isinstance(found, SqlRegistry)
    yield found
    await backend.stop()


def code(grant: Grant = GRANT, *, code_id: str = "7KQ2", at_ms: int = NOW_MS) -> EnrolmentCode:
    return EnrolmentCode(
        code_id=code_id,
        digest=DIGEST,
        grant=grant,
        issued_by="operator",
        issued_at_ms=at_ms,
        expires_at_ms=at_ms + 1000,
    )


@pytest.mark.asyncio
async def test_a_right_code_is_accepted_with_all_that_was_granted(registry: Registry) -> None:
    await registry.add(code())
    found = await registry.attempt("7KQ2", DIGEST, ANN, now_ms=NOW_MS)
    assert found == code()


@pytest.mark.asyncio
async def test_an_unknown_code_is_none(registry: Registry) -> None:
    assert await registry.attempt("0000", DIGEST, ANN, now_ms=NOW_MS) is None


@pytest.mark.asyncio
async def test_every_wrong_try_is_kept_and_the_last_one_kills_the_code(registry: Registry) -> None:
    await registry.add(code())
    for _ in range(CODE_ATTEMPTS_MAX):
        assert await registry.attempt("7KQ2", WRONG, ANN, now_ms=NOW_MS) is None
    assert await registry.attempt("7KQ2", DIGEST, ANN, now_ms=NOW_MS) is None


@pytest.mark.asyncio
async def test_an_expired_code_is_none(registry: Registry) -> None:
    await registry.add(code())
    assert await registry.attempt("7KQ2", DIGEST, ANN, now_ms=NOW_MS + 1000) is None


@pytest.mark.asyncio
async def test_a_live_code_keeps_its_place_and_a_dead_one_gives_it_up(registry: Registry) -> None:
    await registry.add(code())
    with pytest.raises(CallerError) as refused:
        await registry.add(code(at_ms=NOW_MS + 999))
    assert refused.value.code == "busy"
    await registry.add(code(at_ms=NOW_MS + 1000))
    assert await registry.attempt("7KQ2", DIGEST, ANN, now_ms=NOW_MS + 1500) is not None


@pytest.mark.asyncio
async def test_using_a_code_registers_the_device_once(registry: Registry) -> None:
    key = generate().public
    await registry.add(code())
    for _ in range(2):
        await registry.complete("7KQ2", ANN, GRANT, key, now_ms=NOW_MS)
    found = await registry.find("till-2")
    assert found is not None
    assert (found.kind, found.store, found.status, found.key) == ("terminal", STORE, "active", key)
    with pytest.raises(CallerError) as refused:
        await registry.complete("7KQ2", BEN, GRANT, generate().public, now_ms=NOW_MS)
    assert refused.value.code == "enrol_code_invalid"
    assert await registry.attempt("7KQ2", DIGEST, BEN, now_ms=NOW_MS) is None


async def revoke(registry: Registry, tid: str) -> None:
    if isinstance(registry, MemoryRegistry):
        registry.devices[tid] = replace(registry.devices[tid], status="revoked")
        return
    await registry._submit(ChangeDevice(tid=tid, command=DeviceCommand.REVOKE, actor="test"))


@pytest.mark.asyncio
async def test_a_revoked_device_that_joins_again_stays_revoked(registry: Registry) -> None:
    key = generate().public
    await registry.add(code())
    await registry.complete("7KQ2", ANN, GRANT, key, now_ms=NOW_MS)
    await revoke(registry, "till-2")
    await registry.complete("7KQ2", ANN, GRANT, key, now_ms=NOW_MS)
    found = await registry.find("till-2")
    assert found is not None
    assert found.status == "revoked"


@pytest.mark.asyncio
async def test_a_taken_name_is_refused_and_leaves_the_code_unused(registry: Registry) -> None:
    await registry.add(code())
    await registry.complete("7KQ2", ANN, GRANT, generate().public, now_ms=NOW_MS)
    await registry.add(code(code_id="8KQ2"))
    with pytest.raises(CallerError) as refused:
        await registry.complete("8KQ2", BEN, GRANT, generate().public, now_ms=NOW_MS)
    assert refused.value.code == "device_exists"
    assert await registry.attempt("8KQ2", DIGEST, BEN, now_ms=NOW_MS) is not None


@pytest.mark.asyncio
async def test_a_rotated_key_replaces_the_old_one(registry: Registry) -> None:
    await registry.add(code())
    await registry.complete("7KQ2", ANN, GRANT, generate().public, now_ms=NOW_MS)
    new = generate().public
    await registry.replace_key("till-2", new, now_ms=NOW_MS)
    found = await registry.find("till-2")
    assert found is not None
    assert found.key == new


@pytest.mark.asyncio
async def test_the_hubs_of_a_store_are_known_by_their_keys(registry: Registry) -> None:
    assert await registry.hub_keys(STORE) == ()
    hub, key = Grant(tid="hub-1", kind="hub", store=STORE), generate().public
    await registry.add(code(hub))
    await registry.complete("7KQ2", ANN, hub, key, now_ms=NOW_MS)
    assert await registry.hub_keys(STORE) == (key,)
    assert await registry.hub_keys("store-2") == ()
