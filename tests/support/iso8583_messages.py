"""One of every message that we or the switch can emit, by name."""

from dataclasses import replace

from backend.channels.iso8583 import management
from backend.channels.iso8583.codec import Message
from backend.channels.iso8583.management import Totals, UploadRow
from backend.channels.iso8583.messages import (
    OF_AN_ORIGINAL,
    Answer,
    Kind,
    Original,
    Reason,
    Trace,
    Transaction,
    answer_message,
    write_transaction,
)

TID, MID = "10000001", "898310000000001"
TRACE = Trace(TID, MID, batch=7, stan=42, date="1123", time="120000")
ORIGINAL = Original(batch=7, stan=41, date="1122", rrn="000000000041")


def a_transaction(kind: Kind = Kind.SALE, amount_minor: int = 12_345) -> Transaction:
    """A transaction as a terminal sends it."""
    has_original = kind in OF_AN_ORIGINAL
    return Transaction(
        kind=kind,
        trace=TRACE,
        amount_minor=amount_minor,
        own_id="pay_01JDCW7V5Z0000000000000001",
        token="tok_card_of_li_lei",
        original=ORIGINAL if has_original else None,
    )


def every_request() -> dict[str, Message]:
    """Every request there is."""
    found = {str(kind): write_transaction(a_transaction(kind)) for kind in Kind}
    for reason in Reason:
        reversal = replace(a_transaction(), reason=reason)
        found[f"reversal {reason}"] = write_transaction(reversal)
    for kind in Kind:
        reversal = replace(a_transaction(kind), reason=Reason.NO_ANSWER)
        found[f"reversal of {kind}"] = write_transaction(reversal)
    rows = [UploadRow(management.KIND_DEBIT, n, n * 101) for n in range(1, 17)]
    return found | {
        "sign-on": management.sign_on(TRACE),
        "sign-off": management.sign_off(TRACE),
        "echo": management.echo(TRACE),
        "settlement": management.settlement(TRACE, Totals(123_456, 12, 789, 3)),
        "upload of one": management.upload(TRACE, rows[:1]),
        "upload of sixteen": management.upload(TRACE, rows),
        "end of upload": management.upload_end(TRACE, 16),
    }


def every_message() -> dict[str, Message]:
    """Every request, and the answer to each."""
    found = every_request()
    answers = {}
    for name, request in found.items():
        answer = Answer(
            mti="",
            trace=TRACE,
            code="00",
            rrn="000000000042",
            settlement_date="1124",
            keys=bytes(range(40)) if name == "sign-on" else b"",
            balance="2" if name == "settlement" else "",
        )
        answers[f"answer to {name}"] = answer_message(request, answer)
    return found | answers
