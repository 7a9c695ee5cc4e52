"""OSCORE on links that others can hear (RFC 8613), its keys agreed by EDHOC (RFC 9528).

Rule 1: the hub's key is made anew at each start and stands in the hub's signed state: a device that
        has checked that signature knows with whom it agrees. Method 3, suite 2 (P-256).
Rule 2: what EDHOC says of the device is not believed: a device is who its envelopes' signature
        says, as on every link, and a context is a device's after its first accepted envelope.
Rule 3: contexts are bounded; the oldest goes, and one that never came to its first message before
        those that did. A device whose context is gone hears 4.01 and agrees on a new one.
Rule 4: no context that was agreed on outlives the process, so no counter is ever used twice.
Rule 5: a device that cannot agree on keys may be given one (``given_keys``); its messages are known
        by the length of their id.
"""

import logging
import secrets
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any

import aiocoap
import cbor2
import lakers
from aiocoap import edhoc, error, oscore
from aiocoap.oscore_sitewrapper import OscoreSiteWrapper
from aiocoap.pipe import Pipe
from aiocoap.resource import Site
from aiocoap.transports.oscore import OSCOREAddress
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from hub.coap.given_context import GivenContexts
from hub.coap.limits import (
    CONTEXTS_HALF_OPEN_MAX,
    CONTEXTS_MAX,
    EDHOC_BYTES_MAX,
    GIVEN_ID_BYTES,
)
from hub.coap.sealed_context import Reseal, SealedContext
from protocol.edhoc import hub_credential

_log = logging.getLogger("coap-server.oscore")
_ID_BYTES = 3  # of a recipient id; RFC 8613 §3.3 allows 7 with this cipher
_CCS = 14  # the header parameter ``kccs`` (RFC 9528 §10.6)


class Contexts:
    """The security contexts of this process, agreed on or of given keys. What aiocoap calls
    credentials."""

    def __init__(self, reseal: Reseal, given: GivenContexts) -> None:
        private = ec.generate_private_key(ec.SECP256R1())
        self.secret = private.private_numbers().private_value.to_bytes(32, "big")
        point = Encoding.X962, PublicFormat.UncompressedPoint
        self.public_key = private.public_key().public_bytes(*point)[1:]
        self.reseal = reseal
        """Told of each message and of what it was sealed into."""
        self._given = given
        self._next = secrets.randbits(8 * _ID_BYTES)
        self._half_open: OrderedDict[bytes, _Context] = OrderedDict()
        self._open: OrderedDict[bytes, _Context] = OrderedDict()

    def begin(self, message_1: bytes) -> bytes:
        """EDHOC's message 2. Raises what ``lakers`` raises of bad bytes."""
        credential = cbor2.dumps(hub_credential(self.public_key), canonical=True)
        responder = lakers.EdhocResponder(r=self.secret, cred_r=credential)
        c_i, ead_1 = responder.process_message_1(message_1)
        if any(item.is_critical() for item in ead_1):
            raise error.BadRequest
        c_r = self._new_id(c_i)
        message_2: bytes = responder.prepare_message_2(
            lakers.CredentialTransfer.ByReference, c_r, None
        )
        self._half_open[c_r] = _Context(responder, c_i, c_r, self)
        if len(self._half_open) > CONTEXTS_HALF_OPEN_MAX:
            self._half_open.popitem(last=False)
        return message_2

    def opened(self, context: "_Context") -> None:
        """A device has proven that it agreed on this context."""
        self._half_open.pop(context.recipient_id, None)
        self._open[context.recipient_id] = context
        if len(self._open) > CONTEXTS_MAX:
            self._open.popitem(last=False)

    def find_oscore(self, unprotected: Mapping[Any, Any]) -> SealedContext:
        """The context that a message names; ``KeyError`` if there is none."""
        kid = unprotected.get(oscore.COSE_KID)
        if oscore.COSE_KID_CONTEXT in unprotected or not isinstance(kid, bytes):
            raise KeyError
        if len(kid) == GIVEN_ID_BYTES:
            return self._given.find(kid)
        if kid in self._open:
            self._open.move_to_end(kid)
            return self._open[kid]
        return self._half_open[kid]

    def find_edhoc_by_id_cred_peer(self, id_credential: bytes) -> tuple[bytes, list[str]]:
        """The credential that a device sent by value, whoever it says it is (rule 2)."""
        found = cbor2.loads(id_credential)
        if not isinstance(found, dict) or _CCS not in found:
            raise KeyError
        return cbor2.dumps(found[_CCS], canonical=True), []

    def __len__(self) -> int:
        return len(self._open) + len(self._half_open)

    def _new_id(self, other: bytes) -> bytes:
        """An id that was in use long ago at most, and is not the device's own."""
        while True:
            self._next = (self._next + 1) % (1 << 8 * _ID_BYTES)
            found = self._next.to_bytes(_ID_BYTES, "big")
            if found not in (other, *self._open, *self._half_open):
                return found


class _Context(SealedContext, edhoc.EdhocResponderContext):  # type: ignore[misc]  # aiocoap has no types
    """One device's context; a first message may bring EDHOC's message 3 with it (RFC 9668)."""

    def __init__(self, responder: Any, c_i: bytes, c_r: bytes, contexts: Contexts) -> None:  # noqa: ANN401
        super().__init__(responder, c_i, c_r, contexts, _log)
        self.echo_recovery = None  # aiocoap asks for it when a number comes again
        self.reseal = contexts.reseal
        self._contexts = contexts

    def _offer_message_3(self, message_3: bytes) -> bytes:
        message_4: bytes = super()._offer_message_3(message_3)
        self._contexts.opened(self)
        return message_4


class ProtectedSite(OscoreSiteWrapper):  # type: ignore[misc]  # aiocoap has no types
    """The hub's resources, for protected requests and plain ones; what may be plain, they say."""

    def __init__(self, site: Site, contexts: Contexts, *, admits: Callable[[str], bool]) -> None:
        super().__init__(site, contexts)
        self._contexts = contexts
        self._admits = admits

    async def _render_edhoc_to_pipe(self, pipe: Pipe) -> None:
        request = pipe.request
        host, port = request.remote.sockaddr[:2]
        if not self._admits(f"[{host}]:{port}"):
            raise error.TooManyRequests
        if len(request.payload) > EDHOC_BYTES_MAX:
            raise error.RequestEntityTooLarge
        try:
            await super()._render_edhoc_to_pipe(pipe)
        except error.Error:
            raise
        except Exception:  # noqa: BLE001  # outermost: a stranger's bytes
            raise error.BadRequest from None

    def _process_edhoc_msg12(self, pipe: Pipe) -> None:
        """aiocoap's own has room for 48 contexts and never forgets one."""
        message_2 = self._contexts.begin(pipe.request.payload[1:])
        answer = aiocoap.Message(code=aiocoap.CHANGED, payload=message_2)
        pipe.add_response(answer, is_last=True)


def context_of(request: aiocoap.Message) -> str | None:
    """The name of the context that protected a request; None if it came plainly."""
    remote = request.remote
    if not isinstance(remote, OSCOREAddress):
        return None
    return f"oscore:{remote.security_context.recipient_id.hex()}"
