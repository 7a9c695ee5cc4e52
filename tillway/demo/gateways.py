"""We at the gateways of the other wallets: keys made once, and made known there."""

import base64
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import NameOID

from tillway.json_api import JsonApi
from tillway.private_files import write_files

ALIPAY_APP, UNIONPAY_MERCHANT = "2021000000000001", "777290058110048"
_ALIPAY_KEY, _UNIONPAY_KEY, _ROOT = "alipay.pem", "unionpay-qr.pem", "unionpay-qr-root.pem"
_RSA_BITS, _DAYS = 2048, 3650


def join_alipay(api: JsonApi, keys: Path) -> dict[str, Any]:
    """The backend's settings for Alipay, once it knows our application's key."""
    key = _kept_key(keys, _ALIPAY_KEY, with_certificate=False)
    der = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    app = {"app_id": ALIPAY_APP, "public_key": base64.b64encode(der).decode()}
    theirs = str(api.post("/control/apps", app)["alipay_public_key"])
    return {"app_id": ALIPAY_APP, "key_file": str(keys / _ALIPAY_KEY), "public_key": theirs}


def join_unionpay_qr(api: JsonApi, keys: Path) -> dict[str, Any]:
    """The backend's settings for UnionPay's QR gateway, once it knows our certificate."""
    _kept_key(keys, _UNIONPAY_KEY, with_certificate=True)
    certificate = x509.load_pem_x509_certificate((keys / _UNIONPAY_KEY).read_bytes())
    pem = certificate.public_bytes(Encoding.PEM).decode()
    merchant = {"mer_id": UNIONPAY_MERCHANT, "certificate": pem}
    root = str(api.post("/control/merchants", merchant)["root"])
    write_files(keys, {_ROOT: root.encode()})
    return {
        "mer_id": UNIONPAY_MERCHANT,
        "key_file": str(keys / _UNIONPAY_KEY),
        "root_file": str(keys / _ROOT),
    }


def _kept_key(keys: Path, name: str, *, with_certificate: bool) -> RSAPrivateKey:
    """Our key of this name, made when first asked for."""
    path = keys / name
    if not path.exists():
        made = generate_private_key(65537, _RSA_BITS)
        content = made.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        if with_certificate:
            content += _certificate(made).public_bytes(Encoding.PEM)
        write_files(keys, {name: content})
    found = load_pem_private_key(path.read_bytes(), password=None)
    assert isinstance(found, RSAPrivateKey), "written above"
    return found


def _certificate(key: RSAPrivateKey) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Tillway")])
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=_DAYS))
        .sign(key, SHA256())
    )
