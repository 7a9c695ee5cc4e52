"""The adapter to the sandbox bank and channels: signed HTTP over lines that are kept alive.

Rule 1: an answer counts only with the institution's signature over it and over our request.
Rule 2: each channel has a line (connections) of its own: one that hangs holds up nobody else.
Rule 3: whatever goes wrong on the way is ``OperatingError``: the outcome is unknown, not failed.
"""

import json
from collections.abc import Callable
from datetime import date

import aiohttp

from backend.channels import day_file, iso20022, signed_http
from backend.channels.day_file import DayFile
from backend.channels.iso20022 import Instruction, Statement, StatusReport
from backend.channels.limits import ANSWER_BYTES_MAX, CALL_TIMEOUT_S, CONNECTIONS_PER_LINE_MAX
from backend.channels.model import TopUpAnswer, TopUpOrder
from protocol.crypto.keys import SigningKey, VerifyKey
from protocol.errors import CallerError, OperatingError, TillwayError


class Institution:
    """``BankPort`` and ``TopUpPort`` over HTTP. Close it when done."""

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

    async def top_up(self, order: TopUpOrder) -> TopUpAnswer:
        """``TopUpPort.top_up``."""
        content = {
            "topup_id": order.topup_id,
            "account": order.account,
            "amount_minor": order.amount.amount_minor,
            "currency": order.amount.currency,
        }
        answer = await self.ask("POST", "/channel/topups", json.dumps(content).encode())
        return _top_up_answer(_found(answer), order.topup_id)

    async def top_up_status(self, topup_id: str) -> TopUpAnswer | None:
        """``TopUpPort.top_up_status``."""
        answer = await self.ask("GET", f"/channel/topups/{topup_id}")
        return None if answer is None else _top_up_answer(answer, topup_id)

    async def settle(self, day: date) -> None:
        """``DayPort.settle``."""
        await self.ask("POST", f"/channel/days/{day}/settlement")

    async def day_file(self, day: date) -> DayFile:
        """``DayPort.day_file``."""
        file = day_file.read_day_file(_found(await self.ask("GET", f"/channel/days/{day}/file")))
        if file.day != day:
            raise CallerError("file_rejected", "another day")
        return file

    async def ask(
        self, method: str, path: str, body: bytes = b"", *, line: str = ""
    ) -> bytes | None:
        """Ask anything, on the named line: the signed answer's body; None for a signed *not
        found*."""
        headers = signed_http.request_headers(self._key, method=method, path=path, body=body)
        try:
            async with self._open(line).request(
                method,
                self._url().rstrip("/") + path,
                data=body,
                headers=headers,
                allow_redirects=False,
            ) as response:
                content = await response.content.read(ANSWER_BYTES_MAX)
                if not response.content.at_eof():
                    raise OperatingError("internal", f"{path}: the answer is too long")
                status, answer_headers = response.status, response.headers
        except (aiohttp.ClientError, TimeoutError) as error:
            raise OperatingError("timeout", f"{path}: {type(error).__name__}") from error
        if status == 400:
            raise _refusal(content)
        if status not in {200, 404}:
            raise OperatingError("timeout", f"{path}: HTTP {status}")
        try:
            signed_http.check_response(
                self._peers,
                answer_headers,
                status=status,
                request_signature=headers[signed_http.SIGNATURE_HEADER],
                body=content,
            )
        except CallerError as error:
            raise OperatingError("timeout", f"{path}: {error.code}") from error
        return None if status == 404 else content

    def _open(self, line: str) -> aiohttp.ClientSession:
        found = self._sessions.get(line)
        if found is None:
            found = self._sessions[line] = aiohttp.ClientSession(
                timeout=aiohttp.ClientTimeout(total=CALL_TIMEOUT_S),
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


def _top_up_answer(content: bytes, topup_id: str) -> TopUpAnswer:
    match json.loads(content):
        case {
            "topup_id": str(said),
            "state": ("succeeded" | "failed") as state,
            "reason": str(reason),
            "day": str(day),
        } if said == topup_id:
            return TopUpAnswer(said, state, reason, date.fromisoformat(day).isoformat())
    raise OperatingError("internal", "the channel's answer makes no sense")
