"""What a device, a payer and a merchant do with a mandate."""

from typing import Any

from backend.mandates.model import MandateCommand, Side
from backend.mandates.notices import AnnounceDebit, EndNotice
from backend.mandates.service import ChangeMandate
from tests.support.shop import MERCHANT, Shop

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS


def use(shop: Shop, mandate_id: str, amount_minor: int, *, device: str = "vend1") -> dict[str, Any]:
    """A device takes a payment by itself."""
    body = shop.create_body("mandate", amount_minor, mandate_id=mandate_id)
    return shop.ask("payment.create", body, device=device)


def outcome(answer: dict[str, Any]) -> str:
    """``captured``, or why not."""
    return str(answer["error"]["code"] if "error" in answer else answer["state"])


def undo(shop: Shop, paid: dict[str, Any]) -> dict[str, Any]:
    """The device undoes its payment."""
    return shop.ask("payment.reverse", {"payment_id": paid["payment_id"]}, device="vend1")


def announce(shop: Shop, mandate_id: str, amount_minor: int, **changes: Any) -> dict[str, Any]:
    """The merchant announces a debit."""
    fields: dict[str, Any] = {
        "notice_id": shop.id("ntc"),
        "mandate_id": mandate_id,
        "merchant_id": MERCHANT,
        "amount_minor": amount_minor,
        "currency": "CNY",
        "description": "十二月会员费",
    }
    return shop.do(AnnounceDebit(**(fields | changes)))


def payer_says(shop: Shop, payer: str, mandate_id: str, command: MandateCommand) -> str:
    return _change(shop, Side.PAYER, payer, mandate_id, command)


def merchant_says(shop: Shop, mandate_id: str, command: MandateCommand) -> str:
    return _change(shop, Side.MERCHANT, MERCHANT, mandate_id, command)


def refuse(shop: Shop, payer: str, notice_id: str) -> dict[str, Any]:
    return shop.do(EndNotice(side=Side.PAYER, party_id=payer, notice_id=notice_id))


def withdraw(shop: Shop, notice_id: str, *, merchant_id: str = MERCHANT) -> dict[str, Any]:
    return shop.do(EndNotice(side=Side.MERCHANT, party_id=merchant_id, notice_id=notice_id))


def mandate_row(shop: Shop, mandate_id: str) -> dict[str, Any]:
    (row,) = shop.rows(f"SELECT * FROM mandate WHERE mandate_id = '{mandate_id}'")
    return row


def _change(shop: Shop, side: Side, party_id: str, mandate_id: str, command: MandateCommand) -> str:
    change = ChangeMandate(side=side, party_id=party_id, mandate_id=mandate_id, command=command)
    return str(shop.do(change)["status"])
