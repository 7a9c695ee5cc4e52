"""The fund's lines: the reserve bank for what its bank advances, and a commercial bank for what it
pays to the payment institution's own account (pain.001 out, pain.002 back)."""

from datetime import UTC, datetime

from backend.channels import iso20022
from backend.sandbox.institution.program import Place
from backend.sandbox.institution.reserve_line import NeighbourLine, ReserveLine, read_word
from backend.sandbox.institution.settling import SettlementOrder, SettlementWord

COMPANY_NAME = "Fund company"


class FundLines:
    """``SettlementAgent`` over the network. ``company`` and ``own`` name accounts at ``bank``; all
    others are members' at the reserve bank."""

    def __init__(self, place: Place, *, bank: str, company: str, own: str) -> None:
        self._reserve = ReserveLine(place)
        self._bank = NeighbourLine(place, bank)
        self._at_bank = {company, own}

    async def settle(self, order: SettlementOrder) -> SettlementWord:
        """``SettlementAgent.settle``."""
        if order.debtor not in self._at_bank:
            return await self._reserve.settle(order)
        answer = await self._bank.ask("POST", "/bank/instructions", payment_message(order))
        return read_word(answer, order, read=iso20022.read_status_report)

    async def close(self) -> None:
        """Close the connections."""
        await self._reserve.close()
        await self._bank.close()


def payment_message(order: SettlementOrder) -> bytes:
    """The pain.001 of an order: the same bytes each time it is told."""
    day = order.value_date
    transfer = iso20022.CreditTransfer(
        end_to_end_id=order.reference,
        amount=order.amount,
        creditor_name=order.creditor,
        creditor_account=order.creditor,
        remittance="settlement",
    )
    return iso20022.write_instruction(
        iso20022.Instruction(
            message_id=order.reference,
            created_at_ms=int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp())
            * 1000,
            execution_date=day,
            debtor_name=COMPANY_NAME,
            debtor_account=order.debtor,
            transfers=(transfer,),
        )
    )
