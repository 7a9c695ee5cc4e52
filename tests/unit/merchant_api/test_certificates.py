"""A merchant number's certificates follow each other, and its secrets are set anew."""

import base64
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.config import Config
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from sqlalchemy import ColumnClause, column, insert, table, text

from backend.db import migrate
from backend.db.engine import open_engine
from backend.merchant_api.limits import CERTIFICATE_DAYS, CERTIFICATES_PER_NUMBER_MAX
from protocol.errors import CallerError
from tests.support.merchant_caller import Caller, a_key
from tests.support.wallet_http import OPERATOR

ACCOUNTS = "/operator/v1/merchant-api/accounts"
ECHO = {"echo_message": "x"}
VERSION_1, VERSION_2 = b"\x02\x01\x00", b"\x02\x01\x01"
"""Of a request; there is only the first."""
DAY_MS = 24 * 3_600_000


def request_of(number: int) -> str:
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "shop")])
    request = x509.CertificateSigningRequestBuilder().subject_name(name)
    der = request.sign(a_key(number), SHA256()).public_bytes(Encoding.DER)
    return base64.b64encode(der).decode()


def post(caller: Caller, path: str, body: Any = None) -> Any:
    mchid = caller.made["mchid"]
    return caller.http.post(f"{ACCOUNTS}/{mchid}/{path}", json=body, headers=OPERATOR)


def refusal(caller: Caller, path: str, body: Any = None) -> str:
    """The code of a call that is refused."""
    with pytest.raises(CallerError) as refused:
        post(caller, path, body)
    return refused.value.code


def echo(caller: Caller, serial: str, key: int) -> int:
    """How a call is answered that names a certificate and is signed by a key."""
    caller.sign = lambda message: a_key(key).sign(  # type: ignore[method-assign]
        message, padding.PKCS1v15(), SHA256()
    )
    return caller.ask("POST", "/v3/security/echo", ECHO, serial_no=serial).status_code


def test_a_new_certificate_proves_calls_beside_the_old_until_that_is_retired(
    caller: Caller,
) -> None:
    old = caller.made["serial_no"]
    made = post(caller, "certificates", {"csr": request_of(7)})
    assert made.status_code == 201, made.text
    new = made.json()["serial"]
    issued = x509.load_pem_x509_certificate(made.json()["certificate"].encode())
    assert f"{issued.serial_number:X}" == new
    assert issued.public_key() == a_key(7).public_key()
    assert echo(caller, old, 0) == echo(caller, new, 7) == 200
    assert echo(caller, old, 7) == echo(caller, new, 0) == 401
    for _ in range(2):
        assert post(caller, f"certificates/{old}/retire").status_code == 200
    assert echo(caller, old, 0) == 401
    assert echo(caller, new, 7) == 200
    assert refusal(caller, f"certificates/{new}/retire") == "certificate_count"
    query = {"merchant_id": caller.made["merchant_id"]}
    [number] = caller.http.get(ACCOUNTS, params=query, headers=OPERATOR).json()["accounts"]
    assert {one["serial"]: one["retired_at_ms"] is None for one in number["certificates"]} == {
        old: False,
        new: True,
    }
    assert "api_v3" not in str(number)


def test_a_certificate_ends_with_its_time(caller: Caller) -> None:
    serial = caller.made["serial_no"]
    caller.shop.clock.at_ms += CERTIFICATE_DAYS * DAY_MS - 1
    assert echo(caller, serial, 0) == 200
    caller.shop.clock.at_ms += 1
    assert echo(caller, serial, 0) == 401


def test_what_is_no_request_and_what_is_one_too_many_is_refused(caller: Caller) -> None:
    of_version_2 = base64.b64decode(request_of(7)).replace(VERSION_1, VERSION_2, 1)
    later = base64.b64encode(of_version_2).decode()
    for csr in ("x", "证书请求", "-----BEGIN", base64.b64encode(b"{}").decode(), later):
        assert refusal(caller, "certificates", {"csr": csr}) == "field_invalid"
    for _ in range(CERTIFICATES_PER_NUMBER_MAX - 1):
        assert post(caller, "certificates", {"csr": request_of(7)}).status_code == 201
    assert refusal(caller, "certificates", {"csr": request_of(7)}) == "certificate_count"
    assert refusal(caller, "certificates/ABC/retire") == "certificate_unknown"
    caller.made["mchid"] = "1600000000"
    assert refusal(caller, "secrets/v3") == "merchant_unknown"


@pytest.mark.parametrize("kind", ["v3", "v2"])
def test_a_secret_that_is_set_anew_replaces_the_old(caller: Caller, kind: str) -> None:
    before = caller.account
    made = post(caller, f"secrets/{kind}").json()[f"api_{kind}_key"]
    after = caller.account
    assert len(made) == 32
    assert getattr(after, f"api_{kind}_key") == made != getattr(before, f"api_{kind}_key")
    other = "v2" if kind == "v3" else "v3"
    assert getattr(after, f"api_{other}_key") == getattr(before, f"api_{other}_key")
    stored = caller.shop.rows(f"SELECT api_{kind}_sealed AS sealed FROM merchant_api_account")
    assert made.encode() not in stored[0]["sealed"]


def test_a_number_of_before_keeps_its_certificate(database_url: str) -> None:
    engine = open_engine(database_url)
    row = {
        "mchid": "1600000001", "merchant_id": "mch_1", "appid": "wx1", "serial": "4A",
        "certificate": "PEM", "api_v3_sealed": b"3", "api_v2_sealed": b"2",
        "key_mode": "public_key", "suite": "rsa", "created_at_ms": 1_000,
    }  # fmt: skip
    with engine.begin() as connection:
        config = Config()
        config.set_main_option("script_location", f"{Path(migrate.__file__).parent}/migrations")
        config.attributes["connection"] = connection
        command.upgrade(config, "merchant_api_0009")
        columns: list[ColumnClause[Any]] = [column(name) for name in row]
        connection.execute(insert(table("merchant_api_account", *columns)).values(row))
    migrate.upgrade(database_url)
    with engine.begin() as connection:
        [found] = connection.execute(text("SELECT * FROM merchant_api_certificate")).mappings()
        [kept] = connection.execute(text("SELECT * FROM merchant_api_account")).mappings()
    assert (found["mchid"], found["serial"], found["certificate"]) == ("1600000001", "4A", "PEM")
    assert found["ends_at_ms"] - found["begins_at_ms"] == CERTIFICATE_DAYS * DAY_MS
    assert found["retired_at_ms"] is None
    assert kept["certificate_count"] == 1
    engine.dispose()
