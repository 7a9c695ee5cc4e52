"""How a command leaves word: rows in the same transaction as the thing itself."""

import json
from collections.abc import Mapping
from typing import Any

from backend.db.command import Read
from backend.db.working_set import WorkingSet
from backend.notify.model import callback_id
from backend.notify.tables import CALLBACK, COUNTER, PUSH
from protocol import cbor


def push_reads(store: str) -> list[Read]:
    """What a command that may push reads beforehand."""
    return [(COUNTER, store)]


def put_push(
    ws: WorkingSet,
    *,
    store: str,
    device: str,
    message_type: str,
    body: Mapping[str, Any],
    at_ms: int,
    trace_id: str = "",
) -> int:
    """News for a device, to be signed and carried by its store's hub; returns its number."""
    counter = ws.get(COUNTER, store)
    if counter is None:
        seq = 1
        ws.insert(COUNTER, {"store": store, "seq": seq})
    else:
        seq = counter["seq"] + 1
        ws.update(COUNTER, store, seq=seq)
    ws.insert(
        PUSH,
        {
            "store": store,
            "seq": seq,
            "device": device,
            "message_type": message_type,
            "body": cbor.encode(dict(body)),
            "trace_id": trace_id,
            "at_ms": at_ms,
        },
    )
    return seq


def put_callback(
    ws: WorkingSet,
    *,
    merchant_id: str,
    url: str | None,
    event_type: str,
    subject_id: str,
    number: int,
    resource: Mapping[str, Any],
    at_ms: int,
    form: str = "",
) -> None:
    """News for the merchant's server; nothing is written for a merchant that wants none. ``form``
    names who dresses it for its way."""
    if url is None:
        return
    identity = callback_id(subject_id, event_type, number, at_ms=at_ms)
    body = {
        "id": identity,
        "event_type": event_type,
        "created_at_ms": at_ms,
        "merchant_id": merchant_id,
        "resource": dict(resource),
    }
    ws.insert(
        CALLBACK,
        {
            "callback_id": identity,
            "merchant_id": merchant_id,
            "url": url,
            "event_type": event_type,
            "body": json.dumps(body, ensure_ascii=False, sort_keys=True, separators=(",", ":")),
            "state": "pending",
            "next_try_ms": at_ms,
            "created_at_ms": at_ms,
            "form": form,
        },
    )
