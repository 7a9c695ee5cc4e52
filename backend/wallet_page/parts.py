"""What every page of the wallet stands on."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from fastapi import Request
from pydantic import ValidationError

from backend.forms import Form, check_form
from backend.instruments.binding import CardBinding
from backend.passkeys.schemas import ASK
from backend.payments.services import Services
from backend.topups.service import TopUps
from backend.wallet.desk import WalletDesk
from backend.wallet_page.face import Face
from backend.wallet_page.session import ROOT, Session, read_form, token_of
from backend.wanted import Wanted
from protocol import ids
from protocol.errors import CallerError

_Wanted = TypeVar("_Wanted", bound=Wanted)


@dataclass(frozen=True, slots=True)
class Finger:
    """Whether a page can take a fingerprint or a face: *ready*; *none* was added yet; *elsewhere*,
    at another address; *off*, at no address. And whether it takes the PIN."""

    state: str
    address: str = ""
    """Where it can be taken."""
    pin_locked_until_ms: int = 0
    """Until when the PIN beside it is locked by wrong ones; a time that is over: it is not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PageParts:
    """One per process."""

    services: Services
    desk: WalletDesk
    face: Face
    topups: TopUps | None = None
    """None: no channel brings money in."""
    binding: CardBinding | None = None
    """None: no channel makes agreements with banks; cards are added by the JSON interface."""

    async def session(self, request: Request) -> Session:
        """Who is signed in; ``not_authorized`` where nobody is."""
        token = token_of(request)
        payer_id = await self.desk.authenticate(token)
        return Session(payer_id, token, await self.desk.switches.of_payer(payer_id))

    async def posted(self, request: Request) -> tuple[Session, Form]:
        """Who has sent a form of our pages, and what stands in it."""
        form = await read_form(request)
        session = await self.session(request)
        check_form(form, session.page_token)
        return session, form

    async def finger(self, request: Request, session: Session) -> Finger:
        """What a page that takes the PIN offers beside it."""
        site = self.desk.passkeys.site
        until_ms = (await self.desk.payer(session.payer_id))["pin_locked_until_ms"]
        if not site.origins:
            return Finger("off", "", until_ms)
        address = f"{site.origins[0]}{ROOT}"
        if not site.is_at(request.headers.get("host", "")):
            return Finger("elsewhere", address, until_ms)
        known = await self.desk.passkeys.of_payer(session.payer_id)
        return Finger("ready" if known else "none", address, until_ms)

    def mint(self, prefix: str) -> str:
        """A new id, for what a page begins."""
        services = self.services
        luck = services.entropy.token_bytes(ids.RANDOM_BYTES)
        return ids.mint(prefix, time_ms=services.clock.now_ms(), random_bytes=luck)


def word_in(form: Form) -> dict[str, Any]:
    """The payer's word in a form: the PIN, or what the page's script has put beside it."""
    word: dict[str, Any] = {"pin": form["pin"]} if form.get("pin") else {}
    text = form.get("passkey")
    if not text:
        return word
    return word | {"passkey": ASK if text == ASK else json_in(form, "passkey")}


def json_in(form: Form, name: str) -> Any:  # noqa: ANN401  # any JSON value
    """What a field holds as JSON; ``field_invalid`` for anything else."""
    try:
        return json.loads(form[name])
    except (ValueError, RecursionError):
        raise CallerError("field_invalid", name) from None


def checked(model: type[_Wanted], fields: Mapping[str, Any]) -> _Wanted:
    """What a form asks for, by the rules of the JSON interface; the error names the field."""
    try:
        return model.model_validate(fields)
    except ValidationError as error:
        field = str(error.errors(include_input=False)[0]["loc"][0])
        code = "amount_invalid" if field.endswith("_minor") else "field_invalid"
        raise CallerError(code, field) from None
