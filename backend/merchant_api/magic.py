"""The sandbox's amounts: what a call that asks for one of them is answered, whoever pays.

Rule 1: nothing of this happens unless the backend's setting says that it is a sandbox.
Rule 2: a refusal that is provoked leaves nothing behind: the call is not carried out.
Rule 3: where a code is not enough, the payment waits for its payer's PIN as any other does.
Rule 4: a call whose answer is lost or late is carried out; its answer is lost once for a number.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from backend.merchant_api import faults
from backend.merchant_api.faults import ApiError, Fault
from backend.merchant_api.limits import (
    MAGIC_DELAY_MS,
    MAGIC_LOST_REMEMBERED_MAX,
)


class PayerWord(StrEnum):
    """What a payer whose code is not enough does then."""

    PAYS = "pays"
    REFUSES = "refuses"
    NONE = "none"
    """Puts the telephone away."""


@dataclass(frozen=True, slots=True)
class Magic:
    """What happens at an amount: the call is refused; or it is carried out and its answer is lost
    or late; or a code is not enough for it, and the payer must give the PIN."""

    refusal: Fault | None = None
    is_lost: bool = False
    delay_ms: int = 0
    payer: PayerWord | None = None


LOST = Magic(is_lost=True)
LATE = Magic(delay_ms=MAGIC_DELAY_MS)
AMOUNTS: Mapping[int, Magic] = {
    6_001: Magic(faults.SYSTEM_ERROR),
    6_002: LOST,
    6_003: LATE,
    6_004: Magic(faults.BANK_ERROR),
    6_005: Magic(faults.SERVICE_UNAVAILABLE),
    6_006: Magic(faults.FREQUENCY_LIMITED),
    6_007: Magic(faults.RATELIMIT_EXCEEDED),
    6_008: Magic(faults.NOT_ENOUGH),
    6_009: Magic(faults.TRADE_ERROR),
    6_010: Magic(faults.RULE_LIMIT),
    6_011: Magic(faults.ACCOUNT_ERROR),
    6_012: Magic(faults.USER_ACCOUNT_ABNORMAL),
    6_013: Magic(faults.NO_AUTH),
    6_014: Magic(faults.OUT_TRADE_NO_USED),
    6_015: Magic(faults.ORDER_PAID),
    6_016: Magic(faults.ORDER_CLOSED),
    6_017: Magic(faults.APPID_MCHID_NOT_MATCH),
    6_018: Magic(faults.MCH_NOT_EXISTS),
    6_019: Magic(faults.OPENID_MISMATCH),
    6_020: Magic(faults.INVALID_TRANSACTIONID),
    6_021: Magic(faults.ORDER_NOT_EXIST),
    6_022: Magic(faults.AUTH_CODE_INVALID),
    6_023: Magic(faults.AUTH_CODE_EXPIRE),
    6_024: Magic(faults.INVALID_REQUEST),
    6_025: Magic(faults.PARAM_ERROR),
    6_026: Magic(faults.SIGN_ERROR),
    6_027: Magic(payer=PayerWord.PAYS),
    6_028: Magic(payer=PayerWord.REFUSES),
    6_029: Magic(payer=PayerWord.NONE),
}
"""In fen: 60.01 yuan and on."""

Sleep = Callable[[float], Awaitable[None]]


class Sandbox:
    """One per process, for all calls that pay, ask to be paid, or give back."""

    def __init__(self, *, is_on: bool, sleep: Sleep = asyncio.sleep) -> None:
        self._is_on = is_on
        self._sleep = sleep
        self._lost: OrderedDict[tuple[str, str], None] = OrderedDict()

    @property
    def is_on(self) -> bool:
        """Whether this backend is a sandbox."""
        return self._is_on

    def at(self, amount_minor: int, *, mchid: str, number: str) -> "Provoked":
        """``async with sandbox.at(amount, mchid=…, number=…):`` around what carries a call out.
        ``number`` is the merchant's, of the order or refund."""
        magic = AMOUNTS.get(amount_minor) if self._is_on else None
        return Provoked(self, magic, (mchid, number))

    def payer_word(self, amount_minor: int) -> PayerWord | None:
        """What the payer of a code does about this amount; None: the code is as good as ever."""
        magic = AMOUNTS.get(amount_minor) if self._is_on else None
        return magic.payer if magic is not None else None

    async def wait(self, delay_ms: int) -> None:
        """Delay an answer."""
        if delay_ms:
            await self._sleep(delay_ms / 1000)

    def lose(self, key: tuple[str, str]) -> None:
        """``SYSTEM_ERROR``, the first time for a number."""
        if key in self._lost:
            return
        while len(self._lost) >= MAGIC_LOST_REMEMBERED_MAX:
            self._lost.popitem(last=False)
        self._lost[key] = None
        raise ApiError(faults.SYSTEM_ERROR)


class Provoked:
    """One call in the sandbox."""

    def __init__(self, sandbox: Sandbox, magic: Magic | None, key: tuple[str, str]) -> None:
        self._sandbox = sandbox
        self._magic = magic
        self._key = key

    async def __aenter__(self) -> None:
        """Refuses with what the amount stands for."""
        if self._magic is not None and self._magic.refusal is not None:
            raise ApiError(self._magic.refusal)

    async def __aexit__(self, kind: object, error: object, trace: object) -> None:
        """Loses or delays the answer to what was carried out."""
        if self._magic is None or error is not None:
            return
        await self._sandbox.wait(self._magic.delay_ms)
        if self._magic.is_lost:
            self._sandbox.lose(self._key)
