"""Every bad call gets the documented code and status, signed (``Caller.ask`` checks that)."""

import json
from typing import Any

import pytest

from backend.merchant_api import parts
from backend.merchant_api.faults import BODY_TOO_LARGE, ApiError
from backend.merchant_api.keys.crypto import same_serial
from backend.merchant_api.limits import CLOCK_SKEW_S_MAX, NONCES_AT_A_PLACE_MAX
from backend.merchant_api.wire.nonces import seen_with
from protocol.errors import CallerError
from tests.support.merchant_caller import BODY_BYTES_MAX, Caller, second_process
from tests.support.wallet_http import OPERATOR

NATIVE = "/v3/pay/transactions/native"
ORDER = "/v3/pay/transactions/out-trade-no/order-0001"


def refused(answer: Any, status: int, code: str) -> dict[str, Any]:
    found: dict[str, Any] = answer.json()
    assert (answer.status_code, found["code"]) == (status, code), answer.text
    return found


@pytest.mark.parametrize(
    "header",
    [
        "",
        "Bearer token",
        "WECHATPAY2-SHA256-RSA2048",
        "WECHATPAY2-SHA256-RSA2048 mchid",
        'WECHATPAY2-SHA256-RSA2048 mchid="1",mchid="1"',
        'WECHATPAY2-SHA256-RSA2048 mchid="1",nonce_str="n",timestamp="1",serial_no="1"',
        'WECHATPAY2-SM3 mchid="1",nonce_str="n",timestamp="1",serial_no="1",signature="x"',
        'WECHATPAY2-SHA256-RSA2048 mchid="1",color="red"',
        "WECHATPAY2-SHA256-RSA2048 " + "x" * 5_000,
    ],
)
def test_a_header_that_is_none(stranger: Caller, header: str) -> None:
    found = refused(stranger.ask("GET", "/v3/certificates", header=header), 401, "SIGN_ERROR")
    assert found["detail"]["location"] == "authorization"


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"timestamp": "1"}, 401, "SIGN_ERROR"),
        ({"timestamp": "99999999999999"}, 401, "SIGN_ERROR"),
        ({"timestamp": "-5"}, 401, "SIGN_ERROR"),
        ({"timestamp": "1e9"}, 401, "SIGN_ERROR"),
        ({"nonce_str": ""}, 401, "SIGN_ERROR"),
        ({"nonce_str": "n" * 65}, 401, "SIGN_ERROR"),
        ({"serial_no": "ABC"}, 401, "SIGN_ERROR"),
        ({"serial_no": "not hex"}, 401, "SIGN_ERROR"),
        ({"serial_no": ""}, 401, "SIGN_ERROR"),
        ({"signature": "AAAA"}, 401, "SIGN_ERROR"),
        ({"signature": "not base64!"}, 401, "SIGN_ERROR"),
        ({"mchid": "1900000000"}, 400, "MCH_NOT_EXISTS"),
    ],
)
def test_a_header_that_proves_nothing(
    stranger: Caller, changes: dict[str, Any], status: int, code: str
) -> None:
    refused(stranger.ask("GET", "/v3/certificates", **changes), status, code)


def test_the_clock_may_differ_by_five_minutes_and_no_more(stranger: Caller) -> None:
    now_s = stranger.shop.clock.at_ms // 1_000
    for skew_s in (-300, 300):
        answer = stranger.ask("GET", "/v3/certificates", timestamp=str(now_s + skew_s))
        assert answer.status_code == 200
    for skew_s in (-301, 301):
        answer = stranger.ask("GET", "/v3/certificates", timestamp=str(now_s + skew_s))
        refused(answer, 401, "SIGN_ERROR")


def test_a_serial_is_a_number(stranger: Caller) -> None:
    serial = stranger.made["serial_no"]
    for text in (serial.lower(), "00" + serial):
        assert stranger.ask("GET", "/v3/certificates", serial_no=text).status_code == 200
    assert same_serial("0a", "A")
    assert not same_serial("0a", "0b")


def test_a_call_that_was_changed_on_its_way(stranger: Caller) -> None:
    body = stranger.order()
    sent = json.dumps(body | {"amount": {"total": 1}}).encode()
    found = refused(stranger.ask("POST", NATIVE, body, sent=sent), 401, "SIGN_ERROR")
    assert found["detail"]["sign_information"]["method"] == "POST"
    header = stranger.authorization("GET", f"{ORDER}?mchid=1", b"")
    refused(stranger.ask("GET", f"{ORDER}?mchid=2", header=header), 401, "SIGN_ERROR")
    refused(stranger.ask("POST", NATIVE, header=header), 401, "SIGN_ERROR")


def test_a_nonce_counts_once_while_its_time_could_be_accepted(stranger: Caller) -> None:
    header = stranger.authorization("GET", "/v3/certificates", b"")
    assert stranger.ask("GET", "/v3/certificates", header=header).status_code == 200
    refused(stranger.ask("GET", "/v3/certificates", header=header), 401, "SIGN_ERROR")
    stranger.shop.clock.at_ms += 299_000
    refused(stranger.ask("GET", "/v3/certificates", header=header), 401, "SIGN_ERROR")


def test_a_nonce_of_the_future_counts_once_to_its_last_moment(stranger: Caller) -> None:
    clock, target = stranger.shop.clock, "/v3/certificates"
    clock.at_ms -= clock.at_ms % 1_000
    ahead = str(clock.at_ms // 1_000 + CLOCK_SKEW_S_MAX)
    header = stranger.authorization("GET", target, b"", timestamp=ahead)
    assert stranger.ask("GET", target, header=header).status_code == 200
    clock.at_ms += 2 * CLOCK_SKEW_S_MAX * 1_000 + 999
    answer = stranger.ask("GET", target, header=header)
    assert answer.json()["detail"]["field"] == "nonce_str"


def test_a_place_for_nonces_that_is_full_refuses_and_forgets_in_time() -> None:
    digests = [number.to_bytes(32, "big") for number in range(1, 600)]
    digests = [one[::-1] for one in digests]
    seen = b""
    for digest in digests[:NONCES_AT_A_PLACE_MAX]:
        seen = seen_with(seen, digest, at_ms=1_000_000)
    with pytest.raises(ApiError) as refusal:
        seen_with(seen, digests[-1], at_ms=1_600_999)
    assert refusal.value.fault.status == 429
    with pytest.raises(ApiError) as refusal:
        seen_with(seen, digests[0], at_ms=1_600_999)
    assert refusal.value.fault.status == 401
    assert len(seen_with(seen, digests[0], at_ms=1_601_000)) == len(seen) // NONCES_AT_A_PLACE_MAX


def test_a_nonce_counts_once_in_two_processes(stranger: Caller) -> None:
    other = second_process(stranger)
    header = stranger.authorization("GET", "/v3/certificates", b"")
    heads = {"authorization": header}
    assert other.get("/v3/certificates", headers=heads).status_code == 200
    refused(stranger.ask("GET", "/v3/certificates", header=header), 401, "SIGN_ERROR")


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"amount": {"total": "1280"}}, "/amount/total"),
        ({"amount": {"total": 0}}, "/amount/total"),
        ({"amount": {"total": -1}}, "/amount/total"),
        ({"amount": {"total": 12.5}}, "/amount/total"),
        ({"amount": {"total": True}}, "/amount/total"),
        ({"amount": {"total": 10**30}}, "/amount/total"),
        ({"amount": {"total": 1, "currency": "USD"}}, "/amount/currency"),
        ({"amount": None}, "/amount"),
        ({"amount": [1]}, "/amount"),
        ({"out_trade_no": "short"}, "/out_trade_no"),
        ({"out_trade_no": "x" * 33}, "/out_trade_no"),
        ({"out_trade_no": "order 0001"}, "/out_trade_no"),
        ({"description": ""}, "/description"),
        ({"description": "咖" * 128}, "/description"),
        ({"description": "a\x00b"}, "/description"),
        ({"description": {"zh": "咖啡"}}, "/description"),
        ({"notify_url": None}, "/notify_url"),
        ({"notify_url": "ftp://shop.example/"}, "/notify_url"),
        ({"notify_url": "https://shop.example/?a=1"}, "/notify_url"),
        ({"time_expire": "tomorrow"}, "/time_expire"),
        ({"time_expire": "2026-11-23T12:00:00"}, "/time_expire"),
        ({"time_expire": "2020-01-01T00:00:00+08:00"}, "/time_expire"),
        ({"detail": {"goods_detail": [{"merchant_goods_id": "1"}]}},
         "/detail/goods_detail/0/quantity"),
    ],
)  # fmt: skip
def test_a_field_that_is_wrong_is_named(
    stranger: Caller, changes: dict[str, Any], field: str
) -> None:
    found = refused(stranger.ask("POST", NATIVE, stranger.order(**changes)), 400, "PARAM_ERROR")
    assert found["detail"]["field"] == field
    assert found["detail"]["location"] == "body"


def test_a_control_character_is_said(stranger: Caller) -> None:
    found = refused(
        stranger.ask("POST", NATIVE, stranger.order(attach="a\x00b")), 400, "PARAM_ERROR"
    )
    assert found["detail"]["issue"] == "Value error, no control characters"


@pytest.mark.parametrize("body", [b"{", b"\xff\xfe{}", b"[]", b'"text"', b"null", b"[" * 9_000])
def test_a_body_that_is_no_json_object(stranger: Caller, body: bytes) -> None:
    refused(stranger.ask("POST", NATIVE, body), 400, "PARAM_ERROR")


@pytest.mark.parametrize(
    ("content_type", "encoding", "field"),
    [
        ("text/plain", "", "Content-Type"),
        ("application/x-www-form-urlencoded", "", "Content-Type"),
        ("application/json; charset=gbk", "", "Content-Type"),
        ("", "", "Content-Type"),
        ("application/json", "gzip", "Content-Encoding"),
    ],
)
def test_a_body_that_is_declared_as_something_else(
    stranger: Caller, content_type: str, encoding: str, field: str
) -> None:
    body = json.dumps(stranger.order()).encode()
    heads = {"authorization": stranger.authorization("POST", NATIVE, body)}
    heads |= {"content-type": content_type}
    if encoding:
        heads["content-encoding"] = encoding
    answer = stranger.http.post(NATIVE, content=body, headers=heads)
    stranger.check(answer)
    found = refused(answer, 400, "PARAM_ERROR")
    assert found["detail"]["field"] == field


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-32", "gb18030"])
def test_a_body_in_another_encoding(stranger: Caller, encoding: str) -> None:
    body = json.dumps(stranger.order(), ensure_ascii=False).encode(encoding)
    found = refused(stranger.ask("POST", NATIVE, body), 400, "PARAM_ERROR")
    assert "UTF-8" in found["message"]


@pytest.mark.parametrize("charset", ["application/json", "application/json; charset=utf-8",
                                     "Application/JSON;charset=UTF8"])  # fmt: skip
def test_json_by_any_of_its_names(stranger: Caller, charset: str) -> None:
    body = json.dumps(stranger.order("order-json")).encode()
    header = stranger.authorization("POST", NATIVE, body)
    heads = {"authorization": header, "content-type": charset}
    assert stranger.http.post(NATIVE, content=body, headers=heads).status_code == 200


@pytest.mark.parametrize("value", ["1280.0", "1e3", "NaN", "1e999", "9" * 5_000, '"\\ud800"'])
def test_a_number_that_is_none(stranger: Caller, value: str) -> None:
    body = json.dumps(stranger.order()).replace("1280", value).encode()
    refused(stranger.ask("POST", NATIVE, body), 400, "PARAM_ERROR")


@pytest.mark.parametrize("number", ["%00", "order%001", "%ff%fe", "a%0Ab", "%E5%95%86", "x" * 70])
def test_a_number_in_the_path_that_is_none(stranger: Caller, number: str) -> None:
    mchid = stranger.made["mchid"]
    for target in (
        f"/v3/pay/transactions/out-trade-no/{number}?mchid={mchid}",
        f"/v3/pay/transactions/id/{number}?mchid={mchid}",
        f"/v3/refund/domestic/refunds/{number}",
    ):
        found = refused(stranger.ask("GET", target), 400, "PARAM_ERROR")
        assert found["detail"]["location"] == "url"


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"])
def test_a_method_that_a_path_does_not_take(stranger: Caller, method: str) -> None:
    refused(stranger.ask(method, NATIVE), 405, "INVALID_REQUEST")


@pytest.mark.parametrize("header", [b"\xff\xfe", "商户".encode(), b"a\tb", b" "])
def test_a_header_of_any_bytes(stranger: Caller, header: bytes) -> None:
    raw: Any = [(b"authorization", header)]
    answer = stranger.http.get("/v3/certificates", headers=raw)
    stranger.check(answer)
    refused(answer, 401, "SIGN_ERROR")


def test_a_body_that_is_too_large(stranger: Caller) -> None:
    body = b" " * (BODY_BYTES_MAX + 1)
    found = stranger.ask("POST", NATIVE, body)
    refused(found, BODY_TOO_LARGE.status, "PARAM_ERROR")


def test_names_that_are_not_the_callers(stranger: Caller) -> None:
    refused(stranger.ask("POST", NATIVE, stranger.order(mchid="1600000000")), 400, "PARAM_ERROR")
    answer = stranger.ask("POST", NATIVE, stranger.order(appid="wx0"))
    refused(answer, 400, "APPID_MCHID_NOT_MATCH")
    refused(stranger.ask("GET", f"{ORDER}?mchid=1600000000"), 400, "PARAM_ERROR")
    found = refused(stranger.ask("GET", ORDER), 400, "PARAM_ERROR")
    assert found["detail"]["location"] == "query"


def test_paths_methods_and_orders_that_are_unknown(stranger: Caller) -> None:
    refused(stranger.ask("GET", "/v3/nothing/here"), 404, "RESOURCE_NOT_EXISTS")
    refused(stranger.ask("DELETE", NATIVE), 405, "INVALID_REQUEST")
    mchid = stranger.made["mchid"]
    refused(stranger.ask("GET", f"{ORDER}?mchid={mchid}"), 404, "ORDER_NOT_EXIST")
    answer = stranger.ask("GET", f"/v3/pay/transactions/id/{'4' * 28}?mchid={mchid}")
    refused(answer, 404, "ORDER_NOT_EXIST")
    refused(stranger.ask("POST", f"{ORDER}/close", {"mchid": mchid}), 404, "ORDER_NOT_EXIST")
    answer = stranger.ask("GET", "/v3/refund/domestic/refunds/refund-1")
    refused(answer, 404, "RESOURCE_NOT_EXISTS")
    refund = {"out_refund_no": "r1", "out_trade_no": "order-0001",
              "amount": {"refund": 1, "total": 1_280, "currency": "CNY"}}  # fmt: skip
    refused(stranger.ask("POST", "/v3/refund/domestic/refunds", refund), 404, "ORDER_NOT_EXIST")
    both = refund | {"transaction_id": "4" * 28}
    refused(stranger.ask("POST", "/v3/refund/domestic/refunds", both), 400, "PARAM_ERROR")


def test_the_pair_that_signs_is_the_kind_that_the_call_names(stranger: Caller) -> None:
    platform = stranger.made["platform"]
    answer = stranger.ask("GET", "/v3/certificates", serial=platform["public_key_id"])
    assert answer.headers["wechatpay-serial"] == platform["public_key_id"]
    answer = stranger.ask("GET", "/v3/certificates")
    assert answer.headers["wechatpay-serial"] == platform["certificate_serial"]
    assert [one["serial_no"] for one in answer.json()["data"]] == [platform["certificate_serial"]]


def test_an_account_needs_a_merchant_and_an_rsa_request(stranger: Caller) -> None:
    path = "/operator/v1/merchant-api/accounts"
    for csr in ("AAAA", "not base64!"):
        with pytest.raises(CallerError, match="field_invalid"):
            stranger.http.post(path, json={"merchant_id": "mch_1001", "csr": csr}, headers=OPERATOR)


def test_too_many_calls_of_one_merchant(
    monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    monkeypatch.setattr(parts, "CALLS_PER_S_MAX", 2)
    caller: Caller = request.getfixturevalue("caller")
    for _ in range(2):
        assert caller.ask("GET", "/v3/certificates").status_code == 200
    refused(caller.ask("GET", "/v3/certificates"), 429, "FREQUENCY_LIMITED")
    caller.shop.clock.at_ms += 1_000
    assert caller.ask("GET", "/v3/certificates").status_code == 200
