"""A merchant's program that speaks XML, its signatures made and checked by wechatpy's code."""

from typing import Any

import xmltodict
from wechatpy.pay.utils import calculate_signature, calculate_signature_hmac, dict_to_xml

from tests.support.merchant_caller import SHOWN, Caller


class XmlCaller:
    """Asks with the fields that every call has, and checks that the answer is signed alike."""

    def __init__(self, caller: Caller, key: str = "") -> None:
        self.caller = caller
        self.made = caller.made
        self.key = key or caller.made["api_v2_key"]

    def signature(self, fields: dict[str, Any]) -> str:
        """As ``sign_type`` says, by the merchant's APIv2 key."""
        if fields.get("sign_type") == "HMAC-SHA256":
            return str(calculate_signature_hmac(fields, self.key))
        return str(calculate_signature(fields, self.key))

    def ask(self, path: str, *, shown: str | None = None, **fields: Any) -> dict[str, str]:
        """The answer's fields; what is None is left out. ``shown`` is the certificate that the
        connection shows: the caller's own, unless a test says another."""
        own = {"appid": self.made["appid"], "mch_id": self.made["mchid"], "nonce_str": "n1"}
        wanted = {name: value for name, value in (own | fields).items() if value is not None}
        sign = wanted.pop("sign", None) or self.signature(wanted)
        answer = self.send(path, dict_to_xml(wanted, sign).encode(), shown=shown)
        if answer["return_code"] == "SUCCESS":
            texts = {name: text for name, text in answer.items() if isinstance(text, str)}
            signed = {name: text for name, text in texts.items() if name != "sign"}
            made = calculate_signature
            if wanted.get("sign_type") == "HMAC-SHA256":
                made = calculate_signature_hmac
            assert answer["sign"] == made(signed, self.key)
            assert answer.get("mch_id", answer.get("mchid")) == self.made["mchid"]
        return answer

    def send(
        self, path: str, body: bytes, method: str = "POST", *, shown: str | None = None
    ) -> dict[str, str]:
        """The answer to a body as it is: XML, with the status 200 whatever it says."""
        own = f"{self.made['mchid']}/{self.made['serial_no']}"
        headers = {"content-type": "text/xml", SHOWN: own if shown is None else shown}
        answer = self.caller.http.request(method, path, content=body, headers=headers)
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-type"].startswith("text/xml")
        found: dict[str, str] = xmltodict.parse(answer.content)["xml"]
        return found

    def order(self, path: str = "/pay/unifiedorder", **changes: Any) -> dict[str, str]:
        """A native order, asked for."""
        words: dict[str, Any] = {
            "body": "咖啡",
            "out_trade_no": "order-0001",
            "total_fee": 1_280,
            "spbill_create_ip": "203.0.113.9",
            "notify_url": "https://shop.example/notify",
            "trade_type": "NATIVE",
        }
        return self.ask(path, **words | changes)
