"""The pages about a merchant's API keys, certificates and callback address: its people look, its
owners change."""

from typing import Literal

from fastapi import APIRouter, Request, Response

from backend.console.beside import KEYS, NOTHING, Wrong, lacking
from backend.console.face import base_of
from backend.console.merchant_keys_desk import KeysDesk
from backend.console.model import Person
from backend.console.parts import ConsoleParts
from backend.console.session import OF_MERCHANT, ROOT
from backend.forms import Form
from backend.listing.limits import FILTER_CHARS_MAX
from protocol.errors import CallerError

_PEM = "application/x-pem-file"


def add_pages(pages: APIRouter, parts: ConsoleParts, desk: KeysDesk) -> None:
    """``/console/keys``."""
    _looking(pages, parts, desk)
    _changing(pages, parts, desk)
    _secrets(pages, parts, desk)


def _looking(pages: APIRouter, parts: ConsoleParts, desk: KeysDesk) -> None:
    @pages.get(ROOT + "/keys")
    @pages.get(OF_MERCHANT + "/keys")
    async def keys(request: Request) -> Response:
        return await _shown(parts, desk, request, await parts.merchant(request))

    @pages.get(ROOT + "/keys/platform/{serial}.pem")
    @pages.get(OF_MERCHANT + "/keys/platform/{serial}.pem")
    async def platform_key(request: Request, serial: str) -> Response:
        await parts.merchant(request)
        return _file(parts, request, f"platform-{serial}", await desk.platform_key(serial))

    @pages.get(ROOT + "/keys/{mchid}/{serial}.pem")
    @pages.get(OF_MERCHANT + "/keys/{mchid}/{serial}.pem")
    async def certificate(request: Request, mchid: str, serial: str) -> Response:
        person = await parts.merchant(request)
        pem = await desk.certificate(person, mchid, serial)
        return _file(parts, request, f"{mchid}-{serial}", pem)


def _changing(pages: APIRouter, parts: ConsoleParts, desk: KeysDesk) -> None:
    @pages.post(ROOT + "/keys/address")
    async def set_address(request: Request) -> Response:
        person, form = await parts.owner_posted(request)
        if wrong := lacking(form, "notify_url", "code"):
            return await _shown(parts, desk, request, person, typed=form, wrong=wrong)
        try:
            url = form["notify_url"].strip()
            await desk.set_address(person, url=url, code=_code(form))
        except CallerError as refusal:
            return await _shown(parts, desk, request, person, refusal, form)
        return parts.face.done(request, "/keys", "keys")

    @pages.post(ROOT + "/keys/{mchid}/certificates")
    async def add_certificate(request: Request, mchid: str) -> Response:
        person, form = await parts.owner_posted(request)
        if wrong := lacking(form, "csr", "code"):
            return await _shown(parts, desk, request, person, typed=form, wrong=wrong)
        try:
            await desk.add_certificate(person, mchid, csr=form["csr"], code=_code(form))
        except CallerError as refusal:
            return await _shown(parts, desk, request, person, refusal, form)
        return parts.face.done(request, "/keys", "keys")

    @pages.post(ROOT + "/keys/{mchid}/certificates/{serial}/retire")
    async def retire(request: Request, mchid: str, serial: str) -> Response:
        person, form = await parts.owner_posted(request)
        if wrong := lacking(form, "code"):
            return await _shown(parts, desk, request, person, typed=form, wrong=wrong)
        try:
            await desk.retire_certificate(person, mchid, serial=serial, code=_code(form))
        except CallerError as refusal:
            return await _shown(parts, desk, request, person, refusal, form)
        return parts.face.done(request, "/keys", "keys")


def _secrets(pages: APIRouter, parts: ConsoleParts, desk: KeysDesk) -> None:
    @pages.post(ROOT + "/keys/{mchid}/secrets/{kind}")
    async def renew(request: Request, mchid: str, kind: Literal["v3", "v2"]) -> Response:
        person, form = await parts.owner_posted(request)
        if wrong := lacking(form, "code"):
            return await _shown(parts, desk, request, person, typed=form, wrong=wrong)
        try:
            secret = await desk.renew_secret(person, mchid, kind=kind, code=_code(form))
        except CallerError as refusal:
            return await _shown(parts, desk, request, person, refusal, form)
        return parts.face.page(
            request, "secret", person, tab="keys", here=f"{ROOT}/keys", mchid=mchid, kind=kind,
            secret=secret,
        )  # fmt: skip


async def _shown(
    parts: ConsoleParts,
    desk: KeysDesk,
    request: Request,
    person: Person,
    refusal: CallerError | None = None,
    typed: Form | None = None,
    *,
    wrong: Wrong = NOTHING,
) -> Response:
    """The page, with what was refused beside the field of the form that was sent to this
    address."""
    return parts.face.page(
        request, "keys", person, tab="keys", here=f"{base_of(person)}/keys", refusal=refusal,
        fields=KEYS, wrong=wrong, typed=typed or {}, sent=request.url.path if typed else "",
        **await desk.shown(person),
    )  # fmt: skip


def _code(form: Form) -> str:
    return form.get("code", "").replace(" ", "")[:FILTER_CHARS_MAX]


def _file(parts: ConsoleParts, request: Request, name: str, pem: str) -> Response:
    headers = {"content-disposition": f'attachment; filename="{name}.pem"'}
    return parts.face.sealed(request, Response(pem, media_type=_PEM, headers=headers))
