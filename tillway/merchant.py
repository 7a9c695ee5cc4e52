"""``tillway merchant``: what a merchant's program needs to call the backend, ready to paste."""

import base64
import json
import os
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import qrcode
import typer
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from qrcode.image.svg import SvgPathImage

from protocol.crypto import generate, sm2_x509
from protocol.errors import CallerError, TillwayError
from protocol.topics import is_name
from tillway.operator_place import Ca, TokenFile, Url, api_of

app = typer.Typer(
    help="Let a merchant's program call the backend, as it calls WeChat Pay's API v3.",
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
_KEY_BITS, _EXPONENT = 2048, 65_537
KEY, CERTIFICATE = "apiclient_key.pem", "apiclient_cert.pem"
PLATFORM_CERTIFICATE, PLATFORM_KEY = "platform_cert.pem", "pub_key.pem"
SETTINGS = "merchant.json"


class SuiteName(StrEnum):
    """What calls and answers are signed by."""

    RSA = "rsa"
    SM2 = "sm2"


class KeyMode(StrEnum):
    """Which of the platform's pairs signs callbacks."""

    PUBLIC_KEY = "public_key"
    CERTIFICATE = "certificate"


@app.command()
def new(
    url: Url,
    ca: Ca,
    token_file: TokenFile,
    out: Annotated[Path, typer.Option(help="The new, private directory for the keys.")],
    merchant_id: Annotated[str, typer.Option("--merchant", help="Whose program it is.")],
    name: Annotated[str, typer.Option(help="Makes the merchant, too.")] = "",
    payout_account: Annotated[str, typer.Option(help="Its bank account, with --name.")] = "",
    payout_bank: Annotated[str, typer.Option(help="That account's bank.")] = "ICBC",
    key_mode: Annotated[KeyMode, typer.Option(help="What proves callbacks.")] = KeyMode.PUBLIC_KEY,
    suite: Annotated[SuiteName, typer.Option(help="RSA, or SM2 with SM3.")] = SuiteName.RSA,
) -> None:
    """Open a merchant number: the private key is made here and goes nowhere. Prints what an SDK
    needs, ready to paste."""
    if bool(name) != bool(payout_account):
        raise CallerError("config_invalid", "--name and --payout-account go together")
    if not is_name(merchant_id):
        raise CallerError("field_invalid", "--merchant")
    api = api_of(url, ca, token_file)
    try:
        out.mkdir(parents=True, mode=0o700)
    except FileExistsError:
        raise CallerError("config_invalid", f"{out} exists already") from None
    pem, request = _new_key(suite, merchant_id)
    csr = base64.b64encode(request).decode("ascii")
    wanted = {"merchant_id": merchant_id, "csr": csr, "key_mode": key_mode, "suite": suite}
    try:
        if name:
            merchant = _merchant(merchant_id, name, payout_bank, payout_account)
            api.post("/operator/v1/merchants", merchant)
        made = api.post("/operator/v1/merchant-api/accounts", wanted)
    except TillwayError:
        out.rmdir()  # so that the same command can be given again
        raise
    _keep(out, pem, made, url)
    show = _settings_of_sm2 if suite is SuiteName.SM2 else _ready_to_paste
    typer.echo(show(out.absolute(), made, url, ca.absolute()))


@app.command()
def renew(
    url: Url,
    ca: Ca,
    token_file: TokenFile,
    suite: Annotated[SuiteName, typer.Option(help="Whose: RSA's or SM2's.")] = SuiteName.RSA,
) -> None:
    """Make a new platform certificate: merchants' programs see it at once, it signs a day later."""
    api = api_of(url, ca, token_file)
    made = api.post("/operator/v1/merchant-api/platform-certificates?suite=" + suite)
    typer.echo(f"{made['serial_no']} signs from {made['signs_from']}")


@app.command()
def plan(
    url: Url,
    ca: Ca,
    token_file: TokenFile,
    mchid: Annotated[str, typer.Option(help="The merchant number that may propose it.")],
    plan_id: Annotated[int, typer.Option(help="The plan's number, chosen here.")],
    name: Annotated[str, typer.Option(help="What it is for, as payers read it.")],
    limit_payment: Annotated[int, typer.Option(help="The most for a debit, in fen.")],
    limit_day: Annotated[int, typer.Option(help="The most for a day, in fen.")],
    limit_month: Annotated[int | None, typer.Option(help="The most for a month, in fen.")] = None,
    notice_hours: Annotated[int, typer.Option(help="Notice before a debit; 0: none.")] = 24,
    notice_above: Annotated[int, typer.Option(help="… above this amount only, in fen.")] = 0,
    valid_days: Annotated[int, typer.Option(help="How long a contract stands.")] = 365,
) -> None:
    """Let a merchant number's programs propose contracts on these terms (papay)."""
    api = api_of(url, ca, token_file)
    wanted = {
        "plan_id": plan_id,
        "mchid": mchid,
        "name": name,
        "limit_payment_minor": limit_payment,
        "limit_day_minor": limit_day,
        "limit_month_minor": limit_month,
        "notice_hours": notice_hours or None,
        "notice_above_minor": notice_above,
        "valid_days": valid_days,
    }
    made = api.post("/operator/v1/merchant-api/plans", wanted)
    typer.echo(f"plan {made['plan_id']} of {made['mchid']}: {made['name']}")


@app.command()
def bind(
    url: Url,
    ca: Ca,
    token_file: TokenFile,
    sp_mchid: Annotated[str, typer.Option("--sp", help="The service provider's number.")],
    sub_mchid: Annotated[str, typer.Option("--sub", help="The number that it may act for.")],
    end: Annotated[bool, typer.Option("--end", help="End it instead.")] = False,
) -> None:
    """Let a service provider's program act for another merchant number, or end that."""
    api = api_of(url, ca, token_file)
    wanted = {"sp_mchid": sp_mchid, "sub_mchid": sub_mchid, "is_on": not end}
    api.post("/operator/v1/merchant-api/bindings", wanted)
    typer.echo(f"{sp_mchid} {'no longer acts' if end else 'acts'} for {sub_mchid}")


@app.command()
def code(
    url: Url,
    ca: Ca,
    token_file: TokenFile,
    merchant_id: Annotated[str, typer.Option("--merchant", help="Who is paid.")],
    label: Annotated[str, typer.Option(help="Where it hangs, as payers and bills read it.")],
    svg: Annotated[Path | None, typer.Option(help="Draw it there, to be printed.")] = None,
) -> None:
    """Make a code to hang in a shop, which every wallet opens; the payer types the amount."""
    api = api_of(url, ca, token_file)
    wanted = {"merchant_id": merchant_id, "label": label}
    made = api.post("/operator/v1/static-codes", wanted)
    if svg is not None:
        with svg.open("wb") as file:
            qrcode.make(str(made["url"]), image_factory=SvgPathImage).save(file)
    typer.echo(f"{made['code_id']} {made['url']}")


def _merchant(merchant_id: str, name: str, bank: str, account: str) -> dict[str, str]:
    return {
        "merchant_id": merchant_id,
        "name": name,
        "payout_bank": bank,
        "payout_account_name": name,
        "payout_account_no": account,
    }


def _new_key(suite: SuiteName, merchant_id: str) -> tuple[str, bytes]:
    """A private key, PEM, and its certificate request, DER."""
    if suite is SuiteName.SM2:
        made = generate("SM2-SM3")
        return sm2_x509.private_pem(made), sm2_x509.request(made, common_name=merchant_id)
    key = rsa.generate_private_key(_EXPONENT, _KEY_BITS)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return pem.decode("ascii"), _request(key, merchant_id)


def _request(key: rsa.RSAPrivateKey, merchant_id: str) -> bytes:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, merchant_id)])
    request = x509.CertificateSigningRequestBuilder().subject_name(subject).sign(key, SHA256())
    return request.public_bytes(Encoding.DER)


def _keep(out: Path, pem: str, made: dict[str, Any], url: str) -> None:
    platform = made["platform"]
    settings = {name: made[name] for name in ("mchid", "appid", "serial_no", "api_v3_key")}
    settings |= {
        "api_v2_key": made["api_v2_key"],
        "public_key_id": platform["public_key_id"],
        "platform_serial_no": platform["certificate_serial"],
        "url": url,
    }
    files = {
        KEY: pem,
        CERTIFICATE: made["certificate"],
        PLATFORM_CERTIFICATE: platform["certificate"],
        PLATFORM_KEY: platform["public_key"],
        SETTINGS: json.dumps(settings, indent=1) + "\n",
    }
    for name, content in files.items():
        opened = os.open(out / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(opened, "w") as file:
            file.write(content)


def _settings_of_sm2(out: Path, made: dict[str, Any], url: str, ca: Path) -> str:
    """What an SDK that knows the suite is set up with."""
    return f"""\
# The keys are in {out}
#   {KEY}  {CERTIFICATE}  {PLATFORM_CERTIFICATE}  {SETTINGS}
# The APIv3 key stands in {SETTINGS}; the backend shows it to nobody again.
# Authorization and Wechatpay-Signature-Type: WECHATPAY2-SM2-WITH-SM3; resources: AEAD_SM4_GCM
address                          {url}
CA of the address                {ca}
mchid                            {made["mchid"]}
appid                            {made["appid"]}
serial of {CERTIFICATE}   {made["serial_no"]}
serial of {PLATFORM_CERTIFICATE}      {made["platform"]["certificate_serial"]}"""


def _ready_to_paste(out: Path, made: dict[str, Any], url: str, ca: Path) -> str:
    """Where the files are, and a client in Python and in JavaScript."""
    public_key_id = made["platform"]["public_key_id"]
    return f"""\
# The keys are in {out}
#   {KEY}  {CERTIFICATE}  {PLATFORM_KEY}  {PLATFORM_CERTIFICATE}  {SETTINGS}
# The APIv3 and APIv2 keys stand in {SETTINGS}; the backend shows them to nobody again.
#
# Python: pip install wechatpayv3; export REQUESTS_CA_BUNDLE={ca}
import json
from pathlib import Path
from wechatpayv3 import WeChatPay, WeChatPayType

keys = Path({str(out)!r})
own = json.loads((keys / {SETTINGS!r}).read_text())
pay = WeChatPay(
    wechatpay_type=WeChatPayType.NATIVE,
    mchid={made["mchid"]!r},
    appid={made["appid"]!r},
    cert_serial_no={made["serial_no"]!r},
    private_key=(keys / {KEY!r}).read_text(),
    apiv3_key=own["api_v3_key"],
    public_key=(keys / {PLATFORM_KEY!r}).read_text(),
    public_key_id={public_key_id!r},
    notify_url="http://127.0.0.1:8000/notify",
)
pay._core._gate_way = {url!r}

# API v2 (XML) in Python: pip install "wechatpy[cryptography]"
from wechatpy.pay import WeChatPay as XmlWeChatPay

xml_pay = XmlWeChatPay(
    appid={made["appid"]!r},
    api_key=own["api_v2_key"],
    mch_id={made["mchid"]!r},
    mch_cert=str(keys / {CERTIFICATE!r}),
    mch_key=str(keys / {KEY!r}),
)
xml_pay.API_BASE_URL = {url + "/"!r}

// JavaScript: npm install wechatpay-axios-plugin; export NODE_EXTRA_CA_CERTS={ca}
const {{ readFileSync }} = require("fs");
const {{ Wechatpay }} = require("wechatpay-axios-plugin");
const keys = {json.dumps(str(out))};
const own = JSON.parse(readFileSync(`${{keys}}/{SETTINGS}`));
const wxpay = new Wechatpay({{
  baseURL: {json.dumps(url + "/")},
  mchid: {json.dumps(made["mchid"])},
  serial: {json.dumps(made["serial_no"])},
  privateKey: readFileSync(`${{keys}}/{KEY}`),
  certs: {{
    [own.platform_serial_no]: readFileSync(`${{keys}}/{PLATFORM_CERTIFICATE}`),
    [own.public_key_id]: readFileSync(`${{keys}}/{PLATFORM_KEY}`),
  }},
  secret: own.api_v2_key, // of API v2
  merchant: {{
    cert: readFileSync(`${{keys}}/{CERTIFICATE}`),
    key: readFileSync(`${{keys}}/{KEY}`),
  }},
}});"""
