"""The pages of fingerprints and faces: which were added, adding one with the PIN, naming, removing.

Rule: a browser makes the passkey between two posts of one form: the first, with the PIN, is
answered with what it takes; the second carries what was made.
"""

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from backend.forms import Form
from backend.passkeys.limits import NAME_CHARS_MAX, PASSKEYS_MAX
from backend.passkeys.schemas import NewPasskey, PasskeyNamed, PasskeyOffer
from backend.wallet_page.parts import PageParts, checked, json_in
from backend.wallet_page.session import ROOT, Session
from protocol.errors import CallerError

_PLACE, _ME = f"{ROOT}/passkeys", f"{ROOT}/me"


def add_pages(pages: APIRouter, parts: PageParts) -> None:
    """Add them to the router."""
    desk, face = parts.desk, parts.face

    async def listed(
        request: Request, session: Session, form: Form, refusal: CallerError | None = None
    ) -> Response:
        return face.page(
            request, "passkeys", session, back=_ME, refusal=refusal, form={"name": ""} | form,
            passkeys=await desk.passkeys.of_payer(session.payer_id), most=PASSKEYS_MAX,
            above_minor=parts.services.rules.wallet.consent_minor, name_max=NAME_CHARS_MAX,
            finger=await parts.finger(request, session),
        )  # fmt: skip

    @pages.get(_PLACE)
    async def of_payer(request: Request) -> Response:
        return await listed(request, await parts.session(request), {})

    @pages.post(_PLACE)
    async def add(request: Request) -> Response:
        session, form = await parts.posted(request)
        fields = {"name": form.get("name", "").strip()}
        try:
            if not form.get("credential"):
                wanted = checked(PasskeyOffer, fields | {"pin": form.get("pin", "")})
                offer = await desk.offer_passkey(session.payer_id, wanted)
                return face.sealed(request, JSONResponse({"passkey": offer}))
            made = checked(NewPasskey, fields | {"credential": json_in(form, "credential")})
            registration = made.credential.registration()
            await desk.passkeys.add(session.payer_id, made.name, registration)
        except CallerError as error:
            return await listed(request, session, form, error)
        return face.sent(request, "/passkeys")

    @pages.post(_PLACE + "/{credential_id}/name")
    async def name(request: Request, credential_id: str) -> Response:
        session, form = await parts.posted(request)
        try:
            wanted = checked(PasskeyNamed, {"name": form.get("name", "").strip()})
            await desk.passkeys.rename(session.payer_id, credential_id, wanted.name)
        except CallerError as error:
            return await listed(request, session, {}, error)
        return face.sent(request, "/passkeys")

    @pages.post(_PLACE + "/{credential_id}/remove")
    async def remove(request: Request, credential_id: str) -> Response:
        session, _ = await parts.posted(request)
        await desk.passkeys.remove(session.payer_id, credential_id)
        return face.sent(request, "/passkeys")
