"""Whose key may move whose money at the reserve bank.

Rule 1: a settlement account is its owner's: a bank or a clearing institution, known by its key.
Rule 2: a clearing institution also collects: its members have agreed that it takes a net debt from
        their accounts, so one side of each of its legs is its own. A bank only pays.
Rule 3: a return comes from the bank that got the money, and from nobody else.
Rule 4: a reserve account is a payment institution's, which is no institution of the sandbox.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from backend.channels import iso20022
from backend.sandbox.institution.state_files import Neighbours
from protocol.errors import CallerError
from protocol.money import Money

OWNERS: dict[str, str] = {
    "SETTLE-NUCC": "netsunion",
    "SETTLE-CUP": "unionpay",
    "SETTLE-ADVBANK": "fund",
    "SETTLE-FUND": "fund",
    "SETTLE-ECNY": "ecny",
    "SETTLE-ALIPAY": "alipay",
    "SETTLE-CUPQR": "acp",
    "SETTLE-BANK-A": "bank-a",
    "SETTLE-BANK-B": "bank-b",
}
"""Settlement accounts, and the institution whose each is."""
_COLLECTORS = frozenset({"netsunion", "unionpay", "fund", "ecny", "alipay", "acp"})
Settled = Callable[[str], tuple[str, str, Money] | None]
"""Debtor's account, creditor's bank and amount of a customer's transfer that has moved."""


@dataclass(frozen=True, slots=True)
class Signers:
    """The check of each kind of message; ``kid`` is the id of the key that signed it. All raise
    ``signature_invalid``."""

    neighbours: Neighbours
    owners: Mapping[str, str]

    def check_transfers(self, kid: str, data: bytes) -> None:
        """pacs.008: a bank draws on its own settlement account only."""
        bank = iso20022.read_transfers(data).debtor_agent.lower()
        self._check(self._name(kid) == bank, f"not the key of {bank}")

    def check_financial(self, kid: str, data: bytes) -> None:
        """pacs.009: each leg is out of the signer's account, or a collector's into its own."""
        name = self._name(kid)
        for leg in iso20022.read_financial(data).legs:
            is_payer = self._is_of(name, leg.debtor)
            collects = name in _COLLECTORS and self._is_of(name, leg.creditor)
            self._check(is_payer or collects, f"not the key of {leg.debtor}")

    def check_returns(self, kid: str, data: bytes, settled: Settled) -> None:
        """pacs.004: what was never settled is left to the bank's own refusal."""
        name = self._name(kid)
        self._check(bool(name), "not the key of a bank")
        for one in iso20022.read_returns(data).returns:
            found = settled(one.original_end_to_end_id)
            self._check(found is None or found[1] == name, "not the key of the creditor's bank")

    def check_liquidity(self, kid: str, data: bytes) -> None:
        """camt.050: out of an account of the signer's."""
        debtor, name = iso20022.read_liquidity(data).debtor_account, self._name(kid)
        if debtor in self.owners:
            self._check(self._is_of(name, debtor), f"not the key of {debtor}")
        else:
            self._check(not name, f"not the key of {debtor}")

    def _name(self, kid: str) -> str:
        """The institution with this key; empty: somebody else's whom we were told of."""
        for name in self.neighbours.names():
            if self.neighbours.find(name).key.kid.hex() == kid:
                return name
        return ""

    def _is_of(self, name: str, account: str) -> bool:
        return bool(name) and self.owners.get(account) == name

    @staticmethod
    def _check(holds: bool, why: str) -> None:
        if not holds:
            raise CallerError("signature_invalid", why)
