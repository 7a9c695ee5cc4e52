"""Payers who have set money aside and sign tokens while nobody can be asked; some sign twice."""

import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from backend.offline.repository import OfflineRepository
from backend.offline.service import CloseVoucher, GiveVoucher
from protocol.crypto.keys import SigningKey
from protocol.errors import CallerError
from protocol.ids import mint
from protocol.limits import OFFLINE_TOKENS_MAX
from protocol.messages.offline import (
    OfflineWish,
    TokenText,
    VoucherText,
    sign_token,
    sign_voucher,
)
from tests.simulation.backend_room import BackendRoom
from tests.simulation.events import DriftingClock, PowerCut, Schedule, SeededEntropy, Trace
from tests.simulation.people import CURRENCY, BackendDown

VOUCHER_MINOR = 8_000
LOOK_MS = 10 * 60_000
_TERMS = frozenset(VoucherText.model_fields) - {"payer_masked", "suite", "public"}


@dataclass
class _Phone:
    """``next_number`` goes back when its owner restores an old copy of it."""

    payer_id: str
    key: SigningKey
    is_honest: bool
    voucher: VoucherText | None = None
    next_number: int = 0


class OfflinePayers:
    """All of them. The first never signs a number twice."""

    def __init__(
        self,
        keys: Mapping[str, SigningKey],
        *,
        backend: BackendRoom,
        backend_down: BackendDown,
        schedule: Schedule,
        trace: Trace,
        clock: DriftingClock,
        dice: random.Random,
    ) -> None:
        self._phones = [
            _Phone(payer_id, key, is_honest=at == 0)
            for at, (payer_id, key) in enumerate(keys.items())
        ]
        self._backend, self._backend_down = backend, backend_down
        self._schedule, self._trace = schedule, trace
        self._clock, self._dice = clock, dice
        self._entropy = SeededEntropy(dice)
        self.is_over = False
        self._look()

    def next_token(self, wish: str) -> str | None:
        """What somebody shows to a till that is offline; None: nobody has a voucher."""
        having = [one for one in self._phones if one.voucher is not None]
        if not having:
            return None
        phone = self._dice.choice(having)
        assert phone.voucher is not None
        if not phone.is_honest and self._dice.random() < 0.4:
            phone.next_number = max(0, phone.next_number - self._dice.randint(1, 3))
        number, phone.next_number = phone.next_number, phone.next_number + 1
        if number >= OFFLINE_TOKENS_MAX:
            return None
        self._trace.add(phone.payer_id, f"signs {number} of {phone.voucher.voucher_id}")
        text = TokenText(
            voucher_id=phone.voucher.voucher_id,
            number=number,
            signed_at_ms=self._clock.now_ms(),
            **OfflineWish.from_text(wish).to_map(),
        )
        return sign_token(text, phone.key, voucher=sign_voucher(phone.voucher, self._backend.key))

    def _look(self) -> None:
        """Vouchers that are over are closed, and whoever has none asks for one."""
        if self.is_over:
            return
        if self._backend.is_alive:
            try:
                self._close()
                for phone in self._phones:
                    self._fetch(phone)
            except PowerCut:
                self._backend_down()
        self._schedule.after(LOOK_MS, self._look)

    def _close(self) -> None:
        now_ms = self._clock.now_ms()
        for voucher_id in OfflineRepository(self._backend.reader).due(now_ms):
            date = self._backend.rules.business_date(now_ms)
            rest = self._backend.do(CloseVoucher(voucher_id=voucher_id, business_date=date))
            self._trace.add("backend", f"gives back {rest} of {voucher_id}")

    def _fetch(self, phone: _Phone) -> None:
        now_ms, rules = self._clock.now_ms(), self._backend.rules
        voucher_id = mint("ofv", time_ms=now_ms, random_bytes=self._entropy.token_bytes(10))
        wanted = GiveVoucher(
            voucher_id=voucher_id,
            payer_id=phone.payer_id,
            amount_minor=VOUCHER_MINOR,
            currency=CURRENCY,
            rules=rules.offline,
            business_date=rules.business_date(now_ms),
        )
        try:
            row: dict[str, Any] = self._backend.do(wanted)
        except CallerError as refused:
            self._trace.add(phone.payer_id, f"gets no voucher: {refused.code}")
            return
        self._trace.add(phone.payer_id, f"has {voucher_id}")
        phone.next_number = 0
        phone.voucher = VoucherText(
            **{name: row[name] for name in _TERMS},
            payer_masked="李*",
            suite=phone.key.suite.name,
            public=phone.key.public.public,
        )
