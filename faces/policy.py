"""What a browser may do with our pages: scripts, styles, pictures and connections of our own origin
only, no script or style inside a page, and nobody frames us.
"""

from fastapi import Response

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self';"
    " font-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)

SCRIPTLESS = (
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none';"
    " form-action 'self'"
)
"""Of a page that brings its style with it and has no script."""
LEADS_ELSEWHERE = f"{SCRIPTLESS} https:"
"""Of one whose form is answered, in the end, by the address of another site: browsers of Chromium's
kind hold a form to its page's policy through every redirect."""


def protect(response: Response, allowed: str = POLICY) -> None:
    """Set the headers on an answer; what an answer says itself about caching stays."""
    response.headers["content-security-policy"] = allowed
    response.headers["x-content-type-options"] = "nosniff"
    response.headers["referrer-policy"] = "no-referrer"
    response.headers["cross-origin-opener-policy"] = "same-origin"
    response.headers.setdefault("cache-control", "no-store")
