"""The simulated devices: what the backend is told of each, and what each knows of itself."""

from backend.devices.model import DeviceKind
from backend.devices.service import EnrolDevice, NewKey
from protocol.crypto.keys import VerifyKey
from protocol.topics import reply_address
from terminal.profile import Item, Profile
from tests.simulation.people import CURRENCY

STORE, MERCHANT, VENDING = "store-1", "mch_1001", "vend-1"
BIOMETRIC_ABOVE = 100_000
TAKES_TOKENS = frozenset({"till-1", "till-2"})
"""The other till goes on with the usual ways while nobody can be asked."""


def enrolment_of(tid: str, kind: DeviceKind, public: VerifyKey) -> EnrolDevice:
    """What makes it a device of the store."""
    return EnrolDevice(
        tid=tid,
        kind=kind,
        store=STORE,
        key=NewKey(suite=public.suite.name, public_key=public.public, kid=public.kid),
        actor="test",
        is_active=True,
    )


def profile_of(tid: str, mandate_id: str, *, hub_count: int) -> Profile:
    """A till's, or the vending machine's, which pays by the mandate."""
    is_vending = tid == VENDING
    more = ("mandate",) if is_vending else ("offline_token",) if tid in TAKES_TOKENS else ()
    return Profile(
        kind="vending" if is_vending else "till",
        tid=tid,
        store=STORE,
        merchant_id=MERCHANT,
        merchant_zh="晨光便利店",
        merchant_en="Corner Shop",
        till=tid,
        currency=CURRENCY,
        reply_to=reply_address(STORE, tid, "mqtt"),
        methods=("pay_code", "merchant_qr", *more),
        hub_count=hub_count,
        biometric_above_minor=BIOMETRIC_ABOVE,
        is_attended=not is_vending,
        mandate_id=mandate_id if is_vending else None,
        items=(Item(item="cola", zh="可乐", en="Cola", amount_minor=300),) if is_vending else (),
    )
