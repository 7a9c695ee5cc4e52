"""The time stamper over real HTTP: its stamps, and each fault."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import pytest

from backend.channels.http_timestamper import HttpTimeStamper
from backend.channels.timestamping import read_token
from backend.clock import SystemEntropy
from backend.sandbox.institution.house import House
from backend.sandbox.timestamps.app import build_app
from protocol.crypto.hashes import sha256
from protocol.errors import OperatingError
from tests.support.houses import HandClock, near_house, served
from tests.support.stampers import authority_of, near_stamper, needs_openssl

pytestmark = [pytest.mark.asyncio, needs_openssl]
DIGEST = sha256(b"a reserve test")


@asynccontextmanager
async def stamper() -> AsyncIterator[tuple[HttpTimeStamper, House, str]]:
    house = near_house("timestamps", HandClock())
    async with served(build_app(house, near_stamper())) as url:
        authority = authority_of(near_stamper())
        ours = HttpTimeStamper(url=lambda: url, authority=authority, entropy=SystemEntropy())
        try:
            yield ours, house, url
        finally:
            await ours.close()
            house.books.close()


async def test_a_digest_is_stamped_and_the_token_holds_afterwards() -> None:
    async with stamper() as (ours, _, url):
        token = await ours.stamp(DIGEST)
        stamp = read_token(token, digest=DIGEST, authority=authority_of(near_stamper()))
        assert stamp.digest == DIGEST
        async with aiohttp.ClientSession() as session, session.get(f"{url}/authority") as answer:
            assert await answer.read() == near_stamper().authority_file.read_bytes()


@pytest.mark.parametrize(
    ("fault", "why"),
    [
        ("be_down", "HTTP 503"), ("drop_answer_after_commit", "HTTP 504"),
        ("arrive_late", "HTTP 504"), ("bad_signature", "another digest"),
        ("unknown_status", "status 9"),
    ],
)  # fmt: skip
async def test_a_fault_gives_no_stamp_and_the_next_try_does(fault: str, why: str) -> None:
    async with stamper() as (ours, house, _):
        house.faults.arm({fault: 1})
        with pytest.raises(OperatingError, match=why):
            await ours.stamp(DIGEST)
        assert await ours.stamp(DIGEST)


async def test_a_slow_stamper_is_waited_for_and_a_doubled_request_is_no_harm() -> None:
    async with stamper() as (ours, house, _):
        house.faults.arm({"be_slow": 1, "duplicate": 1})
        assert await ours.stamp(DIGEST)


@pytest.mark.parametrize(
    ("content", "media_type", "status"),
    [
        (b"x", "text/plain", 415),
        (b"x" * 5_000, "application/timestamp-query", 413),
        (b"x", "application/timestamp-query", 200),
    ],
)
async def test_what_is_no_query_is_told_so(content: bytes, media_type: str, status: int) -> None:
    async with stamper() as (_, __, url), aiohttp.ClientSession() as session:
        headers = {"Content-Type": media_type}
        async with session.post(f"{url}/", data=content, headers=headers) as answer:
            assert answer.status == status
