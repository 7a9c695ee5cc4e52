"""The account of one charger: the device that signs for it, in this process.

Rule 1: it asks as any device does: its own key, a rising counter, an envelope a try.
Rule 2: what it hears counts only if ``protocol.trust`` lets it.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from protocol import envelope, ids
from protocol.clock import Clock, Entropy
from protocol.crypto.keys import Signs, VerifyKey
from protocol.envelope import Envelope
from protocol.errors import CallerError
from protocol.identity import Identity
from protocol.limits import NONCE_BYTES
from protocol.messages import Body, ErrorBody, parse_body
from protocol.messages.answers import Refusal
from protocol.topics import reply_address
from protocol.trust import Trust

ExchangeLocal = Callable[[str, bytes], Awaitable[bytes]]
_TRACE_BYTES = 16
_UNHEARD = frozenset({"device_revoked", "device_unknown"})


@dataclass(frozen=True, slots=True)
class Said:
    """What was answered. ``error`` is set for a refusal."""

    message_type: str
    body: Mapping[str, Any]
    is_backend: bool
    error: ErrorBody | None = None

    @property
    def is_final(self) -> bool:
        """Whether saying the same again is of no use now: the backend refuses this request for
        ever, or the device is not heard of any more."""
        if self.error is None:
            return False
        return self.is_unheard or (self.is_backend and self.error.retry == "never")

    @property
    def is_unheard(self) -> bool:
        """Whether the device that asks was revoked or is unknown, which the hub says as well as
        the backend."""
        return self.error is not None and self.error.code in _UNHEARD


class ChargerAccount:
    """Signs and asks for one charger."""

    def __init__(
        self,
        identity: Identity,
        *,
        exchange: ExchangeLocal,
        hub_key: VerifyKey,
        boot_epoch: int,
        clock: Clock,
        entropy: Entropy,
    ) -> None:
        """``hub_key``: of the hub that it is a part of. ``boot_epoch`` must be higher than at any
        start before."""
        self.name = identity.name
        self._store = identity.store
        self._key: Signs = identity.signing_key
        self._trust = Trust(
            tid=identity.name,
            store=identity.store,
            backend=identity.facts.backend_keys,
            hubs=(hub_key,),
        )
        self._exchange = exchange
        self._boot_epoch = boot_epoch
        self._counter = 0
        self._clock = clock
        self._entropy = entropy

    def mint(self, prefix: str) -> str:
        """A new id of this device."""
        return ids.mint(
            prefix,
            time_ms=self._clock.now_ms(),
            random_bytes=self._entropy.token_bytes(ids.RANDOM_BYTES),
        )

    async def ask(
        self, message_type: str, body: Body | Mapping[str, Any], *, request_id: str | None = None
    ) -> Said:
        """Ask once. ``CallerError`` for an answer that cannot be believed."""
        self._counter += 1
        made = Envelope(
            message_type=message_type,
            request_id=request_id or self.mint(ids.REQUEST),
            device=self.name,
            store=self._store,
            boot_epoch=self._boot_epoch,
            counter=self._counter,
            sent_at_ms=self._clock.now_ms(),
            nonce=self._entropy.token_bytes(NONCE_BYTES),
            reply_to=reply_address(self._store, self.name, "local"),
            body=body.to_map() if isinstance(body, Body) else body,
            trace_id=self._entropy.token_bytes(_TRACE_BYTES).hex(),
        )
        wire = await self._exchange(self.name, envelope.seal(made, self._key))
        said, request = self._open(wire)
        if request != made.request_id:
            raise CallerError("identity_mismatch", "the answer to another request")
        return said

    def open(self, wire: bytes) -> Said:
        """What came unasked; ``CallerError`` where anybody else could have said it."""
        return self._open(wire)[0]

    def _open(self, wire: bytes) -> tuple[Said, str]:
        trusted = self._trust.open(wire)
        answer, error = trusted.answer, None
        if answer.message_type == "refusal":
            error = parse_body(Refusal, answer.body).error
        said = Said(answer.message_type, answer.body, trusted.is_backend, error)
        return said, answer.request_id
