"""The first answer to a request is the answer to every repetition of it."""

from backend.db.command import Read
from backend.db.working_set import WorkingSet
from backend.payments.model import Answer, DeviceRequest
from backend.payments.tables import REQUEST
from protocol import cbor
from protocol.errors import CallerError
from protocol.limits import ANSWER_BYTES_MAX


def request_read(request: DeviceRequest) -> Read:
    """What ``first_answer`` reads."""
    return REQUEST, (request.request_id, request.device)


def first_answer(ws: WorkingSet, request: DeviceRequest) -> Answer | None:
    """The answer given before; ``CallerError("idempotency_conflict")`` for other content."""
    row = ws.get(REQUEST, (request.request_id, request.device))
    if row is None:
        return None
    if row["content_hash"] != request.content_hash:
        raise CallerError("idempotency_conflict", request.request_id)
    return row["answer_type"], cbor.decode(row["answer"], bytes_max=ANSWER_BYTES_MAX)


def remember(ws: WorkingSet, request: DeviceRequest, answer: Answer, now_ms: int) -> Answer:
    """Keep the answer in the same transaction as what it tells; returns it."""
    message_type, body = answer
    ws.insert(
        REQUEST,
        {
            "device": request.device,
            "request_id": request.request_id,
            "content_hash": request.content_hash,
            "answer_type": message_type,
            "answer": cbor.encode(body),
            "at_ms": now_ms,
        },
    )
    return answer
