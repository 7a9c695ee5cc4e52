"""Certificate mode: python-alipay-sdk's numbers are ours, our adapter speaks it, and no key counts
that leads to no configured root."""

import asyncio
import base64
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from alipay import DCAliPay
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from backend.channels.alipay.adapter import Alipay
from backend.channels.alipay.certificates import number_of, root_number_of
from backend.channels.model import PayOrder
from backend.institution_parts import alipay_app
from backend.institution_settings import AlipaySettings
from backend.sandbox.alipay.authority import make_authority, own_authority
from protocol.errors import CallerError, OperatingError
from protocol.money import Money
from tests.support.alipay_world import (
    APP,
    AlipayWorld,
    alipay_world,
    key_text,
    opened_plainly,
    rsa_key,
)
from tests.support.shop import START_MS, ShopClock

PRIVATE = rsa_key("seller").private_bytes(
    Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()
)
ORDER = PayOrder("pay_1", "", Money(1_280, "CNY"), START_MS)


@pytest_asyncio.fixture
async def world() -> AsyncIterator[AlipayWorld]:
    async with alipay_world(ShopClock()) as world:
        yield world


def files(world: AlipayWorld, folder: Path) -> dict[str, Path]:
    """Our application in certificate mode, as files of configuration."""
    key = base64.b64decode(key_text(rsa_key("seller")))
    told = world.gateway.authority.told()
    found = {
        "key_file": PRIVATE,
        "app_cert_file": world.gateway.add_app(APP, key, with_certificate=True),
        "alipay_cert_file": told["alipay_certificate"].encode(),
        "root_cert_file": told["root_certificate"].encode(),
    }
    for name, content in found.items():
        (folder / name).write_bytes(content)
        (folder / name).chmod(0o600)
    return {name: folder / name for name in found}


def settings(world: AlipayWorld, named: dict[str, Path]) -> AlipaySettings:
    return AlipaySettings(url=world.url, app_id=APP, **named)


@pytest.mark.asyncio
async def test_our_adapter_speaks_certificate_mode(world: AlipayWorld, tmp_path: Path) -> None:
    app = alipay_app(settings(world, files(world, tmp_path)))
    adapter = Alipay(
        find=lambda: world.url, app=app, clock=world.house.clock, open_code=opened_plainly
    )
    paid = await adapter.pay(PayOrder("pay_1", world.code(), ORDER.amount, START_MS))
    assert paid.state == "succeeded"
    await adapter.close()
    # The world's own adapter names no certificate: it learns nothing.
    with pytest.raises(OperatingError, match=r"isv\.invalid-app-cert-sn"):
        await world.adapter.query(ORDER)


@pytest.mark.asyncio
@pytest.mark.filterwarnings("ignore:.*deprecated:DeprecationWarning")  # what the SDK itself calls
async def test_the_python_sdk_names_certificates_as_we_do(
    world: AlipayWorld, tmp_path: Path
) -> None:
    named = files(world, tmp_path)
    app, alipay, root = (
        named[name].read_text() for name in ("app_cert_file", "alipay_cert_file", "root_cert_file")
    )
    sdk = DCAliPay(
        appid=APP, app_private_key_string=PRIVATE.decode(), app_public_key_cert_string=app,
        alipay_public_key_cert_string=alipay, alipay_root_cert_string=root,
    )  # fmt: skip
    assert sdk.app_cert_sn == number_of(x509.load_pem_x509_certificate(app.encode()))
    roots = x509.load_pem_x509_certificates(root.encode())
    assert sdk.alipay_root_cert_sn == root_number_of(roots)
    sdk._gateway = f"{world.url}/gateway.do"
    paid = await asyncio.to_thread(
        sdk.api_alipay_trade_pay, "F-1", "bar_code", world.code(), "早餐", total_amount="3.00"
    )
    assert paid["code"] == "10000"


@pytest.mark.asyncio
async def test_a_certificate_of_another_root_is_no_configuration(
    world: AlipayWorld, tmp_path: Path
) -> None:
    named = files(world, tmp_path)
    strangers = make_authority(rsa_key("stranger"), START_MS)
    named["root_cert_file"].write_bytes(strangers.root.public_bytes(Encoding.PEM))
    with pytest.raises(CallerError, match="config_invalid"):
        alipay_app(settings(world, named))


@pytest.mark.asyncio
async def test_an_answer_under_another_certificate_is_nobodys(
    world: AlipayWorld, tmp_path: Path
) -> None:
    app = alipay_app(settings(world, files(world, tmp_path)))
    world.gateway.authority = make_authority(rsa_key("alipay"), START_MS)
    adapter = Alipay(
        find=lambda: world.url, app=app, clock=world.house.clock, open_code=opened_plainly
    )
    with pytest.raises(OperatingError, match="another certificate"):
        await adapter.query(ORDER)
    await adapter.close()


@pytest.mark.parametrize("left_out", ["app_cert_file", "alipay_cert_file", "root_cert_file"])
def test_half_a_mode_is_no_configuration(left_out: str, tmp_path: Path) -> None:
    names = {"app_cert_file", "alipay_cert_file", "root_cert_file"} - {left_out}
    with pytest.raises(ValueError, match="either public_key or the three"):
        AlipaySettings(
            url="https://a.example", app_id=APP, key_file=tmp_path,
            **dict.fromkeys(names, tmp_path),
        )  # fmt: skip


def test_the_authority_is_made_once(tmp_path: Path) -> None:
    key = rsa_key("alipay")
    made = own_authority(tmp_path, key, START_MS)
    assert own_authority(tmp_path, key, START_MS).numbers == made.numbers
    assert (tmp_path / "authority.pem").stat().st_mode & 0o077 == 0
