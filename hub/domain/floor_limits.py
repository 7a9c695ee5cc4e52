"""How much the store's tills may accept offline, and how much of it has not come back.

Rule 1: the limits are configuration; what is left for the store is what its spool holds already
        taken from them. A till that the hub cannot hear counts by its own limit.
Rule 2: what is announced is signed with the hub's state; nothing is decided here for a till.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from protocol import envelope as envelopes
from protocol.envelope import Envelope
from protocol.errors import CallerError
from protocol.messages.offline import OFFLINE_TOKEN, FloorLimits

_MARK = OFFLINE_TOKEN.encode("ascii")


@dataclass(frozen=True, slots=True, kw_only=True)
class FloorRules:
    """What a store allows."""

    payment_minor_max: Mapping[str, int] = field(default_factory=dict)
    """Of one payment, by the payer's class."""
    device_minor_max: int
    device_tokens_max: int
    store_minor_max: int
    age_ms_max: int


class Floor:
    """What a hub announces."""

    def __init__(self, rules: FloorRules | None) -> None:
        """None: nothing may be accepted offline in this store."""
        self._rules = rules
        self.held_minor = 0

    def limits(self) -> FloorLimits | None:
        """What is allowed now."""
        rules = self._rules
        if rules is None:
            return None
        return FloorLimits(
            payment_minor_max=dict(rules.payment_minor_max),
            device_minor_max=rules.device_minor_max,
            device_tokens_max=rules.device_tokens_max,
            store_minor_left=max(0, rules.store_minor_max - self.held_minor),
            age_ms_max=rules.age_ms_max,
        )

    def remember(self, queued: Iterable[bytes]) -> None:
        """Envelopes that the spool gave back at start."""
        self.held_minor += sum(offline_minor(data) for data in queued)

    def take(self, data: bytes) -> None:
        """An envelope is in the spool."""
        self.held_minor += offline_minor(data)

    def release(self, data: bytes) -> None:
        """It was answered."""
        self.held_minor -= offline_minor(data)


def offline_minor(data: bytes) -> int:
    """What an accepted envelope brings of offline money; 0 for every other one."""
    if _MARK not in data:  # cheaper than reading each envelope again
        return 0
    try:
        return _amount(envelopes.unseal(data).envelope)
    except CallerError:
        return 0


def _amount(envelope: Envelope) -> int:
    body = envelope.body
    if envelope.message_type != "payment.create" or body.get("method") != OFFLINE_TOKEN:
        return 0
    amount = body.get("amount_minor")
    return amount if type(amount) is int and amount > 0 else 0
