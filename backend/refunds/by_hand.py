"""A refund that somebody gives without a till, at the console or at the command line; its line in
the audit log is written with it.

Rule: whoever asks mints the refund's id: the same again gives money back once.
"""

from backend.audit.model import Act
from backend.audit.service import Audited, Watch
from backend.db.tables import Row
from backend.payments.model import DeviceRequest
from backend.payments.services import Services
from backend.refunds.service import CreateRefund
from backend.refunds.tables import REFUND
from protocol import ids
from protocol.errors import CallerError, is_known
from protocol.messages import RefundCreate

_NO_STORE = ""


async def give_back(services: Services, body: RefundCreate, *, merchant_id: str, act: Act) -> Row:
    """The refund's result; one that has failed raises why."""
    now_ms = services.clock.now_ms()
    luck = services.entropy.token_bytes(ids.RANDOM_BYTES)
    request = DeviceRequest(
        request_id=ids.mint(ids.REQUEST, time_ms=now_ms, random_bytes=luck),
        device=f"{body.till}-{body.cashier}" if body.cashier else body.till,
        store=_NO_STORE,
        merchant_id=merchant_id,
        message_type="refund.create",
        body=body,
        content_hash=b"",
        received_at_ms=now_ms,
        trace_id="",
    )
    command = CreateRefund(request=request, body=body, rules=services.rules)
    watch = Watch(REFUND, body.refund_id, ("amount_minor", "currency", "state"))
    _, answer = await services.submit(Audited(command=command, act=act, watch=watch))
    result: Row = answer
    error = result.get("error")
    if error is not None and is_known(error["code"]):
        raise CallerError(error["code"])
    return result
