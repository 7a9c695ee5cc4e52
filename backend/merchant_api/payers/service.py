"""The payers' commands."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from backend.db.command import Read
from backend.db.working_set import WorkingSet
from backend.merchant_api.orders.model import openid_of
from backend.merchant_api.payers.tables import OPENID
from backend.wallet.codes import code_reads, payer_of, tell_code
from protocol.paycode import Found


@dataclass(frozen=True, slots=True, kw_only=True)
class TellOpenId:
    """A payer makes itself known to an app. Safe to repeat: the name is always the same."""

    openid: str
    appid: str
    payer_id: str

    def reads(self) -> Iterable[Read]:
        return [(OPENID, self.openid)]

    def decide(self, ws: WorkingSet, now_ms: int) -> None:
        if ws.get(OPENID, self.openid) is None:
            row = {"openid": self.openid, "appid": self.appid, "payer_id": self.payer_id}
            ws.insert(OPENID, {**row, "created_at_ms": now_ms})


@dataclass(frozen=True, slots=True, kw_only=True)
class TellByCode:
    """A payer makes itself known to an app by the code that it shows there. Answers its name to
    the app, or the refusal's code: a wrong code counts, so it raises nothing."""

    found: Found
    guard: str
    merchant_id: str
    appid: str
    openid_key: bytes = field(repr=False)

    def reads(self) -> Iterable[Read]:
        return code_reads(self.found, self.guard)

    def follow(self, ws: WorkingSet) -> Iterable[Read]:
        payer_id = payer_of(ws, self.found)
        return [] if payer_id is None else [(OPENID, self._name(payer_id))]

    def decide(self, ws: WorkingSet, now_ms: int) -> tuple[str, str | None]:
        resolved = tell_code(
            ws, self.found, device=self.guard, merchant_id=self.merchant_id, now_ms=now_ms
        )
        if resolved.payer_id is None:
            return "", resolved.refusal
        name = self._name(resolved.payer_id)
        tell = TellOpenId(openid=name, appid=self.appid, payer_id=resolved.payer_id)
        tell.decide(ws, now_ms)
        return name, None

    def _name(self, payer_id: str) -> str:
        return openid_of(self.openid_key, self.appid, payer_id)
