"""Names of the machine itself."""

import ipaddress


def is_loopback(host: str) -> bool:
    """Whether this name or address is always the machine itself (RFC 6761 §6.3 for the name)."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
