"""Whether a request comes from the machine itself, by a name that no other site can take.

Rule: the connection, the address that the browser was told to ask, and the page that sends a form
      are all this machine's: a name that was bent to the loopback (DNS rebinding), another site's
      form, and what a proxy passes on are refused.
"""

from urllib.parse import urlsplit

from fastapi import Request

from backend.openings.loopback import is_loopback
from protocol.errors import CallerError

_FORWARDED = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip", "via")


def check_is_here(request: Request) -> None:
    """``opening_elsewhere`` for what does not come from this machine."""
    peer = request.client.host if request.client else ""
    is_passed_on = any(name in request.headers for name in _FORWARDED)
    if is_passed_on or not is_loopback(peer) or not is_loopback(_host_of(request)):
        raise CallerError("opening_elsewhere")


def check_own_form(request: Request) -> None:
    """Besides, the form is one of our own pages'. Browsers say so by ``Sec-Fetch-Site``, which no
    page can forge; those that do not know it, by ``Origin``, which our pages' referrer policy makes
    ``null`` in the others."""
    check_is_here(request)
    site = request.headers.get("sec-fetch-site")
    own = f"{request.url.scheme}://{request.headers.get('host', '')}"
    is_named = request.headers.get("origin") == own
    if not (site == "same-origin" if site is not None else is_named):
        raise CallerError("opening_elsewhere")


def _host_of(request: Request) -> str:
    try:
        return urlsplit(f"//{request.headers.get('host', '')}").hostname or ""
    except ValueError:
        return ""
