"""The partners' command."""

from collections.abc import Iterable
from dataclasses import dataclass

from backend.db.command import Read
from backend.db.working_set import WorkingSet
from backend.merchant_api.keys.tables import ACCOUNT
from backend.merchant_api.partners.tables import BINDING
from protocol.errors import CallerError


@dataclass(frozen=True, slots=True, kw_only=True)
class Bind:
    """Appoint a service provider for a merchant number, or end it. Safe to repeat."""

    sp_mchid: str
    sub_mchid: str
    is_on: bool

    def reads(self) -> Iterable[Read]:
        return [
            (ACCOUNT, self.sp_mchid),
            (ACCOUNT, self.sub_mchid),
            (BINDING, (self.sp_mchid, self.sub_mchid)),
        ]

    def decide(self, ws: WorkingSet, now_ms: int) -> None:
        for mchid in (self.sp_mchid, self.sub_mchid):
            if ws.get(ACCOUNT, mchid) is None:
                raise CallerError("merchant_unknown", mchid)
        if self.sp_mchid == self.sub_mchid:
            raise CallerError("field_invalid", "sub_mchid")
        key = (self.sp_mchid, self.sub_mchid)
        state = {"is_on": int(self.is_on), "changed_at_ms": now_ms}
        known = ws.get(BINDING, key)
        if known is None:
            ws.insert(BINDING, {"sp_mchid": key[0], "sub_mchid": key[1], **state})
        elif known["is_on"] != self.is_on:
            ws.update(BINDING, key, **state)
