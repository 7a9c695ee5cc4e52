"""The ledger's movements as the transfers that reports are made from. Pure.

Rule 1: a customer is a payer by the balance or a merchant by what it has earned; all other accounts
        are nobody's. What stays with one customer (settled, moved between parts of one merchant)
        is no transaction.
Rule 2: what a merchant or a payer pays us as a fee is our income and no transaction to report.
Rule 3: money that is put aside, as for a dispute or a prepaid contract, counts when it leaves the
        customer's account, and again when it comes back.
Rule 4: nothing here is cash. What passes the exchange position crosses the border.
"""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

import polars as pl

from backend.ledger import chart
from backend.risk.aml.limits import LEDGER_TRANSFERS_MAX
from protocol.errors import CallerError

CUSTOMERS = {"CUST": "person", "MPEND": "organisation", "MAVAIL": "organisation"}
"""Accounts of customers by their code, and of which kind these are."""
_NOBODY = "bank"
_FEES = "UNSWEPT"
_EXCHANGE = "FXPOS"
_EPOCH = date(1970, 1, 1)
_SCHEMA = {
    "tx_id": pl.String, "ts": pl.String, "t_sec": pl.Int64, "day": pl.Int64, "src": pl.String,
    "dst": pl.String, "src_kind": pl.String, "dst_kind": pl.String, "amount": pl.Int64,
    "channel": pl.String,
}  # fmt: skip


def ledger_transfers(rows: Iterable[Mapping[str, Any]]) -> pl.DataFrame:
    """As ``transfers.read_transfers``, from rows with ``id, debit, credit, amount_minor,
    business_date, at_ms``. ``CallerError`` for more than ``LEDGER_TRANSFERS_MAX``."""
    found: list[tuple[Any, ...]] = []
    for row in rows:
        (source, source_kind, source_code), (target, target_kind, target_code) = (
            _customer(row["debit"]), _customer(row["credit"]),
        )  # fmt: skip
        if source == target or _FEES in {source_code, target_code}:
            continue
        if len(found) >= LEDGER_TRANSFERS_MAX:
            raise CallerError("field_invalid", f"more than {LEDGER_TRANSFERS_MAX} transfers")
        is_exchange = _EXCHANGE in {source_code, target_code}
        day = date.fromisoformat(row["business_date"])
        found.append(
            (
                row["id"], row["business_date"], row["at_ms"] // 1000, (day - _EPOCH).days, source,
                target, source_kind, target_kind, row["amount_minor"],
                "cross_border" if is_exchange else "transfer",
            )
        )  # fmt: skip
    return pl.DataFrame(found, schema=_SCHEMA, orient="row")


def _customer(account_id: str) -> tuple[str, str, str]:
    """Whose an account is, of which kind, and its code; parts of a merchant are the merchant's."""
    account = chart.account(account_id)
    kind = CUSTOMERS.get(account.code) if account.book == "C" else None
    if kind is None:
        return account_id, _NOBODY, account.code
    return account.owner.partition("#")[0], kind, account.code
