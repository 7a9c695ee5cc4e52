"""One connection: its state, its unfinished bytes, and the publishes it waits to see answered."""

from dataclasses import dataclass, field

from mqtt5 import ConnectPacket, PubAckPacket, PubAckReasonCode, Will

from hub import limits
from hub.mqtt.access import Branch
from hub.mqtt.frames import FrameReader
from hub.mqtt.session import Session
from hub.mqtt.states import TRANSITIONS, Edge, Event, State
from protocol.errors import CallerError, TillwayError

_PROBLEM_INFO_BYTES = 128
"""MQTT-3.4.2-2: no reason string to a client that takes only smaller packets."""

Verdict = tuple[PubAckReasonCode, str | None]


@dataclass(slots=True)
class Member:
    """What the server keeps for one terminal: its session, its line and its will."""

    branch: Branch
    session: Session
    connection: "Connection | None" = None
    session_expiry_s: int = 0
    ends_at_ms: int | None = None
    will: Will | None = None
    will_at_ms: int | None = None
    is_reachable: bool = False


@dataclass(slots=True)
class Connection:
    """The server's end of one line. ``identity`` is whom the line was proved to belong to."""

    connection_id: int
    identity: str | None
    opened_at_ms: int
    state: State = State.AWAITING_CONNECT
    reader: FrameReader = field(default_factory=lambda: FrameReader(limits.MQTT_PACKET_BYTES_MAX))
    member: Member | None = None
    silence_ms_max: int = 0
    heard_at_ms: int = 0
    wants_problem_info: bool = True
    _verdicts: dict[int, Verdict | None] = field(default_factory=dict)

    def move(self, event: Event) -> None:
        """Go where the table says. Nothing else changes the state."""
        self.state = TRANSITIONS[self.state, event].after

    def edge(self, event: Event) -> Edge:
        """What the table says about an event now."""
        return TRANSITIONS[self.state, event]

    def agree(self, packet: ConnectPacket, keep_alive_s: int, now_ms: int) -> None:
        """The CONNECT is accepted on these terms."""
        self.move(Event.CONNECT)
        self.heard_at_ms = now_ms
        self.silence_ms_max = keep_alive_s * 1500  # MQTT-3.1.2-22: one and a half times
        room = packet.max_packet_size or _PROBLEM_INFO_BYTES
        self.wants_problem_info = packet.request_problem_info and room >= _PROBLEM_INFO_BYTES

    @property
    def joined(self) -> Member:
        """The member of a connected line."""
        assert self.member is not None, "the table lets no packet through before CONNECT"
        return self.member

    # --- publishes that wait for their PUBACK

    def is_waiting(self, packet_id: int) -> bool:
        """Whether a publish under this id is not acknowledged yet."""
        return packet_id in self._verdicts

    @property
    def waiting(self) -> int:
        """How many QoS 1 publishes are not acknowledged yet."""
        return len(self._verdicts)

    def expect(self, packet_id: int) -> None:
        """A publish was taken: its PUBACK is owed."""
        self._verdicts[packet_id] = None

    def decide(self, packet_id: int, verdict: Verdict) -> bytes:
        """A publish is decided: the PUBACKs that are due, in the order of the publishes.

        MQTT-4.6.0-2: a refusal that is known at once still waits for those before it.
        """
        self._verdicts[packet_id] = verdict
        due = bytearray()
        for waiting_id, known in list(self._verdicts.items()):
            if known is None:
                break
            del self._verdicts[waiting_id]
            reason, text = known
            due += PubAckPacket(
                waiting_id,
                reason_code=reason,
                reason_str=text if self.wants_problem_info else None,
            ).write()
        return bytes(due)


_VERDICTS: dict[str, PubAckReasonCode] = {
    "busy": PubAckReasonCode.QUOTA_EXCEEDED,
    "envelope_malformed": PubAckReasonCode.PAYLOAD_FORMAT_INVALID,
    "envelope_version": PubAckReasonCode.PAYLOAD_FORMAT_INVALID,
    "envelope_too_large": PubAckReasonCode.PAYLOAD_FORMAT_INVALID,
    "field_invalid": PubAckReasonCode.PAYLOAD_FORMAT_INVALID,
    "message_type_unknown": PubAckReasonCode.PAYLOAD_FORMAT_INVALID,
}
ACCEPTED: Verdict = (PubAckReasonCode.SUCCESS, None)
BROKEN: Verdict = (PubAckReasonCode.UNSPECIFIED_ERROR, "internal")


def verdict_for(error: TillwayError) -> Verdict:
    """The PUBACK that tells a terminal why the hub did not take its message."""
    otherwise = (
        PubAckReasonCode.NOT_AUTHORIZED
        if isinstance(error, CallerError)
        else PubAckReasonCode.IMPLEMENTATION_SPECIFIC_ERROR
    )
    return _VERDICTS.get(error.code, otherwise), error.code
