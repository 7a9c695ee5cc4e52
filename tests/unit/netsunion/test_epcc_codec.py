"""NetsUnion's messages: what we write is valid and comes back; what is wrong is refused whole."""

import string
from dataclasses import fields
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from backend.channels.epcc import codec, frame, ids
from backend.channels.epcc.limits import MESSAGE_BYTES_MAX
from backend.channels.epcc.model import (
    FROM_INSTITUTION,
    MESSAGES,
    AgreementPay,
    Header,
    Query,
    type_name,
)
from protocol.crypto.keys import SigningKey, generate
from protocol.errors import CallerError
from protocol.money import Money

SM2, ES256 = generate("SM2-SM3"), generate("ES256")
HOUSE = {"SM2-SM3": generate("SM2-SM3"), "ES256": generate("ES256")}
TRX = "2026112800000000000000010000001"
_CODES = st.text(string.digits + string.ascii_uppercase, min_size=8, max_size=8)
_DIGITS = {
    "payer_account_type": 2, "payee_account_type": 2, "status": 2, "category": 4,
    "business_type": 6,
}  # fmt: skip
_WORDS = st.text(
    st.characters(codec="utf-8", categories=("L", "N", "P", "Zs")), min_size=1, max_size=60
).filter(lambda text: text == text.strip())
_ISSUERS = st.from_regex(r"\A[GCZ][0-9A-Z]{13}\Z")
_TRXS = st.text(string.digits, min_size=31, max_size=31)
_OWN = st.text(string.ascii_letters + string.digits + "_", min_size=1, max_size=40)
_NAMED: dict[str, st.SearchStrategy[str]] = {
    "TrxId": _TRXS, "OriTrxId": _TRXS,
    "BatchId": st.dates(date(2000, 1, 1)).map(ids.batch_id),
    "OrdrId": _OWN, "OriOrdrId": _OWN, "DsptId": _OWN,
    "ReqDgst": st.binary(max_size=9).map(frame.digest),
    "IssrId": _ISSUERS, "PyerAcctIssrId": _ISSUERS, "PyeeAcctIssrId": _ISSUERS,
    "ResfdAcctIssrId": _ISSUERS, "PyeeBkId": _ISSUERS,
}  # fmt: skip


def _values(wanted: type) -> st.SearchStrategy[Any]:
    """Any value of a message or a row."""
    parts: dict[str, st.SearchStrategy[Any]] = {}
    for spec in fields(wanted):
        place = spec.metadata
        if "row" in place:
            parts[spec.name] = st.lists(_values(place["row"]), max_size=3).map(tuple)
        else:
            parts[spec.name] = _field(spec.name, place)
    return st.builds(wanted, **parts)


def _field(name: str, place: Any) -> st.SearchStrategy[Any]:
    last = place["path"].rpartition("/")[2]
    match place["kind"]:
        case "amount":
            return st.builds(Money, st.integers(-(10**15), 10**15), st.sampled_from(["CNY", "JPY"]))
        case "count":
            return st.integers(0, 10**9)
        case "moment":
            return st.integers(1, 4 * 10**9).map(lambda seconds: seconds * 1000)
        case "day":
            return st.integers(0, 20_000).map(lambda days: date(2000, 1, 1) + timedelta(days))
    if place["sealed"]:
        return _WORDS
    if name in _DIGITS:
        return st.text(string.digits, min_size=_DIGITS[name], max_size=_DIGITS[name])
    return _NAMED.get(last, _CODES if last.endswith("Cd") else _WORDS)


_NUMBERED = st.sampled_from(sorted(MESSAGES)).flatmap(
    lambda number: st.tuples(st.just(number), _values(MESSAGES[number]))
)


def _header(number: str) -> Header:
    return Header(1_795_831_200_000, number, ids.INSTITUTION, FROM_INSTITUTION)


def _written(message: Any, number: str, key: SigningKey = SM2) -> bytes:
    receiver = HOUSE[key.suite.name].public
    return frame.write(_header(number), message, key=key, receiver=receiver)


def _read(data: bytes, key: SigningKey = SM2) -> tuple[Header, Any]:
    key_of = frame.only(ids.INSTITUTION, key.public)
    return frame.read(data, key_of=key_of, key=HOUSE[key.suite.name])


def pay(**changes: Any) -> AgreementPay:
    content: dict[str, Any] = {
        "payer_bank": "C1010411000013", "payer_account_type": "00", "agreement": "SGN-1",
        "payee_issuer": ids.INSTITUTION, "payee_account": "RESERVE-TILLWAY",
        "payee_name": "收款商户", "payee_account_type": "04", "reserve_bank": "C1001011000010",
        "reserve_account": "RESERVE-TILLWAY", "reserve_name": "备付金", "trx_id": TRX,
        "at_ms": 1_795_831_200_000, "amount": Money(100, "CNY"), "category": "0110",
        "business_type": "100001", "order_id": "pay_1", "batch": "B202611280001",
    }  # fmt: skip
    return AgreementPay(**(content | changes))


@given(_NUMBERED)
@settings(max_examples=150)
def test_every_message_we_write_is_valid_and_comes_back(numbered: tuple[str, Any]) -> None:
    number, message = numbered
    header, back = _read(_written(message, number))
    assert (header, back) == (_header(number), message)


def test_the_other_suite_carries_the_same_message() -> None:
    assert _read(_written(pay(), "201", ES256), ES256)[1] == pay()


def test_an_amount_is_written_as_the_samples_write_it() -> None:
    xml = _written(pay(), "201").decode()
    assert "<TrxAmt>CNY1.00</TrxAmt>" in xml
    assert f"<MsgTp>{type_name('201')}</MsgTp>" in xml
    assert xml.rpartition("\n")[2].startswith("{S:")


def test_no_sensitive_field_stands_in_clear() -> None:
    xml = _written(pay(), "201").decode()
    assert not any(word in xml for word in ("SGN-1", "RESERVE-TILLWAY", "收款商户", "备付金"))


def test_a_message_sealed_for_another_is_refused() -> None:
    data = frame.write(_header("201"), pay(), key=SM2, receiver=generate("SM2-SM3").public)
    with pytest.raises(CallerError, match="NcrptnSN"):
        _read(data)


def test_a_sealed_field_moved_to_another_place_is_refused() -> None:
    xml, _ = frame.split(_written(pay(), "201"))
    root = codec.parse(xml)
    name = root.find(f".//{{{codec.NAMESPACE}}}PyeeNm")
    account = root.find(f".//{{{codec.NAMESPACE}}}PyeeAcctId")
    assert name is not None
    assert account is not None
    name.text = account.text
    with pytest.raises(CallerError, match="changed"):
        _read(_resigned(etree.tostring(root)))


def _resigned(xml: bytes) -> bytes:
    return xml + b"\n" + frame.signature_line(SM2, xml)


def _spoilt(old: bytes, new: bytes) -> bytes:
    xml, _ = frame.split(_written(pay(), "201"))
    assert old in xml
    return _resigned(xml.replace(old, new, 1))


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        (b"CNY1.00", b"CNY1.0", "decimals"),
        (b"CNY1.00", b"1.00", "line 2"),
        (b"CNY1.00", b"XXX1.00", "currency"),
        (b"CNY1.00", b"CNY9999999999999999.00", "limit"),
        (b"<TrxAmt>CNY1.00</TrxAmt>", b"", "TrxAmt is missing"),
        (b"<TrxAmt>", b"<Other/><TrxAmt>", "line 2"),
        (TRX.encode(), b"1", "line 2"),
        (b"B202611280001", b"B2026", "line 2"),
        (b"epcc.201", b"epcc.777", "line 2"),
        (b"<root", b"<!DOCTYPE root [<!ENTITY x 'y'>]>\n<root", "DTD"),
        (b"</root>", b"", "line 2"),
        (b"UTF-8", b"UTF-16", "line"),
        (b"pay_1", b"pay\xff1", "not UTF-8"),
    ],
)
def test_what_is_wrong_is_refused_whole_with_line_and_reason(
    old: bytes, new: bytes, reason: str
) -> None:
    with pytest.raises(CallerError, match=reason) as caught:
        _read(_spoilt(old, new))
    assert caught.value.code == "file_rejected"


def test_a_changed_byte_breaks_the_signature() -> None:
    data = _written(pay(), "201").replace(b"CNY1.00", b"CNY9.00")
    with pytest.raises(CallerError) as caught:
        _read(data)
    assert caught.value.code == "signature_invalid"


@pytest.mark.parametrize("end", [b"", b"{S:}", b"{S:????}", b"{S:AAAA}", b"S:AAAA"])
def test_a_message_without_a_good_signature_is_refused(end: bytes) -> None:
    xml, _ = frame.split(_written(pay(), "201"))
    with pytest.raises(CallerError):
        _read(xml + b"\n" + end)


def test_an_institution_cannot_speak_for_another() -> None:
    with pytest.raises(CallerError) as caught:
        frame.read(
            _written(pay(), "201"),
            key_of=frame.only("Z9999999999999", SM2.public),
            key=HOUSE["SM2-SM3"],
        )
    assert caught.value.code == "signature_invalid"


@given(st.integers(0, 3000))
@settings(max_examples=60)
def test_every_truncation_is_refused(length: int) -> None:
    data = _written(Query(original_trx_id=TRX), "303")
    with pytest.raises(CallerError):
        _read(data[: length % len(data)])


@given(st.binary(max_size=300))
def test_noise_is_refused(noise: bytes) -> None:
    with pytest.raises(CallerError):
        _read(noise)


def test_a_message_beyond_the_limit_is_refused() -> None:
    with pytest.raises(CallerError, match="too large"):
        _read(b" " * (MESSAGE_BYTES_MAX + 1000))


def test_a_transaction_number_is_the_same_on_every_try_and_begins_with_the_ids_day() -> None:
    own = "pay_01KB3DQ4W00000000000000000"
    numbers = {ids.trx_id(own, asked) for asked in ("pay", "refund", "reverse", "payout")}
    assert ids.trx_id(own, "pay") in numbers
    assert len(numbers) == 4
    assert {number[:8] for number in numbers} == {"20251128"}
    assert all(ids.check_trx_id(number) for number in numbers)


@given(st.binary(min_size=16, max_size=16))
def test_every_id_of_ours_has_a_transaction_number(raw: bytes) -> None:
    from protocol.ids import from_bytes

    assert ids.check_trx_id(ids.trx_id(from_bytes("pay", raw), "pay"))


@pytest.mark.parametrize("text", ["", "pay_1", "1" * 30, "１" * 31])
def test_what_is_no_number_is_refused(text: str) -> None:
    with pytest.raises(CallerError):
        ids.check_trx_id(text)
    with pytest.raises(CallerError):
        ids.trx_id(text, "pay")


def test_a_batch_number_names_its_day() -> None:
    assert ids.batch_id(date(2026, 11, 28), 7) == "B202611280007"
    assert ids.batch_day("D202611280007") == date(2026, 11, 28)
    for wrong in ("B202613280007", "X202611280007", "B2026112800071"):
        with pytest.raises(CallerError):
            ids.batch_day(wrong)
