"""Machines that join with one-time codes, on a register in memory."""

import asyncio
import contextlib
import itertools
from collections.abc import Awaitable
from typing import TypeVar

import pytest

from backend.identity.ca import CertificateAuthority
from backend.identity.enrolment import Grant
from backend.identity.service import EnrolmentService
from protocol.crypto import generate
from protocol.crypto.tls_keys import TlsKey
from protocol.enrolment_code import PrintedCode
from protocol.errors import CallerError
from protocol.messages.enrolment import JoinAnswer, JoinRequest

T = TypeVar("T")
NOW_MS = 1_800_000_000_000
CA = CertificateAuthority.create("Test CA", now_ms=NOW_MS)
OTHER_CA = CertificateAuthority.create("Test CA", now_ms=NOW_MS)
BACKEND_KEY = generate("SM2-SM3")
GRANT = Grant(tid="t-1", kind="terminal", store="s-1", hub_urls=("mqtts://127.0.0.1:8883",))


class CountingEntropy:
    """Different bytes at every call."""

    def __init__(self) -> None:
        self._numbers = itertools.count(1)

    def token_bytes(self, count: int) -> bytes:
        return (next(self._numbers) * 0x9E3779B97F4A7C15 % 2 ** (8 * count)).to_bytes(count, "big")


class Machine:
    """The side that joins."""

    def __init__(self, suite: str = "Ed25519") -> None:
        self.key = generate(suite)
        self.tls_key = TlsKey()
        self.csr = self.tls_key.request()

    def asks(self, code: PrintedCode) -> JoinRequest:
        return JoinRequest.signed(code, self.csr, self.key)


def run(awaitable: Awaitable[T]) -> T:
    async def main() -> T:
        return await awaitable

    return asyncio.run(main())


def new_code(service: EnrolmentService, grant: Grant = GRANT) -> PrintedCode:
    return run(service.issue_code(grant, issued_by="operator", now_ms=NOW_MS))


def refused(code: str) -> "contextlib.AbstractContextManager[pytest.ExceptionInfo[CallerError]]":
    return pytest.raises(CallerError, match=f"^{code}")


def joined(service: EnrolmentService) -> tuple[Machine, JoinAnswer]:
    machine = Machine()
    return machine, run(service.join(machine.asks(new_code(service)), now_ms=NOW_MS))
