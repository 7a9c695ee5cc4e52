"""Whatever is sent to Alipay's or UnionPay's gateway, the answer is one of theirs, signed."""

import base64
import json
from collections.abc import Iterator
from datetime import UTC, date, datetime
from functools import partial
from typing import Any
from urllib.parse import urlencode

import pytest
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.channels.acp.wire import signed
from backend.channels.alipay.wire import sign_text
from backend.sandbox.acp import gateway as acp
from backend.sandbox.acp.days import PAYEE as ACP_PAYEE
from backend.sandbox.acp.days import Days as AcpDays
from backend.sandbox.acp.program import make_seal
from backend.sandbox.acp.transactions import Transactions
from backend.sandbox.acp.wire import MESSAGES
from backend.sandbox.alipay import gateway as alipay
from backend.sandbox.alipay.authority import make_authority
from backend.sandbox.alipay.days import PAYEE, Days, Tickets
from backend.sandbox.alipay.trades import Trades
from protocol.money import Money
from tests.support.houses import HandClock, near_house

APP, MERCHANT, EXAMPLES = "2021000000000001", "777290058110048", 80
KEY, CERTIFICATE, ROOT = make_seal(datetime(2026, 11, 28, tzinfo=UTC))


def digits(counter: Iterator[int], count: int) -> str:
    return f"{next(counter):0{count}}"


@pytest.fixture(scope="module")
def world() -> Iterator[tuple[alipay.Gateway, acp.Gateway]]:
    clock = HandClock()
    clock.at(date(2026, 11, 28))
    houses = [near_house(name, clock) for name in ("alipay", "acp")]
    source = partial(digits, iter(range(10**7)))
    books = houses[0].books
    trades, days = Trades(books, source), Days(books, PAYEE)
    first = alipay.Gateway(
        houses[0], trades, KEY, days, Tickets(clock), make_authority(KEY, clock.ms)
    )
    first.add_app(
        APP, KEY.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    )
    first.trades.open_buyer("lilei", Money(10**6, "CNY"), password_free=100, now_ms=clock.ms)
    seal = acp.Seal(KEY, CERTIFICATE, ROOT)
    books = houses[1].books
    second = acp.Gateway(houses[1], Transactions(books, source), seal, AcpDays(books, ACP_PAYEE))
    second.add_merchant(MERCHANT, CERTIFICATE.public_bytes(Encoding.PEM))
    yield first, second
    for house in houses:
        house.books.close()


def check_alipay(answer: bytes) -> None:
    [fields] = [node for node in json.loads(answer).values() if isinstance(node, dict)]
    assert fields["code"] in {"10000", "10003", "40001", "40002", "40004"}


_values = st.sampled_from(["A-1", "A-2", "1.00", "0.01", "bar_code", "早餐", "", "-1"]) | st.text(
    max_size=8
)
_content = st.dictionaries(
    st.sampled_from(
        ["out_trade_no", "trade_no", "total_amount", "refund_amount", "scene", "auth_code",
         "subject", "out_request_no"]
    ),
    _values | st.integers() | st.none() | st.lists(st.integers(), max_size=2),
)  # fmt: skip
_methods = st.sampled_from(
    ["pay", "precreate", "query", "cancel", "close", "refund", "fastpay.refund.query", "create"]
)


@settings(max_examples=EXAMPLES)
@given(query=st.binary(max_size=60), body=st.binary(max_size=60))
def test_any_bytes_are_answered(
    world: tuple[alipay.Gateway, acp.Gateway], query: bytes, body: bytes
) -> None:
    check_alipay(world[0].answer(query, body))
    assert b"respCode=1" in world[1].answer(body, desk="transactions")


@settings(max_examples=EXAMPLES)
@given(method=_methods, content=_content, has_code=st.booleans())
def test_any_signed_content_is_answered_by_alipay(
    world: tuple[alipay.Gateway, acp.Gateway],
    method: str,
    content: dict[str, Any],
    has_code: bool,
) -> None:
    gateway = world[0]
    if has_code:
        content["auth_code"] = gateway.trades.show_code("lilei", gateway.house.clock.now_ms())
    form = {
        "app_id": APP,
        "method": f"alipay.trade.{method}",
        "sign_type": "RSA2",
        "timestamp": "2026-11-28 10:00:00",
        "version": "1.0",
        "biz_content": json.dumps(content),
    }
    signature = KEY.sign(sign_text(form), PKCS1v15(), SHA256())
    form["sign"] = base64.b64encode(signature).decode()
    check_alipay(gateway.answer(b"", urlencode(form).encode()))


@settings(max_examples=EXAMPLES)
@given(
    kind=st.sampled_from(["0106", "0107", "0400", "3100", "9901", "0000", "7601", "0200"]),
    order=st.sampled_from(["ORDER001", "ORDER002", "short"]),
    more=st.dictionaries(
        st.sampled_from(
            ["txnAmt", "qrNo", "origQryId", "currencyCode", "bizType", "settleDate", "fileType"]
        ),
        st.sampled_from(["1", "100", "156", "", "x", "00", "1127"]) | st.text(max_size=8),
    ),
    desk=st.sampled_from(["transactions", "queries", "files"]),
)
def test_any_signed_form_is_answered_by_unionpay(
    world: tuple[alipay.Gateway, acp.Gateway],
    kind: str,
    order: str,
    more: dict[str, str],
    desk: acp.Desk,
) -> None:
    form = {
        "version": "5.1.0", "encoding": "UTF-8", "signMethod": "01", "bizType": "000000",
        "certId": str(CERTIFICATE.serial_number), "txnType": kind[:2], "txnSubType": kind[2:],
        "accessType": "0", "merId": MERCHANT, "orderId": order, "txnTime": "20261128100000",
        "currencyCode": "156", "txnAmt": "1",
    }  # fmt: skip
    body = urlencode(signed(KEY, form | more)).encode()
    answer = dict(
        pair.split("=", 1) for pair in world[1].answer(body, desk=desk).decode().split("&")
    )
    assert answer["respCode"] in MESSAGES
