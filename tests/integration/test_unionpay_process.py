"""UnionPay's switch as a process, killed and started again, and the adapter beside it."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from backend.channels.institution import Institution
from backend.channels.model import PayOrder
from backend.channels.signed_http import key_text, read_key
from backend.channels.unionpay import TerminalKey, UnionPay
from backend.channels.unionpay_files import UnionPayFiles
from backend.channels.unionpay_line import Line
from backend.sandbox.institution.program import SystemClock
from backend.sandbox.unionpay.program import LINE
from backend.sandbox.unionpay.terminals import key_path
from protocol.crypto.keys import generate
from protocol.errors import OperatingError
from protocol.money import Money
from tests.support.iso8583_messages import TID
from tests.support.migrated import migrated_sqlite
from tests.support.shop import Shop
from tests.support.unionpay_world import TOKEN, sql_traces

pytestmark = pytest.mark.asyncio
DAY_MS = 86_400_000


@asynccontextmanager
async def running(root: Path, peer: str) -> AsyncIterator[tuple[asyncio.subprocess.Process, Any]]:
    """The process, and what it says when it is ready."""
    settings = {
        "TILLWAY_SANDBOX_STATE_DIR": str(root),
        "TILLWAY_SANDBOX_INSTITUTION_KEYS": json.dumps([peer]),
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tillway", "sandbox", "run", "unionpay",
        env=os.environ | settings, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    try:
        yield process, json.loads(await process.stdout.readline())
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
        await process.wait()


async def control(port: int, path: str, content: Any) -> Any:
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"http://127.0.0.1:{port}/control/{path}", json=content) as response,
    ):
        assert response.status == 200, await response.text()
        return await response.json()


async def test_paid_killed_paid_again_and_told_in_the_days_file(tmp_path: Path) -> None:
    root, key = tmp_path / "sandbox", generate("ES256")
    url = migrated_sqlite(tmp_path / "ours.db")
    shop = Shop(url)
    ports: dict[str, int] = {}
    order = PayOrder("pay_1", TOKEN, Money(1_000, "CNY"), 0)
    async with running(root, key_text(key.public)) as (process, ready):
        ports |= ready["ports"]
        card = {"account": "CARD-1", "name": "李雷", "token": TOKEN, "opening_minor": 5_000}
        await control(ports["http"], "cards", card)
        master = bytes.fromhex(key_path(root / "unionpay", TID).read_text().strip())
        assert key_path(root / "unionpay", TID).stat().st_mode & 0o077 == 0

        def institution() -> Institution:
            at = f"http://127.0.0.1:{ports['http']}"
            return Institution(url=at, key=key, peer=read_key(ready["key"]))

        face = institution()
        adapter = UnionPay(
            line=Line(lambda: ("127.0.0.1", ports[LINE]), timeout=timedelta(seconds=5)),
            traces=sql_traces(shop),
            key=TerminalKey(master),
            clock=SystemClock(),
            files=UnionPayFiles(face),
        )
        paid = await adapter.pay(order)
        assert paid.state == "succeeded"
        process.kill()
        await process.wait()
        with pytest.raises(OperatingError):
            await adapter.pay(order)
    await face.close()
    async with running(root, key_text(key.public)) as (process, ready):
        ports |= ready["ports"]
        assert await adapter.pay(order) == paid
        await control(ports["http"], "clock", {"advance_ms": DAY_MS})
        face = institution()
        files = UnionPayFiles(face)
        with await files.fetch(date.fromisoformat(paid.settlement_date)) as file:
            rows = list(file.rows())
        assert [(row.reference, row.amount.amount_minor) for row in rows] == [("pay_1", 1_000)]
        assert rows[0].channel_reference == paid.reference
        await face.close()
    await adapter.close()
    shop.close()
