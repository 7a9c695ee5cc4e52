"""Reading payers outside commands. Only this file of the room sees SQL."""

from sqlalchemy import select

from backend.db.reading import Reader
from backend.db.tables import Row
from backend.ledger.chart import customer
from backend.ledger.model import available, balance
from backend.ledger.tables import LedgerAccount
from backend.wallet.switches import Switch, parse_switches
from backend.wallet.tables import PayCodeRoute, Payer, PayerSwitches, PayerToken, PinFree

_payer = Payer.__table__  # type: ignore[attr-defined]
_token = PayerToken.__table__  # type: ignore[attr-defined]
_route = PayCodeRoute.__table__  # type: ignore[attr-defined]
_pin_free = PinFree.__table__  # type: ignore[attr-defined]
_switches = PayerSwitches.__table__  # type: ignore[attr-defined]
_account = LedgerAccount.__table__  # type: ignore[attr-defined]


class WalletRepository:
    """Committed payers. Blocking: call it on a reading thread."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    def payer_of_token(self, token_hash: bytes) -> str | None:
        """Whose wallet a token admits."""
        row = self._reader.one(
            select(_token.c.payer_id).where(
                _token.c.token_hash == token_hash, _token.c.is_revoked == 0
            )
        )
        return row["payer_id"] if row else None

    def token_hashes(self, payer_id: str) -> tuple[bytes, ...]:
        """The tokens of a payer that work."""
        query = select(_token.c.token_hash).where(
            _token.c.payer_id == payer_id, _token.c.is_revoked == 0
        )
        return tuple(row["token_hash"] for row in self._reader.rows(query))

    def payer(self, payer_id: str) -> Row | None:
        """One payer's row; None if there is none."""
        return self._reader.one(select(_payer).where(_payer.c.payer_id == payer_id))

    def declined_by_code(self, payer_id: str) -> str | None:
        """The last payment that was declined when this payer's code was used."""
        query = select(_route.c.declined_payment_id).join(_payer, _payer.c.route == _route.c.route)
        row = self._reader.one(query.where(_payer.c.payer_id == payer_id))
        return row["declined_payment_id"] if row else None

    def pin_free(self, payer_id: str, currency: str) -> Row | None:
        """What a payer has confirmed without a PIN; None before the first time."""
        query = select(_pin_free).where(
            _pin_free.c.payer_id == payer_id, _pin_free.c.currency == currency
        )
        return self._reader.one(query)

    def switches(self, payer_id: str) -> frozenset[Switch]:
        """A tester's switches that are on."""
        query = select(_switches.c.switched_on).where(_switches.c.payer_id == payer_id)
        row = self._reader.one(query)
        return parse_switches(row["switched_on"] if row else "")

    def balance(self, payer_id: str, currency: str) -> tuple[int, int]:
        """(balance, available) in minor units; nothing yet is (0, 0)."""
        query = select(_account).where(_account.c.id == customer(payer_id, currency))
        row = self._reader.one(query)
        return (balance(row), available(row)) if row else (0, 0)
