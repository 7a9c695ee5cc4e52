"""How often a wrong password was shown from where. Pure.

Rule: it is the address that is not heard any more, never the charger: nobody can lock a charger out
that is at another address.
"""

import ipaddress
from collections import OrderedDict

from hub.ocpp.limits import ADDRESSES_REMEMBERED_MAX, TRIES_MAX, TRIES_WINDOW_MS

_IPV6_NETWORK_BITS = 64


class WrongTries:
    """Of each address: when its first wrong password was shown, and how many since. The address
    that was silent longest is forgotten first."""

    def __init__(self) -> None:
        self._noted: OrderedDict[str, tuple[int, int]] = OrderedDict()

    def admits(self, address: str, *, now_ms: int) -> bool:
        """Whether a password from there is looked at."""
        since_ms, count = self._noted.get(_place(address), (now_ms, 0))
        return count < TRIES_MAX or not 0 <= now_ms - since_ms < TRIES_WINDOW_MS

    def note(self, address: str, *, now_ms: int) -> None:
        """A wrong one came from there."""
        place = _place(address)
        since_ms, count = self._noted.pop(place, (now_ms, 0))
        is_new = not 0 <= now_ms - since_ms < TRIES_WINDOW_MS
        self._noted[place] = (now_ms, 1) if is_new else (since_ms, count + 1)
        if len(self._noted) > ADDRESSES_REMEMBERED_MAX:
            self._noted.popitem(last=False)


def _place(address: str) -> str:
    """One who has a whole IPv6 network has one place."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if parsed.version == 4:
        return address
    return str(ipaddress.ip_network((int(parsed), _IPV6_NETWORK_BITS), strict=False))
