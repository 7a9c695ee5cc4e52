"""Sharing a payment out, and giving a share back.

Rule 1: a merchant's number means one round for ever: the same content again is the same round,
        other content a conflict. Refused rounds leave nothing behind.
Rule 2: a merchant that is not active gives nobody a share; what is its own may be released.
Rule 3: a share of money that a channel has not paid yet is held for its receiver and paid when the
        channel has: nobody gets other clients' money.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from backend.db.command import Read
from backend.db.tables import Row
from backend.db.working_set import WorkingSet
from backend.ledger import chart
from backend.ledger import rules as posting
from backend.ledger import service as ledger
from backend.ledger.model import Transfer
from backend.ledger.tables import ACCOUNT
from backend.merchants.service import pending_owners
from backend.merchants.tables import MERCHANT
from backend.payments.entries import owner_of
from backend.payments.model import PaymentRules
from backend.payments.tables import PAYMENT
from backend.refunds.model import drawn
from backend.sagas.tables import SAGA
from backend.sharing.limits import LOOK_AGAIN_MS
from backend.sharing.model import Shareable, ShareState, SharingState, refusal, return_refusal
from backend.sharing.paying import (
    channel_reads,
    is_channel_settled,
    pay_share,
    receiver_account,
    release_rest,
    release_sample,
)
from backend.sharing.tables import (
    SHARE,
    SHARE_RECEIVER,
    SHARE_RETURN,
    SHARE_ROUND,
    SHARED_PAYMENT,
)
from protocol.errors import CallerError
from protocol.payment import PAID_STATES, PaymentState

MERCHANT_KIND = "MERCHANT_ID"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What one receiver is to get."""

    kind: str
    account: str
    amount_minor: int
    description: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SharePayment:
    """A round: shares for receivers, and with ``is_last`` the release of the rest, or that alone.
    Answers the round's row."""

    owner: str
    """Whose number it is."""
    giver: str
    """Whose money it is: the merchant number that its receivers were added for."""
    out_order_no: str
    round_id: str
    payment_id: str
    wanted: tuple[Wanted, ...]
    is_last: bool
    release_description: str
    content_hash: bytes
    after_ms: int
    """How long after the payment it may be."""
    bps_max: int
    """How much of the amount others get at most, in ten-thousandths."""
    news_form: str
    rules: PaymentRules

    def reads(self) -> Iterable[Read]:
        receivers = [(SHARE_RECEIVER, (self.giver, one.kind, one.account)) for one in self.wanted]
        return [
            (SHARE_ROUND, (self.owner, self.out_order_no)),
            (SHARED_PAYMENT, self.payment_id),
            (PAYMENT, self.payment_id),
            (SAGA, self.payment_id),
            *receivers,
        ]

    def follow(self, ws: WorkingSet) -> Iterable[Read]:
        payment = ws.get(PAYMENT, self.payment_id)
        if payment is None or ws.get(SHARE_ROUND, (self.owner, self.out_order_no)) is not None:
            return []
        currency = payment["currency"]
        found: list[Read] = [
            (ACCOUNT, chart.shared(self.payment_id, currency)),
            (MERCHANT, payment["merchant_id"]),
        ]
        found += channel_reads(ws, payment)
        found += ledger.reads(release_sample(payment, self.round_id), is_new=True)
        for one in self.wanted:
            receiver = ws.get(SHARE_RECEIVER, (self.giver, one.kind, one.account))
            if receiver is not None:
                account = receiver_account(one.kind, receiver["receiver_id"], currency)
                found.append((ACCOUNT, account))
                if one.kind == MERCHANT_KIND:
                    found.append((MERCHANT, receiver["receiver_id"]))
        return found

    def decide(self, ws: WorkingSet, now_ms: int) -> Row:
        known = ws.get(SHARE_ROUND, (self.owner, self.out_order_no))
        if known is not None:
            if known["content_hash"] != self.content_hash:
                raise CallerError("idempotency_conflict", "out_order_no")
            return known
        payment, shared = self._checked(ws, now_ms)
        receivers = [self._receiver(ws, one) for one in self.wanted]
        is_settled = is_channel_settled(ws, payment)
        date = self.rules.business_date(now_ms)
        count = 0
        for one, receiver_id in zip(self.wanted, receivers, strict=True):
            count += 1
            self._share(ws, count, one, receiver_id, is_settled, date, now_ms)
        if self.is_last:
            rest = release_rest(ws, payment, f"{self.round_id}.rest", date, now_ms)
            if rest:
                count += 1
                self._insert_release(ws, count, payment, rest, now_ms)
        round_row = self._insert_round(ws, count, now_ms)
        self._update(ws, payment, shared, is_settled, now_ms)
        return round_row

    def _checked(self, ws: WorkingSet, now_ms: int) -> tuple[Row, Row]:
        payment, shared = ws.get(PAYMENT, self.payment_id), ws.get(SHARED_PAYMENT, self.payment_id)
        if payment is None or PaymentState(payment["state"]) not in PAID_STATES:
            raise CallerError("payment_state", self.payment_id)
        if shared is None:
            raise CallerError("share_not_asked", self.payment_id)
        merchant = ws.get(MERCHANT, payment["merchant_id"])
        assert merchant is not None, "merchants are never removed"
        if self.wanted and merchant["status"] != "active":
            raise CallerError("merchant_unknown", merchant["merchant_id"])
        wanted_minor = sum(one.amount_minor for one in self.wanted)
        shareable = Shareable(
            state=SharingState(shared["state"]),
            amount_minor=payment["amount_minor"],
            shared_minor=shared["shared_minor"],
            available_minor=ledger.available(
                ws, chart.shared(self.payment_id, payment["currency"])
            ),
            round_count=shared["round_count"],
            paid_at_ms=payment["paid_at_ms"],
            after_ms=self.after_ms,
            bps_max=self.bps_max,
        )
        code = refusal(shareable, wanted_minor=wanted_minor, now_ms=now_ms)
        if code is not None:
            raise CallerError(code, self.payment_id)
        return payment, shared

    def _receiver(self, ws: WorkingSet, one: Wanted) -> str:
        row = ws.get(SHARE_RECEIVER, (self.giver, one.kind, one.account))
        if row is None or not row["is_active"]:
            raise CallerError("share_receiver_unknown", one.kind)
        receiver_id: str = row["receiver_id"]
        return receiver_id

    def _share(
        self, ws: WorkingSet, number: int, one: Wanted, receiver_id: str, is_settled: bool,
        date: str, now_ms: int,
    ) -> None:  # fmt: skip
        payment = ws.get(PAYMENT, self.payment_id)
        assert payment is not None
        event = posting.Event(f"{self.round_id}.{number}", payment["currency"], date)
        rule = posting.share_paid if is_settled else posting.share_held
        transfers = rule(
            event,
            payment_id=self.payment_id,
            to_account=receiver_account(one.kind, receiver_id, payment["currency"]),
            amount_minor=one.amount_minor,
        )
        ledger.post(ws, transfers, now_ms, is_new=True)
        row = self._row(number, one, receiver_id, now_ms)
        ws.insert(SHARE, row)
        if is_settled:
            pay_share(ws, self._news(), (self.round_id, number), now_ms)

    def _insert_release(
        self, ws: WorkingSet, number: int, payment: Row, rest_minor: int, now_ms: int
    ) -> None:
        own = Wanted(
            kind=MERCHANT_KIND,
            account=self.giver,
            amount_minor=rest_minor,
            description=self.release_description,
        )
        row = self._row(number, own, payment["merchant_id"], now_ms)
        done = {"state": ShareState.SUCCEEDED.value, "is_release": 1, "done_at_ms": now_ms}
        ws.insert(SHARE, row | done)

    def _row(self, number: int, one: Wanted, receiver_id: str, now_ms: int) -> Row:
        return {
            "round_id": self.round_id,
            "number": number,
            "payment_id": self.payment_id,
            "kind": one.kind,
            "account": one.account,
            "receiver_id": receiver_id,
            "amount_minor": one.amount_minor,
            "description": one.description,
            "state": ShareState.PENDING.value,
            "created_at_ms": now_ms,
        }

    def _news(self) -> Row:
        """What a receiver is told besides its share."""
        return {
            "round_id": self.round_id,
            "out_order_no": self.out_order_no,
            "payment_id": self.payment_id,
            "news_form": self.news_form,
        }

    def _insert_round(self, ws: WorkingSet, count: int, now_ms: int) -> Row:
        row = {
            "owner": self.owner,
            **self._news(),
            "content_hash": self.content_hash,
            "share_count": count,
            "created_at_ms": now_ms,
        }
        ws.insert(SHARE_ROUND, row)
        return row

    def _update(
        self,
        ws: WorkingSet,
        payment: Row,
        shared: Row,
        is_settled: bool,
        now_ms: int,
    ) -> None:
        changes: Row = {
            "round_count": shared["round_count"] + 1,
            "shared_minor": shared["shared_minor"] + sum(one.amount_minor for one in self.wanted),
        }
        if self.wanted and not is_settled:
            changes["due_at_ms"] = min(shared["due_at_ms"], now_ms + LOOK_AGAIN_MS)
        if self.is_last:
            changes["state"] = SharingState.RELEASED.value
            if is_settled or not self.wanted:
                # A refund that is refused yet puts its money back: the clock looks once more.
                is_waiting = (
                    payment["refunding_minor"] or shared["due_at_ms"] < shared["release_at_ms"]
                )
                changes["due_at_ms"] = now_ms + LOOK_AGAIN_MS if is_waiting else None
        ws.update(SHARED_PAYMENT, self.payment_id, **changes)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReturnShare:
    """A merchant gives back a share, or a part of it, to the one that had shared. Answers the
    return's row."""

    owner: str
    out_return_no: str
    return_id: str
    out_order_no: str
    account: str
    amount_minor: int
    description: str
    content_hash: bytes
    rules: PaymentRules

    def reads(self) -> Iterable[Read]:
        return [
            (SHARE_RETURN, (self.owner, self.out_return_no)),
            (SHARE_ROUND, (self.owner, self.out_order_no)),
        ]

    def follow(self, ws: WorkingSet) -> Iterable[Read]:
        found = ws.get(SHARE_ROUND, (self.owner, self.out_order_no))
        if found is None or ws.get(SHARE_RETURN, (self.owner, self.out_return_no)) is not None:
            return []
        numbers = range(1, found["share_count"] + 1)
        reads: list[Read] = [(SHARE, (found["round_id"], number)) for number in numbers]
        reads += [(PAYMENT, found["payment_id"]), (SHARED_PAYMENT, found["payment_id"])]
        payment = ws.loaded(PAYMENT, found["payment_id"])
        if payment is None:
            return reads
        reads.append((ACCOUNT, chart.shared(found["payment_id"], payment["currency"])))
        reads.append((ACCOUNT, chart.merchant_pending(owner_of(payment), payment["currency"])))
        for number in numbers:
            share = ws.loaded(SHARE, (found["round_id"], number))
            if share is not None and self._is_meant(share):
                reads.append((MERCHANT, share["receiver_id"]))
                merchant = ws.loaded(MERCHANT, share["receiver_id"])
                if merchant is not None:
                    accounts = _sources(merchant, payment["currency"])
                    reads += [(ACCOUNT, account) for account in accounts]
        return reads

    def decide(self, ws: WorkingSet, now_ms: int) -> Row:
        known = ws.get(SHARE_RETURN, (self.owner, self.out_return_no))
        if known is not None:
            if known["content_hash"] != self.content_hash:
                raise CallerError("idempotency_conflict", "out_return_no")
            return known
        found = ws.get(SHARE_ROUND, (self.owner, self.out_order_no))
        share = self._share(ws, found) if found is not None else None
        if found is None or share is None:
            raise CallerError("share_not_found", self.out_order_no)
        code = return_refusal(
            amount_minor=self.amount_minor,
            left_minor=share["amount_minor"] - share["returned_minor"],
            return_count=share["return_count"],
            done_at_ms=share["done_at_ms"],
            now_ms=now_ms,
        )
        if code is not None:
            raise CallerError(code, self.out_order_no)
        ledger.post(ws, self._transfers(ws, share, now_ms), now_ms, is_new=True)
        return self._record(ws, found, share, now_ms)

    def _is_meant(self, share: Row) -> bool:
        return (share["kind"], share["account"], share["is_release"]) == (
            MERCHANT_KIND,
            self.account,
            0,
        )

    def _share(self, ws: WorkingSet, found: Row) -> Row | None:
        """The receiver's first share of the round that was paid."""
        for number in range(1, found["share_count"] + 1):
            share = ws.get(SHARE, (found["round_id"], number))
            assert share is not None
            if self._is_meant(share) and share["state"] == ShareState.SUCCEEDED:
                return share
        return None

    def _transfers(self, ws: WorkingSet, share: Row, now_ms: int) -> list[Transfer]:
        payment, merchant = (
            ws.get(PAYMENT, share["payment_id"]),
            ws.get(MERCHANT, share["receiver_id"]),
        )
        assert payment is not None
        assert merchant is not None
        currency = payment["currency"]
        accounts = [(one, ledger.available(ws, one)) for one in _sources(merchant, currency)]
        sources = drawn(accounts, amount_minor=self.amount_minor, fee_back_minor=0)
        if not sources:
            raise CallerError("merchant_balance_short", share["account"])
        event = posting.Event(self.return_id, currency, self.rules.business_date(now_ms))
        return posting.share_returned(
            event,
            sources=sources,
            payment_id=share["payment_id"],
            merchant_id=owner_of(payment),
        )

    def _record(self, ws: WorkingSet, found: Row, share: Row, now_ms: int) -> Row:
        ws.update(
            SHARE,
            (share["round_id"], share["number"]),
            returned_minor=share["returned_minor"] + self.amount_minor,
            return_count=share["return_count"] + 1,
        )
        shared = ws.get(SHARED_PAYMENT, share["payment_id"])
        assert shared is not None
        left_minor = shared["shared_minor"] - self.amount_minor
        ws.update(SHARED_PAYMENT, share["payment_id"], shared_minor=left_minor)
        row = {
            "owner": self.owner,
            "out_return_no": self.out_return_no,
            "return_id": self.return_id,
            "round_id": share["round_id"],
            "out_order_no": found["out_order_no"],
            "number": share["number"],
            "account": self.account,
            "amount_minor": self.amount_minor,
            "description": self.description,
            "content_hash": self.content_hash,
            "created_at_ms": now_ms,
        }
        ws.insert(SHARE_RETURN, row)
        return row


def _sources(merchant: Row, currency: str) -> list[str]:
    """Whose money a merchant gives back: pending first, then available."""
    return [
        *(chart.merchant_pending(owner, currency) for owner in pending_owners(merchant)),
        chart.merchant_available(merchant["merchant_id"], currency),
    ]
