"""Reading what the backend says without being asked: pushes and the device table.

A push for a device is signed by the backend and passed on unchanged; a registry row in a push
travels on the word of the TLS connection; the whole device table is signed.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import structlog

from hub.domain.checking import FindKey, open_group
from hub.domain.effects import Push
from hub.domain.registry import Device
from hub.limits import DEVICE_TABLE_BYTES_MAX
from protocol import cbor, cose
from protocol.errors import CallerError
from protocol.limits import ANSWER_BYTES_MAX, PUSH_ITEMS_MAX
from protocol.topics import Kind

log = structlog.get_logger()
_KINDS: dict[str, Kind] = {"answer": "res", "command": "cmd", "settings": "cfg"}
_TABLE_VERSION = 1


@dataclass(frozen=True, slots=True)
class News:
    """A page of pushes, checked. ``cursor`` is where the next page begins."""

    cursor: int
    pushes: tuple[Push, ...]
    devices: tuple[Device, ...]


def read_news(rows: object, *, store: str, backend_key: FindKey) -> News | None:
    """Check a page of pushes; None for an empty one. ``CallerError`` if any of it cannot hold."""
    if not isinstance(rows, list) or len(rows) > PUSH_ITEMS_MAX:
        raise CallerError("envelope_malformed", "pushes")
    if not rows:
        return None
    pushes: list[Push] = []
    devices: list[Device] = []
    cursor = 0
    for row in rows:
        match row:
            case [int(cursor), "registry", str(), dict(fields)]:
                devices.extend(_readable([fields], store=store))
            case [int(cursor), str(kind), str(device), bytes(wire)] if (
                kind in _KINDS and len(wire) <= ANSWER_BYTES_MAX
            ):
                pushes.append(Push(cursor=cursor, device=device, kind=_KINDS[kind], payload=wire))
            case [int(cursor), str(kind), str(), _] if kind not in _KINDS and kind != "registry":
                log.warning("push_kind_unknown", kind=kind[:32])
            case _:
                raise CallerError("envelope_malformed", "push")
    _check_pushes(pushes, store=store, backend_key=backend_key)
    return News(cursor, tuple(pushes), tuple(devices))


def read_devices(data: bytes, *, store: str, backend_key: FindKey) -> list[Device]:
    """Check the signed device table; ``CallerError`` if it is not the backend's."""
    sealed = cose.parse1(data, bytes_max=DEVICE_TABLE_BYTES_MAX)
    if not cose.verify1(sealed, backend_key(sealed.kid)):
        raise CallerError("signature_invalid", "device table")
    table = cbor.decode(sealed.payload, bytes_max=DEVICE_TABLE_BYTES_MAX)
    match table:
        case {"version": version, "store": str(named), "devices": [*rows]} if (
            version == _TABLE_VERSION and named == store
        ):
            return _readable(rows, store=store)
    raise CallerError("envelope_malformed", "device table")


def _check_pushes(pushes: Sequence[Push], *, store: str, backend_key: FindKey) -> None:
    opened = open_group([push.payload for push in pushes], backend_key)
    for push, answer in zip(pushes, opened, strict=True):
        if answer.device != push.device or answer.store != store:
            raise CallerError("envelope_malformed", "push for another device")


def _readable(rows: Sequence[object], *, store: str) -> list[Device]:
    """The rows this version can read. A bad row does not hide others: its device is unknown."""
    devices = []
    for row in rows:
        try:
            devices.append(Device.from_wire(row if isinstance(row, dict) else {}, store=store))
        except CallerError as error:
            log.warning("registry_row_unreadable", detail=error.detail)
    return devices
