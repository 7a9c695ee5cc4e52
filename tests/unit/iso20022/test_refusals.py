"""A message that is wrong anywhere is refused whole, with the place and the reason."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.channels.iso20022 import (
    parse_amount,
    read_financial,
    read_instruction,
    read_resolution,
    read_statement,
    read_status_report,
    read_transfers,
    write_financial,
    write_instruction,
    write_resolution,
    write_statement,
    write_status_report,
    write_transfers,
)
from protocol.errors import CallerError
from protocol.money import Money
from tests.support.iso20022 import (
    EXAMPLES,
    REPORT,
    RESOLUTION,
    Example,
    financial,
    instruction,
    statement,
    transfers,
)

_NAMES = [example.message for example in EXAMPLES]


def refused(example: Example, data: bytes) -> str:
    with pytest.raises(CallerError) as caught:
        example.read(data)
    assert caught.value.code == "file_rejected"
    return caught.value.detail


@given(st.lists(st.integers(1, 10**12), min_size=1, max_size=8))
def test_lists_of_transfers_arrive_as_they_were_written(amounts: list[int]) -> None:
    assert read_instruction(write_instruction(instruction(*amounts))) == instruction(*amounts)
    assert read_transfers(write_transfers(transfers(*amounts))) == transfers(*amounts)
    assert read_financial(write_financial(financial(*amounts))) == financial(*amounts)


@given(st.lists(st.integers(-(10**9), 10**9), max_size=8))
def test_a_statement_arrives_as_it_was_written(amounts: list[int]) -> None:
    assert read_statement(write_statement(statement(*amounts))) == statement(*amounts)


@pytest.mark.parametrize("example", EXAMPLES, ids=_NAMES)
def test_a_message_cut_off_anywhere_is_refused(example: Example) -> None:
    for length in range(0, len(example.data), 37):
        assert "line" in refused(example, example.data[:length])


@pytest.mark.parametrize("example", EXAMPLES, ids=_NAMES)
def test_a_message_in_another_encoding_is_refused(example: Example) -> None:
    text = example.data.decode()
    foreign = text.replace("'UTF-8'", "'GB18030'").encode("gb18030")
    assert "not UTF-8" in refused(example, foreign)
    assert "UTF-8" in refused(example, text.encode("utf-16"))
    if not text.isascii():
        assert "line" in refused(example, text.encode("gb18030"))


@pytest.mark.parametrize("example", EXAMPLES, ids=_NAMES)
def test_a_document_type_and_its_entities_are_refused(example: Example) -> None:
    trick = example.data.replace(b"<Document", b'<!DOCTYPE x [<!ENTITY e "boom">]><Document')
    refused(example, trick)
    refused(example, trick.replace(b"<MsgId>", b"<MsgId>&e;").replace(b"<Id>", b"<Id>&e;"))


@pytest.mark.parametrize("example", EXAMPLES, ids=_NAMES)
def test_another_message_and_another_version_are_refused(example: Example) -> None:
    assert example.message in refused(example, b"<Document/>")
    other = example.message[:-2] + "02"
    refused(example, example.data.replace(example.message.encode(), other.encode()))


@pytest.mark.parametrize("example", EXAMPLES, ids=_NAMES)
@given(st.binary(max_size=200))
def test_arbitrary_bytes_are_refused(example: Example, data: bytes) -> None:
    refused(example, data)


_WITH_AMOUNTS = [example for example in EXAMPLES if b'Ccy="CNY">' in example.data]


@pytest.mark.parametrize("example", _WITH_AMOUNTS, ids=[one.message for one in _WITH_AMOUNTS])
@pytest.mark.parametrize("spoilt", [b">", b">-", b">0", b">1e", b">+", "１".encode()])
def test_an_amount_that_is_not_one_is_refused(example: Example, spoilt: bytes) -> None:
    cut = example.data.index(b'Ccy="CNY">') + len(b'Ccy="CNY"')
    data = example.data[:cut] + b">" + spoilt.strip(b">") + b"0.001" + example.data[cut + 1 :]
    refused(example, data)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"<NbOfTxs>2<", b"<NbOfTxs>3<"),
        (b"<CtrlSum>12.81<", b"<CtrlSum>12.82<"),
        (b">0.01<", b">0.010<"),
        (b">0.01<", b">0.00<"),
        (b'Ccy="CNY">0.01', b'Ccy="USD">0.01'),
        (b"E2E1", b"E2E0"),
        (b"<EndToEndId>E2E1</EndToEndId>", b""),
        (b"2026-09-30</Dt>", b"2026-09-31</Dt>"),
        (b".123Z", b".123"),
    ],
)
def test_an_instruction_that_is_wrong_anywhere_is_refused_whole(old: bytes, new: bytes) -> None:
    data = write_instruction(instruction(1, 1280))
    assert old in data
    with pytest.raises(CallerError) as caught:
        read_instruction(data.replace(old, new))
    assert caught.value.code == "file_rejected"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"<NbOfTxs>2<", b"<NbOfTxs>1<"),
        (b'<TtlIntrBkSttlmAmt Ccy="CNY">12.85<', b'<TtlIntrBkSttlmAmt Ccy="CNY">12.84<'),
        (b'<TtlIntrBkSttlmAmt Ccy="CNY">', b'<TtlIntrBkSttlmAmt Ccy="USD">'),
        (b">CLRG<", b">INDA<"),
        (b"CNAPS", b"USABA"),
    ],
)
def test_interbank_messages_are_checked_like_instructions(old: bytes, new: bytes) -> None:
    for data, read in (
        (write_transfers(transfers(1280, 5)), read_transfers),
        (write_financial(financial(1280, 5)), read_financial),
    ):
        assert old in data
        with pytest.raises(CallerError):
            read(data.replace(old, new))


def test_a_repeated_id_is_named() -> None:
    data = write_transfers(transfers(1, 2)).replace(b"E2E1", b"E2E0")
    with pytest.raises(CallerError, match="E2E0 stands twice"):
        read_transfers(data)


def test_a_statement_whose_entries_do_not_explain_its_balances_is_refused() -> None:
    data = write_statement(statement(5, -3))
    with pytest.raises(CallerError) as caught:
        read_statement(data.replace(b'Ccy="CNY">0.05', b'Ccy="CNY">0.06'))
    assert "explain" in caught.value.detail


def test_a_status_that_nobody_defined_is_refused_not_guessed() -> None:
    with pytest.raises(CallerError):
        read_status_report(write_status_report(REPORT).replace(b"ACSC", b"OKAY"))


def test_a_resolution_that_contradicts_itself_is_refused() -> None:
    with pytest.raises(CallerError):
        read_resolution(write_resolution(RESOLUTION).replace(b"<Conf>RJCR", b"<Conf>CNCL"))


@pytest.mark.parametrize(
    "text", ["", ".", "1", "1.2", "1.234", "+1.20", "１.20", "1.2x", "1" * 14 + ".00"]
)
def test_an_amount_needs_exactly_the_decimals_of_its_currency(text: str) -> None:
    with pytest.raises(CallerError):
        parse_amount(text, "CNY", place="here")
    assert parse_amount("12.80", "CNY", place="here") == Money(1280, "CNY")
    assert parse_amount("1280", "JPY", place="here") == Money(1280, "JPY")
