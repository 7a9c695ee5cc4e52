"""Who may use the till's pages and its control API.

Rule 1: whoever can open a loopback connection on this machine is trusted as its cashier is: the
        page, and with it a cookie and a token, is given to any of them. A till's machine has no
        other users; the token of Rule 2 keeps no local program out and is not meant to.
Rule 2: a program shows the token of ``state_dir/control.token`` (mode 0600, made at the first
        start) as ``Authorization: Bearer …``; so it needs no page, and outlives a restart.
Rule 3: a page gets a cookie (HttpOnly, SameSite=Strict) of this process's life; what changes
        something must also send the page's own token in a header, which no other origin can read.
        This keeps other sites' pages out of the till's browser. The cookie's name carries the
        terminal's, because cookies know no port (RFC 6265 §8.5) and one browser may show two tills.
Rule 4: a request whose Host is not loopback is refused: a name that was rebound to 127.0.0.1 by
        somebody's DNS is not ours.
"""

import hmac
import os
import secrets
from pathlib import Path

from fastapi import HTTPException, Request, Response

from terminal.limits import TOKEN_BYTES
from transport.loopback import is_loopback

TOKEN_FILE = "control.token"  # noqa: S105  # a file's name
HEADER = "x-page-token"
_FILE_MODE = 0o600


class Access:
    """The secrets of one running terminal."""

    def __init__(self, control_token: str, *, tid: str) -> None:
        self._control = control_token
        self.cookie_name = f"till-{tid}"
        self._cookie = secrets.token_urlsafe(TOKEN_BYTES)
        self.page_token = secrets.token_urlsafe(TOKEN_BYTES)

    def admit_page(self, response: Response) -> None:
        """Give a page its cookie."""
        response.set_cookie(
            self.cookie_name, self._cookie, httponly=True, samesite="strict", path="/"
        )

    def check_host(self, request: Request) -> None:
        """Refuse a request that came by another name."""
        if not is_loopback(request.headers.get("host", "")):
            raise HTTPException(421)

    def check_read(self, request: Request) -> None:
        """May this request look?"""
        self.check_host(request)
        if not (self.is_program(request) or self._is_page(request)):
            raise HTTPException(401)

    def check_write(self, request: Request) -> None:
        """May this request change something?"""
        self.check_host(request)
        if self.is_program(request):
            return
        token = request.headers.get(HEADER, "")
        if not (self._is_page(request) and _same(token, self.page_token)):
            raise HTTPException(401)

    def is_program(self, request: Request) -> bool:
        """Whether the request carries the control token."""
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        return scheme.lower() == "bearer" and _same(token, self._control)

    def _is_page(self, request: Request) -> bool:
        return _same(request.cookies.get(self.cookie_name, ""), self._cookie)


def control_token(state_dir: Path) -> str:
    """The control token of this terminal; made at the first start."""
    path = state_dir / TOKEN_FILE
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _FILE_MODE)
    except FileExistsError:
        return path.read_text(encoding="ascii").strip()
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        token = secrets.token_urlsafe(TOKEN_BYTES)
        file.write(token)
    return token


def _same(left: str, right: str) -> bool:
    return hmac.compare_digest(left.encode(), right.encode())
