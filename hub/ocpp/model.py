"""A charge: what is metered, what it costs, and where it stands. Pure.

Rule 1: only ``TRANSITIONS`` says which state follows.
Rule 2: the price is the one of the charge's beginning; each line of the cost is rounded down.
Rule 3: a meter never counts backwards: a reading that is older or lower than the latest is put
        aside. The last word is the reading at the end, also where it is lower than one before.
Rule 4: no more is asked than the limit: what flows beyond it, until the charger has stopped, is
        the merchant's.
Rule 5: a card that nobody knows begins nothing: the charge is refused, and its charger told to end
        it. What it gives all the same is owed by nobody we know: a person must look.
Rule 6: a charger's time counts where it can be true (``believed_ms``): a clock that was never set
        costs nobody anything. One that is slow by less than a week, and is set right while a car
        charges, cannot be told from time that has passed. Our own clock never jumps (``time``).
Rule 7: a debt of a device that nobody knows is a person's until the registry says something new of
        it; then the same request is said again.
"""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from hub.ocpp.limits import LOOK_AHEAD_MS, POWER_GAP_MS_MIN, SAID_LATE_MS_MAX, UNHEARD_MS
from protocol.errors import CallerError

WH_PER_KWH = 1_000
MS_PER_MINUTE = 60_000


class ChargeState(StrEnum):
    """Where a charge stands."""

    OFFERED = "offered"
    """A code is shown (or about to be); nobody has paid."""
    FUNDED = "funded"
    """An amount was paid ahead; the charger was told to begin."""
    RUNNING = "running"
    REFUSED = "refused"
    """Nobody's card: it was told to end. It stays so at its end, unless something has flowed."""
    OWED = "owed"
    """Metered to the end; the debit, or the rest that goes back, is on its way."""
    ASKED = "asked"
    """The debit waits for its payer's word."""
    PAID = "paid"
    FREE = "free"
    """Nothing was to pay."""
    UNSETTLED = "unsettled"
    """The debit was declined, or the rest could not be given back: a person must look."""
    DROPPED = "dropped"
    """A code that nobody paid."""


class ChargeStep(StrEnum):
    """What can happen to a charge."""

    FUND = "fund"
    DROP = "drop"
    BEGIN = "begin"
    DENY = "deny"
    END = "end"
    ASK = "ask"
    PAY = "pay"
    WAIVE = "waive"
    REFUSE = "refuse"
    RESUME = "resume"


class ChargeEvent(StrEnum):
    """What has happened to a charge."""

    FUNDED = "ChargeFunded"
    DROPPED = "OfferDropped"
    BEGUN = "ChargeBegun"
    DENIED = "CardRefused"
    ENDED = "ChargeEnded"
    ASKED = "PayerAsked"
    PAID = "ChargePaid"
    WAIVED = "NothingDue"
    REFUSED = "ChargeUnsettled"
    RESUMED = "DebtResumed"


@dataclass(frozen=True, slots=True)
class Edge:
    """One legal step: the state it leads to and the event it emits."""

    state: ChargeState
    event: ChargeEvent


_S, _T, _E = ChargeState, ChargeStep, ChargeEvent
_ENDED, _PAID = Edge(_S.OWED, _E.ENDED), Edge(_S.PAID, _E.PAID)
_REFUSED = Edge(_S.UNSETTLED, _E.REFUSED)

TRANSITIONS: dict[tuple[ChargeState, ChargeStep], Edge] = {
    (_S.OFFERED, _T.FUND): Edge(_S.FUNDED, _E.FUNDED),
    (_S.OFFERED, _T.DROP): Edge(_S.DROPPED, _E.DROPPED),
    (_S.FUNDED, _T.BEGIN): Edge(_S.RUNNING, _E.BEGUN),
    (_S.FUNDED, _T.END): _ENDED,
    (_S.RUNNING, _T.DENY): Edge(_S.REFUSED, _E.DENIED),
    (_S.RUNNING, _T.END): _ENDED,
    (_S.REFUSED, _T.END): Edge(_S.REFUSED, _E.ENDED),
    (_S.REFUSED, _T.REFUSE): _REFUSED,
    (_S.OWED, _T.WAIVE): Edge(_S.FREE, _E.WAIVED),
    (_S.OWED, _T.ASK): Edge(_S.ASKED, _E.ASKED),
    (_S.OWED, _T.PAY): _PAID,
    (_S.OWED, _T.REFUSE): _REFUSED,
    (_S.ASKED, _T.PAY): _PAID,
    (_S.ASKED, _T.REFUSE): _REFUSED,
    (_S.UNSETTLED, _T.RESUME): Edge(_S.OWED, _E.RESUMED),
}
OPEN_STATES = frozenset({_S.OFFERED, _S.FUNDED, _S.RUNNING, _S.OWED, _S.ASKED})
FLOWING_STATES = frozenset({_S.RUNNING, _S.REFUSED})
DEVICE_UNKNOWN = "device_unknown"


def believed_ms(said_ms: int, now_ms: int) -> int:
    """The time that a charger says; ours where that is still to come, or too long ago for a charger
    that was off line."""
    return said_ms if now_ms - SAID_LATE_MS_MAX <= said_ms <= now_ms else now_ms


@dataclass(frozen=True, slots=True)
class Tariff:
    """What a charger asks: integer minor units of one currency."""

    currency: str
    per_kwh_minor: int
    per_minute_minor: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Charge:
    """One charge at one connector. ``payment_id`` is minted before anything is sent.

    ``number`` is what an OCPP 1.6 charger calls the transaction; ``key`` tells a beginning that is
    said again (``transaction_id`` of 2.0.1; what a 1.6 charger says of it). Times of ``began`` to
    ``ended`` are the charger's as far as it is believed, ``heard_at_ms`` is ours.
    """

    payment_id: str
    number: int
    charger: str
    connector: int
    key: str
    tag: str
    state: ChargeState
    currency: str
    per_kwh_minor: int
    per_minute_minor: int
    mandate_id: str | None = None
    prepaid_minor: int = 0
    """Paid ahead by a code; 0: a mandate's debit at the end."""
    limit_minor: int | None = None
    """The most that may be asked; None: not known yet."""
    start_wh: int | None = None
    """None: the charger has not said yet; the first reading is it then."""
    last_wh: int = 0
    began_at_ms: int = 0
    last_at_ms: int = 0
    heard_at_ms: int = 0
    ended_at_ms: int = 0
    milliwatts: int = 0
    """The power between the two latest readings."""
    odd_readings: int = 0
    stop_reason: str = ""
    """Why we told the charger to stop; empty: we have not."""
    end_reason: str = ""
    amount_minor: int = 0
    refund_id: str | None = None
    code_url: str = ""
    error_code: str | None = None
    registry_row: int | None = None
    """The revision of its device's row when the device was unknown; None: there was no row."""

    @property
    def energy_wh(self) -> int:
        """What has flowed, by the meter."""
        return 0 if self.start_wh is None else max(self.last_wh - self.start_wh, 0)

    @property
    def duration_ms(self) -> int:
        """From the beginning to the end or the latest reading, by the charger's clock."""
        until_ms = self.ended_at_ms or self.last_at_ms
        return max(until_ms - self.began_at_ms, 0)

    @property
    def energy_minor(self) -> int:
        """The price of the energy."""
        return self.energy_wh * self.per_kwh_minor // WH_PER_KWH

    @property
    def time_minor(self) -> int:
        """The price of the time."""
        return self.duration_ms * self.per_minute_minor // MS_PER_MINUTE

    @property
    def cost_minor(self) -> int:
        """What it costs so far, the limit left aside."""
        return self.energy_minor + self.time_minor

    @property
    def is_open(self) -> bool:
        """Whether something is still to happen."""
        return self.state in OPEN_STATES or self.is_flowing or self.waits_for_registry

    @property
    def is_flowing(self) -> bool:
        """Whether its charger has begun it, and has not said that it is over."""
        return self.state in FLOWING_STATES and not self.ended_at_ms

    def is_heard(self, now_ms: int) -> bool:
        """Whether its charger has said something of it not long ago, by our time."""
        return now_ms - self.heard_at_ms <= UNHEARD_MS

    @property
    def waits_for_registry(self) -> bool:
        """Whether its debt is asked for again once its device is known (rule 7)."""
        return self.state is ChargeState.UNSETTLED and self.error_code == DEVICE_UNKNOWN

    def move(self, step: ChargeStep, **changes: Any) -> "Charge":  # noqa: ANN401  # columns
        """The charge after a step; ``payment_state`` where the table has none."""
        edge = TRANSITIONS.get((self.state, step))
        if edge is None:
            raise CallerError("payment_state", f"{step} of a charge that is {self.state}")
        return replace(self, state=edge.state, **changes)

    def read(self, wh: int, *, at_ms: int, heard_at_ms: int) -> "Charge":
        """The charge after a reading of its meter (rule 3)."""
        if self.start_wh is None:
            return replace(self, start_wh=wh, last_wh=wh, last_at_ms=at_ms, heard_at_ms=heard_at_ms)
        if at_ms < self.last_at_ms or wh < self.last_wh:
            return replace(self, odd_readings=self.odd_readings + 1)
        gap_ms = at_ms - self.last_at_ms
        is_long = gap_ms >= POWER_GAP_MS_MIN
        power = (wh - self.last_wh) * 3_600_000_000 // gap_ms if is_long else self.milliwatts
        return replace(
            self, last_wh=wh, last_at_ms=at_ms, heard_at_ms=heard_at_ms, milliwatts=power
        )

    def begin_at(self, wh: int | None, *, at_ms: int) -> "Charge":
        """The charge whose beginning is said when something later of it is known already: it
        counts from there, where that is lower, and from when, where that is earlier."""
        began = replace(self, began_at_ms=min(self.began_at_ms, at_ms))
        if wh is None or (self.start_wh is not None and self.start_wh <= wh):
            return began
        return replace(began, start_wh=wh, last_wh=max(self.last_wh, wh))

    def end(self, wh: int | None, *, at_ms: int, reason: str) -> "Charge":
        """The charge at its end; ``wh`` None: the charger does not say what the meter shows."""
        last_wh = self.last_wh if wh is None else wh
        began_at_ms = self.began_at_ms or at_ms  # what never began took no time
        is_odd = last_wh < self.last_wh or at_ms < began_at_ms
        ended = replace(
            self,
            last_wh=last_wh,
            began_at_ms=began_at_ms,
            ended_at_ms=max(at_ms, began_at_ms, 1),
        )
        cap_minor = self.limit_minor if self.limit_minor is not None else ended.cost_minor
        return ended.move(
            ChargeStep.END,
            amount_minor=min(ended.cost_minor, cap_minor),
            end_reason=self.stop_reason or reason,
            odd_readings=self.odd_readings + is_odd,
        )

    def reaches_limit(self, now_ms: int, *, beside_minor: int = 0) -> bool:
        """Whether the cost will reach the limit before a stop would work; ``beside_minor`` is what
        others take of it."""
        if self.limit_minor is None or self.state is not ChargeState.RUNNING:
            return False
        return self.cost_ahead_minor(now_ms) + beside_minor >= self.limit_minor

    def cost_ahead_minor(self, now_ms: int) -> int:
        """What it will cost by when a stop would work, at the latest power.

        ``now_ms`` is our time, by which the latest reading was heard."""
        ahead_ms = max(now_ms - self.heard_at_ms, 0) + LOOK_AHEAD_MS
        ahead_wh = self.milliwatts * ahead_ms // 3_600_000_000
        return replace(
            self, last_wh=self.last_wh + ahead_wh, last_at_ms=self.last_at_ms + ahead_ms
        ).cost_minor
