"""Messages by name: what is said is what is read."""

from dataclasses import replace
from datetime import date

import pytest

from backend.channels.iso8583 import management
from backend.channels.iso8583.codec import Message
from backend.channels.iso8583.dates import resolve_day
from backend.channels.iso8583.management import Totals, UploadRow
from backend.channels.iso8583.messages import (
    Answer,
    Kind,
    Reason,
    answer_message,
    read_answer,
    read_transaction,
    write_transaction,
)
from protocol.errors import CallerError
from tests.support.iso8583_messages import TRACE, a_transaction, every_request


@pytest.mark.parametrize("kind", list(Kind))
def test_a_transaction_is_read_as_it_was_said(kind: Kind) -> None:
    said = a_transaction(kind)
    assert read_transaction(write_transaction(said)) == said
    reversal = replace(said, reason=Reason.NO_ANSWER)
    assert read_transaction(write_transaction(reversal)) == reversal


@pytest.mark.parametrize(
    ("kind", "mti", "processing", "code"),
    [
        (Kind.SALE, "0200", "000000", "22"),
        (Kind.VOID, "0200", "200000", "23"),
        (Kind.REFUND, "0220", "200000", "25"),
        (Kind.PREAUTH, "0100", "030000", "10"),
        (Kind.PREAUTH_VOID, "0100", "200000", "11"),
        (Kind.COMPLETION, "0200", "000000", "20"),
        (Kind.COMPLETION_VOID, "0200", "200000", "21"),
    ],
)
def test_types_and_codes_are_those_of_the_flavour(
    kind: Kind, mti: str, processing: str, code: str
) -> None:
    message = write_transaction(a_transaction(kind))
    assert (message.mti, message.fields[3], message.fields[60][:2]) == (mti, processing, code)
    assert 2 not in message.fields


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({60: "99000007000"}, 60),
        ({60: "22"}, 60),
        ({49: "840"}, 49),
        ({4: "000000000000"}, 4),
        ({62: "4E4F"}, 62),
        ({61: "0000"}, 61),
        ({3: "310000"}, 60),
    ],
)
def test_a_field_with_other_content_is_refused_by_its_number(
    change: dict[int, str], field: int
) -> None:
    message = write_transaction(a_transaction())
    with pytest.raises(CallerError, match=f"field {field}"):
        read_transaction(Message(message.mti, {**message.fields, **change}))


@pytest.mark.parametrize("missing", [3, 4, 11, 41, 42, 49, 60, 63])
def test_a_missing_field_is_refused_by_its_number(missing: int) -> None:
    message = write_transaction(a_transaction())
    fields = {number: value for number, value in message.fields.items() if number != missing}
    with pytest.raises(CallerError, match=f"field {missing}: is missing"):
        read_transaction(Message(message.mti, fields))


def test_a_reversal_without_a_reason_is_refused() -> None:
    message = write_transaction(replace(a_transaction(), reason=Reason.OTHER))
    fields = {**message.fields, 39: "77"}
    with pytest.raises(CallerError, match="field 39"):
        read_transaction(Message(message.mti, fields))


def test_an_answer_is_read_as_it_was_said() -> None:
    request = every_request()["sale"]
    said = Answer(
        mti="0210",
        trace=TRACE,
        code="51",
        rrn="000000000009",
        settlement_date="1124",
        network_code="000",
    )
    assert read_answer(answer_message(request, said)) == said


def test_totals_and_uploads_are_read_as_they_were_said() -> None:
    totals = Totals(1_000, 2, 300, 1)
    message = management.settlement(TRACE, totals)
    assert len(message.fields[48]) == 62
    assert management.read_totals(message) == totals
    rows = tuple(UploadRow(management.KIND_CREDIT, n, n) for n in range(1, 17))
    assert management.read_upload(management.upload(TRACE, rows)) == rows


@pytest.mark.parametrize("text", ["0", "01", "02" + "0" * 20])
def test_an_upload_of_another_length_is_refused(text: str) -> None:
    with pytest.raises(CallerError, match="field 48"):
        management.read_upload(Message("0320", {48: text}))


def test_totals_of_another_length_or_of_foreign_cards_are_refused() -> None:
    for text in ("0" * 61, "0" * 40 + "1" + "0" * 21):
        with pytest.raises(CallerError, match="field 48"):
            management.read_totals(Message("0500", {48: text}))


@pytest.mark.parametrize(
    ("text", "near", "found"),
    [
        ("1231", date(2027, 1, 1), date(2026, 12, 31)),
        ("0101", date(2026, 12, 31), date(2027, 1, 1)),
        ("0229", date(2027, 3, 1), date(2028, 2, 29)),
        ("1345", date(2027, 3, 1), None),
        ("", date(2027, 3, 1), None),
    ],
)
def test_a_date_without_a_year_is_the_nearest(text: str, near: date, found: date | None) -> None:
    assert resolve_day(text, near) == found
