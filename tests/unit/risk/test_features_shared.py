"""Several backends, one state: against the real Redis server."""

import random
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
from redis import Redis

from backend.risk.features import shared
from backend.risk.features.catalogue import PAYMENT
from backend.risk.features.shared import SharedLost, SharedState, Told
from backend.risk.features.stream import EventError, FeatureState
from tests.support.redis import NoRedis, RedisServer, start_redis

START_MS = 1_790_000_000_000


@pytest.fixture(scope="module")
def server() -> Iterator[RedisServer]:
    try:
        server = start_redis()
    except NoRedis as missing:
        pytest.skip(str(missing))
    yield server
    server.stop()


@pytest.fixture
def url(server: RedisServer) -> str:
    Redis.from_url(server.url).flushall()
    return server.url


def backend_at(url: str) -> SharedState:
    return SharedState.at(url, PAYMENT, timeout_s=10)


def row(luck: random.Random) -> tuple[str | int | None, ...]:
    keys = [luck.choice((None, *(f"{name}{n}" for n in range(3)))) for name in "pcdmsa"]
    return (luck.randrange(100_000), *keys, 31_000_000, luck.randrange(121_000_000))


def story(seed: int, size: int) -> list[Told]:
    """Events, some late, and labels, in order of arrival."""
    luck, told = random.Random(seed), []
    for number in range(size):
        late = luck.choice((0, 0, luck.randrange(3_600_000)))
        event = Told(event_id=f"e{number}", at=START_MS + number * 60_000 - late, row=row(luck))
        told.append(event)
        if luck.random() < 0.3:
            is_fraud = luck.random() < 0.5
            told.append(replace(event, is_fraud=is_fraud, available_at=event.at + 5_000_000))
    return told


def tell(state: SharedState, told: Told) -> list[float] | None:
    if told.available_at is None:
        return state.observe(told.event_id, told.at, told.row)
    state.learn(told.event_id, told.at, told.row, is_fraud=told.is_fraud,
                available_at=told.available_at)  # fmt: skip
    return None


def alone(told: list[Told]) -> list[list[float] | None]:
    """What one backend says that sees everything."""
    state = FeatureState(PAYMENT)
    return [shared._apply(state, one) for one in told]


def same(ours: list[float] | None, theirs: list[float] | None) -> bool:
    if ours is None or theirs is None:
        return ours is theirs
    return np.array_equal(ours, theirs, equal_nan=True)


def test_three_backends_give_the_vectors_of_one_to_the_bit(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shared, "SHARED_PAGE_ENTRIES", 7)
    told, luck = story(1, 250), random.Random(2)
    backends = [backend_at(url) for _ in range(3)]
    for backend in backends:
        backend.join([])
    for place, (one, expected) in enumerate(zip(told, alone(told), strict=True)):
        # The third sleeps through most, so that it catches up over several pages.
        backend = backends[2 if place % 60 == 59 else luck.randrange(2)]
        assert same(tell(backend, one), expected), place


def test_a_backend_that_joins_later_goes_on_as_if_it_had_always_been_there(url: str) -> None:
    told = story(3, 200)
    expected = alone(told)
    first = backend_at(url)
    first.join(told[:50])
    for one in told[50:150]:
        tell(first, one)
    second = backend_at(url)
    second.join(told[:150])
    for place in range(150, len(told)):
        backend = (first, second)[place % 2]
        assert same(tell(backend, told[place]), expected[place]), place


def test_a_log_that_has_run_away_or_lost_its_memory_is_noticed_and_joined_anew(url: str) -> None:
    redis = Redis.from_url(url)
    told = story(4, 120)
    fast, slow = backend_at(url), backend_at(url)
    fast.join([])
    slow.join([])
    for one in told[:60]:
        tell(fast, one)
    log = redis.keys("tillway:features:*")[0].removesuffix(b":count")
    redis.xtrim(log, maxlen=5, approximate=False)
    with pytest.raises(SharedLost, match="goes on"):
        tell(slow, told[60])
    with pytest.raises(SharedLost, match="not joined"):
        tell(slow, told[61])
    slow.join(told[:61])
    expected = alone(told)
    assert same(tell(slow, told[61]), expected[61])
    redis.flushall()
    with pytest.raises(SharedLost, match="counts"):
        tell(slow, told[62])
    slow.join(told[:62])
    assert same(tell(slow, told[63]), alone([*told[:63], told[63]])[63])


def test_what_cannot_be_is_refused_before_it_is_shared(url: str) -> None:
    state = backend_at(url)
    state.join([])
    good = story(5, 1)[0]
    for at, wrong in ((-1, good.row), (good.at, good.row[:-1]), (good.at, (-5, *good.row[1:]))):
        with pytest.raises(EventError):
            state.observe("e", at, wrong)
    with pytest.raises(EventError):
        state.learn("e", good.at, good.row, is_fraud=True, available_at=good.at - 1)
    assert Redis.from_url(url).keys("*") == []


def test_a_server_that_is_gone_is_said() -> None:
    with pytest.raises(SharedLost):
        backend_at("unix:///nowhere/redis.sock").join([])
