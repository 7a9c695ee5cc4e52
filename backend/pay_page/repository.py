"""What the page shows. Only this file of the room sees SQL."""

from sqlalchemy import select

from backend.db.reading import Reader
from backend.db.tables import Row
from backend.merchants.tables import Merchant
from backend.pay_page.limits import CODES_PER_MERCHANT_LIST_MAX
from backend.pay_page.tables import StaticCode
from backend.payments.tables import Payment
from backend.sagas.tables import Saga

_payment = Payment.__table__  # type: ignore[attr-defined]
_merchant = Merchant.__table__  # type: ignore[attr-defined]
_saga = Saga.__table__  # type: ignore[attr-defined]
_code = StaticCode.__table__  # type: ignore[attr-defined]


class PageRepository:
    """Blocking: call it on a reading thread."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    def shown(self, payment_id: str) -> Row | None:
        """A payment that shows a code, its merchant's name, and what another wallet shows for it;
        None if there is none."""
        query = (
            select(
                _payment.c.payment_id, _payment.c.state, _payment.c.funding, _payment.c.currency,
                _payment.c.amount_minor, _payment.c.description, _payment.c.code_expires_at_ms,
                _payment.c.notify_form,
                _merchant.c.name.label("merchant"), _saga.c.shown_code,
            )
            .join(_merchant, _merchant.c.merchant_id == _payment.c.merchant_id)
            .join(_saga, _saga.c.saga_id == _payment.c.payment_id, isouter=True)
            .where(_payment.c.payment_id == payment_id, _payment.c.method == "merchant_qr")
        )  # fmt: skip
        return self._reader.one(query)

    def code(self, code_id: str) -> Row | None:
        """A static code with its merchant's name; None if there is none."""
        query = (
            select(_code, _merchant.c.name.label("merchant"), _merchant.c.currency)
            .join(_merchant, _merchant.c.merchant_id == _code.c.merchant_id)
            .where(_code.c.code_id == code_id)
        )
        return self._reader.one(query)

    def codes_of(self, merchant_id: str) -> list[Row]:
        """A merchant's codes, the oldest first."""
        query = (
            select(_code)
            .where(_code.c.merchant_id == merchant_id)
            .order_by(_code.c.created_at_ms, _code.c.code_id)
            .limit(CODES_PER_MERCHANT_LIST_MAX)
        )
        return self._reader.rows(query)
