"""The platform's keys change, secrets come back encrypted, and a bank may be slow."""

import asyncio
import base64
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from backend.merchant_api.keys import crypto
from backend.merchant_api.keys.ring import KeyRing
from backend.merchant_api.keys.sealing import Vault
from backend.merchant_api.keys.suites import RSA
from tests.support.channel_world import CARD_TOKEN
from tests.support.merchant_caller import Caller, a_key
from tests.support.migrated import migrated_sqlite
from tests.support.shop import MASTER_KEY, ShopClock, shop_of_two
from tests.support.wallet_http import OPERATOR, services_of

DAY_MS = 24 * 3600 * 1000
ECHO = "/v3/security/echo"
OAEP = padding.OAEP(mgf=padding.MGF1(SHA1()), algorithm=SHA1(), label=None)


def encrypted(pem: str, text: str) -> str:
    if "CERTIFICATE" in pem:
        key: Any = x509.load_pem_x509_certificate(pem.encode()).public_key()
    else:
        key = load_pem_public_key(pem.encode())
    assert isinstance(key, rsa.RSAPublicKey)
    return base64.b64encode(key.encrypt(text.encode(), OAEP)).decode()


def test_a_secret_comes_back_for_the_caller_by_either_pair(caller: Caller) -> None:
    platform = caller.made["platform"]
    for serial, pem in (
        (platform["public_key_id"], platform["public_key"]),
        (platform["certificate_serial"], platform["certificate"]),
    ):
        body = {"echo_message": "你好", "encrypted_echo_message": encrypted(pem, "李雷")}
        answer = caller.ask("POST", ECHO, body, serial=serial)
        assert answer.status_code == 200, answer.text
        assert answer.json()["echo_message"] == "你好"
        sealed = base64.b64decode(answer.json()["encrypted_echo_message"])
        assert a_key(0).decrypt(sealed, OAEP).decode() == "李雷"
    assert caller.ask("POST", ECHO, {"echo_message": "x"}).json() == {"echo_message": "x"}


def test_a_secret_that_is_for_another_key_is_refused(caller: Caller) -> None:
    platform = caller.made["platform"]
    sealed = encrypted(platform["public_key"], "李雷")
    for text, serial in (
        (sealed, platform["certificate_serial"]),
        (sealed, None),
        (sealed, "PUB_KEY_ID_1"),
        ("not base64!", platform["public_key_id"]),
        ("AAAA", platform["public_key_id"]),
    ):
        body = {"echo_message": "x", "encrypted_echo_message": text}
        header = {} if serial is None else {"serial": serial}
        answer = caller.ask("POST", ECHO, body, **header)  # type: ignore[arg-type]
        assert (answer.status_code, answer.json()["code"]) == (400, "PARAM_ERROR")


def renewed(caller: Caller) -> Any:
    return caller.http.post("/operator/v1/merchant-api/platform-certificates", headers=OPERATOR)


def shown(caller: Caller) -> list[str]:
    """The certificates as the merchant decrypts them; the newest is taken up as a client does."""
    answer = caller.ask("GET", "/v3/certificates").json()["data"]
    for one in answer:
        sealed = one["encrypt_certificate"]
        pem = AESGCM(caller.made["api_v3_key"].encode()).decrypt(
            sealed["nonce"].encode(),
            base64.b64decode(sealed["ciphertext"]),
            sealed["associated_data"].encode(),
        )
        found = x509.load_pem_x509_certificate(pem)
        assert f"{found.serial_number:X}" == one["serial_no"]
        caller.certificates[one["serial_no"]] = pem.decode()
    return [one["serial_no"] for one in answer]


def test_a_new_certificate_is_shown_a_day_before_it_signs(caller: Caller) -> None:
    old = caller.made["platform"]["certificate_serial"]
    new = renewed(caller).json()["serial_no"]
    assert shown(caller) == [old, new]
    answer = caller.ask("GET", "/v3/certificates")
    assert answer.headers["wechatpay-serial"] == old
    caller.shop.clock.at_ms += DAY_MS
    answer = caller.ask("GET", "/v3/certificates")
    assert answer.headers["wechatpay-serial"] == new
    assert shown(caller) == [old, new]
    caller.shop.clock.at_ms += DAY_MS
    assert shown(caller) == [new]


def test_a_bank_that_has_not_answered_is_no_guess(caller: Caller) -> None:
    payer_id = caller.shop.add_payer()
    caller.shop.add_instrument(payer_id, "card", token=CARD_TOKEN)
    body = caller.order(
        payer={"auth_code": caller.shop.code(payer_id)},
        scene_info={"store_info": {"out_id": "s1"}},
    )
    for _ in range(2):
        answer = caller.ask("POST", "/v3/pay/transactions/codepay", body)
        assert (answer.status_code, answer.json()["code"]) == (202, "USERPAYING")
    path = f"/v3/pay/transactions/out-trade-no/order-0001?mchid={caller.made['mchid']}"
    assert caller.ask("GET", path).json()["trade_state"] == "USERPAYING"
    undo = {"appid": caller.made["appid"], "mchid": caller.made["mchid"]}
    answer = caller.ask("POST", "/v3/pay/transactions/out-trade-no/order-0001/reverse", undo)
    assert answer.status_code == 200
    assert caller.ask("GET", path).json()["trade_state"] == "REVOKED"


class PassingClock(ShopClock):
    """Time that passes between any two looks."""

    def now_ms(self) -> int:
        self.at_ms += 1
        return self.at_ms


def test_the_first_call_finds_the_keys_that_it_makes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = (a_key(number) for number in range(1, 9))
    monkeypatch.setattr(crypto, "make_key", lambda: next(keys))
    with shop_of_two(migrated_sqlite(tmp_path / "shop.db")) as shop:
        services = replace(services_of(shop), clock=PassingClock())
        ring = KeyRing(services, Vault.of(MASTER_KEY))
        assert asyncio.run(ring.for_call(RSA, None)).suite is RSA
