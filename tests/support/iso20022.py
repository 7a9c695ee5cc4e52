"""One example of every ISO 20022 message that we write, and how each is read back."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any

from backend.channels import iso20022
from protocol.money import Money

NOW = 1_790_000_000_123
DAY = date(2026, 9, 30)
UETR = "7d9b4f0e-3c11-4e7a-9a53-2f6d1c0b8e44"


def cny(amount_minor: int) -> Money:
    return Money(amount_minor, "CNY")


def instruction(*amounts: int) -> iso20022.Instruction:
    return iso20022.Instruction(
        message_id="PYO20260930",
        created_at_ms=NOW,
        execution_date=DAY,
        debtor_name="Tillway 支付",
        debtor_account="RESERVE-1",
        transfers=tuple(
            iso20022.CreditTransfer(f"E2E{n}", cny(amount), "小店 & Söhne", f"ACC{n}", "2026-09-30")
            for n, amount in enumerate(amounts)
        ),
    )


def statement(*amounts: int) -> iso20022.Statement:
    return iso20022.Statement(
        message_id="STM1",
        created_at_ms=NOW,
        account="RESERVE-1",
        day=DAY,
        opening=cny(-500),
        closing=cny(sum(amounts) - 500),
        entries=entries(*amounts),
    )


def entries(*amounts: int) -> tuple[iso20022.StatementEntry, ...]:
    return tuple(
        iso20022.StatementEntry(f"R{n}", cny(amount), DAY, "payout")
        for n, amount in enumerate(amounts)
    )


def transfers(*amounts: int) -> iso20022.InterbankTransfers:
    return iso20022.InterbankTransfers(
        message_id="PACS1",
        created_at_ms=NOW,
        settlement_date=DAY,
        debtor_agent="RESERVE-BANK",
        creditor_agent="BANK-A",
        transfers=tuple(
            iso20022.InterbankTransfer(
                f"E2E{n}",
                UETR,
                cny(amount),
                "Tillway",
                "RESERVE-1",
                "小店",
                f"ACC{n}",
                "2026-09-30",
            )
            for n, amount in enumerate(amounts)
        ),
    )


def financial(*amounts: int) -> iso20022.FinancialTransfers:
    return iso20022.FinancialTransfers(
        "FIN1",
        NOW,
        DAY,
        tuple(
            iso20022.Leg(f"STL-NUCC-2026093{n}", "NUCC", "RESERVE-1", cny(amount))
            for n, amount in enumerate(amounts)
        ),
    )


STATUSES = (
    iso20022.TransferStatus("E2E0", "ACSC"),
    iso20022.TransferStatus("E2E1", "RJCT", "AC01"),
)
REPORT = iso20022.StatusReport("ST1", NOW, "PYO20260930", STATUSES)
RETURNS = iso20022.Returns(
    "RET1", NOW, DAY, (iso20022.Return("RTN-E2E0", "E2E0", cny(1280), "AC04"),)
)
RECALL = iso20022.Recall(
    "CASE1", NOW, "RESERVE-BANK", "BANK-A", "E2E0", cny(1280), DAY, reason="DUPL"
)
RESOLUTION = iso20022.Resolution(
    "RES1", "CASE1", NOW, "BANK-A", "RESERVE-BANK", "E2E0", "RJCR", "CUST"
)
LIQUIDITY = iso20022.LiquidityTransfer("LIQ1", NOW, "LIQ1", "RESERVE-1", "RESERVE-2", cny(5), DAY)
RECEIPT = iso20022.Receipt("RCT1", NOW, "LIQ1", "REJT", "AM04")


@dataclass(frozen=True)
class Example:
    """A message as a value, as bytes, and its reader."""

    message: str
    value: Any
    data: bytes
    read: Callable[[bytes], Any]


def _examples() -> list[Example]:
    iso = iso20022
    status = iso.InterbankStatus("S1", NOW, "PACS1", iso.PACS008, STATUSES)
    note = iso.Notification("NTF1", NOW, "RESERVE-1", 17, entries(5, -3))
    nothing = iso.Notification("NTF2", NOW, "RESERVE-1", 0, ())
    told: list[tuple[str, Any, Callable[[Any], bytes], Callable[[bytes], Any]]] = [
        (iso.PAIN001, instruction(1, 1280), iso.write_instruction, iso.read_instruction),
        (iso.PAIN002, REPORT, iso.write_status_report, iso.read_status_report),
        (iso.CAMT053, statement(5, -3), iso.write_statement, iso.read_statement),
        (iso.CAMT053, statement(), iso.write_statement, iso.read_statement),
        (iso.CAMT054, note, iso.write_notification, iso.read_notification),
        (iso.CAMT054, nothing, iso.write_notification, iso.read_notification),
        (iso.PACS008, transfers(1280, 5), iso.write_transfers, iso.read_transfers),
        (iso.PACS002, status, iso.write_status, iso.read_status),
        (iso.PACS004, RETURNS, iso.write_returns, iso.read_returns),
        (iso.PACS009, financial(1280, 5), iso.write_financial, iso.read_financial),
        (iso.CAMT056, RECALL, iso.write_recall, iso.read_recall),
        (iso.CAMT029, RESOLUTION, iso.write_resolution, iso.read_resolution),
        (iso.CAMT050, LIQUIDITY, iso.write_liquidity, iso.read_liquidity),
        (iso.CAMT025, RECEIPT, iso.write_receipt, iso.read_receipt),
    ]
    return [Example(name, value, write(value), read) for name, value, write, read in told]


EXAMPLES = _examples()
