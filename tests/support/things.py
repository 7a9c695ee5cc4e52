"""Devices of a shop's store in the registry, and what waits for them in its hub's queue."""

from typing import Any

from backend.devices.announce import REGISTRY
from backend.devices.model import DeviceKind
from backend.devices.service import CreateStore, EnrolDevice, NewKey
from protocol import cbor
from tests.support.shop import MERCHANT, Shop

STORE = f"store-of-{MERCHANT}"


def enrol_device(shop: Shop, tid: str, kind: DeviceKind) -> None:
    """Put a device of this kind into the shop's store."""
    shop.do(CreateStore(store=STORE, merchant_id=MERCHANT, name="One"))
    key = NewKey(suite="Ed25519", public_key=bytes(32), kid=tid.encode())
    shop.do(EnrolDevice(tid=tid, kind=kind, store=STORE, key=key, actor="test", is_active=True))


def told_to(shop: Shop, tid: str) -> list[tuple[str, dict[str, Any]]]:
    """Everything that was ever put there for a device, but its own registry rows."""
    rows = shop.rows(f"SELECT * FROM outbox_push WHERE device = '{tid}' ORDER BY seq")
    return [
        (row["message_type"], cbor.decode(bytes(row["body"]), bytes_max=4096))
        for row in rows
        if row["message_type"] != REGISTRY
    ]
