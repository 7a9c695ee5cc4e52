"""The adapter to the sandbox bank and channels: signed HTTP over lines that are kept alive.

Rule 1: an answer counts only with the institution's signature over it and over our request.
Rule 2: each channel has a line (connections) of its own: one that hangs holds up nobody else.
Rule 3: whatever goes wrong on the way is ``OperatingError``: the outcome is unknown, not failed.
        Only where there was no connection to send anything over it is ``NotSentError``.
"""

import asyncio
import hashlib
import json
from collections.abc import Callable
from datetime import date

import aiohttp

from backend.channels import iso20022, signed_http
from backend.channels.day_file import DayFile, DayFileReader, Spool, open_day_file
from backend.channels.iso20022 import (
    Instruction,
    Notification,
    Recall,
    Resolution,
    Statement,
    StatusReport,
)
from backend.channels.limits import (
    ANSWER_BYTES_MAX,
    ANSWER_TEXT_BYTES_MAX,
    CALL_TIMEOUT_S,
    CONNECTIONS_PER_LINE_MAX,
    DAY_FILE_TIMEOUT_S,
)
from backend.channels.ports import NotSentError
from protocol.crypto.keys import SigningKey, VerifyKey
from protocol.errors import CallerError, OperatingError, TillwayError


class Institution:
    """``BankPort`` over HTTP. Close it when done."""

    def __init__(self, *, url: str | Callable[[], str], key: SigningKey, peer: VerifyKey) -> None:
        """``url`` may be asked anew for each call: an institution that comes back may be found
        elsewhere. It raises ``OperatingError`` while there is none."""
        self._url = url if callable(url) else lambda: url
        self._key = key
        self._peers = signed_http.by_kid(peer)
        self._sessions: dict[str, aiohttp.ClientSession] = {}

    async def close(self) -> None:
        """Close the connections."""
        while self._sessions:
            _, session = self._sessions.popitem()
            await session.close()

    async def instruct(self, instruction: Instruction) -> StatusReport:
        """``BankPort.instruct``."""
        body = iso20022.write_instruction(instruction)
        answer = _found(await self.ask("POST", "/bank/instructions", body))
        try:
            return iso20022.read_status_report(answer)
        except CallerError as error:
            raise OperatingError("timeout", f"pain.002: {error.detail}") from error

    async def status(self, message_id: str) -> StatusReport | None:
        """``BankPort.status``."""
        answer = await self.ask("GET", f"/bank/instructions/{message_id}")
        return None if answer is None else iso20022.read_status_report(answer)

    async def statement(self, account: str, day: date) -> Statement:
        """``BankPort.statement``."""
        answer = await self.ask("GET", f"/bank/accounts/{account}/statements/{day}")
        page = iso20022.read_statement(_found(answer))
        if (page.account, page.day) != (account, day):
            raise CallerError("file_rejected", "camt.053: another account or day")
        return page

    async def bookings(self, account: str, cursor: int) -> Notification:
        """``BankPort.bookings``."""
        answer = await self.ask("GET", f"/bank/accounts/{account}/bookings/{cursor}")
        page = iso20022.read_notification(_found(answer))
        if page.account != account or page.cursor < cursor:
            raise CallerError("file_rejected", "camt.054: another account or cursor")
        return page

    async def recall(self, recall: Recall) -> Resolution:
        """``BankPort.recall``."""
        body = iso20022.write_recall(recall)
        answer = _found(await self.ask("POST", "/bank/recalls", body))
        try:
            resolution = iso20022.read_resolution(answer)
        except CallerError as error:
            raise OperatingError("timeout", f"camt.029: {error.detail}") from error
        if resolution.case_id != recall.case_id:
            raise OperatingError("timeout", "camt.029: another case")
        return resolution

    async def fetch_day(
        self, path: str, day: date, *, line: str = "", read: DayFileReader = open_day_file
    ) -> DayFile:
        """A channel's file of a day: fetched to a spool, its signature and then itself checked."""
        spool = Spool()
        try:
            if not await self._ask("GET", path, b"", line, spool.write, DAY_FILE_TIMEOUT_S):
                raise OperatingError("internal", f"{path}: no file of the day")
        except BaseException:
            spool.close()
            raise
        file = await asyncio.to_thread(read, spool)
        if file.day != day:
            file.close()
            raise CallerError("file_rejected", f"the day of {file.day}, not of {day}")
        return file

    async def ask(
        self, method: str, path: str, body: bytes = b"", *, line: str = ""
    ) -> bytes | None:
        """Ask anything, on the named line: the signed answer's body; None for a signed *not
        found*."""
        content = bytearray()

        def take(chunk: bytes) -> None:
            if len(content) + len(chunk) > ANSWER_BYTES_MAX:
                raise OperatingError("internal", f"{path}: the answer is too long")
            content.extend(chunk)

        is_found = await self._ask(method, path, body, line, take, CALL_TIMEOUT_S)
        return bytes(content) if is_found else None

    async def _ask(
        self,
        method: str,
        path: str,
        body: bytes,
        line: str,
        take: Callable[[bytes], None],
        timeout_s: int,
    ) -> bool:
        """Ask, and hand over the answer piece by piece; False for a signed *not found*. What was
        handed over counts only when this returns."""
        headers = signed_http.request_headers(self._key, method=method, path=path, body=body)
        digest = hashlib.sha256()
        try:
            url = self._url().rstrip("/")
        except OperatingError as error:  # it is not running, so there is nothing to connect to
            raise NotSentError(error.detail) from error
        try:
            async with self._open(line).request(
                method,
                url + path,
                data=body,
                headers=headers,
                allow_redirects=False,
                timeout=aiohttp.ClientTimeout(total=timeout_s, sock_read=CALL_TIMEOUT_S),
            ) as response:
                status, answer_headers = response.status, response.headers
                if status == 400:
                    raise _refusal(await response.content.read(ANSWER_TEXT_BYTES_MAX))
                if status not in {200, 404}:
                    raise OperatingError("timeout", f"{path}: HTTP {status}")
                async for chunk in response.content.iter_any():
                    digest.update(chunk)
                    take(chunk)
        except aiohttp.ClientConnectorError as error:
            raise NotSentError(f"{path}: {type(error).__name__}") from error
        except (aiohttp.ClientError, TimeoutError) as error:
            raise OperatingError("timeout", f"{path}: {type(error).__name__}") from error
        try:
            signed_http.check_response(
                self._peers,
                answer_headers,
                status=status,
                request_signature=headers[signed_http.SIGNATURE_HEADER],
                digest=digest.hexdigest(),
            )
        except CallerError as error:
            raise OperatingError("timeout", f"{path}: {error.code}") from error
        return status == 200

    def _open(self, line: str) -> aiohttp.ClientSession:
        found = self._sessions.get(line)
        if found is None:
            found = self._sessions[line] = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=CONNECTIONS_PER_LINE_MAX),
            )
        return found


def _found(answer: bytes | None) -> bytes:
    if answer is None:
        raise OperatingError("internal", "the institution knows nothing of it")
    return answer


def _refusal(content: bytes) -> TillwayError:
    """A refusal before anything happened. It is unsigned, so it may not end a payment: unknown."""
    try:
        code = str(json.loads(content)["code"])
    except (ValueError, KeyError, TypeError):
        code = "no code"
    return OperatingError("internal", f"the institution refuses: {code[:40]}")
