"""How many wrong passwords came from each address. Pure.

Rule: too many shut out the address that sent them, never the charger that they named. So nobody can
lock out a charger that dials in from another address.
"""

import ipaddress
from collections import OrderedDict

from hub.ocpp.limits import ADDRESSES_REMEMBERED_MAX, TRIES_MAX, TRIES_WINDOW_MS

_IPV6_NETWORK_BITS = 64


class WrongPasswords:
    """For each address, when its first wrong password came and how many have come since. Where
    there are too many addresses, the one that was silent longest is forgotten."""

    def __init__(self) -> None:
        self._noted: OrderedDict[str, tuple[int, int]] = OrderedDict()

    def admits(self, address: str, *, now_ms: int) -> bool:
        """Whether a password from this address is still looked at."""
        since_ms, count = self._noted.get(_place(address), (now_ms, 0))
        return count < TRIES_MAX or not 0 <= now_ms - since_ms < TRIES_WINDOW_MS

    def note(self, address: str, *, now_ms: int) -> None:
        """Count a wrong password from this address."""
        place = _place(address)
        since_ms, count = self._noted.pop(place, (now_ms, 0))
        is_new = not 0 <= now_ms - since_ms < TRIES_WINDOW_MS
        self._noted[place] = (now_ms, 1) if is_new else (since_ms, count + 1)
        if len(self._noted) > ADDRESSES_REMEMBERED_MAX:
            self._noted.popitem(last=False)


def _place(address: str) -> str:
    """What is counted as one address: of IPv6 a whole network, since its owner can use them all."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if parsed.version == 4:
        return address
    return str(ipaddress.ip_network((int(parsed), _IPV6_NETWORK_BITS), strict=False))
