"""Which code says why a line to the hub did not come up: the nearest to what somebody has to mend.

Rule 1: what OpenSSL says of a certificate is told by whose it is: the hub's fails our check, ours
        is refused by an alert of the hub's.
Rule 2: what no code is nearer to is ``hub_unreachable``.
"""

from transport.failures import TLS_SAYS

_OF_THE_HUB = "certificate verify failed"
_EXPIRED, _EARLY = "certificate has expired", "certificate is not yet valid"
_ABOUT_OURS = ("alert certificate", "alert bad certificate", "alert unknown ca", "access denied")


def code_of(reason: str) -> str:
    """The code for a reason of ``transport.failures.why``."""
    if not reason.startswith(TLS_SAYS):
        return "hub_unreachable"
    if _OF_THE_HUB in reason:
        if _EXPIRED in reason:
            return "hub_certificate_expired"
        return "hub_certificate_early" if _EARLY in reason else "hub_certificate_unknown"
    if any(words in reason for words in _ABOUT_OURS):
        return "own_certificate_refused"
    return "hub_tls_failed"
