"""The payers' command."""

from collections.abc import Iterable
from dataclasses import dataclass

from backend.db.command import Read
from backend.db.working_set import WorkingSet
from backend.merchant_api.payers.tables import OPENID


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
