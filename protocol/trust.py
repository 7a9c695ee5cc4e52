"""Who may tell a device what.

Rule 1: an answer counts only if its signature and inclusion proof hold under a pinned key.
Rule 2: it must name this device and this store.
Rule 3: results and settings come from the backend's key alone, and so does the word that it has
        nothing of that name, which ends a payment; the hub may only refuse what it was given.
Rule 4: a hub's key that was not pinned is believed when the backend introduces it.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from protocol import answers, introduction
from protocol.answers import Answer, SealedAnswer
from protocol.crypto.keys import VerifyKey
from protocol.edhoc import STATE_FIELD
from protocol.errors import CallerError
from protocol.messages.offline import FloorLimits, OfflineToken, read_token

HUB_STATE = "hub.state"
WILL_FIELD = "will"
"""Set in the state that a broker says for a hub that is gone."""
INTRODUCED_MAX = 16
"""Keys of hubs that were introduced; the oldest are forgotten first. A hub shows its own again."""
RESULTS = frozenset({"payment.result", "refund.result", "settings.wanted", "firmware.wanted"})
PROOFS = frozenset({"payment_not_found", "refund_not_found"})


@dataclass(frozen=True, slots=True)
class HubState:
    """What this store's hub says of itself: ``online``, ``degraded`` or ``offline``, at which time
    of its clock, how much may be accepted offline (None: nothing), and its key for EDHOC (empty:
    its CoAP side is not protected). ``is_will``: its broker says that it is gone, and no more."""

    mode: str
    said_at_ms: int
    floor: FloorLimits | None
    edhoc_key: bytes = b""
    is_will: bool = False


@dataclass(frozen=True, slots=True)
class TrustedAnswer:
    """An answer that passed all checks of its origin."""

    answer: Answer
    kid: bytes
    is_backend: bool


class Trust:
    """The keys pinned at enrolment, those introduced since, and the checks they are for."""

    def __init__(
        self, *, tid: str, store: str, backend: Iterable[VerifyKey], hubs: Iterable[VerifyKey]
    ) -> None:
        self._tid = tid
        self._store = store
        self._hub_keys = {key.kid: key for key in hubs}
        self._backend_keys = {key.kid: key for key in backend}
        self._introduced: dict[bytes, VerifyKey] = {}

    def open(self, data: bytes) -> TrustedAnswer:
        """The answer in these bytes; ``CallerError`` if anybody else could have made it."""
        sealed = answers.unseal(data)
        is_backend = sealed.kid in self._backend_keys
        key = self._backend_keys.get(sealed.kid) or self._hub_key(sealed.kid)
        if key is None:
            raise CallerError("signature_invalid", "unknown key")
        answer = sealed.verify(key)
        if answer.device != self._tid or answer.store != self._store:
            raise CallerError("identity_mismatch", "another device's answer")
        if answer.message_type in RESULTS and not is_backend:
            raise CallerError("signature_invalid", "only the backend gives results")
        return TrustedAnswer(answer, sealed.kid, is_backend)

    def hub_state(self, data: bytes) -> HubState:
        """What this store's hub says of itself; ``CallerError`` if anybody else could."""
        sealed = answers.unseal(data)
        key = self._hub_key(sealed.kid) or self._meet(sealed)
        state = sealed.verify(key)
        if state.message_type != HUB_STATE or state.store != self._store:
            raise CallerError("identity_mismatch", "another store's hub")
        floor = state.body.get("floor")
        limits = FloorLimits.from_map(floor) if isinstance(floor, dict) else None
        key_said = state.body.get(STATE_FIELD)
        edhoc_key = key_said if isinstance(key_said, bytes) else b""
        mode = str(state.body.get("mode", ""))
        is_will = state.body.get(WILL_FIELD) is True
        return HubState(mode, state.answered_at_ms, limits, edhoc_key, is_will)

    def _hub_key(self, kid: bytes) -> VerifyKey | None:
        return self._hub_keys.get(kid) or self._introduced.get(kid)

    def _meet(self, sealed: SealedAnswer) -> VerifyKey:
        """The key of a hub that shows the backend's word for it."""
        shown = sealed.answer.body.get(introduction.FIELD)
        if not isinstance(shown, bytes):
            raise CallerError("signature_invalid", "unknown key")
        backend = self._backend_keys.get(introduction.read_kid(shown))
        if backend is None:
            raise CallerError("signature_invalid", "introduced by an unknown key")
        met = introduction.open_introduction(shown, backend)
        if met.store != self._store or met.key.kid != sealed.kid:
            raise CallerError("identity_mismatch", "another hub's introduction")
        self._introduced[sealed.kid] = met.key
        while len(self._introduced) > INTRODUCED_MAX:
            del self._introduced[next(iter(self._introduced))]
        return met.key

    def hub_edhoc_key(self, data: bytes) -> bytes:
        """The key that this store's hub agrees on protection with; none: ``config_invalid``."""
        key = self.hub_state(data).edhoc_key
        if not key:
            raise CallerError("config_invalid", "the hub's CoAP is not protected")
        return key

    def offline_token(self, text: str) -> OfflineToken:
        """A payer's token under a voucher of the backend's; ``offline_token_invalid`` else."""
        token = read_token(text)
        key = self._backend_keys.get(token.signed_voucher.kid)
        if key is None:
            raise CallerError("offline_token_invalid", "unknown key")
        token.verify(key)
        return token
