"""What the hub tells the backend about its terminals: who is there, and since which start.

Rule 1: who has a line is known of MQTT only. A machine on CoAP has none that could end, so nothing
is said of it.
Rule 2: the start is the one that the device's last accepted envelope names: it is signed, and the
spool remembers it. What a terminal says of itself in ``state`` is neither.
"""

from collections.abc import Iterator

from hub.domain.core import HubCore

LINED_KIND = "terminal"
"""Devices of this kind speak MQTT unless they were heard over CoAP."""


def device_states(core: HubCore, connected: frozenset[str]) -> Iterator[dict[str, object]]:
    """One entry for each device that the hub can speak of."""
    for device in core.registry:
        is_there = device.tid in connected
        has_line = device.kind == LINED_KIND and core.delivery.route_of(device.tid) != "coap"
        if is_there or has_line:
            boot_epoch = core.uplink.boot_epoch(device.tid)
            yield {"tid": device.tid, "online": is_there, "boot_epoch": boot_epoch}
