"""The backend's word that a key is that of a store's hub. The hub shows it with its own state, so
that devices believe a hub whose key is younger than what they were told when they were enrolled.

Rule 1: who reads it has the backend's key already; a hub's name and store stand in what is signed.
Rule 2: a hub gets a new one with each key. It ends with the trust in that key, as one that was told
        at enrolment does.
"""

from dataclasses import dataclass

from protocol import cbor, cose
from protocol.crypto.keys import Signs, VerifyKey
from protocol.errors import CallerError
from protocol.topics import is_name

FIELD = "introduction"
"""In the body of a hub's state."""
BYTES_MAX = 1_024
_CONTEXT = b"tillway-hub-introduction-v1"


@dataclass(frozen=True, slots=True)
class Introduction:
    """That the hub of this name in this store signs with this key."""

    hub: str
    store: str
    key: VerifyKey

    def seal(self, backend: Signs) -> bytes:
        """A COSE_Sign1 by the backend."""
        fields = {1: self.hub, 2: self.store, 3: self.key.to_wire()}
        return cose.sign1(backend, cbor.encode(fields), _CONTEXT)


def read_kid(data: bytes) -> bytes:
    """Whose signature it bears; ``CallerError`` for what is none."""
    return cose.parse1(data, bytes_max=BYTES_MAX).kid


def open_introduction(data: bytes, backend: VerifyKey) -> Introduction:
    """Read it; ``CallerError`` if this backend has not signed it."""
    sealed = cose.parse1(data, bytes_max=BYTES_MAX)
    if not cose.verify1(sealed, backend, _CONTEXT):
        raise CallerError("signature_invalid", "introduction")
    fields = cbor.decode(sealed.payload, bytes_max=BYTES_MAX)
    match fields:
        case {1: str(hub), 2: str(store), 3: key} if is_name(hub):
            return Introduction(hub, store, VerifyKey.from_wire(key))
    raise CallerError("envelope_malformed", "introduction")
