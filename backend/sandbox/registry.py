"""Which institutions there are, and where each is built. A room is imported when it is needed."""

import importlib
from dataclasses import dataclass
from typing import cast

from backend.sandbox.institution.program import Build
from protocol.errors import CallerError


@dataclass(frozen=True, slots=True)
class Kind:
    """Where an institution's ``build`` is."""

    module: str
    summary: str

    def build(self) -> Build:
        """Its ``build(place) -> Running``."""
        return cast(Build, importlib.import_module(self.module).build)


INSTITUTIONS: dict[str, Kind] = {
    "reserve-bank": Kind("backend.sandbox.reserve_bank.app", "The central bank."),
    "bank-a": Kind("backend.sandbox.commercial_bank.app", "A commercial bank."),
    "bank-b": Kind("backend.sandbox.commercial_bank.app", "Another commercial bank."),
    "fund": Kind("backend.sandbox.fund.program", "A fund company and the bank that advances."),
    "ecny": Kind("backend.sandbox.ecny.program", "An operator of e-CNY wallets."),
    "alipay": Kind("backend.sandbox.alipay.program", "Alipay's gateway and its buyers."),
    "acp": Kind("backend.sandbox.acp.program", "UnionPay's gateway for QR codes, and its payers."),
    "timestamps": Kind("backend.sandbox.timestamps.app", "A time stamper (RFC 3161)."),
    "netsunion": Kind("backend.sandbox.netsunion.server", "The clearing house of bank accounts."),
    "unionpay": Kind("backend.sandbox.unionpay.program", "UnionPay's switch and its issuers."),
}
"""By name, which is also the name of its directory. Those others pay over come first."""


def find(name: str) -> Kind:
    """An institution; ``CallerError`` names those there are."""
    if name not in INSTITUTIONS:
        known = ", ".join(INSTITUTIONS)
        raise CallerError("config_invalid", f"no institution {name[:40]}; there are {known}")
    return INSTITUTIONS[name]
