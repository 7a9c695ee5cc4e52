"""Texts that travel packed: gzip (RFC 9110 §8.4.1.3), where the browser takes it.

Rule 1: only an answer that is whole is packed. A stream of events is not: each must arrive when it
        is told.
Rule 2: a page with a secret in it is packed only where nobody on the way can see how long it is;
        beside somebody else's words its length gives the secret away (CVE-2013-3587).
"""

import gzip

from fastapi import Request, Response


def takes_gzip(request: Request) -> bool:
    """Whether the browser accepts gzip."""
    return "gzip" in request.headers.get("accept-encoding", "")


def packed(content: bytes) -> bytes:
    """The text as gzip; always the same bytes for the same text."""
    return gzip.compress(content, mtime=0)


def packed_for(request: Request, response: Response) -> Response:
    """The answer packed where this browser accepts that, else as it is."""
    response.headers["vary"] = "accept-encoding"
    if takes_gzip(request):
        response.body = packed(bytes(response.body))
        response.headers["content-encoding"] = "gzip"
        response.headers["content-length"] = str(len(response.body))
    return response
