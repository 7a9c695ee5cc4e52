"""What a share does to the books: its receiver's account, its hold, and the release of the rest."""

from backend.channels.model import FUND
from backend.clearing.model import settlement_transfer
from backend.db.command import Read
from backend.db.tables import Row
from backend.db.working_set import WorkingSet
from backend.instruments.model import BALANCE
from backend.ledger import chart
from backend.ledger import rules as posting
from backend.ledger import service as ledger
from backend.ledger.model import Transfer, balance
from backend.ledger.tables import ACCOUNT, TRANSFER
from backend.merchants.tables import MERCHANT
from backend.notify.outbox import put_callback
from backend.payments.entries import owner_of
from backend.sagas.tables import SAGA
from backend.sharing.model import ShareState, paid
from backend.sharing.tables import SHARE

RECEIVED = "share.received"
_MERCHANT = "MERCHANT_ID"


def receiver_account(kind: str, receiver_id: str, currency: str) -> str:
    """Where a share goes: a merchant settles it with its earnings, a payer has it at once."""
    if kind == _MERCHANT:
        return chart.merchant_pending(receiver_id, currency)
    return chart.customer(receiver_id, currency)


def channel_reads(ws: WorkingSet, payment: Row) -> list[Read]:
    """What ``is_channel_settled`` reads; the conversation must be loaded."""
    saga = ws.loaded(SAGA, payment["payment_id"])
    if saga is None or not saga["settlement_date"]:
        return []
    channel_id, date = saga["channel_id"], saga["settlement_date"]
    return [
        (TRANSFER, settlement_transfer(channel_id, date)),
        (ACCOUNT, chart.channel(channel_id, date, payment["currency"])),
    ]


def is_channel_settled(ws: WorkingSet, payment: Row) -> bool:
    """Whether the payment's money is in the reserve, or will be before anything leaves it: the
    balance's, what own money advances, and that of a day on which the channel owes nothing (as much
    went as came), so that nothing will ever be paid for it."""
    if payment["funding"] == BALANCE:
        return True
    saga = ws.get(SAGA, payment["payment_id"])
    assert saga is not None, "conversations are never removed"
    if saga["channel_id"] == FUND:
        return True
    channel_id, date = saga["channel_id"], saga["settlement_date"]
    owed = ws.get(ACCOUNT, chart.channel(channel_id, date, payment["currency"]))
    if owed is None or balance(owed) <= 0:
        return True
    return ws.find(TRANSFER, settlement_transfer(channel_id, date)) is not None


def pay_share(ws: WorkingSet, found: Row, key: tuple[str, int], now_ms: int) -> None:
    """A share has been paid: it takes its step, and a merchant that receives is told. ``found`` is
    the round."""
    share = ws.get(SHARE, key)
    assert share is not None
    state = paid(ShareState(share["state"]))
    done = ws.update(SHARE, key, state=state.value, done_at_ms=now_ms)
    if share["kind"] != _MERCHANT:
        return
    merchant = ws.get(MERCHANT, share["receiver_id"])
    assert merchant is not None, "merchants are never removed"
    put_callback(
        ws,
        merchant_id=share["receiver_id"],
        url=merchant["notify_url"],
        form=found["news_form"],
        event_type=RECEIVED,
        subject_id=f"{share['round_id']}.{share['number']}",
        number=1,
        resource={
            **{name: found[name] for name in ("round_id", "out_order_no", "payment_id")},
            **{name: done[name] for name in ("kind", "account", "amount_minor", "description")},
            "done_at_ms": now_ms,
        },
        at_ms=now_ms,
    )


def held_share(share: Row, currency: str, date: str) -> Transfer:
    """The hold of a share whose channel had not paid on that business date."""
    event = posting.Event(f"{share['round_id']}.{share['number']}", currency, date)
    [hold] = posting.share_held(
        event,
        payment_id=share["payment_id"],
        to_account=receiver_account(share["kind"], share["receiver_id"], currency),
        amount_minor=share["amount_minor"],
    )
    return hold


def release_sample(payment: Row, event_id: str) -> list[Transfer]:
    """A release, for its reads."""
    return _release(payment, event_id, 1, "")


def release_rest(ws: WorkingSet, payment: Row, event_id: str, date: str, now_ms: int) -> int:
    """Give the merchant what is frozen and held for nobody; how much that was."""
    account = chart.shared(payment["payment_id"], payment["currency"])
    rest_minor = ledger.available(ws, account)
    if rest_minor > 0:
        transfers = _release(payment, event_id, rest_minor, date)
        ledger.post(ws, transfers, now_ms, is_new=True)
    return rest_minor


def _release(payment: Row, event_id: str, amount_minor: int, date: str) -> list[Transfer]:
    return posting.share_released(
        posting.Event(event_id, payment["currency"], date),
        merchant_id=owner_of(payment),
        payment_id=payment["payment_id"],
        amount_minor=amount_minor,
    )
