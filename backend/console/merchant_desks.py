"""The desks of other rooms that the merchants' pages look into."""

from dataclasses import dataclass

from backend.bills.service import PaperDesk
from backend.console.merchant_callbacks_desk import CallbacksDesk
from backend.merchant_api.bills.desk import MerchantBills
from backend.merchant_api.keys.desk import AccountDesk
from backend.merchant_api.keys.ring import KeyRing
from backend.risk.judging.explaining import Explainer


@dataclass(frozen=True, slots=True, kw_only=True)
class MerchantDesks:
    """Made once per process."""

    papers: PaperDesk
    bills: MerchantBills
    """The same, as a merchant's program gets them."""
    accounts: AccountDesk
    ring: KeyRing
    callbacks: CallbacksDesk
    explainer: Explainer
