"""What operators and regulators ask about the reserve: its day, its tests, the windows."""

from datetime import date
from typing import Any

from backend.channels.ports import BankPort
from backend.clearing.evening_repository import EveningRepository
from backend.clearing.reserve_report import Movement, ReserveDay, write_reserve_report
from protocol.errors import CallerError


class ReserveDesk:
    """Reads; it never moves anything."""

    def __init__(
        self,
        *,
        repository: EveningRepository,
        bank: BankPort,
        reserve_account: str,
        currency: str = "CNY",
    ) -> None:
        self._repository = repository
        self._bank = bank
        self._reserve_account = reserve_account
        self._currency = currency

    async def report(self, day: date) -> bytes:
        """The regulator's report of a day (``reserve_report``)."""
        statement = await self._bank.statement(self._reserve_account, day)
        text = day.isoformat()
        money = await self._repository.client_money_at(self._currency, text)
        tests = await self._repository.reserve_tests(text)
        flows = await self._repository.reserve_flows(self._currency, text)
        return write_reserve_report(
            ReserveDay(
                currency=self._currency,
                opening_minor=statement.opening.amount_minor,
                movements=[
                    Movement(row["rule"], int(row["in_minor"]), int(row["out_minor"]))
                    for row in flows
                ],
                closing_minor=statement.closing.amount_minor,
                liabilities_minor=money.classes_minor,
                in_transit_minor=money.in_transit_minor,
                short_minor=money.short_minor,
                verdict=_verdict(tests),
            )
        )

    async def test(self, day: date) -> dict[str, Any]:
        """A day's newest signed test, for anybody to check; ``day_not_closed`` before there is
        one."""
        tests = await self._repository.reserve_tests(day.isoformat())
        if not tests:
            raise CallerError("day_not_closed", day.isoformat())
        last = tests[-1]
        return {
            "day": day.isoformat(),
            "number": last["number"],
            "passed": bool(last["passed"]),
            "note": last["note"],
            "key": last["key"],
            "stamp": bytes(last["stamp"]).hex(),
        }

    async def windows(self, day: date) -> list[dict[str, Any]]:
        """The channels' windows of a settlement date."""
        return await self._repository.windows(day.isoformat())


def _verdict(tests: list[dict[str, Any]]) -> str:
    if not tests:
        return "none"
    return "passed" if tests[-1]["passed"] else "failed"
