"""Requests on their way: mints them, seals each envelope, remembers both before they leave.

Rule 1: a request keeps its id and body; each envelope of it is new (counter, nonce, time).
Rule 2: nothing is sealed while the link is down, so a request with no sends never left the device.
Rule 3: the caller holds the journal's transaction; an effect is carried out after the commit.
Rule 4: a new request makes the journal forget a few that nobody can need any more.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from protocol import envelope, ids
from protocol.clock import Entropy
from protocol.cose import Draft1
from protocol.crypto.keys import SigningKey, VerifyKey
from protocol.envelope import Envelope
from protocol.limits import NONCE_BYTES
from terminal.domain.schedule import Timers, gap_ms
from terminal.effects import Transmit
from terminal.journal.forgetting import forget_requests
from terminal.journal.rows import RequestRow, RequestState
from terminal.journal.store import Journal
from terminal.limits import ENVELOPE_EXPIRY_S, REQUESTS_KEPT_MS, RESEND_GAPS_MS
from terminal.profile import Profile
from terminal.timing import TerminalClock

RESEND = "resend"
_TRACE_BYTES = 16


class Courier:
    """Sends requests of one device until they are answered or given up."""

    def __init__(
        self,
        *,
        profile: Profile,
        key: SigningKey | VerifyKey,
        journal: Journal,
        clock: TerminalClock,
        entropy: Entropy,
        timers: Timers,
        emit: Callable[[Transmit], None],
    ) -> None:
        self._profile = profile
        self._key = key
        self._journal = journal
        self._clock = clock
        self._entropy = entropy
        self._timers = timers
        self._emit = emit
        self.is_link_up = False
        self.fingerprint = b""
        """The digest of what this terminal last said of itself; in every envelope from then on."""

    def mint(self, prefix: str) -> str:
        """A new id of this device."""
        return ids.mint(
            prefix,
            time_ms=self._clock.now_ms(),
            random_bytes=self._entropy.token_bytes(ids.RANDOM_BYTES),
        )

    def post(self, message_type: str, body: Mapping[str, Any], *, subject: str) -> RequestRow:
        """A new request: stored, and sent if the link is up."""
        row = RequestRow(
            request_id=self.mint(ids.REQUEST),
            message_type=message_type,
            subject=subject,
            body=body,
            trace_id=self._entropy.token_bytes(_TRACE_BYTES).hex(),
            created_at_ms=self._clock.now_ms(),
        )
        before_ms = row.created_at_ms - REQUESTS_KEPT_MS
        forget_requests(self._journal.database, before_ms=before_ms)
        self._journal.add_request(row)
        return self.send(row)

    def send(self, row: RequestRow) -> RequestRow:
        """One more envelope of a request, if the link is up and the body is still there."""
        if not self.is_link_up or row.body is None:
            return row
        counter = self._journal.next_counter()
        now_ms = self._clock.now_ms()
        sealed, draft = self._sealed(self._envelope(row, counter=counter, now_ms=now_ms))
        self._journal.set_request_state(row.request_id, RequestState.OPEN)
        self._journal.record_send(row.request_id, counter=counter, sealed=sealed, at_ms=now_ms)
        self._emit(
            Transmit(
                request_id=row.request_id,
                message_type=row.message_type,
                sealed=sealed,
                expiry_s=ENVELOPE_EXPIRY_S,
                draft=draft,
            )
        )
        return replace(row, sends=row.sends + 1, counter=counter, sent_at_ms=now_ms)

    def resend_later(self, row: RequestRow) -> None:
        """Set the timer for the next try; the gap grows with the number of sends."""
        gap = gap_ms(RESEND_GAPS_MS, max(row.sends - 1, 0))
        self._timers.set((RESEND, row.request_id), self._clock.ticks_ms() + gap)

    def settle(self, request_id: str) -> None:
        """A request has its answer."""
        self._journal.set_request_state(request_id, RequestState.ANSWERED)
        self._timers.drop((RESEND, request_id))

    def abandon(self, subject: str, *message_types: str) -> None:
        """Stop sending the open requests of these types about a payment or refund."""
        for row in self._journal.open_requests(subject):
            if row.message_type in message_types:
                self._journal.set_request_state(row.request_id, RequestState.ABANDONED)
                self._timers.drop((RESEND, row.request_id))

    def finish(self, subject: str) -> None:
        """The outcome is known: stop everything about it and forget the bodies."""
        for row in self._journal.open_requests(subject):
            self._timers.drop((RESEND, row.request_id))
        self._journal.forget_bodies(subject)

    def _sealed(self, made: Envelope) -> tuple[bytes, Draft1 | None]:
        """The envelope signed, or, where the private key is not here, its draft and the same bytes
        with an empty signature."""
        if isinstance(self._key, SigningKey):
            return envelope.seal(made, self._key), None
        draft = envelope.draft(made, self._key)
        return draft.signed(b""), draft

    def _envelope(self, row: RequestRow, *, counter: int, now_ms: int) -> Envelope:
        return Envelope(
            message_type=row.message_type,
            request_id=row.request_id,
            device=self._profile.tid,
            store=self._profile.store,
            boot_epoch=self._journal.boot_epoch,
            counter=counter,
            sent_at_ms=now_ms,
            nonce=self._entropy.token_bytes(NONCE_BYTES),
            reply_to=self._profile.reply_to,
            body=row.body or {},
            trace_id=row.trace_id,
            fingerprint=self.fingerprint,
        )
