"""A payment that a till accepted while nobody could be asked: its token comes back.

Rule 1: the payer was not asked then and is not asked now. What was set aside pays, whatever has
        become of the account since; the risk engine's word came too late and is not asked for.
Rule 2: who bears it is kept with the payment, whoever it is (``backend.offline.model``).
Rule 3: when it was accepted is the till's word. A switch that stops the merchant or the device does
        not take from it what a payer has signed, but the house pays nothing of its own there.
Rule 4: what is undone goes back to its voucher, or to the payer if that has ended by then.
"""

from dataclasses import dataclass, replace

from backend.db.command import Read
from backend.db.tables import Row
from backend.db.working_set import WorkingSet
from backend.instruments.model import BALANCE, HOUSE, OFFLINE
from backend.ledger import chart
from backend.ledger import rules as posting
from backend.ledger import service as ledger
from backend.ledger.model import Transfer
from backend.ledger.tables import ACCOUNT
from backend.merchants.service import merchant_reads, pending_owner, plan_in_force
from backend.merchants.tables import MERCHANT
from backend.offline.model import (
    LIVE_STATES,
    Bearer,
    Borne,
    Returned,
    Standing,
    VoucherState,
    VoucherStep,
    bearer_of,
    next_state,
)
from backend.offline.tables import OFFLINE_WALLET, RETURN, VOUCHER
from backend.payments.entries import entry_accounts, owner_of, paid_transfers
from backend.payments.model import PaymentRules
from backend.payments.paying import Taken
from backend.payments.telling import tell_merchant
from backend.payments.timeline import step
from backend.wallet.model import masked_name
from backend.wallet.tables import PAYER
from protocol.crypto.keys import VerifyKey
from protocol.crypto.suites import suite_named
from protocol.messages.offline import OfflineToken, token_holds
from protocol.payment import Command

_STANDING = tuple(Standing.__dataclass_fields__)
_FUNDINGS = {Bearer.SET_ASIDE: OFFLINE, Bearer.BALANCE: BALANCE, Bearer.HOUSE: HOUSE}


@dataclass(frozen=True, slots=True, kw_only=True)
class Presented:
    """A token as a till presents it, and when it says to have accepted it."""

    token: OfflineToken
    accepted_at_ms: int


def offline_reads(ws: WorkingSet, presented: Presented, *, payment: Row) -> list[Read]:
    """What ``take_offline`` reads. ``payment`` names the id, the merchant and the currency."""
    merchant_id, currency = payment["merchant_id"], payment["currency"]
    voucher_id = presented.token.text.voucher_id
    found = [(VOUCHER, voucher_id), *merchant_reads(ws, merchant_id)]
    merchant, voucher = ws.get(MERCHANT, merchant_id), ws.loaded(VOUCHER, voucher_id)
    if merchant is None or voucher is None:
        return found
    payer_id = voucher["payer_id"]
    accounts = (
        chart.escrow(voucher_id, currency),
        chart.customer(payer_id, currency),
        chart.client("OWN_DUE", currency),
        chart.own("LOSS", currency),
        chart.own("OWN_PAYABLE", currency),
        *entry_accounts(pending_owner(merchant, payment["payment_id"]), currency),
    )
    found += [(ACCOUNT, account) for account in accounts]
    return [*found, (PAYER, payer_id), (OFFLINE_WALLET, payer_id)]


def take_offline(
    ws: WorkingSet,
    payment: Row,
    presented: Presented,
    *,
    merchant: Row,
    is_covered: bool,
    rules: PaymentRules,
    actor: str,
    now_ms: int,
) -> Taken:
    """Pay what was accepted, by whoever bears it, or say why the merchant does. The payment stands
    in *created*. ``is_covered``: whether the house bears anything at this merchant and device."""
    voucher = ws.get(VOUCHER, presented.token.text.voucher_id)
    payer = None if voucher is None else ws.get(PAYER, voucher["payer_id"])
    if voucher is None or payer is None or not _holds(presented.token, voucher, payer, payment):
        return Taken(payment, "offline_token_invalid")
    borne = bearer_of(
        _standing(voucher, is_covered=is_covered),
        Returned(
            number=presented.token.text.number,
            amount_minor=payment["amount_minor"],
            accepted_at_ms=presented.accepted_at_ms,
            now_ms=now_ms,
            balance_minor=_balance(ws, payer, payment["currency"]),
        ),
    )
    _record(ws, voucher, payment, presented, borne, now_ms)
    if borne.by is Bearer.MERCHANT:
        return Taken(payment, borne.code)
    plan = plan_in_force(ws, merchant, now_ms)
    owner = pending_owner(merchant, payment["payment_id"])
    decided: Row = {
        "payer_id": payer["payer_id"],
        "payer_masked": masked_name(payer["name"]),
        "fee_minor": plan.fee(payment["amount_minor"]),
        "fee_plan_version": plan.version,
        "business_date": rules.business_date(now_ms),
        "pending_owner": "" if owner == merchant["merchant_id"] else owner,
        "funding": _FUNDINGS[borne.by],
    }
    ledger.post(ws, _transfers(payment | decided, voucher, borne.by), now_ms, is_new=True)
    captured = step(
        ws,
        payment,
        Command.CAPTURE,
        actor=actor,
        now_ms=now_ms,
        detail={"offline": borne.by.value, "accepted_at_ms": presented.accepted_at_ms},
        paid_at_ms=now_ms,
        **decided,
    )
    tell_merchant(ws, captured, merchant, "payment.captured", now_ms)
    return Taken(captured)


def undone_reads(ws: WorkingSet, payment: Row) -> list[Read]:
    """What ``pass_on_undone`` reads, as far as it is known by now."""
    if payment["funding"] != OFFLINE:
        return []
    payment_id = payment["payment_id"]
    found: list[Read] = [(RETURN, payment_id)]
    returned = ws.loaded(RETURN, payment_id)
    if returned is not None:
        found.append((VOUCHER, returned["voucher_id"]))
        found += ledger.reads(_passed_on(payment, returned, ""), is_new=True)
    return found


def pass_on_undone(ws: WorkingSet, payment: Row, date: str, now_ms: int) -> None:
    """An undone payment has given its part back to its voucher. Of one that has ended nobody looks
    at what is left, so that goes on to its payer."""
    if payment["funding"] != OFFLINE:
        return
    returned = ws.get(RETURN, payment["payment_id"])
    assert returned is not None, "what was set aside pays for tokens that came back"
    voucher = ws.get(VOUCHER, returned["voucher_id"])
    assert voucher is not None, "vouchers are never removed"
    if VoucherState(voucher["state"]) not in LIVE_STATES:
        ledger.post(ws, _passed_on(payment, returned, date), now_ms, is_new=True)


def _passed_on(payment: Row, returned: Row, date: str) -> list[Transfer]:
    return posting.escrow_returned(
        posting.Event(f"{payment['payment_id']}.passed_on", payment["currency"], date),
        contract_id=returned["voucher_id"],
        user_id=payment["payer_id"],
        amount_minor=payment["amount_minor"],
    )


def _standing(voucher: Row, *, is_covered: bool) -> Standing:
    standing = Standing(**{name: voucher[name] for name in _STANDING})
    return standing if is_covered else replace(standing, guarantee_minor=0)


def _holds(token: OfflineToken, voucher: Row, payer: Row, payment: Row) -> bool:
    """Whether the payer signed this very payment. The voucher's terms are those of its row,
    whatever text came along."""
    text = token.text
    asked = (payment["payment_id"], payment["merchant_id"], payment["amount_minor"])
    if (text.payment_id, text.merchant_id, text.amount_minor) != asked:
        return False
    if not text.currency == payment["currency"] == voucher["currency"]:
        return False
    return token_holds(token, VerifyKey(suite_named(payer["key_suite"]), payer["key_public"]))


def _balance(ws: WorkingSet, payer: Row, currency: str) -> int:
    """What the balance could pay: of a frozen account nothing."""
    if payer["status"] != "active":
        return 0
    return ledger.available(ws, chart.customer(payer["payer_id"], currency))


def _record(
    ws: WorkingSet,
    voucher: Row,
    payment: Row,
    presented: Presented,
    borne: Borne,
    now_ms: int,
) -> None:
    """Keep what came back, and what is left of the voucher."""
    text, amount_minor = presented.token.text, payment["amount_minor"]
    ws.insert(
        RETURN,
        {
            "payment_id": payment["payment_id"],
            "voucher_id": text.voucher_id,
            "number": text.number,
            "amount_minor": amount_minor,
            "bearer": borne.by.value,
            "is_overspent": int(borne.is_overspent),
            "code": borne.code,
            "accepted_at_ms": presented.accepted_at_ms,
            "returned_at_ms": now_ms,
        },
    )
    changes: Row = {}
    if borne.by is not Bearer.MERCHANT:
        changes["used_numbers"] = voucher["used_numbers"] | 1 << text.number
    if borne.by is Bearer.SET_ASIDE:
        changes["spent_minor"] = voucher["spent_minor"] + amount_minor
    if borne.by is Bearer.HOUSE:
        changes["covered_minor"] = voucher["covered_minor"] + amount_minor
    if borne.is_overspent:
        changes["state"] = next_state(voucher["state"], VoucherStep.OVERSPEND).value
        ws.update(OFFLINE_WALLET, voucher["payer_id"], has_overspent=1)
    if changes:
        ws.update(VOUCHER, text.voucher_id, **changes)


def _transfers(paid: Row, voucher: Row, by: Bearer) -> list[Transfer]:
    fee_minor = paid["fee_minor"]
    if by is Bearer.BALANCE:
        return paid_transfers(paid, payer_id=paid["payer_id"], fee_minor=fee_minor)
    event = posting.Event(paid["payment_id"], paid["currency"], paid["business_date"])
    owner, amount_minor = owner_of(paid), paid["amount_minor"]
    if by is Bearer.HOUSE:
        return posting.offline_covered(
            event, merchant_id=owner, amount_minor=amount_minor, fee_minor=fee_minor
        )
    assert by is Bearer.SET_ASIDE
    return posting.offline_paid(
        event,
        voucher_id=voucher["voucher_id"],
        merchant_id=owner,
        amount_minor=amount_minor,
        fee_minor=fee_minor,
    )
