"""Whom a merchant may share with: added before, and never removed, only made inactive."""

from collections.abc import Iterable
from dataclasses import dataclass

from backend.db.command import Read
from backend.db.working_set import WorkingSet
from backend.sharing.tables import SHARE_RECEIVER


@dataclass(frozen=True, slots=True, kw_only=True)
class KeepReceiver:
    """Add a receiver, say something else of it, or (without a ``receiver_id``) remove it. Safe to
    repeat."""

    owner: str
    kind: str
    account: str
    receiver_id: str = ""
    relation_type: str = ""
    custom_relation: str = ""

    def reads(self) -> Iterable[Read]:
        return [(SHARE_RECEIVER, self._key)]

    def decide(self, ws: WorkingSet, now_ms: int) -> None:
        known = ws.get(SHARE_RECEIVER, self._key)
        if not self.receiver_id:
            if known is not None:
                ws.update(SHARE_RECEIVER, self._key, is_active=0, updated_at_ms=now_ms)
            return
        said = {
            "receiver_id": self.receiver_id,
            "relation_type": self.relation_type,
            "custom_relation": self.custom_relation,
            "is_active": 1,
            "updated_at_ms": now_ms,
        }
        if known is not None:
            ws.update(SHARE_RECEIVER, self._key, **said)
        else:
            names = {"owner": self.owner, "kind": self.kind, "account": self.account}
            ws.insert(SHARE_RECEIVER, names | said)

    @property
    def _key(self) -> tuple[str, str, str]:
        return (self.owner, self.kind, self.account)
