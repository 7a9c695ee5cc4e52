"""A sale that is accepted while nobody can be asked: shown to the phone, scanned from it, kept.

Rule 1: offline means that the line to the hub is down, or that the hub says that it has lost the
        backend. Otherwise the usual ways are there.
Rule 2: the token, and that it is accepted, are in the journal before anybody is told.
Rule 3: where tokens are taken, no other way is begun offline: none of them could be authorised
        later (a pay code lives for a minute).
"""

from protocol.errors import CallerError
from protocol.messages.offline import OFFLINE_TOKEN, OfflineToken, OfflineWish
from protocol.trust import HubState, Trust
from terminal.desk import Desk, log
from terminal.domain.offline import Floor, floor_refusal, token_refusal
from terminal.domain.sale import Sale
from terminal.journal.offline import AcceptedRow, OfflineJournal
from terminal.limits import HUB_WORD_KEPT_GAP_MS


class OfflineFlow:
    """What one till may do offline."""

    def __init__(self, desk: Desk, trust: Trust) -> None:
        self._desk = desk
        self._trust = trust
        self._rows = OfflineJournal(desk.journal.database)
        self._floor: Floor | None = None
        self._recover()

    def _recover(self) -> None:
        """After a restart: the hub's last word still counts while it is young enough."""
        word = self._rows.word()
        if word is None:
            return
        try:
            state = self._trust.hub_state(word)
        except CallerError as error:  # the hub's key was changed since
            log.warning("hub_word_refused", code=error.code)
            return
        is_past = state.said_at_ms <= self._desk.clock.now_ms()
        self._take_floor(state, heard_at_ms=state.said_at_ms if is_past else 0)

    def hear(self, state: HubState, sealed: bytes) -> None:
        """The hub has spoken; its limits are kept, now and then, and that there are none at once.
        Those of a hub that is gone stay."""
        if state.is_will:
            return
        before = self._floor
        self._take_floor(state, heard_at_ms=self._desk.clock.now_ms())
        now = self._floor
        if now == before:
            return
        is_same = before is not None and now is not None and before.limits == now.limits
        if is_same and state.said_at_ms - before.said_at_ms < HUB_WORD_KEPT_GAP_MS:  # type: ignore[union-attr]
            return
        self._rows.keep_word(sealed)

    @property
    def is_offline(self) -> bool:
        """Whether no payment can be authorised now: the hub, or its backend, is out of reach."""
        return not (self._desk.courier.is_link_up and self._desk.is_hub_online)

    @property
    def takes_tokens(self) -> bool:
        """Whether this till accepts tokens at all."""
        return OFFLINE_TOKEN in self._desk.profile.methods

    def methods(self) -> tuple[str, ...]:
        """The ways to pay that can be begun now."""
        methods = self._desk.profile.methods
        if not self.takes_tokens:
            return methods
        is_offline = self.is_offline
        return tuple(name for name in methods if (name == OFFLINE_TOKEN) is is_offline)

    def check_method(self, method: str) -> None:
        """``CallerError`` if this way to pay cannot be begun now."""
        if method == OFFLINE_TOKEN:
            if not self.is_offline:
                raise CallerError("offline_not_needed")
            refusal = floor_refusal(self._floor, now_ms=self._desk.clock.now_ms())
            if refusal is not None:
                raise CallerError(refusal)
        elif self.is_offline and self.takes_tokens:
            raise CallerError("offline_not_this_way")

    def wish_of(self, sale: Sale) -> str:
        """What the till shows to the phone."""
        return OfflineWish(
            payment_id=sale.payment_id,
            merchant_id=self._desk.profile.merchant_id,
            amount_minor=sale.amount_minor,
            currency=sale.currency,
        ).to_text()

    def read(self, sale: Sale, text: str) -> OfflineToken:
        """The scanned token, if it pays this sale here and now; ``CallerError`` says why not."""
        now_ms, floor = self._desk.clock.now_ms(), self._floor
        refusal = floor_refusal(floor, now_ms=now_ms)
        if refusal is not None or floor is None:
            raise CallerError(refusal or "offline_unavailable")
        token = self._trust.offline_token(text)
        refusal = token_refusal(
            token,
            sale,
            merchant_id=self._desk.profile.merchant_id,
            floor=floor,
            held=self._rows.held(token.voucher.voucher_id, since_ms=floor.counts_from_ms),
            now_ms=now_ms,
        )
        if refusal is not None:
            raise CallerError(refusal)
        return token

    def keep(self, sale: Sale, token: OfflineToken, *, at_ms: int) -> None:
        """Keep an accepted token, so that its number is never accepted again here."""
        text = token.text
        self._rows.add(
            AcceptedRow(
                payment_id=sale.payment_id,
                voucher_id=text.voucher_id,
                number=text.number,
                amount_minor=sale.amount_minor,
                accepted_at_ms=at_ms,
            )
        )

    def _take_floor(self, state: HubState, *, heard_at_ms: int) -> None:
        limits, said_at_ms, known = state.floor, state.said_at_ms, self._floor
        if limits is None:
            self._floor = None
        elif known is None or (known.limits, known.said_at_ms) != (limits, said_at_ms):
            self._floor = Floor(limits, said_at_ms, min(said_at_ms, heard_at_ms))
