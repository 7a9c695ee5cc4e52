"""Makes the answers of one terminal's pages: for whoever is there, or the question who is."""

from typing import Any

from fastapi import Request, Response
from fastapi.responses import HTMLResponse

from faces.assets import Assets
from faces.locale import language_of, remember
from faces.packing import packed_for
from faces.words import Language
from terminal.profile import Profile
from terminal.web.gate import Gate
from terminal.web.view import Renderer, View

_SOUND = "sound"
_KEYS, _KNOWN_KEYS = "keys", {"pad", "full"}  # which keys were pressed at this device (keys.js)


class Desk:
    """Makes the answers of one terminal's pages."""

    def __init__(self, gate: Gate, assets: Assets) -> None:
        self.gate = gate
        self.renderer = Renderer(gate.counter, assets)

    def answer(self, request: Request, template: str, view: View, **more: Any) -> Response:  # noqa: ANN401
        """A page for whoever is there, or the question who is. Of a training the payer's side says
        that it is one."""
        station = self.gate.counter.station()
        if view != "customer" and not self.gate.has_no_staff:
            sign_in = self.gate.counter.sign_in
            if sign_in.signed_in() is None:
                template, view = "till/signin.html", "sale"
                more = {"locked_by": self._locked_by(), "mood": "plain"}
        access = self.gate.access
        html = self.renderer.page(
            template,
            view,
            station,
            language=self.language(request),
            token="" if view == "customer" else access.page_token,
            sound=request.cookies.get(_SOUND) or ("on" if self._real.is_spoken else "off"),
            more={**more, "keys": self._keys(request)},
        )
        response = packed_for(request, HTMLResponse(html))  # to this machine only (access, Rule 4)
        access.admit_page(response)
        remember(request, response)
        return response

    def language(self, request: Request) -> Language:
        """What the page asks for, else what the till is set to."""
        return language_of(request, "en" if self._real.language == "en" else "zh")

    def _keys(self, request: Request) -> str:
        found = request.cookies.get(_KEYS, "")
        return found if found in _KNOWN_KEYS else "none"

    @property
    def _real(self) -> Profile:
        return self.gate.counter.real.agent.profile

    def _locked_by(self) -> str:
        session = self.gate.counter.sign_in.session()
        names = {each.staff_id: each.name for each in self.gate.counter.sign_in.staff}
        return names.get(session.staff_id, "") if session is not None else ""
