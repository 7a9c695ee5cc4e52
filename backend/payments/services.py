"""What the HTTP routes of these rooms stand on. The program's bootstrap makes one."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from backend.db.command import Command
from backend.db.reading import Reader
from backend.merchants.model import FeeBounds
from backend.observability.flows import FlowMeter
from backend.payments.model import PaymentRules
from protocol.clock import Clock, Entropy
from protocol.crypto.keys import SigningKey


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """The writer (``submit``), reading threads (``run_read``), and the ports of time and chance."""

    submit: Callable[[Command], Awaitable[Any]]
    run_read: Callable[[Callable[[], Any]], Awaitable[Any]]
    reader: Reader
    clock: Clock
    entropy: Entropy
    rules: PaymentRules
    fee_bounds: FeeBounds = field(default_factory=FeeBounds)
    flows: FlowMeter = field(default_factory=FlowMeter)
    """What this process has measured of its requests and not given to ``FlowDesk`` yet."""
    signing_key: SigningKey | None = field(default=None, repr=False)
    """Signs what a payer's phone takes along (``backend.offline``); None: nothing is signed."""
