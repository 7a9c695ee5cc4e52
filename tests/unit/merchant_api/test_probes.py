"""Signature probes are wrong, are told from true signatures, and cost no merchant its news."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from structlog.testing import capture_logs
from wechatpayv3 import WeChatPay, WeChatPayType

from backend.merchant_api.config import MerchantApiSettings
from backend.merchant_api.wire.probes import is_chosen, probe_of
from backend.notify.repository import CallbackRepository
from tests.support.merchant_caller import Caller, a_key, caller_of
from tests.support.migrated import migrated_sqlite
from tests.support.shop import Shop
from tests.unit.merchant_api.test_orders_and_codes import PAY, pay

MARK = "WECHATPAY/SIGNTEST/"


@pytest.fixture
def probed(tmp_path: Path) -> Iterator[Caller]:
    """A merchant's program whose every answer and callback is a probe."""
    shop = Shop(migrated_sqlite(tmp_path / "shop.db"))
    shop.add_merchant()
    settings = MerchantApiSettings(signature_probes_every=1)
    with pytest.MonkeyPatch.context() as patch, caller_of(shop, patch, settings=settings) as found:
        yield found
    shop.close()


def sdk(caller: Caller) -> Any:
    """An SDK that has all keys and calls nobody."""
    made = caller.made
    pem = a_key(0).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    return WeChatPay(
        wechatpay_type=WeChatPayType.NATIVE,
        mchid=made["mchid"],
        appid=made["appid"],
        cert_serial_no=made["serial_no"],
        private_key=pem,
        apiv3_key=made["api_v3_key"],
        public_key=made["platform"]["public_key"],
        public_key_id=made["platform"]["public_key_id"],
    )


def test_an_answer_with_a_probe_is_refused_by_who_checks_it(probed: Caller) -> None:
    header = probed.authorization("GET", "/v3/certificates", b"")
    answer = probed.http.get("/v3/certificates", headers={"authorization": header})
    assert answer.status_code == 200
    assert answer.headers["wechatpay-signature"].startswith(MARK)
    with pytest.raises(InvalidSignature):
        probed.check(answer)


def test_a_callback_comes_again_with_its_true_signature(probed: Caller) -> None:
    payer_id = probed.shop.add_payer(balance_minor=5_000)
    body = json.dumps(probed.order()).encode()
    header = probed.authorization("POST", f"{PAY}/native", body)
    heads = {"authorization": header, "content-type": "application/json"}
    made = probed.http.post(f"{PAY}/native", content=body, headers=heads)
    pay(probed, made.json()["code_url"], payer_id)
    repository = CallbackRepository(probed.shop.reader)
    [due] = repository.due(probed.shop.clock.at_ms)
    row = repository.callback(due["callback_id"])
    assert row is not None
    form = probed.parts.forms["v3"]
    sent, headers = asyncio.run(form.dress(row))
    assert headers["Wechatpay-Signature"].startswith(MARK)
    assert sdk(probed).callback(headers, sent.decode()) is None
    with capture_logs() as logs:
        assert not form.is_taken(row, b"")
    assert [log["event"] for log in logs] == ["callback_probe_taken"]
    again = row | {"failed_tries": 1}
    sent, headers = asyncio.run(form.dress(again))
    assert form.is_taken(again, b"")
    assert sdk(probed).callback(headers, sent.decode())["event_type"] == "TRANSACTION.SUCCESS"


def test_a_probe_is_as_long_as_a_signature_and_one_of_so_many_is_chosen() -> None:
    assert len(probe_of("x" * 344)) == 344
    names = [f"name-{number}" for number in range(4_000)]
    assert not any(is_chosen(name, 0) for name in names)
    assert all(is_chosen(name, 1) for name in names)
    assert 300 < sum(is_chosen(name, 10) for name in names) < 500
