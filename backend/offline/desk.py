"""What a payer may do with vouchers, as async calls: the routes translate to them.

Rule: a voucher's text follows from its row and the payer's key, so it is signed anew whenever it is
asked for, and says the same each time.
"""

from typing import Any

from backend.db.tables import Row
from backend.offline.model import class_of
from backend.offline.repository import OfflineRepository
from backend.offline.service import GiveVoucher
from backend.payments.services import Services
from backend.wallet.model import masked_name
from backend.wallet.repository import WalletRepository
from protocol.errors import CallerError, OperatingError
from protocol.messages.offline import VoucherText, sign_voucher

_TERMS = tuple(
    name for name in VoucherText.model_fields if name not in {"payer_masked", "suite", "public"}
)
_SHOWN = (*_TERMS, "state", "spent_minor", "covered_minor")
_RETURN_SHOWN = ("payment_id", "number", "amount_minor", "bearer", "is_overspent", "code",
                 "accepted_at_ms", "returned_at_ms")  # fmt: skip


class OfflineDesk:
    """Serves payers. Who sets money aside has given the PIN before."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._vouchers = OfflineRepository(services.reader)
        self._wallets = WalletRepository(services.reader)

    async def give(
        self, payer_id: str, *, voucher_id: str, amount_minor: int, currency: str
    ) -> dict[str, Any]:
        """Set money aside; the voucher, and its signed text for the phone."""
        services = self._services
        command = GiveVoucher(
            voucher_id=voucher_id,
            payer_id=payer_id,
            amount_minor=amount_minor,
            currency=currency,
            rules=services.rules.offline,
            business_date=services.rules.business_date(services.clock.now_ms()),
        )
        row: Row = await services.submit(command)
        return await self._with_text(row)

    async def vouchers(self, payer_id: str) -> list[dict[str, Any]]:
        """The payer's vouchers, newest first, each with its signed text."""
        rows = await self._services.run_read(lambda: self._vouchers.vouchers_of(payer_id))
        return [await self._with_text(row) for row in rows]

    async def most_minor(self, payer_id: str) -> int:
        """What this payer may set aside at once."""
        services = self._services
        payer = await services.run_read(lambda: self._wallets.payer(payer_id))
        now_ms = services.clock.now_ms()
        payer_class = class_of(created_at_ms=payer["created_at_ms"], now_ms=now_ms)
        return services.rules.offline.classes[payer_class].voucher_minor_max

    async def voucher(self, payer_id: str, voucher_id: str) -> dict[str, Any]:
        """One voucher, and what came back of it; ``offline_voucher_not_found`` for another's."""
        for shown in await self.vouchers(payer_id):
            if shown["voucher_id"] == voucher_id:
                rows = await self._services.run_read(lambda: self._vouchers.returns_of(voucher_id))
                back = [{name: row[name] for name in _RETURN_SHOWN} for row in rows]
                return shown | {"returns": back}
        raise CallerError("offline_voucher_not_found", voucher_id)

    async def _with_text(self, row: Row) -> dict[str, Any]:
        key = self._services.signing_key
        if key is None:
            raise OperatingError("internal", "no key to sign vouchers with")
        payer = await self._services.run_read(lambda: self._wallets.payer(row["payer_id"]))
        text = VoucherText(
            **{name: row[name] for name in _TERMS},
            payer_masked=masked_name(payer["name"]),
            suite=payer["key_suite"],
            public=payer["key_public"],
        )
        return {name: row[name] for name in _SHOWN} | {"signed": sign_voucher(text, key).hex()}
