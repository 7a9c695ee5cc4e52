"""What the hub itself signs: batches and its own state."""

from collections.abc import Sequence

from hub.domain.effects import Mode, UplinkRow
from hub.mqtt.duty import Word
from protocol import answers, batch, cbor
from protocol import introduction as introductions
from protocol.answers import Answer
from protocol.batch import Batch, BatchItem
from protocol.clock import Clock, Entropy
from protocol.crypto.keys import SigningKey
from protocol.edhoc import STATE_FIELD
from protocol.errors import CallerError
from protocol.limits import ENVELOPE_BYTES_MAX
from protocol.messages.offline import FloorLimits
from protocol.trust import WILL_FIELD

HUB_STATE = "hub.state"
_BATCH_ID_BYTES = 12


def seal_batch(
    rows: Sequence[UplinkRow], *, hub_id: str, key: SigningKey, clock: Clock, entropy: Entropy
) -> bytes:
    """The signed batch of these rows. Sent again, it is the same items under a new batch id."""
    items = tuple(BatchItem(row.received_at_ms, row.envelope) for row in rows)
    batch_id = "b" + entropy.token_bytes(_BATCH_ID_BYTES).hex()
    return batch.seal(Batch(hub_id, batch_id, clock.now_ms(), items), key)


def seal_state(
    mode: Mode,
    at_ms: int,
    *,
    store: str,
    epoch: int,
    key: SigningKey,
    floor: FloorLimits | None = None,
    edhoc_key: bytes | None = None,
    is_will: bool = False,
    introduction: bytes = b"",
) -> bytes:
    """The hub's state as terminals read it, retained: how it is, its boot epoch, its clock, how
    much they may accept offline (None: nothing), its key for EDHOC (None: CoAP is plain).
    ``is_will``: a broker says it for a hub that is gone, so the hub's last limits stay.
    ``introduction``: the backend's word for our key, for devices that were told of another one."""
    said = {} if floor is None else {"floor": floor.to_map()}
    shown = {introductions.FIELD: introduction} if introduction else {}
    will = {WILL_FIELD: True} if is_will else {}
    protection = {} if edhoc_key is None else {STATE_FIELD: edhoc_key}
    state = Answer(
        message_type=HUB_STATE,
        request_id="",
        device="",
        store=store,
        answered_at_ms=at_ms,
        body={"mode": mode, "epoch": epoch, "utc_ms": at_ms, **said, **shown, **protection, **will},
        trace_id="",
    )
    return answers.seal_group([state], key)[0]


def read_word(state: bytes) -> Word | None:
    """Who says what in a hub's state; None if it is none. The signature is not checked."""
    try:
        sealed = answers.unseal(state)
    except CallerError:
        return None
    return Word(sealed.kid, sealed.answer.body.get("mode") == "online")


def device_is_online(payload: bytes) -> bool:
    """Whether a terminal's retained ``state`` is a birth: a CBOR map with a true ``on``.

    Nothing about money follows from it, so its signature is not asked for.
    """
    try:
        state = cbor.decode(payload, bytes_max=ENVELOPE_BYTES_MAX)
    except CallerError:
        return False
    return isinstance(state, dict) and state.get("on") in (True, 1)
