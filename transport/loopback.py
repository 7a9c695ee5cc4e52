"""The names by which this machine's own browsers ask. A site may turn a name of its own to the
loopback (DNS rebinding); its page then asks by that name.
"""

_NAMES = frozenset({"127.0.0.1", "localhost", "[::1]"})


def is_loopback(host: str) -> bool:
    """Whether a ``Host`` header, with a port or without, is one of the loopback's names."""
    return host in _NAMES or host.rsplit(":", 1)[0] in _NAMES
