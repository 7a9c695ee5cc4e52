"""HTTP about withdrawals: the wallet asks for them with the payer's PIN, operators look."""

from typing import Annotated, Any, ClassVar

from fastapi import APIRouter, Depends, Query
from pydantic import Field

from backend.db.tables import Row
from backend.guard import Guard
from backend.passkeys.schemas import ByWord, CheckWord
from backend.payments.services import Services
from backend.withdrawals.limits import ROWS_PER_LIST_MAX
from backend.withdrawals.repository import WithdrawalRepository
from backend.withdrawals.service import OrderWithdrawal
from protocol.errors import CallerError
from protocol.limits import IDENTIFIER_CHARS_MAX
from protocol.messages.base import CurrencyText, PositiveMinor
from protocol.money import Money

_Id = Annotated[str, Field(min_length=1, max_length=IDENTIFIER_CHARS_MAX)]
_SHOWN = (
    "withdrawal_id", "instrument_id", "amount_minor", "fee_minor", "currency", "state", "reason",
    "settlement_date", "created_at_ms",
)  # fmt: skip


class WantedWithdrawal(ByWord):
    """``POST /wallet/v1/withdrawals``; ``withdrawal_id`` is the wallet's (``wdr_…``)."""

    KIND: ClassVar[str] = "withdrawal"
    withdrawal_id: _Id
    instrument_id: _Id
    amount_minor: PositiveMinor
    currency: CurrencyText = "CNY"


def add_wallet_routes(
    routes: APIRouter,
    services: Services,
    payer: Any,  # noqa: ANN401  # an annotation
    check_word: CheckWord,
) -> None:
    """Add to the wallet's router what a payer does to take money out."""
    withdrawals = WithdrawalRepository(services.reader)

    @routes.post("/withdrawals", status_code=201)
    async def withdraw(payer_id: payer, body: WantedWithdrawal) -> dict[str, Any]:
        await check_word(payer_id, body)
        command = OrderWithdrawal(
            withdrawal_id=body.withdrawal_id,
            payer_id=payer_id,
            instrument_id=body.instrument_id,
            amount=Money(body.amount_minor, body.currency),
            rules=services.rules,
        )
        return _shown(await services.submit(command))

    @routes.get("/withdrawals/{withdrawal_id}")
    async def withdrawal(payer_id: payer, withdrawal_id: str) -> dict[str, Any]:
        row = await services.run_read(lambda: withdrawals.withdrawal(withdrawal_id))
        if row is None or row["payer_id"] != payer_id:
            raise CallerError("payment_not_found", withdrawal_id)
        return _shown(row)

    @routes.get("/withdrawals")
    async def of_payer(
        payer_id: payer, limit: Annotated[int, Query(ge=1, le=ROWS_PER_LIST_MAX)] = 20
    ) -> dict[str, Any]:
        rows = await services.run_read(lambda: withdrawals.of_payer(payer_id, limit))
        return {"withdrawals": [_shown(row) for row in rows]}


def operator_router(services: Services, operator_only: Guard) -> APIRouter:
    """``/operator/v1/withdrawals``: one, or a payer's."""
    withdrawals = WithdrawalRepository(services.reader)
    routes = APIRouter(
        prefix="/operator/v1/withdrawals", tags=["operator"], dependencies=[Depends(operator_only)]
    )

    @routes.get("")
    async def of_payer(payer_id: str) -> dict[str, Any]:
        rows = await services.run_read(lambda: withdrawals.of_payer(payer_id))
        return {"withdrawals": [_shown(row) for row in rows]}

    @routes.get("/{withdrawal_id}")
    async def withdrawal(withdrawal_id: str) -> dict[str, Any]:
        row = await services.run_read(lambda: withdrawals.withdrawal(withdrawal_id))
        if row is None:
            raise CallerError("payment_not_found", withdrawal_id)
        return _shown(row) | {"payer_id": row["payer_id"]}

    return routes


def _shown(row: Row) -> dict[str, Any]:
    return {name: row[name] for name in _SHOWN}
