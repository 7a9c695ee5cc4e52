"""What a browser may do with our pages: scripts, styles, pictures and connections of our own origin
only, no script or style inside a page, and nobody frames us.
"""

from fastapi import Response

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self';"
    " font-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)


def protect(response: Response) -> None:
    """Set the headers on an answer; what an answer says itself about caching stays."""
    response.headers["content-security-policy"] = POLICY
    response.headers["x-content-type-options"] = "nosniff"
    response.headers["referrer-policy"] = "no-referrer"
    response.headers["cross-origin-opener-policy"] = "same-origin"
    response.headers.setdefault("cache-control", "no-store")
