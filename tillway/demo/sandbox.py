"""The other institutions of a stack: where each listens, what the backend must know of them, and
the accounts that people have there."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tillway.demo.gateways import (
    ALIPAY_APP,
    UNIONPAY_MERCHANT,
    join_alipay,
    join_unionpay_qr,
)
from tillway.json_api import JsonApi

HOST = "127.0.0.1"
RESERVE_BANK, OWN_BANK = "reserve-bank", "bank-a"
NETSUNION, UNIONPAY, FUND, ECNY, STAMPER = "netsunion", "unionpay", "fund", "ecny", "timestamps"
ALIPAY, UNIONPAY_QR = "alipay", "acp"
FLEET = (RESERVE_BANK, OWN_BANK, "bank-b", UNIONPAY, FUND, ECNY, ALIPAY, UNIONPAY_QR, STAMPER)
"""Those that run and end together."""
OPTIONS = {ALIPAY: {"app_id": ALIPAY_APP}, UNIONPAY_QR: {"mer_id": UNIONPAY_MERCHANT}}
"""Whose days the gateways of other wallets pay into our reserve."""
RESERVE_ACCOUNT, OWN_ACCOUNT = "RESERVE-TILLWAY", "OWN-TILLWAY"
STAMP_POLICY = "1.3.6.1.4.1.32473.1"
UNIONPAY_TERMINAL = "10000001"
_SETTINGS = {
    "reserve_bank": RESERVE_BANK,
    "own_bank": OWN_BANK,
    "netsunion": NETSUNION,
    "unionpay": UNIONPAY,
    "fund": FUND,
    "ecny": ECNY,
    "timestamps": STAMPER,
}


@dataclass(frozen=True, slots=True)
class Sandbox:
    """The institutions that run."""

    state_dir: Path
    said: Mapping[str, Mapping[str, Any]]
    """Name → ports and key, as the ready line has it."""

    def api(self, name: str) -> JsonApi:
        """An institution's controls."""
        return JsonApi(f"http://{HOST}:{self.said[name]['ports']['http']}")

    def controls(self) -> dict[str, JsonApi]:
        """Every institution's controls, by name."""
        return {name: self.api(name) for name in self.said}

    def advance(self, advance_ms: int) -> None:
        """Put every institution's clock forward, then let those that owe say so again: who was
        told before its own clock went forward may have waited."""
        for ahead_ms in (advance_ms, 0):
            for api in self.controls().values():
                api.post("/control/clock", {"advance_ms": ahead_ms})

    def arm(self, name: str, **counts: int) -> None:
        """Arm fault switches of an institution."""
        self.api(name).post("/control/faults", counts)

    def backend_settings(self) -> dict[str, dict[str, str]]:
        """The backend's ``[institutions.…]``. The gateways of other wallets are told who we are."""
        settings = {
            setting: {
                "address": str(self.state_dir / name / "address.json"),
                "key": str(self.said[name]["key"]),
            }
            for setting, name in _SETTINGS.items()
        }
        key_file = self.state_dir / UNIONPAY / f"terminal-{UNIONPAY_TERMINAL}.key"
        settings["unionpay"]["master_key_file"] = str(key_file)
        authority_file = self.state_dir / STAMPER / "ca.pem"
        settings["timestamps"] |= {"authority_file": str(authority_file), "policy": STAMP_POLICY}
        keys = self.state_dir.with_name("gateway-keys")
        for setting, name, join in (
            ("alipay", ALIPAY, join_alipay),
            ("unionpay_qr", UNIONPAY_QR, join_unionpay_qr),
        ):
            address = str(self.state_dir / name / "address.json")
            settings[setting] = {"address": address, **join(self.api(name), keys)}
        return settings

    # Accounts

    def open_at_bank(self, account: str, name: str, opening_minor: int) -> None:
        """An account at our own commercial bank, which is the merchant's, too."""
        self._open(OWN_BANK, account, name, opening_minor)

    def open_bank_account(self, account: str, name: str, opening_minor: int, *, token: str) -> None:
        """A payer's account at a member bank of NetsUnion, with an agreement to debit it."""
        self._open(NETSUNION, account, name, opening_minor)
        self.agree(account, token=token)

    def agree(self, account: str, *, token: str) -> None:
        """One more agreement to debit such an account."""
        self.api(NETSUNION).post("/control/tokens", {"token": token, "account": account})

    def open_card(self, number: str, name: str, opening_minor: int) -> None:
        """A payer's bank card, which the payer may add to a wallet by its number."""
        self._open(NETSUNION, number, name, opening_minor)

    def text_of(self, number: str) -> str:
        """The newest code that a card's bank has sent to its holder; empty for none."""
        return str(self.api(NETSUNION).get(f"/control/texts/{number}")["code"] or "")

    def issue_card(self, account: str, name: str, opening_minor: int, *, token: str) -> None:
        """A payer's card in UnionPay's network."""
        card = {"account": account, "name": name, "token": token, "opening_minor": opening_minor}
        self.api(UNIONPAY).post("/control/cards", card)

    def open_fund(self, number: str, name: str, units_minor: int, *, token: str) -> None:
        """A payer's account at the money-market fund."""
        investor = {"number": number, "holder": name, "units_minor": units_minor, "token": token}
        self.api(FUND).post("/control/investors", investor)

    def open_wallet(self, number: str, name: str, opening_minor: int, *, token: str) -> None:
        """A payer's e-CNY wallet of the second class."""
        wallet = {
            "number": number,
            "holder": name,
            "wallet_class": 2,
            "opening_minor": opening_minor,
            "token": token,
        }
        self.api(ECNY).post("/control/wallets", wallet)

    def left_minor(self, name: str, path: str) -> int:
        """What stands on an account, by its path below ``/control``."""
        said = self.api(name).get(f"/control/{path}")
        return int(said.get("balance_minor", said.get("units_minor", 0)))

    def _open(self, name: str, account: str, holder: str, opening_minor: int) -> None:
        opening = {"account": account, "name": holder, "opening_minor": opening_minor}
        self.api(name).post("/control/accounts", opening)
