"""Reading merchants' accounts and withdrawals. Only this file of the room sees SQL."""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, select

from backend.clearing.tables import Payout
from backend.db.reading import Reader
from backend.db.tables import Row
from backend.ledger import chart
from backend.ledger.derived_repository import DerivedRepository
from backend.ledger.repository import LedgerRepository
from backend.ledger.statements import Statements
from backend.merchant_api.funds.tables import ApiWithdrawal
from backend.merchants.service import pending_owners
from backend.merchants.tables import Merchant

_said = ApiWithdrawal.__table__  # type: ignore[attr-defined]
_payout = Payout.__table__  # type: ignore[attr-defined]
_merchant = Merchant.__table__  # type: ignore[attr-defined]


@dataclass(frozen=True, slots=True, kw_only=True)
class Balances:
    """What we owe a merchant, in minor units."""

    available_minor: int
    pending_minor: int


class FundsRepository:
    """Committed rows. Blocking: call it on a reading thread."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    def balances(self, merchant_id: str, at_ms: int) -> Balances:
        """A merchant's accounts at a time, all at one moment of the books."""
        with self._reader.snapshot() as connection:
            query = select(_merchant).where(_merchant.c.merchant_id == merchant_id)
            merchant = dict(connection.execute(query).mappings().one())
            currency = merchant["currency"]
            books = Statements(LedgerRepository(connection), DerivedRepository(connection))
            available = chart.merchant_available(merchant_id, currency)
            pending = [chart.merchant_pending(one, currency) for one in pending_owners(merchant)]
            return Balances(
                available_minor=books.balance(available, at_ms).balance_minor,
                pending_minor=sum(books.balance(one, at_ms).balance_minor for one in pending),
            )

    def of_number(self, mchid: str, out_request_no: str) -> tuple[Row, Row] | None:
        """A withdrawal and its payout, by the merchant's number."""
        return self._found(mchid, _said.c.out_request_no == out_request_no)

    def of_payout(self, mchid: str, payout_id: str) -> tuple[Row, Row] | None:
        """The withdrawal of this payout of ours."""
        return self._found(mchid, _said.c.payout_id == payout_id)

    def _found(self, mchid: str, condition: ColumnElement[bool]) -> tuple[Row, Row] | None:
        said = self._reader.one(select(_said).where(_said.c.mchid == mchid, condition))
        if said is None:
            return None
        payout = self._reader.one(
            select(_payout, _merchant.c.payout_bank.label("account_bank"))
            .join(_merchant, _merchant.c.merchant_id == _payout.c.merchant_id)
            .where(_payout.c.payout_id == said["payout_id"])
        )
        assert payout is not None, "written with what the merchant said"
        return said, payout
