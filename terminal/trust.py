"""Who may tell this terminal what.

Rule 1: an answer counts only if its signature and inclusion proof hold under a pinned key.
Rule 2: it must name this device and this store.
Rule 3: results come from the backend's key alone; the hub may only refuse.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from protocol import answers
from protocol.answers import Answer
from protocol.crypto.keys import VerifyKey
from protocol.errors import CallerError

RESULTS = frozenset({"payment.result", "refund.result"})


@dataclass(frozen=True, slots=True)
class TrustedAnswer:
    """An answer that passed all checks of its origin."""

    answer: Answer
    kid: bytes
    is_backend: bool


class Trust:
    """The keys pinned at enrolment, and the checks they are for."""

    def __init__(
        self, *, tid: str, store: str, backend: VerifyKey, hubs: Iterable[VerifyKey]
    ) -> None:
        self._tid = tid
        self._store = store
        self._backend_kid = backend.kid
        self._keys = {key.kid: key for key in (*hubs, backend)}

    def open(self, data: bytes) -> TrustedAnswer:
        """The answer in these bytes; ``CallerError`` if anybody else could have made it."""
        sealed = answers.unseal(data)
        key = self._keys.get(sealed.kid)
        if key is None:
            raise CallerError("signature_invalid", "unknown key")
        answer = sealed.verify(key)
        if answer.device != self._tid or answer.store != self._store:
            raise CallerError("identity_mismatch", "another device's answer")
        is_backend = sealed.kid == self._backend_kid
        if answer.message_type in RESULTS and not is_backend:
            raise CallerError("signature_invalid", "only the backend gives results")
        return TrustedAnswer(answer, sealed.kid, is_backend)
