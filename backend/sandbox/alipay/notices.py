"""What a seller is told at its ``notify_url``: that a trade was paid, or given back.

Rule 1: a notice is written in the transaction of what it tells, and sent afterwards.
Rule 2: it is sent again after the gaps below until the seller answers ``success`` (7 tries more,
        then never again). The same notice keeps its ``notify_id``.
Rule 3: ``sign`` covers every parameter but ``sign`` and ``sign_type`` (RSA2).
"""

import json
import uuid
from collections.abc import Mapping

import aiohttp
import structlog
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from backend.channels.alipay.wire import sign_text, signature_of
from backend.sandbox.alipay.limits import (
    NOTICE_ANSWER_BYTES_MAX,
    NOTICE_TIMEOUT_S,
    NOTICES_PER_ROUND_MAX,
)
from backend.sandbox.institution.books import Books
from backend.sandbox.institution.own_clock import OwnClock, china_time
from protocol.clock import MINUTE_MS

_log = structlog.get_logger()
GAPS_MS = tuple(minutes * MINUTE_MS for minutes in (4, 10, 10, 60, 120, 360, 900))
_TIME = "%Y-%m-%d %H:%M:%S"


class Notices:
    """The gateway's outbox, in its books."""

    def __init__(self, books: Books, key: RSAPrivateKey, clock: OwnClock) -> None:
        self._db = books.db
        self._key = key
        self._clock = clock
        self._session: aiohttp.ClientSession | None = None

    def add(self, url: str, app_id: str, told: Mapping[str, str]) -> None:
        """Leave word about a trade. Call it inside the transaction; without a url nobody hears."""
        if not url:
            return
        now_ms = self._clock.now_ms()
        notice = {
            "notify_type": "trade_status_sync",
            "notify_id": uuid.uuid4().hex,
            "app_id": app_id,
            "charset": "utf-8",
            "version": "1.0",
            **told,
        }
        self._db.execute(
            "INSERT INTO alipay_notice VALUES (?, ?, ?, 0, ?)",
            (notice["notify_id"], url, json.dumps(notice, ensure_ascii=False), now_ms),
        )

    async def deliver(self) -> int:
        """Send what is due; how many sellers have answered as they should."""
        now_ms, heard = self._clock.now_ms(), 0
        due = self._db.execute(
            "SELECT notify_id, url, notice, tries FROM alipay_notice WHERE due_ms <= ?"
            " ORDER BY due_ms LIMIT ?",
            (now_ms, NOTICES_PER_ROUND_MAX),
        ).fetchall()
        for notify_id, url, notice, tries in due:
            is_heard = await self._send(url, json.loads(notice))
            heard += is_heard
            after = None if is_heard or tries >= len(GAPS_MS) else now_ms + GAPS_MS[tries]
            self._db.execute(
                "UPDATE alipay_notice SET tries = tries + 1, due_ms = ? WHERE notify_id = ?",
                (after, notify_id),
            )
        return heard

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()

    async def _send(self, url: str, notice: dict[str, str]) -> bool:
        form = notice | {"notify_time": china_time(self._clock.now_ms()).strftime(_TIME)}
        signed = {"sign": signature_of(self._key, sign_text(form)), "sign_type": "RSA2"}
        if self._session is None:
            timeout = aiohttp.ClientTimeout(total=NOTICE_TIMEOUT_S)
            self._session = aiohttp.ClientSession(timeout=timeout)
        try:
            async with self._session.post(url, data=form | signed, allow_redirects=False) as said:
                answer = await said.content.read(NOTICE_ANSWER_BYTES_MAX)
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            _log.info("notice_not_heard", error=type(error).__name__)
            return False
        return answer.strip() == b"success"
