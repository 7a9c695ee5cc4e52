"""What a merchant signs so that a page or an app may open a payment. Pure.

Rule 1: API v3 signs four lines with the merchant's private key: the appid, the time, the nonce, and
        of a page ``prepay_id=…`` as it stands, of an app the bare prepay id.
Rule 2: API v2 signs all fields with the APIv2 key, as it signs calls.
"""

from dataclasses import dataclass

from backend.merchant_api.keys.desk import Account
from backend.merchant_api.v2.signing import SignType, is_signed

_PACKAGE = "prepay_id="
_OF_AN_APP = "Sign=WXPay"


@dataclass(frozen=True, slots=True, kw_only=True)
class CallUp:
    """What a page or an app hands to the wallet. Nothing of it is proven yet."""

    appid: str
    timestamp: str
    nonce: str
    package: str
    prepay_id: str
    """Of an app; a page's stands in ``package``."""
    partner_id: str
    """Of an app: its merchant number."""
    sign_type: str
    """Of a page; empty: of an app, whose fields do not say it."""
    sign: str

    @property
    def is_apps(self) -> bool:
        """Whether an app opens it."""
        return bool(self.prepay_id)

    @property
    def opens(self) -> str:
        """The prepay id; empty where there is none."""
        if self.is_apps:
            return self.prepay_id if self.package == _OF_AN_APP else ""
        return self.package.removeprefix(_PACKAGE) if self.package.startswith(_PACKAGE) else ""


def is_proven(call: CallUp, account: Account) -> bool:
    """Whether this merchant has signed it."""
    kind = call.sign_type
    if kind in {one.value for one in SignType}:
        return _by_key(call, account, SignType(kind))
    if kind not in {"", "RSA", "SM2"}:
        return False
    last = call.prepay_id or call.package
    message = "".join(f"{line}\n" for line in (call.appid, call.timestamp, call.nonce, last))
    if account.is_signed(call.sign, message.encode()):
        return True
    # An app's fields do not say which interface signed them.
    return call.is_apps and any(_by_key(call, account, one) for one in SignType)


def _by_key(call: CallUp, account: Account, sign_type: SignType) -> bool:
    if call.is_apps:
        fields = {
            "appid": call.appid,
            "partnerid": call.partner_id,
            "prepayid": call.prepay_id,
            "package": call.package,
            "noncestr": call.nonce,
            "timestamp": call.timestamp,
        }
    else:
        fields = {
            "appId": call.appid,
            "timeStamp": call.timestamp,
            "nonceStr": call.nonce,
            "package": call.package,
            "signType": call.sign_type,
        }
    return is_signed(fields | {"sign": call.sign.upper()}, account.api_v2_key, sign_type)
