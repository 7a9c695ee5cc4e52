"""The suite SM2 with SM3, held against gmssl, OpenSSL and the official Java library's examples."""

import base64
import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from gmssl.sm3 import sm3_hash
from pyasn1.codec.der.encoder import encode
from pyasn1.type.univ import Integer, OctetString, Sequence

from backend.merchant_api.keys import sm2
from backend.merchant_api.keys.suites import RSA, SM2
from protocol.crypto import generate, sm2_x509
from protocol.errors import CallerError
from tests.support.merchant_caller import Caller
from tests.support.merchant_caller import opened as a_caller
from tests.support.merchant_sm2 import Sm2Caller, decrypted, gmssl_of, platform_key
from tests.support.wallet_http import OPERATOR
from tests.unit.merchant_api.test_orders_and_codes import code_of, pay, query

NATIVE = "/v3/pay/transactions/native"
# The key pair, the signature and the ciphertexts that wechatpay-java's tests hold.
JAVA_PRIVATE = bytes.fromhex("fd4f526b3e5c78319084504c7ff707221dbeab92f3be1adbf0bd92238b0f511f")
JAVA_CERTIFICATE = """\
-----BEGIN CERTIFICATE-----
MIICyTCCAmygAwIBAgIUVOf1ntjfRXDPsUeA6oFS1FpnXuYwDAYIKoEcz1UBg3UF
ADCBjTFHMEUGA1UEAww+U2hlbiBaaGVuIGlUcnVzQ2hpbmEgQ2xhc3MgRW50ZXJw
cmlzZSBTdWJzY3JpYmVyIENBIFNNMiAtIFRlc3QxGDAWBgNVBAsMD+a1i+ivlemD
qOivleeUqDEbMBkGA1UECgwS5aSp6K+a5a6J5L+h6K+V55SoMQswCQYDVQQGEwJD
TjAeFw0yMjA4MDQxMjE0MTlaFw0yMzA5MDMxMjE0MTlaMGsxCzAJBgNVBAYTAkNO
MRswGQYDVQQKDBLlvq7kv6HllYbmiLfns7vnu58xKjAoBgNVBAsMIea3seWcs+W4
guS8n+iNo+enkeaKgOaciemZkOWFrOWPuDETMBEGA1UEAwwKMjQ4MzI4MTc2MTBZ
MBMGByqGSM49AgEGCCqBHM9VAYItA0IABHvNR/deoZ0EwKcrTacPV90bP5M3zF3R
JBiBuRNDGTm/aaVe9rRnEMfhckUj0PZG3WlNJIOXb26FDUZjePqLL36jgcgwgcUw
DAYDVR0TAQH/BAIwADAOBgNVHQ8BAf8EBAMCBsAwHwYDVR0jBBgwFoAUK0Y6T9Ge
LM7UH4bC1j2avycoZPcwHQYDVR0OBBYEFBmE5STz2WNsXVrgclXrxsl6SCihMGUG
A1UdHwReMFwwWqBYoFaGVGh0dHA6Ly9ldmNhLml0cnVzLmNvbS5jbi9wdWJsaWMv
aXRydXNjcmw/Q0E9NzMzNUExQUYzNzRBMUU4QjQwM0FCMUFDMkQwNjVDQUU3NUNB
QjIzNjAMBggqgRzPVQGDdQUAA0kAMEYCIQDK0r6D8VyiUVMfRnAfz40ZtiG8DJEF
6Rn41oZ3qPW1aQIhAKtn5sKME+thLQFeyV70VSsraZ7h9Fccal2WzI2oCdtY
-----END CERTIFICATE-----
"""
JAVA_SIGNATURE = (
    "MEYCIQD35Rp3CKt7pLme/a0GaCVmwSeOl7X/12+ppRivcJuf6QIhAO5Vpy4tSk9SJUrgH5I5Qy0aYhFG9lN0aof1f5wJ"
    "OI05"
)
JAVA_FIELD = (
    "MHECIAGn23Ew8nF0zRfu3qgdD6VATSmGM5wrVFvNqg1ToXneAiBgfOJLVi1NtpRVH2qanzooL4gOrDKKOloD7gS17g+i"
    "CQQgcTtJpGhytHZeV/HeTqYkg3YqOY+Vybx+OQx217Ktn0QECdMjiI7lpId5dg=="
)
# Made by openssl req, of OpenSSL 3.0.
OPENSSL_REQUEST = (
    "MIHIMHECAQAwDzENMAsGA1UEAwwEc2hvcDBZMBMGByqGSM49AgEGCCqBHM9VAYItA0IABGddXvD/OaclXaQ/ATWl9Jms"
    "Oxwmzj3OhT/T2AaNOlAi153jaRJh5zrbnbPhowsi6yUZtX1LMSFlRiBptzvTjwKgADAKBggqgRzPVQGDdQNHADBEAiBy"
    "gnl5kfVKUIB6nXsTyxsv6rOO2YvrsKynPeemGrD6YAIgXVvSJ7fT730p6msR4MQyg5LFCjoFs4gBxp5b0YSZdAk="
)


def opened(api_v3_key: str, sealed: dict[str, str]) -> bytes:
    """AEAD_SM4_GCM, its key by gmssl's SM3."""
    assert sealed["algorithm"] == "AEAD_SM4_GCM"
    raw = base64.b64decode(sealed["ciphertext"])
    key = bytes.fromhex(sm3_hash(list(api_v3_key.encode())))[:16]
    mode = modes.GCM(sealed["nonce"].encode(), raw[-16:])
    decryptor = Cipher(algorithms.SM4(key), mode).decryptor()
    decryptor.authenticate_additional_data(sealed["associated_data"].encode())
    return decryptor.update(raw[:-16]) + decryptor.finalize()


def encrypted(pem: str, text: str) -> str:
    """A sensitive field by gmssl, in the ASN.1 form."""
    raw = gmssl_of(platform_key(pem)).encrypt(text.encode())
    whole = Sequence()
    for place, value in enumerate(
        (
            Integer(int.from_bytes(raw[:32], "big")),
            Integer(int.from_bytes(raw[32:64], "big")),
            OctetString(raw[64:96]),
            OctetString(raw[96:]),
        )
    ):
        whole.setComponentByPosition(place, value)
    return base64.b64encode(encode(whole)).decode()


def test_the_official_examples() -> None:
    key = SM2.certificate_key(JAVA_CERTIFICATE)
    assert key.is_signed(JAVA_SIGNATURE, b"message")
    assert not key.is_signed(JAVA_SIGNATURE, b"false-message")
    private = SM2.read_private(JAVA_PRIVATE)
    assert private.open_field(JAVA_FIELD) == "plaintext"
    assert key.is_signed(private.sign(b"message"), b"message")
    assert private.open_field(key.close_field("咖啡" * 100)) == "咖啡" * 100
    sealed = sm2.seal_resource(
        "a7cde1ZJB1kG2e7VfTs3jQzaWizur8Gb",
        nonce="uluk4a9R25RW",
        associated="associatedData",
        plain=b"plaintext",
    )
    assert sealed == "+lcLNfkZQQx+iQm20Apa3x9Mb/5L7PgZ7w=="


def test_a_request_by_openssl_is_read_and_a_changed_one_is_not() -> None:
    assert SM2.read_request(OPENSSL_REQUEST)
    with pytest.raises(CallerError, match="field_invalid"):
        RSA.read_request(OPENSSL_REQUEST)
    with pytest.raises(CallerError, match="field_invalid"):
        SM2.read_request(base64.b64encode(Caller.csr()).decode())
    raw = base64.b64decode(OPENSSL_REQUEST)
    for place in range(0, len(raw), 3):
        changed = raw[:place] + bytes((raw[place] ^ 1,)) + raw[place + 1 :]
        with pytest.raises(CallerError, match="field_invalid"):
            SM2.read_request(base64.b64encode(changed).decode())
    later = raw.replace(b"\x02\x01\x00", b"\x02\x01\x01", 1)
    for request in (base64.b64encode(later).decode(), "证书请求"):
        with pytest.raises(CallerError, match="field_invalid"):
            SM2.read_request(request)


@pytest.mark.parametrize("text", ["", "not base64!", "AAAA", "MAYCAQECAQE=", JAVA_SIGNATURE * 3])
def test_what_is_no_signature_and_no_secret(text: str) -> None:
    assert not SM2.certificate_key(JAVA_CERTIFICATE).is_signed(text, b"message")
    with pytest.raises(CallerError, match="field_invalid"):
        SM2.read_private(JAVA_PRIVATE).open_field(text)


@pytest.mark.skipif(shutil.which("openssl") is None, reason="no openssl program")
def test_openssl_takes_our_certificates_requests_and_keys(tmp_path: Path) -> None:
    key = generate("SM2-SM3")
    now_ms = 1_790_000_000_000
    platform = SM2.make_key()
    (tmp_path / "ca.pem").write_text(platform.certify(None, subject="T", serial=7, now_ms=now_ms))
    asked = SM2.read_request(base64.b64encode(sm2_x509.request(key, common_name="shop")).decode())
    issued = platform.certify(asked, subject="1600000001", serial=1 << 158, now_ms=now_ms)
    (tmp_path / "own.pem").write_text(issued)
    (tmp_path / "req.der").write_bytes(sm2_x509.request(key, common_name="shop"))
    (tmp_path / "key.pem").write_text(sm2_x509.private_pem(key))
    user = ("-vfyopt", "distid:1234567812345678")
    for words in (
        ("verify", "-no_check_time", "-partial_chain", *user, "-CAfile", "ca.pem", "ca.pem"),
        ("req", "-in", "req.der", "-inform", "DER", "-verify", *user, "-noout"),
        ("pkey", "-in", "key.pem", "-check", "-noout"),
    ):
        done = subprocess.run(  # our own words
            [str(shutil.which("openssl")), *words], cwd=tmp_path, capture_output=True, check=False
        )
        assert done.returncode == 0, done.stderr
    shown = x509.load_pem_x509_certificate(issued.encode())
    assert shown.subject.rfc4514_string() == "CN=1600000001"
    assert shown.serial_number == 1 << 158


def test_an_order_is_made_paid_and_told(sm2_caller: Caller) -> None:
    payer_id = sm2_caller.shop.add_payer(balance_minor=5_000)
    made = sm2_caller.ask("POST", NATIVE, sm2_caller.order())
    assert made.status_code == 200, made.text
    pay(sm2_caller, made.json()["code_url"], payer_id)
    assert query(sm2_caller)["trade_state"] == "SUCCESS"
    [(_, news)] = sm2_caller.callbacks()
    assert news["event_type"] == "TRANSACTION.SUCCESS"
    told = json.loads(opened(sm2_caller.made["api_v3_key"], news["resource"]))
    assert told == query(sm2_caller)


def test_a_call_in_the_other_suite_or_changed_is_refused_in_its_own(sm2_caller: Caller) -> None:
    sent = json.dumps(sm2_caller.order(description="tea")).encode()
    answer = sm2_caller.ask("POST", NATIVE, sm2_caller.order(), sent=sent)
    assert code_of(answer) == (401, "SIGN_ERROR")
    header = sm2_caller.authorization("GET", "/v3/certificates", b"")
    rsa = {"authorization": header.replace(Sm2Caller.scheme, Caller.scheme)}
    answer = sm2_caller.http.get("/v3/certificates", headers=rsa)
    assert code_of(answer) == (401, "SIGN_ERROR")
    assert answer.headers["wechatpay-signature-type"] == Caller.scheme


def test_certificates_of_either_suite_are_shown_and_renewed(sm2_caller: Caller) -> None:
    def shown(kind: str) -> list[str]:
        answer = sm2_caller.ask("GET", f"/v3/certificates?algorithm_type={kind}").json()
        return [one["encrypt_certificate"]["algorithm"] for one in answer["data"]]

    assert shown("SM2") == ["AEAD_SM4_GCM"]
    assert shown("RSA") == ["AEAD_AES_256_GCM"]
    assert shown("ALL") == ["AEAD_AES_256_GCM", "AEAD_SM4_GCM"]
    [one] = sm2_caller.ask("GET", "/v3/certificates?algorithm_type=SM2").json()["data"]
    pem = opened(sm2_caller.made["api_v3_key"], one["encrypt_certificate"]).decode()
    assert pem == sm2_caller.made["platform"]["certificate"]
    assert code_of(sm2_caller.ask("GET", "/v3/certificates?algorithm_type=DSA"))[0] == 400
    path = "/operator/v1/merchant-api/platform-certificates"
    assert sm2_caller.http.post(f"{path}?suite=sm2", headers=OPERATOR).status_code == 201
    assert shown("SM2") == ["AEAD_SM4_GCM"] * 2
    assert shown("RSA") == ["AEAD_AES_256_GCM"]


def test_a_secret_comes_back_for_the_caller(sm2_caller: Caller) -> None:
    platform = sm2_caller.made["platform"]
    body: dict[str, Any] = {
        "echo_message": "hi",
        "encrypted_echo_message": encrypted(platform["certificate"], "李雷"),
    }
    answer = sm2_caller.ask(
        "POST", "/v3/security/echo", body, serial=platform["certificate_serial"]
    )
    assert answer.status_code == 200, answer.text
    assert decrypted(base64.b64decode(answer.json()["encrypted_echo_message"])).decode() == "李雷"
    body["encrypted_echo_message"] = body["encrypted_echo_message"][:-4] + "AAA="
    answer = sm2_caller.ask(
        "POST", "/v3/security/echo", body, serial=platform["certificate_serial"]
    )
    assert code_of(answer) == (400, "PARAM_ERROR")


def test_a_secret_for_a_key_of_the_other_suite_is_refused(sm2_caller: Caller) -> None:
    """RSA could not give back as much as SM2 takes."""
    sm2_key, shop = sm2_caller.made["platform"], sm2_caller.shop
    caller = a_caller(Caller, sm2_caller.http, shop, sm2_caller.parts)
    sealed = SM2.certificate_key(sm2_key["certificate"]).close_field("李" * 99)
    body = {"echo_message": "hi", "encrypted_echo_message": sealed}
    answer = caller.ask("POST", "/v3/security/echo", body, serial=sm2_key["certificate_serial"])
    assert code_of(answer) == (400, "PARAM_ERROR")
    assert answer.json()["detail"]["field"] == "Wechatpay-Serial"
