"""What merchants' programs ask of their money, as async calls."""

from datetime import date
from typing import Any

from backend.clearing.payouts import PayOut
from backend.db.tables import Row
from backend.merchant_api.faults import NOT_ENOUGH, RESOURCE_NOT_EXISTS, ApiError
from backend.merchant_api.funds.model import day_end_ms, withdrawal
from backend.merchant_api.funds.repository import Balances, FundsRepository
from backend.merchant_api.funds.schemas import AccountType, NewWithdrawal
from backend.merchant_api.funds.service import WithdrawFunds
from backend.merchant_api.keys.desk import Account
from backend.merchant_api.magic import Sandbox
from backend.merchant_api.orders.engine import content_hash
from backend.payments.services import Services
from protocol import ids

_NOTHING = Balances(available_minor=0, pending_minor=0)


class FundsDesk:
    """Serves merchants' programs. One per process."""

    def __init__(self, services: Services, sandbox: Sandbox) -> None:
        self._services = services
        self._sandbox = sandbox
        self._funds = FundsRepository(services.reader)

    async def balance(self, account: Account, kind: AccountType) -> dict[str, int]:
        """What there is now. All of a merchant's money is in the basic account."""
        return await self._balances(account, kind, self._services.clock.now_ms())

    async def day_end_balance(
        self, account: Account, kind: AccountType, day: date
    ) -> dict[str, int]:
        """What there was when a day ended."""
        rules = self._services.rules
        today = date.fromisoformat(rules.business_date(self._services.clock.now_ms()))
        return await self._balances(account, kind, day_end_ms(day, today, rules.day_offset_ms))

    async def withdraw(self, account: Account, wanted: NewWithdrawal) -> dict[str, str]:
        """The withdrawal's numbers, the same for the same withdrawal again."""
        if wanted.account_type != "BASIC":
            raise ApiError(NOT_ENOUGH, "该账户没有余额")
        services = self._services
        now_ms = services.clock.now_ms()
        command = WithdrawFunds(
            payout=PayOut(
                payout_id=ids.mint(
                    ids.PAYOUT,
                    time_ms=now_ms,
                    random_bytes=services.entropy.token_bytes(ids.RANDOM_BYTES),
                ),
                merchant_id=account.merchant_id,
                amount_minor=wanted.amount,
                currency="CNY",
                run_day=services.rules.business_date(now_ms),
                execution_date=services.rules.business_date(now_ms),
            ),
            mchid=account.mchid,
            out_request_no=wanted.out_request_no,
            remark=wanted.remark or "",
            bank_memo=wanted.bank_memo or "",
            content_hash=content_hash(wanted, "WITHDRAW"),
        )
        async with self._sandbox.at(
            wanted.amount, mchid=account.mchid, number=wanted.out_request_no
        ):
            row: Row = await services.submit(command)
        return {"withdraw_id": row["payout_id"], "out_request_no": row["out_request_no"]}

    async def by_number(self, account: Account, out_request_no: str) -> dict[str, Any]:
        """How a withdrawal stands, by the merchant's number."""
        return _shown(
            await self._services.run_read(
                lambda: self._funds.of_number(account.mchid, out_request_no)
            )
        )

    async def by_id(self, account: Account, withdraw_id: str) -> dict[str, Any]:
        """A withdrawal by our own number."""
        return _shown(
            await self._services.run_read(lambda: self._funds.of_payout(account.mchid, withdraw_id))
        )

    async def _balances(self, account: Account, kind: AccountType, at_ms: int) -> dict[str, int]:
        found = _NOTHING
        if kind == "BASIC":
            found = await self._services.run_read(
                lambda: self._funds.balances(account.merchant_id, at_ms)
            )
        return {"available_amount": found.available_minor, "pending_amount": found.pending_minor}


def _shown(found: tuple[Row, Row] | None) -> dict[str, Any]:
    if found is None:
        raise ApiError(RESOURCE_NOT_EXISTS, "提现单不存在")
    return withdrawal(*found)
