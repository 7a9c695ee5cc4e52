"""The echo's command."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from backend.db.command import Read
from backend.db.working_set import WorkingSet
from backend.merchant_api.callbacks.form import ECHO, FORM
from backend.notify.outbox import put_callback


@dataclass(frozen=True, slots=True, kw_only=True)
class EchoByCallback:
    """Leave word of an echo for the merchant's server."""

    echo_id: str
    merchant_id: str
    mchid: str
    url: str
    message: str = field(repr=False)
    encrypted: str | None = field(repr=False)
    """For the merchant's key already: what it says is kept nowhere."""

    def reads(self) -> Iterable[Read]:
        return ()

    def decide(self, ws: WorkingSet, now_ms: int) -> None:
        resource = {"mchid": self.mchid, "echo_message": self.message}
        if self.encrypted is not None:
            resource["encrypt_echo_message"] = self.encrypted
        put_callback(
            ws,
            merchant_id=self.merchant_id,
            url=self.url,
            event_type=ECHO,
            subject_id=self.echo_id,
            number=1,
            resource=resource,
            at_ms=now_ms,
            form=FORM,
        )
