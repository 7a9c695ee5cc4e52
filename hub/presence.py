"""What the hub tells the backend about its terminals: who is there, and since which start.

Rule 1: who has a line is known of MQTT and of chargers only. A machine on CoAP has none that could
end, so nothing is said of it.
Rule 2: the start is the one that the device's last accepted envelope names: it is signed, and the
spool remembers it. What a terminal says of itself in ``state`` is neither.
"""

from collections.abc import Iterator, Mapping

from hub.domain.core import HubCore

LINED_KIND = "terminal"
"""Devices of this kind speak MQTT unless they were heard over CoAP."""


def device_states(
    core: HubCore, connected: frozenset[str] | None, chargers: Mapping[str, bool]
) -> Iterator[dict[str, object]]:
    """One entry for each device that the hub can speak of. ``connected``: None where nobody comes
    by MQTT; ``chargers`` by name, and whether each has dialled in."""
    has_lines, there = connected is not None, connected or frozenset()
    for device in core.registry:
        is_there = device.tid in there or chargers.get(device.tid, False)
        is_lined = device.kind == LINED_KIND and core.delivery.route_of(device.tid) != "coap"
        has_line = (has_lines and is_lined) or device.tid in chargers
        if is_there or has_line:
            boot_epoch = core.uplink.boot_epoch(device.tid)
            yield {"tid": device.tid, "online": is_there, "boot_epoch": boot_epoch}
