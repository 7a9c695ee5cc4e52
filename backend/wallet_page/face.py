"""How the wallet's pages look: templates, words, amounts and times, and what a refusal shows."""

from typing import Any

from fastapi import Request, Response
from fastapi.responses import HTMLResponse
from markupsafe import Markup

from backend.channels.reason_words import reason_words
from backend.http_errors import status_of
from backend.shop_time import shown_time
from backend.wallet.switches import Switch
from backend.wallet_page.limits import LOOK_EVERY_MS, SESSION_S
from backend.wallet_page.payer_words import to_payer
from backend.wallet_page.session import COOKIE, ROOT, Session, paying_at
from backend.wallet_page.state_words import (
    AGREEMENT_STATES,
    MANDATE_STATES,
    NOTICE_STATES,
    REFUND_STATES,
    SERVICE_STATES,
    STATES,
    WITHDRAWAL_STATES,
)
from backend.wallet_page.words import SWITCHES, WORDS
from faces.assets import Assets
from faces.locale import language_of
from faces.pages import Pages
from faces.session_face import SessionFace
from protocol.clock import Clock
from protocol.errors import TillwayError
from protocol.money import Money


class Face(SessionFace):
    """Makes the answers. One per process."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(root=ROOT, cookie=COOKIE, kept_s=SESSION_S)
        self.assets = Assets("wallet", "backend.wallet_page", root=ROOT)
        self._pages = Pages("backend.wallet_page", self.assets, WORDS)
        self._clock = clock

    def page(
        self,
        request: Request,
        name: str,
        session: Session | None,
        *,
        refusal: TillwayError | None = None,
        **more: Any,  # noqa: ANN401  # what the template shows
    ) -> Response:
        """A page; with a refusal's sentence above it where there is one."""
        html = self.piece(request, name, session, refusal=refusal, **more)
        answer = HTMLResponse(html, 200 if refusal is None else status_of(refusal))
        return self.sealed(request, answer)

    def piece(
        self,
        request: Request,
        name: str,
        session: Session | None,
        **more: Any,  # noqa: ANN401  # what the template shows
    ) -> Markup:
        """A template's text."""
        shown = {
            "mood": "plain",
            "tab": "",
            "refusal": None,
            "back": "",
            "finger": None,
            "here": request.url.path,
        } | more
        return self._pages.render(
            f"wallet/{name}.html",
            language_of(request),
            face="wallet",
            token=session.page_token if session else "",
            is_signed_in=session is not None,
            switches_on=[
                SWITCHES[one].name for one in Switch if session and one in session.switches
            ],
            now_ms=self._clock.now_ms(),
            look_every_ms=LOOK_EVERY_MS,
            money=shown_money,
            time=shown_time,
            states=STATES,
            mandate_states=MANDATE_STATES,
            notice_states=NOTICE_STATES,
            agreement_states=AGREEMENT_STATES,
            service_states=SERVICE_STATES,
            refund_states=REFUND_STATES,
            withdrawal_states=WITHDRAWAL_STATES,
            to_payer=to_payer,
            reason_words=reason_words,
            **shown,
        )

    def refused(self, request: Request, error: TillwayError, session: Session | None) -> Response:
        """A page of nothing but the refusal; for who is nobody, the question who it is."""
        paying = paying_at(request.url.path)
        shown_out = self.shown_out(request, error, f"?on={paying}" if paying else "")
        return shown_out or self.page(request, "refused", session, refusal=error, mood="error")


def shown_money(amount_minor: int, currency: str = "CNY") -> str:
    """``12.80``, without the currency."""
    return Money(amount_minor, currency).decimal()
