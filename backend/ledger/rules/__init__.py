"""The posting rules: each business event as a named function from the event to its transfers.

Numbers are those of the table of 23 rules in ``docs/ledger.md``. Dr/Cr is written
``(debit, credit, amount)``; a rule that touches both books returns the mirrored pair together.

Rule 1: the reserve moves only on an external confirmation, never on an instruction.
Rule 2: own money and client money meet in two mirrored pairs only, each by the same amount at once:
        UNSWEPT = DUE_CLIENT (fees earned, still in the reserve) and OWN_DUE = OWN_PAYABLE (own
        money promised, not yet there).
Rule 3: a function is pure and knows no balance; ``service.post`` keeps the floors.
"""

from backend.ledger.rules.balances import (
    balance_held,
    balance_paid,
    coupon_paid,
    customer_withdrawal_confirmed,
    customer_withdrawal_rejected,
    customer_withdrawn,
    fee_charged,
    hold_expired,
    hold_posted,
    hold_voided,
    top_up,
)
from backend.ledger.rules.channels import (
    card_paid,
    channel_cost_accrued,
    channel_held,
    channel_settled,
    channel_settled_net,
    customer_withdrawal_through_channel,
    ecny_paid,
    fund_paid,
    fund_paid_by_own_advance,
    fund_repaid_bank,
    own_advance_long_found,
    own_advance_repaid,
    own_advance_returned,
)
from backend.ledger.rules.currencies import (
    exchange_bought,
    exchange_paid,
)
from backend.ledger.rules.kept import (
    escrow_funded,
    escrow_released,
    escrow_returned,
    merchant_packet_expired,
    merchant_packet_sent,
    red_packet_claimed,
    red_packet_expired,
    red_packet_sent,
)
from backend.ledger.rules.legs import Event
from backend.ledger.rules.offline import offline_cover_returned, offline_covered, offline_paid
from backend.ledger.rules.reconciled import (
    fee_rounded,
    long_assigned,
    long_found,
    long_given_back,
    short_found,
    short_recovered,
    short_written_off,
)
from backend.ledger.rules.returns import (
    Sources,
    balance_refunded,
    channel_refund_accepted,
    channel_refund_started,
    dispute_lost,
    dispute_opened,
    dispute_won,
    merchant_cover_repaid,
    merchant_covered,
    pending_gathered,
    reversed_transfers,
)
from backend.ledger.rules.settlement import (
    fees_swept,
    merchant_settled,
    own_funds_injected,
    payout_confirmed,
    payout_instructed,
    payout_rejected,
    payout_returned,
    reserve_interest_paid,
)
from backend.ledger.rules.shared import (
    share_frozen,
    share_held,
    share_paid,
    share_posted,
    share_released,
    share_returned,
)
from backend.ledger.rules.stocks import (
    stock_paid,
    stock_refunded,
    stock_released,
    stock_set_aside,
)

__all__ = [
    "Event",
    "Sources",
    "balance_held",
    "balance_paid",
    "balance_refunded",
    "card_paid",
    "channel_cost_accrued",
    "channel_held",
    "channel_refund_accepted",
    "channel_refund_started",
    "channel_settled",
    "channel_settled_net",
    "coupon_paid",
    "customer_withdrawal_confirmed",
    "customer_withdrawal_rejected",
    "customer_withdrawal_through_channel",
    "customer_withdrawn",
    "dispute_lost",
    "dispute_opened",
    "dispute_won",
    "ecny_paid",
    "escrow_funded",
    "escrow_released",
    "escrow_returned",
    "exchange_bought",
    "exchange_paid",
    "fee_charged",
    "fee_rounded",
    "fees_swept",
    "fund_paid",
    "fund_paid_by_own_advance",
    "fund_repaid_bank",
    "hold_expired",
    "hold_posted",
    "hold_voided",
    "long_assigned",
    "long_found",
    "long_given_back",
    "merchant_cover_repaid",
    "merchant_covered",
    "merchant_packet_expired",
    "merchant_packet_sent",
    "merchant_settled",
    "offline_cover_returned",
    "offline_covered",
    "offline_paid",
    "own_advance_long_found",
    "own_advance_repaid",
    "own_advance_returned",
    "own_funds_injected",
    "payout_confirmed",
    "payout_instructed",
    "payout_rejected",
    "payout_returned",
    "pending_gathered",
    "red_packet_claimed",
    "red_packet_expired",
    "red_packet_sent",
    "reserve_interest_paid",
    "reversed_transfers",
    "share_frozen",
    "share_held",
    "share_paid",
    "share_posted",
    "share_released",
    "share_returned",
    "short_found",
    "short_recovered",
    "short_written_off",
    "stock_paid",
    "stock_refunded",
    "stock_released",
    "stock_set_aside",
    "top_up",
]
