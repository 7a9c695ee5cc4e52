"""The switch by itself: every transaction of the flavour, and what it refuses."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from itertools import count
from typing import Any

import pytest

from backend.channels.day_file import DayRow, Spool
from backend.channels.iso8583 import management
from backend.channels.iso8583.codec import Message, decode, encode
from backend.channels.iso8583.crypto import unwrap_keys
from backend.channels.iso8583.management import Totals
from backend.channels.iso8583.messages import (
    Answer,
    Kind,
    Original,
    Reason,
    Trace,
    Transaction,
    read_answer,
    write_transaction,
)
from backend.channels.iso8583.sealing import seal, unseal
from backend.channels.unionpay_file import open_com_file
from backend.sandbox.unionpay.day_files import day_file, fee_minor
from backend.sandbox.unionpay.issuers import HELD
from backend.sandbox.unionpay.switch import Switch
from protocol.errors import CallerError
from protocol.money import Money
from tests.support.iso8583_messages import MID, TID
from tests.support.shop import ShopClock
from tests.support.unionpay_world import ACCOUNT, MASTER_KEY, OPENING_MINOR, TOKEN, a_switch


@dataclass
class Till:
    """A terminal that signs on and says what it is told to."""

    switch: Switch
    clock: ShopClock

    def __post_init__(self) -> None:
        self.numbers = count(1)
        signed_on = read_answer(
            decode(self.switch.answer(encode(management.sign_on(self.trace()))))
        )
        self.key = unwrap_keys(MASTER_KEY, signed_on.keys).mac

    def trace(self) -> Trace:
        return Trace(TID, MID, 1, next(self.numbers), "1123", "120000")

    def tell(self, message: Message) -> Answer:
        return read_answer(unseal(self.switch.answer(seal(message, self.key)), self.key))

    def say(self, kind: Kind, amount_minor: int = 1_000, **changes: Any) -> tuple[Transaction, str]:
        trace = self.trace()
        said = Transaction(
            kind=kind,
            trace=trace,
            amount_minor=amount_minor,
            own_id=f"own_{trace.stan}",
            token=TOKEN,
        )
        said = replace(said, **changes)
        return said, self.tell(write_transaction(said)).code

    def about(self, said: Transaction) -> Original:
        return Original(said.trace.batch, said.trace.stan, said.trace.date)

    def reverse(self, said: Transaction) -> str:
        reversal = replace(said, reason=Reason.NO_ANSWER)
        return self.tell(write_transaction(reversal)).code

    def left(self) -> int:
        return self.switch.house.books.balance(ACCOUNT).amount_minor

    def held(self) -> int:
        return self.switch.house.books.balance(HELD).amount_minor


@pytest.fixture
def till() -> Iterator[Till]:
    clock = ShopClock()
    switch = a_switch(clock)
    yield Till(switch, clock)
    switch.house.books.close()


def test_a_message_without_a_true_mac_is_answered_a0_and_moves_nothing(till: Till) -> None:
    said = Transaction(
        kind=Kind.SALE, trace=till.trace(), amount_minor=5, own_id="own_x", token=TOKEN
    )
    for body in (encode(write_transaction(said)), seal(write_transaction(said), bytes(16))):
        assert read_answer(decode(till.switch.answer(body))).code == "A0"
    assert till.left() == OPENING_MINOR


def test_a_terminal_nobody_knows_is_answered_97(till: Till) -> None:
    stranger = Trace("99999999", MID, 1, 1, "", "")
    answer = read_answer(decode(till.switch.answer(encode(management.sign_on(stranger)))))
    assert (answer.code, answer.keys) == ("97", b"")


def test_bytes_that_are_no_message_end_the_line(till: Till) -> None:
    with pytest.raises(CallerError, match="frame_rejected"):
        till.switch.answer(b"\x02\x00nonsense")


def test_a_message_with_a_field_missing_is_answered_30(till: Till) -> None:
    message = write_transaction(
        Transaction(kind=Kind.SALE, trace=till.trace(), amount_minor=5, own_id="x", token=TOKEN)
    )
    fields = {number: value for number, value in message.fields.items() if number != 63}
    assert till.tell(Message(message.mti, fields)).code == "30"


def test_each_sign_on_has_keys_of_its_own_and_the_old_ones_end(till: Till) -> None:
    other = Till(till.switch, till.clock)
    assert other.key != till.key
    assert other.say(Kind.SALE, own_id="own_new")[1] == "00"
    with pytest.raises(CallerError, match="mac_invalid"):
        till.say(Kind.SALE, own_id="own_old")


def test_the_books_never_hold_a_working_key_in_the_clear(till: Till) -> None:
    dump = "\n".join(till.switch.house.books.db.iterdump()).upper()
    assert till.key.hex().upper() not in dump
    assert MASTER_KEY.hex().upper() not in dump


def test_the_same_key_with_other_content_is_answered_94(till: Till) -> None:
    said, code = till.say(Kind.SALE)
    assert code == "00"
    assert till.tell(write_transaction(replace(said, amount_minor=1_001))).code == "94"
    other = replace(said, trace=replace(said.trace, stan=900_000), amount_minor=2)
    assert till.tell(write_transaction(other)).code == "94"
    assert till.left() == OPENING_MINOR - 1_000


def test_a_number_may_come_again_in_another_batch_or_on_another_date(till: Till) -> None:
    said, _ = till.say(Kind.SALE)
    for number, trace in enumerate(
        (replace(said.trace, batch=2), replace(said.trace, date="1122")), start=1
    ):
        again = replace(said, trace=trace, own_id=f"own_again_{number}")
        assert till.tell(write_transaction(again)).code == "00"
    assert till.left() == OPENING_MINOR - 3_000


def test_a_void_gives_all_back_once(till: Till) -> None:
    sale, _ = till.say(Kind.SALE)
    assert till.say(Kind.VOID, 999, original=till.about(sale))[1] == "64"
    assert till.say(Kind.VOID, original=till.about(sale))[1] == "00"
    assert till.say(Kind.VOID, original=till.about(sale))[1] == "25"
    assert till.left() == OPENING_MINOR


def test_a_void_comes_before_the_settlement_only(till: Till) -> None:
    sale, _ = till.say(Kind.SALE)
    till.clock.at_ms += 86_400_000
    assert till.say(Kind.VOID, original=till.about(sale))[1] == "12"
    assert till.left() == OPENING_MINOR - 1_000


def test_a_refund_names_its_original_or_is_answered_25(till: Till) -> None:
    sale, _ = till.say(Kind.SALE)
    assert till.say(Kind.REFUND, 400)[1] == "25"
    wrong = replace(till.about(sale), rrn="000000000999")
    assert till.say(Kind.REFUND, 400, original=wrong)[1] == "25"
    refund, code = till.say(Kind.REFUND, 400, original=till.about(sale))
    assert code == "00"
    assert till.reverse(refund) == "12"
    assert till.left() == OPENING_MINOR - 600


def test_a_reversal_before_its_original_marks_it(till: Till) -> None:
    trace = till.trace()
    said = Transaction(kind=Kind.SALE, trace=trace, amount_minor=5, own_id="own_x", token=TOKEN)
    assert till.reverse(said) == "00"
    assert till.tell(write_transaction(said)).code == "22"
    assert till.reverse(said) == "00"
    assert till.left() == OPENING_MINOR


def test_a_preauthorisation_holds_and_its_void_releases(till: Till) -> None:
    held, code = till.say(Kind.PREAUTH)
    assert (code, till.left(), till.held()) == ("00", OPENING_MINOR - 1_000, 1_000)
    assert till.say(Kind.PREAUTH_VOID, original=till.about(held))[1] == "00"
    assert (till.left(), till.held()) == (OPENING_MINOR, 0)
    assert till.say(Kind.COMPLETION, original=till.about(held))[1] == "25"


@pytest.mark.parametrize(("amount_minor", "code"), [(1_150, "00"), (1_151, "64"), (1, "00")])
def test_a_completion_takes_up_to_115_per_cent(till: Till, amount_minor: int, code: str) -> None:
    held, _ = till.say(Kind.PREAUTH)
    done = till.say(Kind.COMPLETION, amount_minor, original=till.about(held))
    assert done[1] == code
    taken = amount_minor if code == "00" else 1_000
    assert till.left() == OPENING_MINOR - taken
    assert till.held() == (0 if code == "00" else 1_000)


def test_a_hold_is_completed_once_and_the_completions_void_brings_it_back(till: Till) -> None:
    held, _ = till.say(Kind.PREAUTH)
    completion, code = till.say(Kind.COMPLETION, 800, original=till.about(held))
    assert code == "00"
    assert till.say(Kind.COMPLETION, 100, original=till.about(held))[1] == "12"
    assert till.say(Kind.PREAUTH_VOID, original=till.about(held))[1] == "12"
    assert till.say(Kind.COMPLETION_VOID, 800, original=till.about(completion))[1] == "00"
    assert (till.left(), till.held()) == (OPENING_MINOR - 1_000, 1_000)
    assert till.say(Kind.PREAUTH_VOID, original=till.about(held))[1] == "00"
    assert (till.left(), till.held()) == (OPENING_MINOR, 0)


def test_reversals_of_a_hold_and_of_a_completion(till: Till) -> None:
    held, _ = till.say(Kind.PREAUTH)
    completion, _ = till.say(Kind.COMPLETION, 800, original=till.about(held))
    assert till.reverse(completion) == "00"
    assert till.held() == 1_000
    assert till.reverse(held) == "00"
    assert till.reverse(held) == "00"
    assert (till.left(), till.held()) == (OPENING_MINOR, 0)


def test_totals_that_agree_are_1_and_others_2(till: Till) -> None:
    sale, _ = till.say(Kind.SALE)
    till.say(Kind.REFUND, 300, original=till.about(sale))
    voided, _ = till.say(Kind.SALE, 50)
    till.say(Kind.VOID, 50, original=till.about(voided))
    settled = till.tell(management.settlement(till.trace(), Totals(1_000, 1, 300, 1)))
    assert (settled.code, settled.balance) == ("00", "1")
    assert till.tell(management.settlement(till.trace(), Totals(1_000, 1))).balance == "2"


def test_an_upload_that_lacks_rows_is_not_taken_as_whole(till: Till) -> None:
    till.tell(management.settlement(till.trace(), Totals()))
    row = management.UploadRow(management.KIND_DEBIT, 1, 100)
    assert till.tell(management.upload(till.trace(), [row])).code == "00"
    assert till.tell(management.upload_end(till.trace(), 2)).code == "96"
    assert till.tell(management.upload_end(till.trace(), 1)).code == "00"


def test_a_chargeback_takes_out_of_the_present_day(till: Till) -> None:
    sale, _ = till.say(Kind.SALE)
    till.clock.at_ms += 86_400_000
    till.switch.close_days()
    day = till.switch.day()
    till.switch.book.charge_back("dsp_1", sale.own_id, Money(1_000, "CNY"), day=day)
    assert till.switch.book.net(day) == -1_000
    assert till.left() == OPENING_MINOR


def _file(till: Till, day: date) -> list[DayRow]:
    with open_com_file(Spool.of([day_file(till.switch, day)])) as file:
        assert file.day == day
        return list(file.rows())


def test_the_days_file_tells_what_moved_with_numbers_and_fees(till: Till) -> None:
    sale, _ = till.say(Kind.SALE, 10_000)
    refund, _ = till.say(Kind.REFUND, 300, original=till.about(sale))
    undone, _ = till.say(Kind.SALE, 50)
    till.reverse(undone)
    day = till.switch.day()
    rows = _file(till, day)
    assert [(row.kind, row.reference, row.account) for row in rows] == [
        ("payment", sale.own_id, TOKEN),
        ("refund", refund.own_id, sale.own_id),
    ]
    assert [row.fee.amount_minor for row in rows if row.fee is not None] == [38, 0]
    assert [row.channel_reference for row in rows] == ["000000000001", "000000000002"]
    assert sum(row.signed_minor for row in rows) == till.switch.book.net(day)


@pytest.mark.parametrize(
    ("fault", "amounts"),
    [
        ("amount_off_by_one", [1_001, 2_000]),
        ("row_missing", [1_000]),
        ("row_twice", [1_000, 2_000, 1_000]),
    ],
)
def test_a_fault_of_the_file_makes_a_file_that_is_whole_and_wrong(
    till: Till, fault: str, amounts: list[int]
) -> None:
    till.say(Kind.SALE, 1_000)
    till.say(Kind.SALE, 2_000)
    till.switch.house.faults.arm({fault: 1})
    assert [row.amount.amount_minor for row in _file(till, till.switch.day())] == amounts
    assert len(_file(till, till.switch.day())) == 2


@pytest.mark.parametrize(
    ("amount_minor", "fee"), [(1, 0), (130, 0), (131, 1), (424_836, 1_625), (9_999_999, 1_625)]
)
def test_the_fee_is_a_rate_up_to_a_cap(amount_minor: int, fee: int) -> None:
    assert fee_minor(amount_minor) == fee


def test_a_switch_killed_before_it_noted_a_payment_still_reverses_it(till: Till) -> None:
    sale, _ = till.say(Kind.SALE)
    till.switch.house.books.db.execute("DELETE FROM cup_trace")
    assert till.reverse(sale) == "00"
    assert till.tell(write_transaction(sale)).code == "22"
    assert till.left() == OPENING_MINOR


@pytest.mark.parametrize("kind", [Kind.SALE, Kind.PREAUTH])
def test_a_switch_killed_before_it_noted_takes_the_repetition_once(till: Till, kind: Kind) -> None:
    said, _ = till.say(kind)
    till.switch.house.books.db.execute("DELETE FROM cup_trace")
    assert till.tell(write_transaction(said)).code == "00"
    assert till.left() == OPENING_MINOR - 1_000
