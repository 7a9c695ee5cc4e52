"""News for hubs: one queue per store, numbered without gaps in the order of the commits.

The number is taken from the store's head row inside the transaction, so a cursor never skips a
row that commits later.
"""

from collections.abc import Mapping
from typing import Any

from sqlmodel import Field

from backend.db.tables import BYTES, INTEGER, TEXT, BackendTable, table_ref
from backend.db.working_set import WorkingSet
from backend.devices.model import DeviceRow
from protocol import cbor


class PushHead(BackendTable, table=True):
    """The last number given out in a store's queue."""

    __tablename__ = "push_head"
    store: str = Field(primary_key=True, sa_type=TEXT)
    last_seq: int = Field(sa_type=INTEGER)


class Push(BackendTable, table=True):
    """One piece of news for the hub of a store. Append-only."""

    __tablename__ = "push"
    store: str = Field(primary_key=True, sa_type=TEXT)
    seq: int = Field(primary_key=True, sa_type=INTEGER)
    kind: str = Field(sa_type=TEXT)
    """``answer`` or ``command`` (signed when handed out, for one device) or ``registry``."""
    device: str = Field(sa_type=TEXT)
    message_type: str = Field(sa_type=TEXT)
    request_id: str = Field(sa_type=TEXT)
    trace_id: str = Field(sa_type=TEXT)
    body: bytes = Field(sa_type=BYTES)
    """The CBOR of the answer's body, or of the registry row."""
    at_ms: int = Field(sa_type=INTEGER)


PUSH_HEAD = table_ref(PushHead)
PUSH = table_ref(Push, lock=False)


def put_push(
    ws: WorkingSet,
    store: str,
    device: str,
    message_type: str,
    body: Mapping[str, Any],
    *,
    at_ms: int,
    kind: str = "answer",
    request_id: str = "",
    trace_id: str = "",
) -> None:
    """Queue a piece of news in the caller's transaction."""
    head = ws.get(PUSH_HEAD, store)
    if head is None:
        ws.insert(PUSH_HEAD, {"store": store, "last_seq": 0})
    seq = ws.update(PUSH_HEAD, store, last_seq=(head["last_seq"] if head else 0) + 1)["last_seq"]
    ws.insert(
        PUSH,
        {
            "store": store,
            "seq": seq,
            "kind": kind,
            "device": device,
            "message_type": message_type,
            "request_id": request_id,
            "trace_id": trace_id,
            "body": cbor.encode(dict(body)),
            "at_ms": at_ms,
        },
    )


def announce(ws: WorkingSet, row: DeviceRow, at_ms: int) -> None:
    """Tell the store's hub how a device stands now."""
    put_push(ws, row.store, row.tid, "registry", row.to_wire(), at_ms=at_ms, kind="registry")
