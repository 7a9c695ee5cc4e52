"""One outlet of the charger: a connector with its cable, its contactor and its meter.

What is in the world (the cable, what the car wants, a defect) stays over a power cut; what the
charger has in mind (a granted token) does not.
"""

from dataclasses import dataclass, field

from firmware_sim.devices.ocpp.charging_profiles import Profile
from firmware_sim.devices.ocpp.connector_states import Facts, State
from firmware_sim.devices.ocpp.meter import Meter
from firmware_sim.devices.ocpp.tokens import Token
from protocol.errors import CallerError


@dataclass(frozen=True, slots=True)
class Grant:
    """A token that may charge and waits for its cable."""

    token: Token
    group: str = ""
    remote_start_id: int | None = None
    profile: Profile | None = None
    """That was sent along with a remote start."""


@dataclass(frozen=True, slots=True)
class Reservation:
    """An outlet kept for a token."""

    number: int
    outlet: int
    token: Token
    group: str
    until_ms: int

    def admits(self, token: Token, group: str) -> bool:
        """Whether it is kept for this token or its group."""
        return token.key == self.token.key or (bool(group) and group == self.group)


@dataclass(slots=True)
class Transaction:
    """A charging session under way; it is in flash."""

    number: int
    """The charger's own."""
    key: str
    """2.0.1's transactionId, made by the charger."""
    outlet: int
    token: Token | None
    group: str
    start_wh: int
    started_at_ms: int
    is_granted: bool
    is_held: bool = False
    """The token was refused, and only the energy is withheld for that."""
    remote_start_id: int | None = None
    reservation: int | None = None
    seq_no: int = 0
    """The next one of 2.0.1."""
    stop_token: Token | None = None
    """The card that stopped it."""
    stopped_by: str = ""
    """Why it is about to end, where that is known before its end."""
    charging_state: str = ""
    """2.0.1's, as last told."""
    cost: str = ""
    """What the central system says it costs so far."""

    @property
    def may_flow(self) -> bool:
        """Whether the token lets energy flow."""
        return self.is_granted and not self.is_held


@dataclass(slots=True)
class Outlet:
    """One outlet. ``wanted_w`` is what the plugged car would take."""

    number: int
    power_w_max: int
    is_plugged: bool = False
    wanted_w: int = 0
    defect: str = ""
    is_operative: bool = True
    is_to_become_inoperative: bool = False
    """A change of availability that waits for the end of the transaction."""
    is_finished: bool = False
    grant: Grant | None = None
    transaction: Transaction | None = None
    reservation: Reservation | None = None
    limit_w: int | None = None
    """What the central system allows, or ``None`` where it sets no limit."""
    state: State = State.AVAILABLE
    reported: str = ""
    """The status the central system knows."""
    meter: Meter = field(default_factory=Meter)

    @property
    def offered_w(self) -> int:
        """What the charger would give."""
        return self.power_w_max if self.limit_w is None else min(self.limit_w, self.power_w_max)

    @property
    def is_usable(self) -> bool:
        """Whether a new transaction may begin here."""
        return self.is_operative and not self.defect and self.transaction is None

    def plug(self, wanted_w: int) -> None:
        """A car's cable goes in; raises ``CallerError("field_invalid")`` where one is."""
        if self.is_plugged:
            raise CallerError(
                "field_invalid",
                f"a cable is in outlet {self.number} already",
                detail_zh=f"{self.number} 号口已插着线",
            )
        self.is_plugged, self.wanted_w, self.is_finished = True, wanted_w, False

    def facts(self, *, is_station_operative: bool) -> Facts:
        """What decides the state."""
        transaction = self.transaction
        return Facts(
            is_faulted=bool(self.defect),
            is_in_transaction=transaction is not None,
            is_plugged=self.is_plugged,
            is_granted=transaction.may_flow if transaction else self.grant is not None,
            is_offered=self.offered_w > 0,
            is_wanted=self.wanted_w > 0,
            is_finished=self.is_finished,
            is_operative=self.is_operative and is_station_operative,
            is_reserved=self.reservation is not None,
        )

    def flowing_w(self) -> int:
        """What flows: the lesser of wanted and offered, while a granted transaction lasts."""
        transaction = self.transaction
        is_closed = self.is_plugged and not self.defect
        if transaction is None or not transaction.may_flow or not is_closed:
            return 0
        return min(self.wanted_w, self.offered_w)
