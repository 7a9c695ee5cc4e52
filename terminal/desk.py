"""What the flows of one terminal share: journal, courier, timers, and the effects of this turn."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

import structlog

from protocol.clock import Entropy
from protocol.crypto.keys import SigningKey, VerifyKey
from protocol.errors import advice, is_known
from terminal.courier import Courier
from terminal.domain.refund import Refund
from terminal.domain.sale import Sale, SaleState
from terminal.domain.schedule import TimerKey, Timers
from terminal.domain.verdict import UNDO_WAITS
from terminal.effects import Effect, PrintReceipt
from terminal.journal.rows import RequestRow, RequestState
from terminal.journal.store import Journal
from terminal.limits import SENDS_UNHEARD_MIN
from terminal.profile import Profile
from terminal.timing import TerminalClock

log = structlog.get_logger("terminal")
UNDOING = {SaleState.CLOSING: "payment.close", SaleState.REVERSING: "payment.reverse"}
"""What is asked about a sale in these states until it is answered."""


def is_undo(row: RequestRow | None) -> bool:
    """Whether the request is a close or a reversal."""
    return row is not None and row.message_type in UNDOING.values()


def is_overtaken(sale: Sale, row: RequestRow | None) -> bool:
    """Whether the request was to undo the sale in another way than it is being undone by now: a
    close that came too late says nothing about the reversal that has followed it."""
    if row is None or sale.state not in UNDOING:
        return False
    return is_undo(row) and row.message_type != UNDOING[sale.state]


class Desk:
    """The agent's tools. ``current`` is the payment or refund on the screen; ``is_hub_online`` what
    the hub last said of its line to the backend, ``clock_ahead_ms`` how far our clock is before the
    backend's, None until an answer told; ``link_trouble`` why the latest try to reach the hub came
    to nothing."""

    def __init__(
        self,
        *,
        profile: Profile,
        key: SigningKey | VerifyKey,
        journal: Journal,
        clock: TerminalClock,
        entropy: Entropy,
    ) -> None:
        self.profile = profile
        self.journal = journal
        self.clock = clock
        self.timers = Timers()
        self.effects: list[Effect] = []
        self.is_hub_online = True
        self.link_trouble: str | None = None
        self.clock_ahead_ms: int | None = None
        self.current: str | None = None
        self.undo_put_off: dict[str, int] = {}
        """The latest close or reversal that was put off, and its envelopes until then."""
        self.settled: Counter[str] = Counter()
        self.courier = Courier(
            profile=profile,
            key=key,
            journal=journal,
            clock=clock,
            entropy=entropy,
            timers=self.timers,
            emit=self.effects.append,
        )

    def undo_waits_for(self, shown: Sale | Refund | None) -> str | None:
        """Why a close or a reversal is not carried out yet: as it was refused, or ``hub_silent``
        without a line, or after envelope after envelope."""
        if not isinstance(shown, Sale) or shown.state not in UNDOING:
            return None
        row = self.journal.latest_request(shown.payment_id, UNDOING[shown.state])
        if row is None or row.state is not RequestState.OPEN:
            return None
        heard_sends = max(row.refusals, self.undo_put_off.get(row.request_id, 0))
        if not self.courier.is_link_up or row.sends - heard_sends >= SENDS_UNHEARD_MIN:
            return "hub_silent"
        return shown.error_code if shown.error_code in UNDO_WAITS else None

    def link_came_up(self) -> None:
        """The link is up: requests can leave, and no trouble is shown."""
        self.courier.is_link_up = True
        self.link_trouble = None

    def after(self, key: TimerKey, gap_ms: int) -> None:
        """Arm a timer that many milliseconds from now."""
        self.timers.set(key, self.clock.ticks_ms() + gap_ms)

    def take_effects(self) -> list[Effect]:
        """The effects of this turn, handed over once."""
        taken = list(self.effects)
        self.effects.clear()
        return taken

    def print_receipt(self, subject: str, kind: str, facts: Mapping[str, Any]) -> None:
        """Store a receipt, with what was in the cart, and ask for it to be printed."""
        now_ms = self.clock.now_ms()
        items = self.journal.sold_lines(subject) or None
        whole = {**self._place(), **facts, "items": items, "kind": kind, "at_ms": now_ms}
        plain = {name: value for name, value in whole.items() if value is not None}
        receipt_id = self.journal.add_receipt(subject, kind, plain, now_ms)
        self.effects.append(PrintReceipt(receipt_id, plain))

    def _place(self) -> dict[str, Any]:
        profile = self.profile
        return {
            "merchant_zh": profile.merchant_zh,
            "merchant_en": profile.merchant_en,
            "merchant_id": profile.merchant_id,
            "store": profile.store,
            "till": profile.till,
            "place": profile.kind,
            "device": profile.tid,
            "footer_zh": profile.receipt_footer_zh or None,
            "footer_en": profile.receipt_footer_en or None,
        }


def error_facts(code: str | None) -> dict[str, Any]:
    """A code and its two sentences, for receipts."""
    if code is None:
        return {}
    if not is_known(code):
        return {"error_code": code}
    found = advice(code)
    return {"error_code": code, "error_zh": found.zh, "error_en": found.en}
