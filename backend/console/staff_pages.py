"""The pages about people: who there is, one's own account, and how a new person comes in.

Rule: a secret that is told once stands on the answer to the form that asked for it, and on no page
      that could be loaded again.
"""

from collections.abc import Awaitable, Callable, Sequence

from fastapi import APIRouter, Request, Response

from backend.console.beside import (
    FACTOR,
    INVITATION,
    NOTHING,
    PASSWORD,
    SETUP,
    Wrong,
    lacking,
    unchosen,
)
from backend.console.face import Face
from backend.console.limits import NAME_CHARS_MAX, PASSWORD_CHARS_MAX, PEOPLE_WITHOUT_SEARCH
from backend.console.model import Person, Rank, Role, hash_token
from backend.console.parts import ConsoleParts
from backend.console.places import names_of
from backend.console.session import ROOT, read_form
from backend.console.staff_desk import By, StaffDesk
from backend.db.tables import Row
from backend.forms import Form
from backend.listing.limits import FILTER_CHARS_MAX, MEANT_CHARS_MAX
from backend.listing.naming import Choice
from backend.operator.auth import origin_of
from backend.rate_limit import RateLimit
from protocol.errors import CallerError

_ASKED_FIRST = {"close": "close", "reset": "reset_factor", "sign-out": "sign_out_everywhere"}
"""Acts that take something from a person: a page asks first. The word that names each."""
_Act = Callable[[By, str, Form], Awaitable[None]]


def add_pages(pages: APIRouter, parts: ConsoleParts, desk: StaffDesk, tries: RateLimit) -> None:
    """``/console/staff``, ``account`` and ``setup``. ``tries`` bounds how often an address asks to
    set something up."""
    _staff(pages, parts, desk)
    _asked_first(pages, parts, desk)
    _account(pages, parts, desk)
    _setup(pages, parts, desk, tries)


async def _team(
    parts: ConsoleParts,
    desk: StaffDesk,
    request: Request,
    person: Person,
    *,
    refusal: CallerError | None = None,
    typed: Form | None = None,
    merchants: Sequence[Choice] = (),
) -> Response:
    """Who there is, and the form that invites, with what was typed and the ``merchants`` that it
    may mean."""
    every = await desk.listed(By.of(person))
    places = await names_of(parts.payments.services, every)
    find = request.query_params.get("find", "").strip()[:FILTER_CHARS_MAX]
    at_hand = await parts.naming.found("merchant", "", None) if person.is_operator else []
    return parts.face.page(
        request, "staff", person, tab="staff", here=f"{ROOT}/staff", places=places, find=find,
        rows=[row for row in every if _is_called(row, find, places)], ranks=list(Rank),
        has_find=len(every) > PEOPLE_WITHOUT_SEARCH, refusal=refusal, fields=INVITATION,
        typed=typed or {}, merchants=merchants, known={"merchant_id": at_hand},
    )  # fmt: skip


def _staff(pages: APIRouter, parts: ConsoleParts, desk: StaffDesk) -> None:
    face = parts.face

    def told_once(request: Request, person: Person, told: dict[str, str]) -> Response:
        here = f"{ROOT}/staff"
        return face.page(request, "staff_told", person, tab="staff", here=here, told=told)

    @pages.get(ROOT + "/staff")
    async def staff(request: Request) -> Response:
        return await _team(parts, desk, request, await parts.person(request))

    @pages.post(ROOT + "/staff/invite")
    async def invite(request: Request) -> Response:
        person, form = await parts.posted(request)
        text = form.get("merchant_id", "") if person.is_operator else ""
        form |= {"merchant_id": text.strip()[:MEANT_CHARS_MAX]}
        try:
            meant = await _merchants_of(parts, person, form)
            if len(meant) > 1 or not _is_whole(meant, form["merchant_id"]):
                return await _team(parts, desk, request, person, typed=form, merchants=meant)
            merchant_id = meant[0].id
            told = await desk.invite(
                By.of(person),
                name=_name(form),
                role=Role.MERCHANT if merchant_id else Role.OPERATOR,
                rank=_rank(form),
                merchant_id=merchant_id,
            )
        except CallerError as refusal:
            return await _team(parts, desk, request, person, refusal=refusal, typed=form)
        return told_once(request, person, told)

    @pages.post(ROOT + "/staff/{name}/reset")
    async def reset(request: Request, name: str) -> Response:
        person, _ = await parts.posted(request)
        told = await desk.reset(By.of(person), name)
        return told_once(request, person, told)

    async def change_rank(by: By, name: str, form: Form) -> None:
        await desk.change_rank(by, name, _rank(form))

    acts: dict[str, _Act] = {
        "close": lambda by, name, _: desk.close(by, name),
        "open": lambda by, name, _: desk.open(by, name),
        "sign-out": lambda by, name, _: desk.sign_out(by, name),
        "rank": change_rank,
    }

    @pages.post(ROOT + "/staff/{name}/{act}")
    async def change(request: Request, name: str, act: str) -> Response:
        person, form = await parts.posted(request)
        if act not in acts:
            raise CallerError("route_unknown")
        await acts[act](By.of(person), name, form)
        return face.done(request, "/staff", "staff")


async def _merchants_of(parts: ConsoleParts, person: Person, form: Form) -> list[Choice]:
    """Whose a new person is: at least one merchant that is meant, or nobody's but the operators';
    ``merchant_unknown`` where nothing is called so."""
    if not person.is_operator:
        return [Choice(person.merchant_id, person.merchant_name)]
    text = form["merchant_id"]
    if not text:
        return [Choice("", "")]
    found = await parts.naming.meant("merchant", text, None)
    if not found:
        raise CallerError("merchant_unknown", text)
    return found


def _is_whole(meant: Sequence[Choice], text: str) -> bool:
    """Whether the one that is meant was called by all of its id or name: a part of one lets nobody
    in without a question."""
    one = meant[0]
    return text.casefold() in {each.casefold() for each in ("", one.id, one.name, one.told)}


def _is_called(row: Row, text: str, places: dict[str, str]) -> bool:
    """Whether a person, or the merchant, has a text in its name or id."""
    of = row["merchant_id"]
    names = (row["name"], of, places.get(of, ""))
    return any(text.casefold() in one.casefold() for one in names)


def _asked_first(pages: APIRouter, parts: ConsoleParts, desk: StaffDesk) -> None:
    @pages.get(ROOT + "/staff/{name}/{act}")
    async def check(request: Request, name: str, act: str) -> Response:
        person = await parts.person(request)
        if act not in _ASKED_FIRST:
            raise CallerError("route_unknown")
        found = [row for row in await desk.listed(By.of(person)) if row["name"] == name]
        if not found:
            raise CallerError("user_unknown", name)
        return parts.face.page(
            request, "staff_check", person, tab="staff", row=found[0], act=act,
            word=_ASKED_FIRST[act], places=await names_of(parts.payments.services, found),
        )  # fmt: skip


def _account(pages: APIRouter, parts: ConsoleParts, desk: StaffDesk) -> None:
    face = parts.face

    async def shown(
        request: Request,
        person: Person,
        refusal: CallerError | None = None,
        wrong: Wrong = NOTHING,
    ) -> Response:
        return face.page(
            request, "account", person, here=f"{ROOT}/account", refusal=refusal, wrong=wrong,
            fields=PASSWORD, sessions=await desk.sessions(person.name),
            own=hash_token(person.token).hex(),
        )  # fmt: skip

    @pages.get(ROOT + "/account")
    async def account(request: Request) -> Response:
        person = await parts.person(request)
        return await shown(request, person)

    @pages.post(ROOT + "/account/password")
    async def password(request: Request) -> Response:
        person, form = await parts.own_posted(request)
        if wrong := lacking(form, "old") | unchosen(form, "new") | lacking(form, "code"):
            return await shown(request, person, wrong=wrong)
        old, new = (form[name][: PASSWORD_CHARS_MAX + 1] for name in ("old", "new"))
        try:
            await desk.change_password(person, old=old, new=new, code=_code(form))
        except CallerError as refusal:
            return await shown(request, person, refusal)
        return face.done(request, "/account", "password")

    @pages.post(ROOT + "/account/sessions/{session_id}/end")
    async def end(request: Request, session_id: str) -> Response:
        person, _ = await parts.own_posted(request)
        await desk.end_session(person, session_id)
        return face.done(request, "/account", "session")

    @pages.post(ROOT + "/account/sign-out")
    async def everywhere(request: Request) -> Response:
        person, _ = await parts.own_posted(request)
        await desk.end_own_sessions(person)
        answer = face.sent(request, "")
        face.dismiss(answer)
        return answer


def _setup(pages: APIRouter, parts: ConsoleParts, desk: StaffDesk, tries: RateLimit) -> None:
    face = parts.face

    def asked(
        request: Request,
        typed: dict[str, str],
        refusal: CallerError | None = None,
        wrong: Wrong = NOTHING,
    ) -> Response:
        return face.page(
            request, "setup", None, here=f"{ROOT}/setup", refusal=refusal, wrong=wrong,
            fields=SETUP, typed=typed,
        )  # fmt: skip

    @pages.get(ROOT + "/setup")
    async def setup(request: Request) -> Response:
        return asked(request, {"name": "", "setup": ""})

    @pages.post(ROOT + "/setup/begin")
    async def begin(request: Request) -> Response:
        form = await read_form(request)
        tries.take(origin_of(request))
        typed = {"name": _name(form), "setup": _secret(form)}
        if wrong := lacking(form, "name", "setup"):
            return asked(request, typed, wrong=wrong)
        try:
            told = await desk.setup(**typed)
        except CallerError as refusal:
            return asked(request, typed, refusal)
        return _factor(face, request, typed, told)

    @pages.post(ROOT + "/setup")
    async def finish(request: Request) -> Response:
        form = await read_form(request)
        tries.take(origin_of(request))
        typed = {"name": _name(form), "setup": _secret(form)}
        told = await desk.setup(**typed)
        if wrong := lacking(form, "code") | unchosen(form, "password"):
            return _factor(face, request, typed, told, wrong=wrong)
        try:
            await desk.finish_setup(
                **typed,
                password=form["password"],
                code=_code(form),
                origin=origin_of(request),
            )
        except CallerError as refusal:
            return _factor(face, request, typed, told, refusal)
        return face.page(request, "setup_done", None, here=ROOT)


async def factor_page(
    face: Face, desk: StaffDesk, request: Request, typed: dict[str, str]
) -> Response:
    """Where who has a setup secret (``name``, ``setup``) pairs a phone and chooses a password."""
    return _factor(face, request, typed, await desk.setup(**typed))


def _factor(
    face: Face,
    request: Request,
    typed: dict[str, str],
    told: dict[str, str],
    refusal: CallerError | None = None,
    wrong: Wrong = NOTHING,
) -> Response:
    return face.page(
        request, "setup_factor", None, here=f"{ROOT}/setup", refusal=refusal, wrong=wrong,
        fields=FACTOR, typed=typed, told=told,
    )  # fmt: skip


def _name(form: Form) -> str:
    return form.get("name", "").strip()[:NAME_CHARS_MAX]


def _secret(form: Form) -> str:
    return form.get("setup", "").strip()[:FILTER_CHARS_MAX]


def _code(form: Form) -> str:
    return form["code"].replace(" ", "")


def _rank(form: Form) -> Rank:
    try:
        return Rank(form.get("rank", ""))
    except ValueError:
        raise CallerError("field_invalid", "rank") from None
