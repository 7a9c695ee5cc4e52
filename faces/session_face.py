"""A face whose visitors have a session: who comes in, who goes, and what every answer says to
browsers.

Rule: the session's token stands in a cookie that no script can read, that other sites' requests do
      not carry, and that only this face's pages are sent.
"""

from typing import Protocol

from fastapi import Request, Response
from fastapi.responses import RedirectResponse

from faces import policy
from faces.locale import remember

_SEE_OTHER = 303
_NOBODY = "not_authorized"


class Refusal(Protocol):
    """Why something was refused, by its stable code."""

    @property
    def code(self) -> str:
        """The stable code; ``not_authorized`` where nobody is signed in."""
        ...


class SessionFace:
    """The part that faces with a session share."""

    def __init__(self, *, root: str, cookie: str, kept_s: int) -> None:
        """``root`` is the address of the page that asks who is there; ``kept_s`` how long a
        browser keeps the cookie, at most."""
        self._root = root
        self._cookie = cookie
        self._kept_s = kept_s

    def admit(self, answer: Response, token: str) -> None:
        """Give a browser its session."""
        answer.set_cookie(
            self._cookie, token, max_age=self._kept_s, path=self._root,
            httponly=True, secure=True, samesite="strict",
        )  # fmt: skip

    def dismiss(self, answer: Response) -> None:
        """End the browser's session: delete its cookie."""
        answer.delete_cookie(
            self._cookie, path=self._root, httponly=True, secure=True, samesite="strict"
        )

    def shown_out(self, request: Request, refusal: Refusal, asked: str = "") -> Response | None:
        """The way back to the sign-in page where nobody is signed in; None for every other refusal,
        which the page shows itself. ``asked`` is added to the sign-in page's address."""
        if refusal.code != _NOBODY:
            return None
        answer = self.sent(request, asked)
        self.dismiss(answer)
        return answer

    def sent(self, request: Request, path: str) -> Response:
        """Go on to another page of ours, so that loading again repeats nothing."""
        return self.sealed(request, RedirectResponse(f"{self._root}{path}", _SEE_OTHER))

    def sealed(self, request: Request, answer: Response) -> Response:
        """The answer with the headers that every answer of this face has."""
        policy.protect(answer)
        remember(request, answer)
        return answer
